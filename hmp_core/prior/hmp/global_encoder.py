# SPDX-FileCopyrightText: 2026 The hmp_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Plain residual temporal convolutions from a clip of wrist orientations to a latent Gaussian."""

from torch import Tensor, nn

from hmp_core.prior.hmp.config import NUM_LEVELS, HmpConfig

ORIENTATION_CHANNELS = 6


class ResidualBlock(nn.Module):
    """Halves time; mixes a convolution and an averaged shortcut at a fixed ratio."""

    def __init__(self, channels: tuple[int, int], ratio: float) -> None:
        """Take channels in and out, and the convolution's share of the sum."""
        super().__init__()
        self.ratio = ratio
        self.conv = nn.Conv1d(*channels, kernel_size=4, stride=2, padding=1)
        self.shortcut = nn.Sequential(nn.AvgPool1d(2), nn.Conv1d(*channels, kernel_size=1))

    def forward(self, signal: Tensor) -> Tensor:
        """Map [B, c, N] to [B, c', N/2]."""
        mixed: Tensor = self.ratio * self.conv(signal).tanh() + (1.0 - self.ratio) * self.shortcut(signal)
        return mixed


class GlobalEncoder(nn.Module):
    """Normalised six-number orientations to mean and log-variance of the wrist's latent."""

    def __init__(self, config: HmpConfig) -> None:
        super().__init__()
        channels = (ORIENTATION_CHANNELS, *config.global_channels)
        self.blocks = nn.Sequential(
            *(ResidualBlock((channels[k], channels[k + 1]), 1.0 / (k + 2)) for k in range(NUM_LEVELS))
        )
        flat = channels[-1] * (config.frames // 2**NUM_LEVELS)
        self.mean = nn.Linear(flat, config.global_dim)
        self.log_variance = nn.Linear(flat, config.global_dim)

    def forward(self, features: Tensor) -> tuple[Tensor, Tensor]:
        """Encode [B, 6, N] to mean and log-variance [B, G]."""
        flat = self.blocks(features).flatten(1)
        return self.mean(flat), self.log_variance(flat)
