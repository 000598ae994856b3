# SPDX-FileCopyrightText: 2026 The hmp_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The border at which right hands of the fitter become the hands that they are."""

from dataclasses import dataclass
from typing import Final

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from hmp_core.estimate import HandStatus
from hmp_core.fitting.evidence import StepEvidence, mirror_pose
from hmp_core.fitting.hand_pose import HandPose
from hmp_core.hand.kinematics import HandKinematics
from hmp_core.hand.mirror import mirror_points
from hmp_core.hand.skeleton import NUM_JOINTS, Side
from hmp_core.hand.so3 import exponential, logarithm
from hmp_core.observation import ManoPose

_OBSERVED_JOINTS: Final = 18
_MIRROR_SIX: Final = np.array([-1.0, 1.0, 1.0, 1.0, -1.0, -1.0])


@dataclass(frozen=True)
class PublishedPose:
    """Joints [21, 3] [m] and the MANO parameters that reproduce them."""

    joints_camera: NDArray[np.float64]
    mano: ManoPose


def right_hand(pose: HandPose, betas: Tensor, kinematics: HandKinematics) -> PublishedPose:
    """A pose with its shape [10], still a right hand."""
    poses = HandPose(pose.R_camera_wrist[None], pose.p_camera_wrist[None], pose.R_finger[None])
    return right_hands(poses, betas, kinematics)[0]


def right_hands(poses: HandPose, betas: Tensor, kinematics: HandKinematics) -> list[PublishedPose]:
    """Poses, their tensors stacked along a first axis, of one hand of shape [10]; still right hands."""
    vectors = logarithm(torch.cat([poses.R_camera_wrist[:, None], poses.R_finger], dim=1))
    translations = poses.p_camera_wrist - kinematics.rest_wrist(betas).reshape(3)
    # From the published vectors: the prior decodes in single precision, its matrices are not quite orthonormal.
    rotations = exponential(vectors)
    joints = kinematics.joints(rotations, betas, translations).numpy()
    return [
        PublishedPose(own, ManoPose(turned, betas.numpy(), moved))
        for own, turned, moved in zip(joints, vectors.numpy(), translations.numpy(), strict=True)
    ]


def own_side(published: PublishedPose, side: Side) -> PublishedPose:
    """Where left hands are mirrored out."""
    if side is Side.RIGHT:
        return published
    return PublishedPose(mirror_points(published.joints_camera), mirror_pose(published.mano))


def own_side_covariance(covariance: NDArray[np.float64], side: Side) -> NDArray[np.float64]:
    """The same for a right wrist's covariance [6, 6]."""
    return covariance if side is Side.RIGHT else covariance * np.outer(_MIRROR_SIX, _MIRROR_SIX)


def observed_status(
    evidence: StepEvidence | None, depth_m: float, sigma_m: float
) -> tuple[HandStatus, NDArray[np.bool_]]:
    """The status that evidence gives a hand at ``depth_m``, and which joints [21] are observed."""
    observed = np.zeros(NUM_JOINTS, dtype=bool)
    if evidence is not None:
        observed = evidence.observed_joints(depth_m, sigma_m)
    count = int(observed.sum())
    if count == 0:
        return HandStatus.INFILLED, observed
    return (HandStatus.OBSERVED if count >= _OBSERVED_JOINTS else HandStatus.PARTIAL), observed
