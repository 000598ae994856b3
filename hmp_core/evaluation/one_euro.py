# SPDX-FileCopyrightText: 2026 The hmp_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The One-Euro filter (Casiez, Roussel and Vogel, CHI 2012) of independent channels, with missing measurements."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]


@dataclass(frozen=True)
class OneEuroParameters:
    """As in the paper.

    Attributes:
        min_cutoff_hz: cutoff of a channel at rest [Hz].
        beta: rise of the cutoff with speed [Hz per unit a second].
        derivative_cutoff_hz: cutoff of the speed [Hz].
    """

    min_cutoff_hz: float
    beta: float
    derivative_cutoff_hz: float = 1.0


def one_euro(times_s: Array, values: Array, seen: NDArray[np.bool_], parameters: OneEuroParameters) -> Array:
    """Filter values [T, C]; a channel that is not seen [T, C] keeps its output, NaN before it was ever seen."""
    filtered = np.full(values.shape, np.nan)
    now, speed = np.full(values.shape[1], np.nan), np.zeros(values.shape[1])
    last_s = np.full(values.shape[1], np.nan)
    for index, (value, there) in enumerate(zip(values, seen, strict=True)):
        first = there & np.isnan(now)
        now[first] = value[first]
        again = there & ~first
        step = times_s[index] - last_s[again]
        raw = (value[again] - now[again]) / step
        speed[again] += _share(parameters.derivative_cutoff_hz, step) * (raw - speed[again])
        cutoff = parameters.min_cutoff_hz + parameters.beta * np.abs(speed[again])
        now[again] += _share(cutoff, step) * (value[again] - now[again])
        last_s[there] = times_s[index]
        filtered[index] = now
    return filtered


def _share(cutoff_hz: Array | float, step_s: Array) -> Array:
    """Weight of a new value in an exponential filter."""
    time_constant = 1 / (2 * np.pi * np.asarray(cutoff_hz))
    return np.asarray(1 / (1 + time_constant / step_s))
