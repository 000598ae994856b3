# SPDX-FileCopyrightText: 2026 The hmp_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Skeleton-aware temporal convolutions (Aberman et al. 2020, as NeMF uses them) from a clip to a latent Gaussian.

Channels belong to nodes of the hand's tree; a convolution mixes a node only with nodes at most two edges away, and
pooling merges nodes along each finger until one node a finger is left.
"""

from itertools import product

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from hmp_core.hand.skeleton import MANO_PARENTS
from hmp_core.prior.config import PriorConfig
from hmp_core.prior.features import NUM_CHANNELS

_REACH = 2
_LOG_VARIANCE_RANGE = (-12.0, 4.0)
_FIRST_LOG_VARIANCE = -5.0


class SkeletonConv(nn.Module):
    """Convolution over time whose weights are zero between nodes that are far apart on the skeleton."""

    mask: Tensor

    def __init__(self, near: Tensor, channels: tuple[int, int], kernel: int, stride: int) -> None:
        """Take [nodes, nodes] closeness, channels per node in and out, and the temporal kernel."""
        super().__init__()
        nodes = near.shape[0]
        self.conv = nn.Conv1d(
            nodes * channels[0],
            nodes * channels[1],
            kernel,
            stride=stride,
        )
        self.padding = (kernel - 1) // 2
        mask = near.repeat_interleave(channels[1], 0).repeat_interleave(channels[0], 1).unsqueeze(-1)
        self.register_buffer("mask", mask.to(self.conv.weight.dtype), persistent=False)
        with torch.no_grad():
            # A masked row has fewer inputs than the default initialisation counts on.
            self.conv.weight.mul_((mask.shape[1] / mask.sum(1, keepdim=True)).sqrt())

    def forward(self, signal: Tensor) -> Tensor:
        """Convolve [B, nodes * channels, N]."""
        conv = self.conv
        if self.padding:
            signal = F.pad(signal, (self.padding, self.padding), mode="replicate")
        return F.conv1d(signal, conv.weight * self.mask, conv.bias, conv.stride)


class EncoderLevel(nn.Module):
    """One level: residual skeleton convolution that halves time, then pooling of nodes."""

    pool: Tensor

    def __init__(self, near: Tensor, groups: tuple[tuple[int, ...], ...], channels: tuple[int, int]) -> None:
        """Take closeness of the nodes [n, n], the nodes that each new node merges, channels in and out."""
        super().__init__()
        nodes = near.shape[0]
        self.channels = channels[1]
        self.conv = SkeletonConv(near, channels, kernel=4, stride=2)
        self.norm = nn.GroupNorm(5, nodes * channels[1])
        self.shortcut = SkeletonConv(near, channels, kernel=1, stride=2)
        pool = torch.zeros(len(groups), nodes)
        for row, members in enumerate(groups):
            pool[row, list(members)] = 1.0 / len(members)
        self.register_buffer("pool", pool, persistent=False)

    def forward(self, signal: Tensor) -> Tensor:
        """Map [B, n * c, N] to [B, groups * c', N/2]."""
        mixed = self.norm(self.conv(signal)) + self.shortcut(signal)
        nodes = mixed.unflatten(1, (-1, self.channels))
        return F.silu(torch.einsum("gn,bnct->bgct", self.pool, nodes).flatten(1, 2))


class ClipEncoder(nn.Module):
    """Features of a clip to mean and log-variance of its latent.

    The mean is a linear map of the features, which starts as the best linear infiller, plus what the network adds.
    """

    def __init__(self, config: PriorConfig) -> None:
        super().__init__()
        fine = tuple((joint,) for joint in range(1, 16))
        # A finger's base stays by itself, its two outer joints merge; then one node a finger.
        outer = tuple(group for base in range(1, 16, 3) for group in ((base,), (base + 1, base + 2)))
        fingers = tuple((base, base + 1, base + 2) for base in range(1, 16, 3))
        first, second, third = config.encoder_channels
        self.levels = nn.Sequential(
            EncoderLevel(_closeness(fine), _members(fine, outer), (NUM_CHANNELS, first)),
            EncoderLevel(_closeness(outer), _members(outer, fingers), (first, second)),
            EncoderLevel(_closeness(fingers), tuple((finger,) for finger in range(5)), (second, third)),
        )
        self.trunk = nn.Linear(5 * third * (config.grid_size // 8), config.encoder_width)
        self.norm = nn.LayerNorm(config.encoder_width)
        self.deep = nn.Linear(config.encoder_width, config.encoder_width)
        self.direct = nn.Linear(15 * NUM_CHANNELS * config.grid_size, config.latent_dim)
        self.mean = nn.Linear(config.encoder_width, config.latent_dim)
        self.log_variance = nn.Linear(config.encoder_width, config.latent_dim)
        with torch.no_grad():
            self.direct.weight.mul_(0.1)
            self.mean.weight.mul_(0.01)
            self.log_variance.weight.mul_(0.1)
            self.log_variance.bias.fill_(_FIRST_LOG_VARIANCE)

    def forward(self, features: Tensor) -> tuple[Tensor, Tensor]:
        """Encode.

        Args:
            features: [B, 15, C, N] of :func:`~hmp_core.prior.features.clip_features`.

        Returns:
            Mean and log-variance of z, [B, D] each, in the network's own coordinates.
        """
        hidden = F.silu(self.norm(self.trunk(self.levels(features.flatten(1, 2)).flatten(1))))
        hidden = hidden + F.silu(self.deep(hidden))
        mean = self.direct(features.flatten(1)) + self.mean(hidden)
        return mean, self.log_variance(hidden).clamp(*_LOG_VARIANCE_RANGE)


def _closeness(groups: tuple[tuple[int, ...], ...]) -> Tensor:
    """Which nodes (groups of MANO joints) are at most two edges of the tree apart, [n, n] bool."""
    near = [[min(_edges(a, b) for a, b in product(g, h)) <= _REACH for h in groups] for g in groups]
    return torch.tensor(near)


def _edges(a: int, b: int) -> int:
    """Edges between two joints of the MANO tree."""
    path_a, path_b = _path_to_wrist(a), _path_to_wrist(b)
    return len(set(path_a) ^ set(path_b))


def _path_to_wrist(joint: int) -> list[int]:
    path = []
    while joint > 0:
        path.append(joint)
        joint = MANO_PARENTS[joint]
    return path


def _members(
    before: tuple[tuple[int, ...], ...], after: tuple[tuple[int, ...], ...]
) -> tuple[tuple[int, ...], ...]:
    """For each new node, the old nodes that it merges."""
    return tuple(tuple(i for i, group in enumerate(before) if set(group) <= set(new)) for new in after)
