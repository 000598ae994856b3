# SPDX-FileCopyrightText: 2026 The hmp_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Hiding parts of clips from the encoder, as occlusion does: fingers, finger ends, whole hands, spans, frames."""

from dataclasses import dataclass

import torch
from torch import Tensor

from hmp_core.prior.chain import CHAIN_LENGTH, NUM_FINGERS


@dataclass(frozen=True)
class MaskingConfig:
    """How much is hidden in training.

    Attributes:
        untouched: share of clips with nothing hidden.
        second_event: share of the others with two hidden spans.
        span_s: shortest and longest hidden span [s].
        at_end: share of spans that last to the window's end, as they do for a live camera.
        whole_hand: share of spans that hide all five fingers.
        outer_only: share of spans that leave the base joints of their fingers seen.
        dropped_frames: share of clips that lose frames at random, half of them at the most.
    """

    untouched: float = 0.1
    second_event: float = 0.3
    span_s: tuple[float, float] = (0.15, 1.6)
    at_end: float = 0.35
    whole_hand: float = 0.2
    outer_only: float = 0.15
    dropped_frames: float = 0.15


def random_visibility(config: MaskingConfig, count: int, times_s: Tensor) -> Tensor:
    """Draw what is seen.

    Args:
        config: how much is hidden.
        count: clips.
        times_s: [N] times of the grid, first to last the window [s].

    Returns:
        [count, N, 15] 1 where seen, 0 where hidden.
    """
    hidden = _span(config, count, times_s)
    second = _span(config, count, times_s) & (torch.rand(count) < config.second_event)[:, None, None]
    hidden = (hidden | second) & (torch.rand(count) >= config.untouched)[:, None, None]
    loss = 0.5 * torch.rand(count) * (torch.rand(count) < config.dropped_frames)
    dropped = torch.rand(count, len(times_s)) < loss[:, None]
    return (~(hidden | dropped[..., None])).float()


def _span(config: MaskingConfig, count: int, times_s: Tensor) -> Tensor:
    """One hidden span per clip, [count, N, 15] bool."""
    window_s = float(times_s[-1])
    shortest, longest = config.span_s
    length = shortest + (longest - shortest) * torch.rand(count)
    start = torch.rand(count) * (window_s - length)
    start = torch.where(torch.rand(count) < config.at_end, window_s - length, start)[:, None]
    in_span = (times_s >= start) & (times_s <= start + length[:, None])
    # One to four fingers, any of them; a whole hand is its own case.
    rank = torch.rand(count, NUM_FINGERS).argsort(-1)
    fingers = rank < torch.randint(1, NUM_FINGERS, (count, 1))
    fingers |= (torch.rand(count) < config.whole_hand)[:, None]
    joints = fingers[..., None].repeat(1, 1, CHAIN_LENGTH)
    joints[..., 0] &= (torch.rand(count) >= config.outer_only)[:, None]
    return in_span[..., None] & joints.flatten(1)[:, None]
