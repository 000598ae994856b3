# SPDX-FileCopyrightText: 2026 The hmp_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The whole pipeline over a labelled sequence: what each stage says about its hand in each frame.

Nothing of the labels is told to the pipeline: it finds the hand and decides on its side by itself, where published
figures mostly start from the true box. A hand that it takes for one of the other side is missed.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Final

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.spatial.transform import Rotation

from hmp_core.errors import ImageError
from hmp_core.estimate import FrameEstimate, HandEstimate, HandStatus
from hmp_core.evaluation.activity import active_frames, gap_lengths
from hmp_core.evaluation.labelled import RATE_HZ, LabelledSequence
from hmp_core.evaluation.occlusion_report import HandRun, MethodOutput
from hmp_core.fitting.config import FitterConfig
from hmp_core.fitting.sequence import ClipFitter
from hmp_core.frame import Frame
from hmp_core.hand.kinematics import HandKinematics
from hmp_core.hand.skeleton import NUM_JOINTS, WRIST, Side
from hmp_core.observation import FrameObservation, HandObservation, ManoPose
from hmp_core.perception.root import solve_wrist_position
from hmp_core.pipeline import Pipeline

METHODS: Final = ("detector", "initializer", "offline", "online")
"""Raw world landmarks, placed by the root solver; the initializer's pose; ``hmp fit``, which sees the sequence as a
whole; the online fitter's output at lag 0."""

_TIMEOUT_NS: Final = round(1e9 * FitterConfig().infill_timeout_s)
Poses = list[ManoPose | None]


@dataclass(frozen=True)
class SequenceRun:
    """A sequence as the methods have it.

    Attributes:
        run: joints of truth and methods.
        statuses: of the online fitter's hand, as the product would publish them: LOST beyond its time-out, though
            here the fitter has none; None where it has no hand.
        roots_camera: [T, 3] the wrists that the data set gives away [m]; NaN where it does not.
        true_poses: of the user's MANO, None where unknown.
        poses: of the methods that have any, None in frames without output.
        unusable_images: images that the pipeline refused.
    """

    run: HandRun
    statuses: list[HandStatus | None]
    roots_camera: NDArray[np.float64]
    true_poses: Poses
    poses: dict[str, Poses]
    unusable_images: int


class SequenceRunner:
    """Runs one pipeline over sequence after sequence, each from a fresh start.

    Args:
        pipeline: with the models to be measured; its fitter should never give a hand up.
        offline: the same for whole sequences.
        tip_vertices: the data set's fingertips, thumb to pinky, where its hand model is the pipeline's too.
    """

    def __init__(self, pipeline: Pipeline, offline: ClipFitter, tip_vertices: Sequence[int] | None = None) -> None:
        self._pipeline, self._offline = pipeline, offline
        model = pipeline.model
        if tip_vertices is not None:
            model = replace(model, tip_vertices=np.array(tip_vertices))
        self.models = {Side.RIGHT: model, Side.LEFT: model.mirrored()}
        self._kinematics = {side: HandKinematics(one, torch.float64) for side, one in self.models.items()}

    def run(self, sequence: LabelledSequence, advance: Callable[[], None]) -> SequenceRun:
        """Run a sequence; ``advance`` is called after each frame.

        Raises:
            DataError: a file of the sequence is unusable.
        """
        self._pipeline.perception.reset()
        self._pipeline.fitter.reset()
        count, side, unusable = len(sequence), sequence.side, 0
        truth, roots = np.full((count, NUM_JOINTS, 3), np.nan), np.full((count, 3), np.nan)
        hidden = np.zeros((count, NUM_JOINTS), dtype=bool)
        joints = {name: np.full((count, NUM_JOINTS, 3), np.nan) for name in METHODS}
        stddev, covariance = np.full((count, NUM_JOINTS), np.nan), np.full((count, 6, 6), np.nan)
        true_poses: Poses = [None] * count
        poses: dict[str, Poses] = {name: [None] * count for name in METHODS[1:]}
        statuses: list[HandStatus | None] = [None] * count
        observed: dict[int, FrameObservation] = {}
        seen_ns = 0
        for index, labelled in enumerate(sequence):
            truth[index], roots[index], hidden[index] = labelled.truth_camera, labelled.root_camera, labelled.hidden
            true_poses[index] = labelled.pose
            try:
                observation, estimate = self._pipeline.process(labelled.frame)
            except ImageError:
                unusable += 1
                continue
            finally:
                advance()
            observed[index] = observation
            seen, concluded = _seen(observation, side), _concluded(estimate, side)
            if seen is not None:
                seen_ns = observation.stamp_ns
                placed = place_landmarks(seen, labelled.frame)
                joints["detector"][index] = np.nan if placed is None else placed
                poses["initializer"][index] = seen.initial
            if concluded is not None:
                lost = observation.stamp_ns - seen_ns > _TIMEOUT_NS
                poses["online"][index] = concluded.mano
                statuses[index] = HandStatus.LOST if lost else concluded.status
                stddev[index], covariance[index] = concluded.joint_stddev_m, concluded.wrist_covariance
        for index, estimate in zip(observed, self._offline.fit(list(observed.values())), strict=True):
            concluded = _concluded(estimate, side)
            poses["offline"][index] = None if concluded is None else concluded.mano
        for name, course in poses.items():
            for index, pose in enumerate(course):
                if pose is not None:
                    joints[name][index] = self.joints(pose, side)
        outputs = {name: MethodOutput(joints[name]) for name in METHODS}
        outputs["online"] = MethodOutput(joints["online"], stddev, covariance)
        run = HandRun(
            side, truth, hidden, active_frames(truth, side, RATE_HZ), gap_lengths(hidden, RATE_HZ), outputs
        )
        return SequenceRun(run, statuses, roots, true_poses, poses, unusable)

    def joints(self, pose: ManoPose, side: Side) -> NDArray[np.float64]:
        """Joints [21, 3] m of a pose of this side, with the data set's fingertips."""
        rotations = torch.from_numpy(Rotation.from_rotvec(pose.rotation_vectors).as_matrix())[None]
        betas, translation = torch.as_tensor(pose.betas).double(), torch.as_tensor(pose.translation).double()
        return np.asarray(self._kinematics[side].joints(rotations, betas, translation[None])[0].numpy())


def place_landmarks(hand: HandObservation, frame: Frame) -> NDArray[np.float64] | None:
    """The raw landmarks [21, 3] in the camera frame [m], None where their rays fix no place."""
    rays, ray_sigma = frame.camera.rays_and_sigmas(hand.keypoints_px, hand.keypoint_sigma_px)
    wrist = solve_wrist_position(hand.landmarks_m, rays, ray_sigma)
    return None if wrist is None else hand.landmarks_m - hand.landmarks_m[WRIST] + wrist.position


def _seen(observation: FrameObservation, side: Side) -> HandObservation | None:
    """The most certain hand of that side, or of a side not yet decided."""
    hands = [hand for hand in observation.hands if hand.side in (side, None)]
    return max(hands, key=lambda hand: hand.presence, default=None)


def _concluded(estimate: FrameEstimate, side: Side) -> HandEstimate | None:
    """The hand of that side that was seen last; a lost one is held by the charge for missing frames."""
    hands = [hand for hand in estimate.hands if hand.side is side and hand.status is not HandStatus.LOST]
    return min(hands, key=lambda hand: hand.since_observed_ns, default=None)
