# SPDX-FileCopyrightText: 2026 The hmp_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Anatomical limits of finger rotations, as a soft wall."""

import roma
from torch import Tensor

from hmp_core.fitting.so3 import right_jacobian_inverse


def joint_limits(R_finger: Tensor, lower: Tensor, upper: Tensor, stddev_rad: float) -> tuple[Tensor, Tensor]:
    """How far rotation vectors stand outside their box.

    Args:
        R_finger: [K, 15, 3, 3] local finger rotations.
        lower, upper: [15, 3] bounds of the rotation vectors [rad].
        stddev_rad: softness [rad].

    Returns:
        Residuals [K, 15, 3], zero inside, and their Jacobians [K, 15, 3, 3] with respect to the right tangent.
    """
    vectors = roma.rotmat_to_rotvec(R_finger)
    outside = (vectors - upper).clamp_min(0) - (lower - vectors).clamp_min(0)
    active = (outside != 0).to(vectors.dtype)
    jacobian = active[..., None] * right_jacobian_inverse(vectors) / stddev_rad
    return outside / stddev_rad, jacobian
