# SPDX-FileCopyrightText: 2026 The hmp_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The buffer of a hand's newest evidence, thinned with age."""

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from hmp_core.fitting.evidence import StepEvidence
from hmp_core.hand.skeleton import NUM_FINGER_ROTATIONS

_NEWEST_OBSERVED: Final = 6
_DENSE_SPACING_S: Final = 0.03
_TIME_TOLERANCE: Final = 0.75
_GAP_S: Final = 0.3
_SAME_TIME_S: Final = 1e-3


@dataclass(frozen=True)
class HandWindow:
    """K time steps of one hand, oldest first.

    Only the newest step may lack evidence: the motion processes are exact over any time, so an unseen instant in
    between constrains nothing.

    Attributes:
        times_s: seconds since the track's epoch, increasing.
        steps: evidence of each step.
        turns: variance of the wrist's sudden turns since the step before [rad^2], per axis; see
            :mod:`~hmp_core.fitting.manoeuvre`.
    """

    times_s: tuple[float, ...] = ()
    steps: tuple[StepEvidence | None, ...] = ()
    turns: tuple[float, ...] = ()

    @property
    def times(self) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
        """The times as an array [K] [s]."""
        return np.array(self.times_s, dtype=np.float64)

    @property
    def observed(self) -> int:
        """How many steps carry evidence."""
        return sum(step is not None for step in self.steps)

    def append(self, time_s: float, evidence: StepEvidence | None, turn: float) -> "HandWindow":
        """One step more at the end."""
        return HandWindow((*self.times_s, time_s), (*self.steps, evidence), (*self.turns, turn))

    def select(self, keep: list[int]) -> "HandWindow":
        """Only the steps ``keep``; turns add up over those between."""
        turns = np.diff(np.cumsum(self.turns)[keep], prepend=0.0)
        turns[:1] = 0.0  # nothing is known of what came before the window
        times_s, steps = tuple(self.times_s[k] for k in keep), tuple(self.steps[k] for k in keep)
        return HandWindow(times_s, steps, tuple(turns.tolist()))

    def observed_rotations(
        self, times_s: NDArray[np.float64], depth_m: NDArray[np.float64], sigma_m: float
    ) -> NDArray[np.bool_]:
        """Which finger rotations evidence supports at other times [N]: [N, 15].

        Those that are observed at the steps before and after, unless a gap lies between these.

        Args:
            times_s: [N] on the window's clock [s].
            depth_m: [K] of the wrist at the steps [m].
            sigma_m: what counts as observed [m].
        """
        blind = np.zeros(NUM_FINGER_ROTATIONS, dtype=bool)
        observed = np.array(
            [
                blind if step is None else step.observed_rotations(depth, sigma_m)
                for step, depth in zip(self.steps, depth_m, strict=True)
            ]
        )
        times = self.times
        after = np.searchsorted(times, times_s - _SAME_TIME_S).clip(0, len(times) - 1)
        before = np.maximum(np.searchsorted(times, times_s + _SAME_TIME_S) - 1, 0)
        inside = (times_s >= times[0] - _SAME_TIME_S) & (times_s <= times[-1] + _SAME_TIME_S)
        near = inside & (times[after] - times[before] <= _GAP_S)
        return np.asarray(observed[before] & observed[after] & near[:, None])

    def kept_steps(self, window_s: float, dense_s: float, max_steps: int) -> list[int]:
        """Which steps stay, oldest first.

        The newest step, the newest six with evidence, and both ends of a gap always stay. Steps of
        the last ``dense_s`` stay nearly all, older ones at a spacing that spreads the rest of ``max_steps`` over
        the window. Walking from the oldest makes the choice stable: what was kept once stays until it is too old.
        """
        newest = len(self.steps) - 1
        certain = {newest, *[k for k, step in enumerate(self.steps) if step is not None][-_NEWEST_OBSERVED:]}
        for before in np.flatnonzero(np.diff(self.times) > _GAP_S):
            certain |= {
                end
                for end in (int(before), int(before) + 1)
                if self.times_s[newest] - self.times_s[end] <= window_s
            }
        dense = round(dense_s / _DENSE_SPACING_S) + 1
        sparse_spacing = (window_s - dense_s) / max(max_steps - dense, 2)
        kept: list[int] = []
        last_s = -np.inf
        for k, time_s in enumerate(self.times_s):
            age = self.times_s[newest] - time_s
            spacing = _DENSE_SPACING_S if age <= dense_s else sparse_spacing
            spaced = time_s - last_s >= _TIME_TOLERANCE * spacing
            if k in certain or (self.steps[k] is not None and spaced and age <= window_s):
                kept.append(k)
                last_s = time_s
        return kept[-max_steps:]
