# SPDX-FileCopyrightText: 2026 The hmp_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Robust kernels: from squared norms [...] of residual vectors to costs and reweighting factors, both [...].

The factors are those of iteratively reweighted least squares: a kernel has the slope of ``factor * norm**2 / 2``.
"""

from collections.abc import Callable
from typing import Final

import torch
from torch import Tensor

Kernel = Callable[[Tensor], tuple[Tensor, Tensor]]

_BLUNTNESS: Final = 1e-3


def squared(squared_norm: Tensor) -> tuple[Tensor, Tensor]:
    """Half the squared norm: nothing is an outlier."""
    return 0.5 * squared_norm, torch.ones_like(squared_norm)


def absolute(squared_norm: Tensor) -> tuple[Tensor, Tensor]:
    """The norm itself, rounded off below a thousandth, where its slope would be undefined."""
    norm = (squared_norm + _BLUNTNESS**2).sqrt()
    return norm - _BLUNTNESS, 1 / norm


def geman_mcclure(squared_norm: Tensor, scale: float) -> tuple[Tensor, Tensor]:
    """The Geman-McClure kernel, as the paper uses it.

    Args:
        squared_norm: squared norms of residual vectors [...].
        scale: norm at which a residual counts as an outlier; costs saturate at ``scale**2 / 2``.

    Returns:
        Costs [...] and weights [...] in (0, 1].
    """
    ratio = scale**2 / (scale**2 + squared_norm)
    return 0.5 * squared_norm * ratio, ratio**2
