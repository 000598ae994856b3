# SPDX-FileCopyrightText: 2026 The hmp_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Cutting a sequence into windows that overlap where something was seen, and joining their results again."""

from dataclasses import dataclass
from typing import Final

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from hmp_core.hand.so3 import exponential, logarithm

FADE_S: Final = 0.25
"""Overlap over which one window leads over to the next [s]."""
_LEAST_ADVANCE: Final = 0.3
"""A window begins at least this share of its length after the one before."""


@dataclass(frozen=True)
class Span:
    """One window of a sequence.

    Attributes:
        first: its first frame.
        stop: the first frame that belongs to later windows alone.
        reach: the first frame behind the window; what is seen from ``stop`` to here still counts in it.
        overlap: how many of its frames belong to the window before, too.
    """

    first: int
    stop: int
    reach: int
    overlap: int

    @property
    def frames(self) -> slice:
        """Of the sequence, as far as the window reaches."""
        return slice(self.first, self.reach)


def cut_windows(times_s: NDArray[np.float64], observed: NDArray[np.bool_], window_s: float) -> list[Span]:
    """Windows that cover all frames.

    Each next one begins as late as it can, but where the hand is seen for the whole of the overlap: a gap then lies
    inside one window with both its ends, if it fits into one at all. Frames of the earlier window behind the
    overlap belong to the later one alone.

    Args:
        times_s: [T] increasing [s].
        observed: [T] frames with evidence.
        window_s: length of a window [s].
    """
    count = len(times_s)
    spans: list[Span] = []
    first, overlap = 0, 0
    while True:
        reach = int(np.searchsorted(times_s, times_s[first] + window_s, side="right"))
        if reach >= count:
            return [*spans, Span(first, count, count, overlap)]
        begin = _next_begin(times_s, observed, first, reach, window_s)
        faded = int(np.searchsorted(times_s, times_s[begin] + FADE_S, side="right"))
        stop = max(min(reach, faded), begin + 1)
        spans.append(Span(first, stop, reach, overlap))
        overlap = stop - begin
        first = begin


def _next_begin(
    times_s: NDArray[np.float64], observed: NDArray[np.bool_], first: int, reach: int, window_s: float
) -> int:
    earliest = int(np.searchsorted(times_s, times_s[first] + _LEAST_ADVANCE * window_s))
    latest = int(np.searchsorted(times_s, times_s[first] + window_s - FADE_S, side="right")) - 1
    earliest = min(max(earliest, first + 1), reach - 1)
    latest = min(max(latest, earliest), reach - 1)
    for begin in range(latest, earliest - 1, -1):
        faded = int(np.searchsorted(times_s, times_s[begin] + FADE_S, side="right"))
        if observed[begin : min(faded, reach)].all():
            return begin
    return latest


def fade_rotations(earlier: Tensor, later: Tensor, share: Tensor) -> Tensor:
    """From rotations ``earlier`` [S, ..., 3, 3] by ``share`` [S] of the way to ``later``, along geodesics."""
    turn = logarithm(earlier.mT @ later)
    part = share.reshape(-1, *[1] * (turn.dim() - 1)) * turn
    faded: Tensor = earlier @ exponential(part)
    return faded


def fade_shares(overlap: int) -> Tensor:
    """How much of the later window counts in the frames [S] of an overlap: rising evenly, 0 and 1 left out."""
    return (torch.arange(overlap, dtype=torch.float64) + 1) / (overlap + 1)
