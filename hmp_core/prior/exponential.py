# SPDX-FileCopyrightText: 2026 The hmp_ros authors
# SPDX-License-Identifier: Apache-2.0
"""How a rotation answers to a change of its rotation vector."""

import torch
from torch import Tensor

_SMALL_RAD = 0.05


def right_jacobian(rotation_vectors: Tensor) -> Tensor:
    """Right Jacobian of the exponential map [..., 3, 3]: ``Exp(v + dv) = Exp(v) Exp(J dv)`` (Solà et al. 2018).

    Args:
        rotation_vectors: v [..., 3] [rad].
    """
    x, y, z = rotation_vectors.unbind(-1)
    zero = torch.zeros_like(x)
    skew = torch.stack((zero, -z, y, z, zero, -x, -y, x, zero), dim=-1).reshape(*x.shape, 3, 3)
    angle = torch.linalg.vector_norm(rotation_vectors, dim=-1)
    square = angle.square()
    # (1 - cos) / angle^2 without cancellation; (angle - sin) / angle^3 by its series where it would cancel.
    first = 0.5 * torch.sinc(angle / (2.0 * torch.pi)).square()
    safe = angle.clamp_min(_SMALL_RAD)
    second = torch.where(
        angle < _SMALL_RAD, 1.0 / 6.0 - square / 120.0 + square.square() / 5040.0, (safe - safe.sin()) / safe**3
    )
    identity = torch.eye(3, dtype=rotation_vectors.dtype, device=rotation_vectors.device)
    return identity - first[..., None, None] * skew + second[..., None, None] * (skew @ skew)
