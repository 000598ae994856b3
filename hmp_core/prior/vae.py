# SPDX-FileCopyrightText: 2026 The hmp_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The motion VAE as it is trained: clip encoder and motion field around one latent."""

import torch
from torch import Tensor, nn

from hmp_core.prior.chain import FingerBones
from hmp_core.prior.config import PriorConfig
from hmp_core.prior.encoder import ClipEncoder
from hmp_core.prior.features import clip_features
from hmp_core.prior.field import MotionField


class MotionVae(nn.Module):
    """Encoder, field and the rest hand's bones; latents here are the networks' own, not whitened."""

    def __init__(self, config: PriorConfig, bones: FingerBones) -> None:
        super().__init__()
        self.config = config
        self.bones = bones
        self.encoder = ClipEncoder(config)
        self.field = MotionField(config)

    def grid_times(self) -> Tensor:
        """Times of the encoder's samples [N] [s], both ends of the window included."""
        return torch.linspace(0.0, self.config.window_s, self.config.grid_size)

    def posterior(self, R_local: Tensor, visible: Tensor) -> tuple[Tensor, Tensor]:
        """Mean and log-variance [B, D] of z from local rotations [B, N, 15, 3, 3] and visibility [B, N, 15]."""
        step_s = self.config.window_s / (self.config.grid_size - 1)
        mean, log_variance = self.encoder(clip_features(R_local, visible, step_s, self.bones))
        return mean, log_variance

    def forward(self, R_local: Tensor, visible: Tensor, times_s: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Encode, sample, decode.

        Args:
            R_local: [B, N, 15, 3, 3] local rotations on the grid.
            visible: [B, N, 15] 1 where seen.
            times_s: [B, T] times to decode at [s].

        Returns:
            Local rotations [B, T, 15, 3, 3], mean and log-variance of z [B, D].
        """
        mean, log_variance = self.posterior(R_local, visible)
        z = mean + torch.randn_like(mean) * (0.5 * log_variance).exp()
        return self.field(z, times_s), mean, log_variance
