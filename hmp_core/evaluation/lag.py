# SPDX-FileCopyrightText: 2026 The hmp_ros authors
# SPDX-License-Identifier: Apache-2.0
"""By how much an output comes later than the truth: the peak of the cross-correlation of their velocities."""

from typing import Final

import numpy as np
from numpy.typing import NDArray

_LARGEST_S: Final = 0.25
"""Lags up to this size are looked for, to both sides [s]."""
_LEAST_S: Final = 2.0
"""Less motion than this, in the mean over the points, gives no lag worth the name [s]."""


class LagMeter:
    """Gathers stretches of motion and finds the one lag that fits all of them.

    Velocities weigh in with their size, so that fast motion decides.

    Args:
        rate_hz: frames per second, the same in all stretches.
    """

    def __init__(self, rate_hz: float) -> None:
        self._rate_hz = rate_hz
        most = max(1, round(_LARGEST_S * rate_hz))
        self._lags = range(-most, most + 1)
        # Per lag: product of the velocities, the squares of the truth's and of the output's, and frames compared.
        self._sums = np.zeros((len(self._lags), 4))

    def add(self, joints: NDArray[np.floating], truth: NDArray[np.floating]) -> None:
        """Take in a stretch: positions [T, N, 3] m of output and truth; what is NaN in either counts nowhere."""
        moved, true = np.diff(joints, axis=0), np.diff(truth, axis=0)
        for row, lag in enumerate(self._lags):
            if abs(lag) >= len(moved):
                continue
            late = moved[max(lag, 0) : len(moved) + min(lag, 0)]
            early = true[max(-lag, 0) : len(true) - max(lag, 0)]
            both = (np.isfinite(late) & np.isfinite(early)).all(axis=-1)
            frames = both.sum() / both.shape[1]
            late, early = late[both], early[both]
            self._sums[row] += (late * early).sum(), (early**2).sum(), (late**2).sum(), frames

    def lag_ms(self) -> float | None:
        """The lag [ms], positive where the output comes late; None without enough motion or a peak."""
        product, true, moved, frames = self._sums.T
        if not (true * moved > 0).all() or frames.min() < _LEAST_S * self._rate_hz:
            return None
        correlation = product / np.sqrt(true * moved)
        best = int(np.argmax(correlation))
        if not 0 < best < len(correlation) - 1:
            return None
        # Between frames: the vertex of the parabola through the three highest.
        before, top, after = correlation[best - 1 : best + 2]
        bend = before - 2 * top + after
        shift = 0.5 * float((before - after) / bend) if bend < 0 else 0.0
        return 1000.0 * (self._lags[best] + shift) / self._rate_hz
