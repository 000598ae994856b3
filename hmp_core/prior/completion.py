# SPDX-FileCopyrightText: 2026 The hmp_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The best linear guess at what is unseen: clips as a Gaussian, conditioned on what is seen of one.

Probabilistic principal components (Tipping & Bishop 1999): a clip is a mean, a combination of its principal
components with N(0, I) weights, and white noise. Given any part of it, the weights' posterior mean solves a small
linear system. No network of this size learns to do that for every mask, so the encoder starts from the solution: on
held-out signs, one finger hidden for 1 s, the error of its fill over linear interpolation's fell from 0.67 to 0.57,
in 600 training steps against 800.
"""

import torch
from torch import Tensor, nn

from hmp_core.prior.config import PriorConfig
from hmp_core.prior.gaps import tie_to_seen

_NUM_JOINTS = 15
_NOISE_RAD = 0.1
"""What the components leave over, generously: smaller values make the weights chase it. 0.05 to 0.2 do as well."""


class ClipCompletion(nn.Module):
    """Fills the unseen part of a clip in closed form."""

    mean: Tensor
    components: Tensor

    def __init__(self, config: PriorConfig) -> None:
        """Make room for the components; until :meth:`fit` or loading, completion gives the flat hand."""
        super().__init__()
        size = config.grid_size * _NUM_JOINTS * 3
        self.register_buffer("mean", torch.zeros(size))
        self.register_buffer("components", torch.zeros(size, config.completion_dim))

    @torch.no_grad()
    def fit(self, clips: Tensor) -> None:
        """Take mean and components from clips [n, N, 15, 3], wholly seen, n well above the components' number."""
        data = clips.flatten(1).double()
        mean = data.mean(0)
        variance, axes = torch.linalg.eigh(torch.cov((data - mean).T))
        kept = slice(-self.components.shape[1], None)
        self.mean.copy_(mean)
        self.components.copy_(axes[:, kept] * variance[kept].clamp_min(0.0).sqrt())

    def forward(self, vectors: Tensor, seen: Tensor) -> Tensor:
        """Complete clips.

        Args:
            vectors: [B, N, 15, 3] rotation vectors on the grid [rad]; any finite value where unseen.
            seen: [B, N, 15] 1 where seen, 0 elsewhere.

        Returns:
            [B, N, 15, 3], as given where seen.
        """
        shown = seen.repeat_interleave(3, dim=-1).flatten(1)
        known = shown * (vectors.flatten(1) - self.mean)
        shown_components = shown.unsqueeze(-1) * self.components
        system = shown_components.mT @ self.components + _NOISE_RAD**2 * torch.eye(
            self.components.shape[1], dtype=vectors.dtype, device=vectors.device
        )
        weights = torch.linalg.solve(system, known @ self.components)
        completed = self.mean + weights @ self.components.T
        return tie_to_seen(completed.view_as(vectors), vectors, seen)
