# SPDX-FileCopyrightText: 2026 The hmp_ros authors
# SPDX-License-Identifier: Apache-2.0
"""How people get from one posture to the next: minimum-jerk strokes that start apart and overlap.

A stroke moves every joint angle by some amount along the minimum-jerk profile (Flash and Hogan 1985); strokes add
up, so that one may begin before the last has ended (Morasso and Mussa-Ivaldi 1982), which is what fast human
movement looks like. Fingers start and end at slightly different moments.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class Stroke:
    """A movement of all joint angles.

    Attributes:
        onset_s: [20] start of each angle's movement [s].
        duration_s: [20] its duration [s].
        target: [20] angles at its end, were it the last stroke [rad].
    """

    onset_s: NDArray[np.float64]
    duration_s: NDArray[np.float64]
    target: NDArray[np.float64]


def minimum_jerk(progress: NDArray[np.float64]) -> NDArray[np.float64]:
    """Share of the way covered at a share of the time, both 0 to 1; values outside are clamped."""
    u = np.clip(progress, 0.0, 1.0)
    return np.asarray(u * u * u * (10.0 + u * (6.0 * u - 15.0)))


def play(start: NDArray[np.float64], strokes: list[Stroke], times_s: NDArray[np.float64]) -> NDArray[np.float64]:
    """Superpose strokes.

    Args:
        start: [20] angles before the first stroke [rad].
        strokes: in order of their onsets.
        times_s: [T] increasing times [s].

    Returns:
        [T, 20] angles [rad].
    """
    angles = np.repeat(start[None], len(times_s), axis=0)
    before = start
    for stroke in strokes:
        first, last = np.searchsorted(
            times_s, (stroke.onset_s.min(), (stroke.onset_s + stroke.duration_s).max()), side="left"
        )
        step = stroke.target - before
        moving = times_s[first:last, None]
        angles[first:last] += step * minimum_jerk((moving - stroke.onset_s) / stroke.duration_s)
        angles[last:] += step
        before = stroke.target
    return angles
