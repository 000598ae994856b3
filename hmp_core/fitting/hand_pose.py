# SPDX-FileCopyrightText: 2026 The hmp_ros authors
# SPDX-License-Identifier: Apache-2.0
"""A hand's pose as it is published: without its shape, without the latent that it came from."""

from dataclasses import dataclass

from torch import Tensor

from hmp_core.fitting.trajectory import Trajectory
from hmp_core.fitting.window_model import DecodedSteps


@dataclass(frozen=True)
class HandPose:
    """A right hand's pose without its shape.

    Attributes:
        R_camera_wrist: [3, 3] MANO global orientation.
        p_camera_wrist: [3] wrist joint [m].
        R_finger: [15, 3, 3] local finger rotations.
    """

    R_camera_wrist: Tensor
    p_camera_wrist: Tensor
    R_finger: Tensor

    @classmethod
    def newest(cls, trajectory: Trajectory, decoded: DecodedSteps) -> "HandPose":
        """That of a trajectory's newest step."""
        return cls(trajectory.R_camera_wrist[-1], trajectory.p_camera_wrist[-1], decoded.R_finger[-1])
