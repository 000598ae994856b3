# SPDX-FileCopyrightText: 2026 The hmp_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The continuous six-number form of a rotation (Zhou et al. 2019): its first two columns, not yet orthonormal."""

import torch
from torch import Tensor

from hmp_core.prior.chain import split_fingers

_TINY = 1e-8


def gram_schmidt(columns: Tensor) -> Tensor:
    """Rotation [..., 3, 3] whose first two columns follow [..., 3, 2]."""
    first, second = columns.unbind(-1)
    b1 = first / first.norm(dim=-1, keepdim=True).clamp_min(_TINY)
    rest = second - (b1 * second).sum(-1, keepdim=True) * b1
    b2 = rest / rest.norm(dim=-1, keepdim=True).clamp_min(_TINY)
    return torch.stack((b1, b2, torch.linalg.cross(b1, b2)), dim=-1)


def gram_schmidt_jacobian(columns: Tensor, R: Tensor) -> Tensor:
    """Right tangent of the rotation with respect to the six numbers.

    Args:
        columns: [..., 3, 2] input of :func:`gram_schmidt`.
        R: [..., 3, 3] its output.

    Returns:
        [..., 3, 6]: ``gram_schmidt(c + dc) = R Exp(J dc)`` with dc flattened row by row, as ``columns`` is.
    """
    first, second = columns.unbind(-1)
    b1, b2, b3 = R.unbind(-1)
    length1 = first.norm(dim=-1, keepdim=True).clamp_min(_TINY)
    along = (b1 * second).sum(-1, keepdim=True)
    length2 = (second - along * b1).norm(dim=-1, keepdim=True).clamp_min(_TINY)
    zero = torch.zeros_like(b1)
    # R^T dR = [w]x gives w_z = b2 . db1, w_y = -b3 . db1, w_x = b3 . db2.
    turn_x = torch.stack((-along / (length1 * length2) * b3, b3 / length2), dim=-1)
    turn_y = torch.stack((-b3 / length1, zero), dim=-1)
    turn_z = torch.stack((b2 / length1, zero), dim=-1)
    return torch.stack((turn_x, turn_y, turn_z), dim=-3).flatten(-2)


def local_tangent_map(R_local: Tensor, wrist_tangents: Tensor) -> Tensor:
    """Right tangents of local rotations from those of the wrist-frame rotations.

    With ``R_child = R_parent R_local``, the child's tangent is ``R_local^T`` times the parent's plus the local one.

    Args:
        R_local: [..., 15, 3, 3] local rotations.
        wrist_tangents: [..., 15, 3, X] tangents (or their derivatives) of the wrist-frame rotations.

    Returns:
        [..., 15, 3, X].
    """
    chains = split_fingers(wrist_tangents, -3)
    R_chains = split_fingers(R_local, -3)
    from_parent = R_chains[..., 1:, :, :].mT @ chains[..., :-1, :, :]
    return torch.cat((chains[..., :1, :, :], chains[..., 1:, :, :] - from_parent), dim=-3).flatten(-4, -3)
