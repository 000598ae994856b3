# SPDX-FileCopyrightText: 2026 The hmp_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Where the camera stands: estimates in the frame of a robot instead of the camera's own."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy.spatial.transform import Rotation

from hmp_core.errors import ConfigError
from hmp_core.estimate import FrameEstimate, HandEstimate
from hmp_core.hand.skeleton import WRIST
from hmp_core.observation import ManoPose

_UNIT_TOLERANCE: Final = 0.01


@dataclass(frozen=True)
class Extrinsic:
    """Pose of the camera in a target frame.

    Attributes:
        R_target_camera: [3, 3] rotation from camera axes to target axes.
        p_target_camera: [3] the camera's optical centre in the target frame [m].
    """

    R_target_camera: NDArray[np.float64]
    p_target_camera: NDArray[np.float64]

    @classmethod
    def from_pose(cls, position: Sequence[float], quaternion_xyzw: Sequence[float]) -> "Extrinsic":
        """From a position [m] and a quaternion, as a transform from the target to the camera frame on ``/tf`` has.

        Raises:
            ConfigError: numbers that are not finite, or a quaternion whose length is not 1.
        """
        numbers = np.array([*position, *quaternion_xyzw], dtype=np.float64)
        length = float(np.linalg.norm(numbers[3:]))
        if numbers.shape != (7,) or not np.isfinite(numbers).all() or abs(length - 1) > _UNIT_TOLERANCE:
            raise ConfigError(
                "a camera's pose is x y z in metres and a quaternion qx qy qz qw of length 1, "
                f"got {' '.join(f'{number:g}' for number in numbers)}"
            )
        return cls(Rotation.from_quat(numbers[3:]).as_matrix(), numbers[:3])

    @classmethod
    def parse(cls, text: str) -> "Extrinsic":
        """From seven numbers ``x y z qx qy qz qw``, apart by spaces or commas.

        Raises:
            ConfigError: anything else.
        """
        try:
            numbers = [float(word) for word in text.replace(",", " ").split()]
        except ValueError as error:
            raise ConfigError(f"a camera's pose is seven numbers x y z qx qy qz qw, got {text!r}") from error
        return cls.from_pose(numbers[:3], numbers[3:])

    def inverse(self) -> "Extrinsic":
        """The way back: the target frame's pose in the camera's."""
        R_camera_target = self.R_target_camera.T
        return Extrinsic(R_camera_target, -R_camera_target @ self.p_target_camera)

    def apply(self, frame: FrameEstimate) -> FrameEstimate:
        """The same hands in the target frame: where a field's name says camera, its values are the target's."""
        return replace(frame, hands=tuple(self._hand(hand) for hand in frame.hands))

    def _hand(self, hand: HandEstimate) -> HandEstimate:
        R_target_camera = self.R_target_camera
        joints = hand.joints_camera @ R_target_camera.T + self.p_target_camera
        vectors = np.array(hand.mano.rotation_vectors, dtype=np.float64)
        vectors[0] = Rotation.from_matrix(
            R_target_camera @ Rotation.from_rotvec(vectors[0]).as_matrix()
        ).as_rotvec()
        # MANO turns a hand about its wrist, which its translation moves from where it rests in the template.
        rest_wrist = hand.joints_camera[WRIST] - hand.mano.translation
        covariance = hand.wrist_covariance
        if covariance[0, 0] >= 0:  # known
            turn = np.kron(np.eye(2), R_target_camera)
            covariance = turn @ covariance @ turn.T
        return replace(
            hand,
            joints_camera=joints,
            mano=ManoPose(vectors, hand.mano.betas, joints[WRIST] - rest_wrist),
            R_camera_wrist=R_target_camera @ hand.R_camera_wrist,
            wrist_covariance=covariance,
        )
