# SPDX-FileCopyrightText: 2026 The hmp_ros authors
# SPDX-License-Identifier: Apache-2.0
"""A person's plan: which joint angles go where, when and how fast."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

import numpy as np
from numpy.typing import NDArray

from hmp_core.training.grasp_library import GraspLibrary
from hmp_core.training.individual import Individual
from hmp_core.training.speed_profiles import Stroke

Angles = NDArray[np.float64]

THUMB: Final = 0
_SHORTEST_S: Final = 0.06
_LONGEST_PAUSE_S: Final = 4.0


@dataclass
class Timetable:
    """Strokes under construction.

    Attributes:
        person: who moves.
        grasps: postures on objects.
        rng: source of randomness.
        now_s: time up to which strokes are planned [s].
        posture: [20] where the last stroke ends [rad].
        haste: factor on all durations of the present activity.
        unison: 0 where digits start together, 1 where the last starts as the first arrives.
        strokes: what is planned.
    """

    person: Individual
    grasps: GraspLibrary
    rng: np.random.Generator
    now_s: float
    posture: Angles
    haste: float = 1.0
    unison: float = 0.35
    strokes: list[Stroke] = field(default_factory=list)

    def begin(self) -> None:
        """Draw the mood of another activity: people hurry and dawdle, move digits together or one by one."""
        self.haste = float(np.exp(self.rng.normal(-0.1, 0.35)))
        self.unison = float(self.rng.choice([0.05, 0.15, 0.35, 0.9]))

    def move(
        self,
        posture: Angles,
        duration_s: float,
        hold_s: float = 0.0,
        free: bool = True,
        digits: Sequence[int] | None = None,
    ) -> None:
        """Go to a posture, digits starting and ending a little apart, and stay there.

        Args:
            posture: [20] ideal angles [rad].
            duration_s: of an unhurried person's stroke [s].
            hold_s: pause afterwards [s].
            free: whether no object dictates the joints.
            digits: those that move (0 the thumb, 4 the little finger), the others as far as they must; None: all.
        """
        rng = self.rng
        target = self.person.shape(posture, free, rng)
        if digits is not None:
            target = self.person.alone(self.posture, target, digits)
        tempo = self.person.pace * self.haste
        duration = max(_SHORTEST_S, duration_s * tempo)
        digit_lag = np.repeat(rng.uniform(0.0, self.unison if free else 0.25, 5), 4)
        joint_lag = rng.uniform(0.0, 0.12, 20)
        onset = self.now_s + duration * (digit_lag + joint_lag)
        each = duration * rng.uniform(0.7, 1.0, 20) * np.repeat(rng.uniform(0.75, 1.0, 5), 4)
        self.strokes.append(Stroke(onset, np.maximum(each, 0.05), target))
        self.posture = target
        overlap = rng.uniform(0.65, 1.0) if hold_s == 0.0 else 1.0
        self.now_s += duration * overlap + hold_s * tempo

    def repeat(self, one: Angles, other: Angles, duration_s: float, digits: Sequence[int] | None = None) -> None:
        """Go to and fro a few times, each time a little differently far."""
        for _ in range(int(self.rng.integers(1, 5))):
            reach = self.rng.uniform(0.6, 1.0)
            self.move((1.0 - reach) * one + reach * other, duration_s, digits=digits)
            self.move(one, duration_s * self.rng.uniform(0.8, 1.3), self.pause_s(0.08), digits=digits)

    def wait(self, seconds: float) -> None:
        """Hold still [s]."""
        self.now_s += seconds

    def pause_s(self, mean_s: float) -> float:
        """A random pause [s], most short, some long."""
        return float(min(self.rng.exponential(mean_s), _LONGEST_PAUSE_S))
