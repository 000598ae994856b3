# SPDX-FileCopyrightText: 2026 The hmp_ros authors
# SPDX-License-Identifier: Apache-2.0
"""From the fitter's right hand to a track's own hand: the border where left hands are mirrored out."""

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from hmp_core.estimate import HandEstimate, WindowStatus
from hmp_core.fitting.evidence import StepEvidence, mirror_pose
from hmp_core.fitting.hand_fitter import HandSolution
from hmp_core.fitting.hand_pose import HandPose
from hmp_core.fitting.posterior import Posterior
from hmp_core.fitting.published import own_side, own_side_covariance, right_hand
from hmp_core.fitting.trajectory import Trajectory
from hmp_core.fitting.window_model import DecodedSteps, WindowModel
from hmp_core.hand.mirror import mirror_points
from hmp_core.hand.operator_frame import operator_frame
from hmp_core.hand.skeleton import NUM_JOINTS, Side
from hmp_core.hand.so3 import exponential, logarithm
from hmp_core.observation import ManoPose


@dataclass(frozen=True)
class HandReadout:
    """The pose of a track's own hand: fields of :class:`~hmp_core.estimate.HandEstimate`, as described there."""

    joints_camera: NDArray[np.float64]
    mano: ManoPose
    R_camera_wrist: NDArray[np.float64]


def read_out(model: WindowModel, pose: HandPose, betas: Tensor, side: Side) -> HandReadout:
    """Joints and MANO parameters of a right hand's ``pose`` with ``betas`` [10], as the hand of ``side``."""
    hand = own_side(right_hand(pose, betas, model.kinematics), side)
    return HandReadout(hand.joints_camera, hand.mano, operator_frame(hand.joints_camera, side))


def read_back(estimate: HandEstimate) -> HandPose:
    """The right hand's pose that an estimate was read out from."""
    left = estimate.side is Side.LEFT
    mano = mirror_pose(estimate.mano) if left else estimate.mano
    wrist = estimate.joints_camera[:1]
    rotations = exponential(torch.from_numpy(mano.rotation_vectors))
    place = torch.from_numpy((mirror_points(wrist) if left else wrist)[0].copy())
    return HandPose(rotations[0], place, rotations[1:])


def published_sigmas(
    posterior: Posterior | None,
    newest: Trajectory,
    decoded: DecodedSteps,
    pose: HandPose,
    joints_camera: NDArray[np.float64],
    side: Side,
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Joint sigmas [21] [m] and the wrist's covariance [6, 6] of what is published; -1 where nothing is known.

    A published hand that is not the one that was solved (it leads over from another, or slows down in a gap) is off
    by that difference, too.

    Args:
        posterior: of the step that was solved, a right hand's.
        newest: that step.
        decoded: its joints.
        pose: that is published, a right hand's.
        joints_camera: [21, 3] it has as the track's own hand [m].
        side: of the track.
    """
    if posterior is None:
        return np.full(NUM_JOINTS, -1.0), np.diag(np.full(6, -1.0))
    relative = joints_camera - joints_camera[0]
    relative = mirror_points(relative) if side is Side.LEFT else relative
    ahead = relative - decoded.joints_wrist_relative[0].numpy()
    stddev = np.sqrt(posterior.joint_stddev_m**2 + (ahead**2).mean(axis=-1))
    moved = pose.p_camera_wrist - newest.p_camera_wrist[0]
    turned = logarithm(pose.R_camera_wrist @ newest.R_camera_wrist[0].mT)
    off = torch.cat([moved, turned]).numpy()
    return stddev, own_side_covariance(posterior.wrist_covariance + np.outer(off, off), side)


def window_status(
    track_id: int, epoch_ns: int, solution: HandSolution, evidence: StepEvidence | None, focal_px: float
) -> WindowStatus:
    """How a window was solved.

    Args:
        epoch_ns: stamp of the window's time 0 [ns].
        evidence: of the newest step.
        focal_px: of the camera that saw it [px].
    """
    result, times = solution.result, solution.result.trajectory.times_s
    rmse = float("nan")
    if evidence is not None:
        points = solution.decoded.keypoints_camera[0].numpy()
        error = (points[:, :2] / points[:, 2:] - evidence.rays) * focal_px
        seen = evidence.ray_information > 0
        rmse = float(np.sqrt((error[seen] ** 2).sum(axis=-1).mean())) if seen.any() else rmse
    return WindowStatus(
        track_id=track_id,
        first_stamp_ns=epoch_ns + round(times[0] * 1e9),
        last_stamp_ns=epoch_ns + round(times[-1] * 1e9),
        steps=len(times),
        steps_observed=solution.steps_observed,
        iterations=result.iterations,
        warm_started=solution.warm,
        converged=result.converged,
        initial_cost=result.initial_cost,
        final_cost=result.final_cost,
        reprojection_rmse_px=rmse,
    )
