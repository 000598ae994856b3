# SPDX-FileCopyrightText: 2026 The hmp_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What every baseline works on: the initializer's hands, image by image, and how far each is to be trusted."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.spatial.transform import Rotation

from hmp_core.hand.kinematics import HandKinematics
from hmp_core.hand.skeleton import BONE_ENDS, NUM_BETAS, NUM_FINGER_ROTATIONS, NUM_JOINTS, Side
from hmp_core.observation import FrameObservation
from hmp_core.perception.root import solve_wrist_position

Array = NDArray[np.float64]

PALM: Final = (0, 5, 9, 13, 17)
PALM_M: Final = 0.08
"""What turns sigmas of the palm's joints into one of its orientation."""
_BONE_M: Final = 0.03


@dataclass(frozen=True)
class TrackedHand:
    """A right hand as seen in T images; rows of images in which it was not found repeat the last, sigmas inf.

    Attributes:
        times_s: [T] since the first.
        seen: [T] the hand was found.
        detected: [T, 21, 3] the network's own landmarks, placed in the camera frame [m].
        joints: [T, 21, 3] the initializer's, camera frame [m].
        fingers: [T, 15, 3] rotation vectors of its pose [rad].
        turn: [T, 3] wrist orientation as rotation vectors without leaps [rad].
        wrist: [T, 3] [m].
        betas: [T, 10].
        sigma: [T, 21] of the joints, per axis [m]; inf without evidence.
        kinematics: of the hand.
    """

    times_s: Array
    seen: NDArray[np.bool_]
    detected: Array
    joints: Array
    fingers: Array
    turn: Array
    wrist: Array
    betas: Array
    sigma: Array
    kinematics: HandKinematics

    @property
    def local(self) -> Array:
        """[T, 20, 3] joints 1 to 20 from the wrist, in its axes [m]."""
        relative = self.joints[:, 1:] - self.joints[:, :1]
        return np.asarray(relative @ Rotation.from_rotvec(self.turn).as_matrix())

    @property
    def palm_sigma(self) -> Array:
        """[T] of the palm's joints [m]."""
        return np.asarray(self.sigma[:, PALM].mean(axis=1))

    @property
    def finger_sigma(self) -> Array:
        """[T, 15] of the finger rotations, as the ends of their bones have it [rad]."""
        return np.asarray(self.sigma[:, BONE_ENDS] / _BONE_M)

    def assemble(self, wrist: Array, turn: Array, local: Array) -> Array:
        """Joints [T, 21, 3] in the camera frame from wrist, orientation and joints in its axes."""
        beyond = local @ Rotation.from_rotvec(turn).as_matrix().swapaxes(1, 2)
        return np.concatenate([wrist[:, None], wrist[:, None] + beyond], axis=1)

    def pose(self, wrist: Array, turn: Array, fingers: Array, betas: Array) -> Array:
        """Joints [T, 21, 3] in the camera frame of poses."""
        vectors = np.concatenate([turn[:, None], fingers], axis=1)
        matrices = Rotation.from_rotvec(vectors.reshape(-1, 3)).as_matrix().reshape(len(vectors), -1, 3, 3)
        shape, nowhere = torch.from_numpy(betas), torch.zeros(len(vectors), 3, dtype=torch.float64)
        joints = self.kinematics.joints(torch.from_numpy(matrices), shape, nowhere).numpy()
        return np.asarray(joints - joints[:, :1] + wrist[:, None])


def track_hand(frames: Sequence[FrameObservation], kinematics: HandKinematics) -> TrackedHand | None:
    """Collect one right hand's observations; None where it was never found.

    Args:
        frames: with at most one hand each.
        kinematics: of the right hand, float64.
    """
    count = len(frames)
    vectors, translation = np.zeros((count, 1 + NUM_FINGER_ROTATIONS, 3)), np.zeros((count, 3))
    betas, sigma = np.zeros((count, NUM_BETAS)), np.full((count, NUM_JOINTS), np.inf)
    placed = np.full((count, NUM_JOINTS, 3), np.nan)
    seen = np.zeros(count, dtype=bool)
    for index, frame in enumerate(frames):
        hand = next((hand for hand in frame.hands if hand.side is Side.RIGHT and hand.initial), None)
        if hand is None or hand.initial is None:
            continue
        seen[index] = True
        vectors[index], betas[index] = hand.initial.rotation_vectors, hand.initial.betas
        translation[index], sigma[index] = hand.initial.translation, hand.landmark_sigma_m
        rays, ray_sigma = frame.camera.rays_and_sigmas(hand.keypoints_px, hand.keypoint_sigma_px)
        position = solve_wrist_position(hand.landmarks_m, rays, ray_sigma)
        if position is not None:
            placed[index] = hand.landmarks_m + position.position
    if not seen.any():
        return None
    last = np.maximum.accumulate(np.where(seen, np.arange(count), -1))
    last = np.where(last < 0, np.argmax(seen), last)
    vectors, betas, translation = vectors[last], betas[last], translation[last]
    matrices = Rotation.from_rotvec(vectors.reshape(-1, 3)).as_matrix().reshape(count, -1, 3, 3)
    tensors = (torch.from_numpy(array) for array in (matrices, betas, translation))
    joints = kinematics.joints(*tensors).numpy()
    located = np.isfinite(placed).all(axis=(1, 2))
    last = np.maximum.accumulate(np.where(located, np.arange(count), -1))
    detected = np.where((last < 0)[:, None, None], joints, placed[np.maximum(last, 0)])
    times = np.array([(frame.stamp_ns - frames[0].stamp_ns) * 1e-9 for frame in frames])
    turn = without_leaps(vectors[:, 0])
    return TrackedHand(times, seen, detected, joints, vectors[:, 1:], turn, joints[:, 0], betas, sigma, kinematics)


def without_leaps(vectors: Array) -> Array:
    """Rotation vectors [T, 3] of the same rotations, each the one nearest to that before it [rad]."""
    smooth = vectors.copy()
    for index in range(1, len(smooth)):
        angle = np.linalg.norm(smooth[index])
        if angle > 0:
            axis = smooth[index] / angle
            turns = np.round((smooth[index - 1] @ axis - angle) / (2 * np.pi))
            smooth[index] = axis * (angle + 2 * np.pi * turns)
    return smooth
