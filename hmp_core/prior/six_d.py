# SPDX-FileCopyrightText: 2026 The hmp_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The continuous six-number form of a rotation (Zhou et al. 2019): its first two columns, not yet orthonormal."""

import torch
from torch import Tensor

_TINY = 1e-8


def gram_schmidt(columns: Tensor) -> Tensor:
    """Rotation [..., 3, 3] whose first two columns follow [..., 3, 2]."""
    first, second = columns.unbind(-1)
    b1 = first / first.norm(dim=-1, keepdim=True).clamp_min(_TINY)
    rest = second - (b1 * second).sum(-1, keepdim=True) * b1
    b2 = rest / rest.norm(dim=-1, keepdim=True).clamp_min(_TINY)
    return torch.stack((b1, b2, torch.linalg.cross(b1, b2)), dim=-1)
