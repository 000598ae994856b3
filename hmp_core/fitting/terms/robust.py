# SPDX-FileCopyrightText: 2026 The hmp_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The Geman-McClure kernel, as the paper uses it, on whitened residual vectors."""

from torch import Tensor


def geman_mcclure(squared_norm: Tensor, scale: float) -> tuple[Tensor, Tensor]:
    """Cost and weight of residual vectors.

    Args:
        squared_norm: squared norms of whitened residual vectors [...].
        scale: norm at which a residual counts as an outlier [sigmas]; costs saturate at ``scale**2 / 2``.

    Returns:
        Costs [...] and the iteratively-reweighted-least-squares weights [...] in (0, 1].
    """
    ratio = scale**2 / (scale**2 + squared_norm)
    return 0.5 * squared_norm * ratio, ratio**2
