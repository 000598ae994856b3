# SPDX-FileCopyrightText: 2026 The hmp_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Rotations from their first two rows, and the derivative of that."""

import torch
from torch import Tensor

from hmp_core.prior.six_d import gram_schmidt


def rotation_of_rows(rows: Tensor) -> Tensor:
    """Rotation [..., 3, 3] whose first two rows follow [..., 2, 3], which need not be orthonormal."""
    return gram_schmidt(rows.mT).mT


def tangent_of_rows(rows: Tensor, R: Tensor) -> Tensor:
    """Derivative of the right tangent of R [..., 3, 3] with respect to the rows that it was made of.

    A change d of the rows turns R into ``R Exp(J d)``.

    Args:
        rows: [..., 2, 3] as given to :func:`rotation_of_rows`.
        R: [..., 3, 3] what it returned.

    Returns:
        J [..., 3, 2, 3].
    """
    b1, b2, b3 = R.unbind(-2)
    first, second = rows.unbind(-2)
    length = first.norm(dim=-1)[..., None, None]
    height = (second * b2).sum(-1)[..., None, None]
    along = (second * b1).sum(-1)[..., None, None]
    # Turning the rows by w changes R by right tangent -w; w has components along b1, b2, b3.
    about_first = torch.stack((-along / (height * length) * _outer(b1, b3), _outer(b1, b3) / height), dim=-2)
    in_plane = (_outer(b3, b2) - _outer(b2, b3)) / length
    return -(about_first + torch.stack((in_plane, torch.zeros_like(in_plane)), dim=-2))


def _outer(a: Tensor, b: Tensor) -> Tensor:
    return a.unsqueeze(-1) * b.unsqueeze(-2)
