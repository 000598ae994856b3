# SPDX-FileCopyrightText: 2026 The hmp_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Rotation tangents. Everything here is right-multiplied: ``R <- R Exp(delta)``; maps themselves come from roma.

Source: Solà, Deray, Atchuthan, *A micro Lie theory for state estimation in robotics* (2018), equations 143-144.
"""

import torch
from torch import Tensor

_SERIES_BELOW_RAD = 0.05
_SMALL_ANGLE = 1e-4


def hat(vector: Tensor) -> Tensor:
    """Skew matrices [..., 3, 3] with ``hat(a) b = a x b`` of vectors [..., 3]."""
    x, y, z = vector.unbind(-1)
    zero = torch.zeros_like(x)
    return torch.stack([zero, -z, y, z, zero, -x, -y, x, zero], dim=-1).reshape(*vector.shape, 3)


def right_jacobian(vector: Tensor) -> Tensor:
    """``Exp(v + d) = Exp(v) Exp(J d)`` to first order; [..., 3] [rad] to [..., 3, 3]."""
    angle = torch.linalg.vector_norm(vector, dim=-1)[..., None, None]
    square = angle.square()
    # (1 - cos) / angle^2 without cancellation; (angle - sin) / angle^3 by its series where it would cancel.
    first = 0.5 * torch.sinc(angle / (2 * torch.pi)).square()
    safe = angle.clamp_min(_SERIES_BELOW_RAD)
    series = 1 / 6 - square / 120 + square.square() / 5040
    second = torch.where(angle < _SERIES_BELOW_RAD, series, (safe - safe.sin()) / safe**3)
    skew = hat(vector)
    return torch.eye(3, dtype=vector.dtype, device=vector.device) - first * skew + second * (skew @ skew)


def right_jacobian_inverse(vector: Tensor) -> Tensor:
    """``Log(R Exp(d)) = Log(R) + J d`` to first order, ``vector = Log(R)`` within pi; [..., 3] to [..., 3, 3]."""
    squared = vector.square().sum(-1)[..., None, None]
    small = squared < _SMALL_ANGLE**2
    safe = torch.where(small, torch.ones_like(squared), squared)
    angle = safe.sqrt()
    # Written with the half angle, the factor stays finite up to and including pi.
    factor = (1 - 0.5 * angle * torch.cos(angle / 2) / torch.sin(angle / 2)) / safe
    skew = hat(vector)
    return (
        torch.eye(3, dtype=vector.dtype)
        + 0.5 * skew
        + torch.where(small, 1 / 12 + squared / 720, factor) * skew @ skew
    )
