# SPDX-FileCopyrightText: 2026 The hmp_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Rotation vectors and matrices, and their tangents. Everything here is right-multiplied: ``R <- R Exp(delta)``.

A window solve maps small batches a hundred times an image, where the number of tensor operations is the price: the
general maps of ``roma``, through quaternions, were a quarter of it. Exponential and Jacobians have one form here,
``a I + b hat(v) + c v v^T``, differentiable at zero as well; in inference mode, where nobody differentiates,
compiled loops fill them in.

Source: Solà, Deray, Atchuthan, *A micro Lie theory for state estimation in robotics* (2018),
equations 134, 143-144.
"""

import math
from collections.abc import Callable
from typing import Any

import roma
import torch
from numpy.typing import NDArray
from torch import Tensor

from hmp_core.hand.so3_loops import exponentials, logarithms, right_jacobian_inverses, right_jacobians

_SERIES_BELOW_RAD = 0.05
_SMALL_ANGLE = 1e-4
_HALF_TURN_COSINE = -0.9
"""Closer to half a turn the axis is no longer to be read off the skew part of the matrix."""

_HAT = torch.tensor(
    [[0, 0, 0, 0, 0, -1, 0, 1, 0], [0, 0, 1, 0, 0, 0, -1, 0, 0], [0, -1, 0, 1, 0, 0, 0, 0, 0]], dtype=torch.float64
)
"""[3, 9] flattened generators of SO(3)."""
_EYE = torch.eye(3, dtype=torch.float64)
_SKEW_AND_TRACE = torch.cat([0.5 * _HAT.T, 0.5 * _EYE.reshape(9, 1)], dim=1)
"""[9, 4] reads sin(angle) * axis and half the trace off a flattened matrix."""


def hat(vector: Tensor) -> Tensor:
    """Skew matrices [..., 3, 3] with ``hat(a) b = a x b`` of vectors [..., 3]."""
    return torch.unflatten(vector @ _HAT.to(vector), -1, (3, 3))


def exponential(vector: Tensor) -> Tensor:
    """Rotations [..., 3, 3] of rotation vectors [..., 3] [rad]."""
    if torch.is_inference_mode_enabled():
        return _in_loops(exponentials, vector, (3,), (3, 3))
    angle = torch.linalg.vector_norm(vector, dim=-1, keepdim=True)
    first = torch.sinc(angle / math.pi)
    second = 0.5 * torch.sinc(angle / (2 * math.pi)).square()
    return _combined(vector, angle.square(), first, second)


def logarithm(rotation: Tensor) -> Tensor:
    """Rotation vectors [..., 3] [rad], no longer than pi, of rotations [..., 3, 3].

    Asks for values, so that networks which are exported take ``roma``'s.
    """
    if torch.is_inference_mode_enabled():
        return _in_loops(logarithms, rotation, (3, 3), (3,))
    parts = rotation.flatten(-2) @ _SKEW_AND_TRACE.to(rotation)
    skew, cosine = parts[..., :3], parts[..., 3:] - 0.5
    if bool((cosine < _HALF_TURN_COSINE).any()):
        vector: Tensor = roma.rotmat_to_rotvec(rotation)
        return vector
    sine = torch.linalg.vector_norm(skew, dim=-1, keepdim=True)
    angle = torch.atan2(sine, cosine)
    ratio = torch.where(sine < _SMALL_ANGLE, 1 + angle.square() / 6, angle / sine.clamp_min(_SMALL_ANGLE))
    return ratio * skew


def right_jacobian(vector: Tensor) -> Tensor:
    """``Exp(v + d) = Exp(v) Exp(J d)`` to first order; [..., 3] [rad] to [..., 3, 3]."""
    if torch.is_inference_mode_enabled():
        return _in_loops(right_jacobians, vector, (3,), (3, 3))
    angle = torch.linalg.vector_norm(vector, dim=-1, keepdim=True)
    square = angle.square()
    # (1 - cos) / angle^2 without cancellation; (angle - sin) / angle^3 by its series where it would cancel.
    first = -0.5 * torch.sinc(angle / (2 * math.pi)).square()
    safe = angle.clamp_min(_SERIES_BELOW_RAD)
    series = 1 / 6 - square / 120 + square.square() / 5040
    second = torch.where(angle < _SERIES_BELOW_RAD, series, (safe - safe.sin()) / safe**3)
    return _combined(vector, square, first, second)


def right_jacobian_inverse(vector: Tensor) -> Tensor:
    """``Log(R Exp(d)) = Log(R) + J d`` to first order, ``vector = Log(R)`` within pi; [..., 3] to [..., 3, 3]."""
    if torch.is_inference_mode_enabled():
        return _in_loops(right_jacobian_inverses, vector, (3,), (3, 3))
    square = vector.square().sum(-1, keepdim=True)
    half = 0.5 * square.clamp_min(_SMALL_ANGLE**2).sqrt()
    # Written with the half angle, the factor stays finite up to and including pi.
    factor = (1 - half * half.cos() / half.sin()) / (4 * half.square())
    second = torch.where(square < _SMALL_ANGLE**2, 1 / 12 + square / 720, factor)
    return _combined(vector, square, 0.5, second)


def _combined(vector: Tensor, square: Tensor, first: Tensor | float, second: Tensor) -> Tensor:
    """``I + first hat(v) + second hat(v)^2`` [..., 3, 3] of vectors [..., 3], with their squared norms [..., 1]."""
    outer = second.unsqueeze(-1) * (vector.unsqueeze(-1) * vector.unsqueeze(-2))  # hat(v)^2 = v v^T - |v|^2 I
    return outer + hat(first * vector) + (1 - second * square).unsqueeze(-1) * _EYE.to(vector)


def nearest_rotation(matrix: Tensor) -> Tensor:
    """The rotations [..., 3, 3] that rounding has led off: one step of Newton's polar iteration."""
    return matrix @ (1.5 * _EYE.to(matrix) - 0.5 * (matrix.mT @ matrix))


def _in_loops(
    loop: Callable[[NDArray[Any]], NDArray[Any]], given: Tensor, core: tuple[int, ...], result: tuple[int, ...]
) -> Tensor:
    """What a compiled loop over [N, *core] makes of [..., *core]: [..., *result].

    In torch's own memory, which is always aligned alike: matrix products round differently where it is not.
    """
    made = torch.tensor(loop(given.cpu().reshape(-1, *core).contiguous().numpy()))
    return made.reshape(*given.shape[: given.dim() - len(core)], *result).to(given.device)
