# SPDX-FileCopyrightText: 2026 The hmp_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Skeleton-aware temporal convolutions (Aberman et al. 2020) from a clip of finger features to a latent Gaussian.

Channels belong to edges of the hand's tree: a virtual one that ends in the wrist and fifteen bones, so that edge
and joint share their number. A convolution mixes edges that are at most two steps apart; pooling first merges the
outer two bones of each finger and then each finger into one edge.
"""

import math

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from hmp_core.hand.skeleton import MANO_PARENTS, NUM_MANO_JOINTS
from hmp_core.prior.hmp.config import NUM_LEVELS, HmpConfig
from hmp_core.prior.hmp.features import CHANNELS_PER_JOINT

_REACH = 2
_NORM_GROUPS = 4
Groups = tuple[tuple[int, ...], ...]


class SkeletonConv(nn.Module):
    """Convolution over time with stride 2, whose weights are zero between edges that are far apart."""

    mask: Tensor

    def __init__(self, near: Tensor, channels: tuple[int, int], kernel: int) -> None:
        """Take [edges, edges] closeness, channels per edge in and out, and the temporal kernel (1 or 4)."""
        super().__init__()
        edges = near.shape[0]
        self.padding = (kernel - 1) // 2
        self.conv = nn.Conv1d(edges * channels[0], edges * channels[1], kernel, stride=2)
        mask = near.repeat_interleave(channels[1], 0).repeat_interleave(channels[0], 1).unsqueeze(-1)
        self.register_buffer("mask", mask.to(self.conv.weight.dtype), persistent=False)
        with torch.no_grad():
            # A masked row has fewer inputs than the default initialisation counts on.
            self.conv.weight.mul_((mask.shape[1] / mask.sum(1, keepdim=True)).sqrt())

    def forward(self, signal: Tensor) -> Tensor:
        """Convolve [B, edges * channels, N]."""
        if self.padding:
            signal = F.pad(signal, (self.padding, self.padding), mode="reflect")
        return F.conv1d(signal, self.conv.weight * self.mask, self.conv.bias, self.conv.stride)


class EncoderLevel(nn.Module):
    """One level: two skeleton convolutions that halve time, side by side, then pooling of edges."""

    pool: Tensor

    def __init__(self, before: Groups, after: Groups, channels: tuple[int, int]) -> None:
        """Take the joints of each edge before and after pooling, and channels per edge in and out."""
        super().__init__()
        near = _closeness(before)
        self.channels = channels[1]
        self.conv = SkeletonConv(near, channels, kernel=4)
        self.norm = nn.GroupNorm(_NORM_GROUPS, len(before) * channels[1])
        self.shortcut = SkeletonConv(near, channels, kernel=1)
        merged = torch.tensor([[float(set(old) <= set(new)) for old in before] for new in after])
        self.register_buffer("pool", merged / merged.sum(1, keepdim=True), persistent=False)

    def forward(self, signal: Tensor) -> Tensor:
        """Map [B, n * c, N] to [B, m * c', N/2]."""
        mixed = self.norm(self.conv(signal)) + self.shortcut(signal)
        edges = mixed.unflatten(1, (-1, self.channels))
        return torch.einsum("gn,bnct->bgct", self.pool, edges).flatten(1, 2).tanh()


class LocalEncoder(nn.Module):
    """Normalised finger features to mean and log-variance of z."""

    def __init__(self, config: HmpConfig) -> None:
        super().__init__()
        bones: Groups = tuple((joint,) for joint in range(NUM_MANO_JOINTS))
        outer: Groups = ((0,), *(group for b in range(1, 16, 3) for group in ((b,), (b + 1, b + 2))))
        fingers: Groups = ((0,), *((b, b + 1, b + 2) for b in range(1, 16, 3)))
        stages = (bones, outer, fingers, fingers, fingers)
        channels = (CHANNELS_PER_JOINT, *config.channels)
        self.levels = nn.Sequential(
            *(EncoderLevel(stages[i], stages[i + 1], (channels[i], channels[i + 1])) for i in range(NUM_LEVELS))
        )
        flat = len(fingers) * channels[-1] * (config.frames // 2**NUM_LEVELS)
        self.mean = nn.Linear(flat, config.latent_dim)
        self.log_variance = nn.Linear(flat, config.latent_dim)

    def forward(self, features: Tensor) -> tuple[Tensor, Tensor]:
        """Encode [B, 240, N] to mean and log-variance [B, D]."""
        flat = self.levels(features).flatten(1)
        return self.mean(flat), self.log_variance(flat)


def _closeness(groups: Groups) -> Tensor:
    """Which edges are at most two steps apart, [n, n] bool; edges that share a joint are one step apart."""
    ends = [{min(group), MANO_PARENTS[min(group)], max(group)} for group in groups]
    distance = torch.tensor([[0.0 if a is b else 1.0 if a & b else math.inf for b in ends] for a in ends])
    for middle in range(len(groups)):
        distance = torch.minimum(distance, distance[:, middle, None] + distance[middle])
    return distance <= _REACH
