# SPDX-FileCopyrightText: 2026 The hmp_ros authors
# SPDX-License-Identifier: Apache-2.0
"""A piece of recorded motion, on a hand of random size and shape, in front of a simulated camera."""

from dataclasses import dataclass
from typing import Final

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.spatial.transform import Rotation

from hmp_core.camera import Camera
from hmp_core.evaluation.prior_gaps import ACTIVE_M_PER_S, HAND_M
from hmp_core.evaluation.recorded_motion import RecordedMotion, WristCourse
from hmp_core.hand.kinematics import HandKinematics
from hmp_core.hand.model import HandModel
from hmp_core.hand.skeleton import MIDDLE_MCP, NUM_BETAS, NUM_JOINTS, WRIST
from hmp_core.media.wrist_motion import move_wrist

SIZE_SPREAD: Final = 0.07
_SHAPE_SPREAD: Final = 0.7
_NEAREST_M: Final = 0.25
_LEAST_INSIDE: Final = 0.95
_REACH_M: Final = 0.12
"""Farthest that a recorded wrist goes from its window's middle."""
_TRIES: Final = 8
_PALM_SHARE: Final = 0.75


@dataclass(frozen=True)
class StagedHand:
    """A right hand over time.

    Attributes:
        times_s: [T] from 0.
        rotation_vectors: [T, 16, 3] MANO pose, global orientation in the camera frame first [rad].
        betas: [10].
        scale: of the shaped model as a whole.
        joints: [T, 21, 3] camera frame [m].
        inside: [T, 21] joints in the image.
        label: sign or activity.
    """

    times_s: NDArray[np.float64]
    rotation_vectors: NDArray[np.float64]
    betas: NDArray[np.float64]
    scale: float
    joints: NDArray[np.float64]
    inside: NDArray[np.bool_]
    label: str


class Stage:
    """Puts recordings in front of a camera.

    Args:
        motion: recordings.
        model: the right hand.
        camera: that looks.
    """

    def __init__(self, motion: RecordedMotion, model: HandModel, camera: Camera) -> None:
        self._motion, self._camera = motion, camera
        self._starts = (motion.fingers.lengths.cumsum(0) - motion.fingers.lengths).numpy()
        self._kinematics = HandKinematics(model, torch.float64)

    def put(self, recording: int, frames: int, rng: np.random.Generator) -> StagedHand:
        """Some successive frames of a recording; those that leave the image are drawn anew a few times."""
        fingers = self._motion.fingers
        length = int(fingers.lengths[recording])
        first = int(self._starts[recording] + rng.integers(0, length - frames + 1))
        rows = slice(first, first + frames)
        times = np.arange(frames) / fingers.rate_hz
        vectors = fingers.rotation_vectors[rows].double().numpy()
        betas, size = rng.normal(0, _SHAPE_SPREAD, NUM_BETAS), 1 + SIZE_SPREAD * rng.normal()
        for _ in range(_TRIES):
            R, joints, scale = self._in_front(vectors, betas, size, rows, times, rng)
            inside = self._camera.contains(self._camera.project(joints))
            if joints[..., 2].min() > _NEAREST_M and inside.mean() >= _LEAST_INSIDE:
                break
        pose = np.concatenate([Rotation.from_matrix(R).as_rotvec()[:, None], vectors], axis=1)
        return StagedHand(times, pose, betas, scale, joints, inside, fingers.labels[recording])

    def moves(self, hand: StagedHand, behind: NDArray[np.bool_]) -> bool:
        """Whether the joints ``behind`` [T, 21] something move as ``hmp eval prior`` defines an active window.

        That is in the wrist's axes, on a hand of the size that the limit is for.
        """
        vectors = hand.rotation_vectors[:, 1:]
        local = self._relative(np.tile(np.eye(3), (len(vectors), 1, 1)), vectors, np.zeros(NUM_BETAS))
        scale = HAND_M / np.linalg.norm(local[0, MIDDLE_MCP])
        speed = scale * self._motion.fingers.rate_hz * np.linalg.norm(np.diff(local, axis=0), axis=-1)
        moving = np.setdiff1d(np.arange(NUM_JOINTS), (WRIST, 1, 5, 9, 13, 17))
        hidden = behind[1:, moving]
        return bool(hidden.any() and speed[:, moving][hidden].mean() > ACTIVE_M_PER_S)

    def _in_front(
        self,
        vectors: NDArray[np.float64],
        betas: NDArray[np.float64],
        size: float,
        rows: slice,
        times: NDArray[np.float64],
        rng: np.random.Generator,
    ) -> tuple[NDArray[np.float64], NDArray[np.float64], float]:
        """Orientations [T, 3, 3] and joints [T, 21, 3] somewhere in front of the camera, and the hand's scale."""
        course = move_wrist(times, self._camera, rng)
        R, centre = course.R_camera_mano, course.centre
        if self._motion.wrist is not None:
            recorded = self._motion.wrist
            own = WristCourse(recorded.R_world_wrist[rows], recorded.position[rows])
            # A camera from which the recording's mean pose looks as one of the made-up motion's.
            R_camera_world = R[0] @ Rotation.from_matrix(own.R_world_wrist).mean().as_matrix().T
            R = R_camera_world @ own.R_world_wrist
            middle = (own.position.min(axis=0) + own.position.max(axis=0)) / 2
            way = own.position - middle
            # People walk out of a camera's sight; theirs goes along, as far as it must.
            way *= min(1.0, _REACH_M / np.linalg.norm(way, axis=1).max())
            centre = centre[0] + way @ R_camera_world.T
        relative = self._relative(R, vectors, betas)
        length = np.linalg.norm(relative[0, MIDDLE_MCP])
        average = np.linalg.norm(self._relative(R[:1], vectors[:1], np.zeros(NUM_BETAS))[0, MIDDLE_MCP])
        scale = float(size * average / length)
        relative *= scale
        palm = _PALM_SHARE * relative[:, MIDDLE_MCP]
        # Fingers turn about the wrist; only the made-up course speaks of the palm's middle.
        anchor = palm.mean(axis=0) if self._motion.wrist is not None else palm
        return R, np.asarray(relative + (centre - anchor)[:, None]), scale

    def _relative(
        self, R: NDArray[np.float64], vectors: NDArray[np.float64], betas: NDArray[np.float64]
    ) -> NDArray[np.float64]:
        turns = Rotation.from_rotvec(vectors.reshape(-1, 3)).as_matrix().reshape(*vectors.shape[:2], 3, 3)
        rotations = torch.from_numpy(np.concatenate([R[:, None], turns], axis=1))
        nowhere = torch.zeros(len(R), 3, dtype=torch.float64)
        joints = self._kinematics.joints(rotations, torch.from_numpy(betas), nowhere).numpy()
        return np.asarray(joints - joints[:, :1])
