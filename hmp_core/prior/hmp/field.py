# SPDX-FileCopyrightText: 2026 The hmp_ros authors
# SPDX-License-Identifier: Apache-2.0
"""NeMF's motion field as HMP uses it: latents and times in, six-number rotations of fingers and wrist out.

Every layer gets the input again: W [h; PE(t); z] + b. The latent does not change within a window, so the product
with its columns is computed once per window and added to all times, which halves the work and changes nothing else.
"""

from collections.abc import Iterator

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from hmp_core.hand.skeleton import NUM_FINGER_ROTATIONS
from hmp_core.prior.hmp.config import HmpConfig

_LOCAL_OUTPUTS = 144
"""24 joints of a body times six: NeMF's head, kept by HMP. Of these, 96 belong to the hand's 16 joints."""

_FINGER_OUTPUTS = slice(6, 6 + 6 * NUM_FINGER_ROTATIONS)
"""The first six are the wrist's, which never turns in its own frame."""


class SplitLayer(nn.Module):
    """Linear, layer normalisation, ReLU; the linear part takes hidden values, waves and latents apart."""

    def __init__(self, hidden: int, waves: int, latents: int, width: int) -> None:
        """Take the sizes of the three inputs, hidden 0 in the first layer, and of the output."""
        super().__init__()
        self.sizes = [hidden, waves, latents]
        self.linear = nn.Linear(sum(self.sizes), width)
        self.norm = nn.LayerNorm(width)

    def forward(self, hidden: Tensor, waves: Tensor, latents: Tensor) -> Tensor:
        """Map hidden [B, T, H], waves [B, T, K] and latents [B, L] to [B, T, width]."""
        return F.relu(self.norm(self.mix(hidden, waves, latents)))

    def mix(self, hidden: Tensor, waves: Tensor, latents: Tensor) -> Tensor:
        """Compute the linear part, as in :meth:`forward`."""
        on_hidden, on_waves, on_latents = torch.split(self.linear.weight, self.sizes, dim=1)
        once = F.linear(latents, on_latents, self.linear.bias).unsqueeze(-2)
        return hidden @ on_hidden.T + waves @ on_waves.T + once

    def pull_back(self, cotangents: Tensor, mixed: Tensor) -> Tensor:
        """Cotangents [T, R, width] of the output to those of the linear part with values ``mixed`` [T, width]."""
        deviation, mean = torch.var_mean(mixed, dim=-1, correction=0, keepdim=True)
        inverse = torch.rsqrt(deviation + self.norm.eps)
        unit = (mixed - mean) * inverse
        passed = (unit * self.norm.weight + self.norm.bias > 0.0) * self.norm.weight
        rows = cotangents * passed.unsqueeze(-2)
        along = (rows @ unit.unsqueeze(-1)) / unit.shape[-1]
        return (rows - rows.mean(-1, keepdim=True) - along * unit.unsqueeze(-2)) * inverse.unsqueeze(-1)


class HmpField(nn.Module):
    """Decoder of both branches; rotations leave it as two rows, not yet orthonormal."""

    frequencies: Tensor

    def __init__(self, config: HmpConfig) -> None:
        super().__init__()
        self.window_s = config.window_s
        width, waves = config.field_width, 2 * config.octaves
        self.register_buffer("frequencies", 2.0 ** torch.arange(config.octaves), persistent=False)
        local_hidden = (0, *(width for _ in range(config.local_layers - 1)))
        self.local_layers = nn.ModuleList(SplitLayer(h, waves, config.latent_dim, width) for h in local_hidden)
        self.local_head = nn.Linear(width, _LOCAL_OUTPUTS)
        latents = config.latent_dim + config.global_dim
        self.global_layers = nn.ModuleList(
            SplitLayer(width, waves, latents, width) for _ in range(config.global_layers)
        )
        self.global_head = nn.Linear(width, 6)

    def waves(self, times_s: Tensor) -> Tensor:
        """Time encoding [..., 14] of times [...] [s]: the window is -1 to 1; sines and cosines alternate."""
        phase = (2.0 / self.window_s * times_s - 1.0).unsqueeze(-1) * self.frequencies
        return torch.stack((phase.sin(), phase.cos()), dim=-1).flatten(-2)

    def fingers(self, z: Tensor, times_s: Tensor) -> Tensor:
        """Decode the fingers: latents [B, D] and times [B, T] [s] to wrist-frame rows [B, T, 15, 2, 3]."""
        return self._rows(self._local_hidden(z, self.waves(times_s)))

    def motion(self, z: Tensor, z_wrist: Tensor, times_s: Tensor) -> tuple[Tensor, Tensor]:
        """Decode the fingers as :meth:`fingers` does and, with latents [B, G], the wrist's rows [B, T, 2, 3]."""
        waves = self.waves(times_s)
        hidden = self._local_hidden(z, waves)
        rows = self._rows(hidden)
        latents = torch.cat((z, z_wrist), dim=-1)
        for layer in self.global_layers:
            hidden = layer(hidden, waves, latents)
        return rows, torch.unflatten(self.global_head(hidden), -1, (2, 3))

    @torch.no_grad()
    def fingers_with_trace(self, z: Tensor, times_s: Tensor) -> tuple[Tensor, list[Tensor]]:
        """Decode one window, z [D] and times [T], to rows [T, 15, 2, 3] and what :meth:`pull_back` needs."""
        waves = self.waves(times_s)
        hidden = waves.new_zeros(len(times_s), 0)
        trace = []
        for layer in self._local():
            trace.append(layer.mix(hidden, waves, z))
            hidden = F.relu(layer.norm(trace[-1]))
        return self._rows(hidden), trace

    @torch.no_grad()
    def pull_back(self, cotangents: Tensor, trace: list[Tensor]) -> Tensor:
        """Derivatives with respect to z.

        Args:
            cotangents: [T, R, 15, 2, 3] gradients of R functions of the rows at each time.
            trace: of :meth:`fingers_with_trace`.

        Returns:
            [T, R, D].
        """
        rows = cotangents.flatten(2) @ self.local_head.weight[_FINGER_OUTPUTS]
        total = rows.new_zeros(())
        for layer, mixed in zip(reversed(list(self._local())), reversed(trace), strict=True):
            rows = layer.pull_back(rows, mixed)
            on_hidden, _, on_latents = torch.split(layer.linear.weight, layer.sizes, dim=1)
            total = total + rows @ on_latents
            rows = rows @ on_hidden
        return total

    def _local_hidden(self, z: Tensor, waves: Tensor) -> Tensor:
        hidden = waves.new_zeros(*waves.shape[:-1], 0)
        for layer in self._local():
            hidden = layer(hidden, waves, z)
        return hidden

    def _rows(self, hidden: Tensor) -> Tensor:
        return torch.unflatten(self.local_head(hidden)[..., _FINGER_OUTPUTS], -1, (NUM_FINGER_ROTATIONS, 2, 3))

    def _local(self) -> Iterator[SplitLayer]:
        for layer in self.local_layers:
            assert isinstance(layer, SplitLayer)
            yield layer
