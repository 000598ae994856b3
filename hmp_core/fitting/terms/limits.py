# SPDX-FileCopyrightText: 2026 The hmp_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Anatomical limits of finger rotations, as a soft wall."""

import roma
from torch import Tensor

from hmp_core.hand.so3 import right_jacobian_inverse


def joint_limits(R_finger: Tensor, axes: Tensor, limits: Tensor, stddev_rad: float) -> tuple[Tensor, Tensor]:
    """How far twist, abduction and flexion stand outside their range.

    Args:
        R_finger: [K, 15, 3, 3] local finger rotations.
        axes: [15, 3, 3] rows: anatomical axes of each joint.
        limits: [2, 15, 3] lower and upper bounds along them [rad].
        stddev_rad: softness [rad].

    Returns:
        Residuals [K, 15, 3], zero inside, and their Jacobians [K, 15, 3, 3] with respect to the right tangent.
    """
    vectors = roma.rotmat_to_rotvec(R_finger)
    angles = (axes @ vectors[..., None])[..., 0]
    outside = (angles - limits[1]).clamp_min(0) - (limits[0] - angles).clamp_min(0)
    active = (outside != 0).to(vectors.dtype)
    jacobian = active[..., None] * (axes @ right_jacobian_inverse(vectors)) / stddev_rad
    return outside / stddev_rad, jacobian
