# SPDX-FileCopyrightText: 2026 The hmp_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What hands do: each activity turns into a timetable of strokes between postures."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final

import numpy as np
from numpy.typing import NDArray

from hmp_core.training import postures
from hmp_core.training.individual import Individual
from hmp_core.training.speed_profiles import Stroke

Angles = NDArray[np.float64]


@dataclass
class Timetable:
    """Strokes under construction.

    Attributes:
        person: who moves.
        grasps: solved grasp postures by kind, [n, 20] each.
        rng: source of randomness.
        now_s: time up to which strokes are planned [s].
        strokes: what is planned.
        posture: [20] where the last stroke ends [rad].
    """

    person: Individual
    grasps: dict[str, Angles]
    rng: np.random.Generator
    now_s: float
    posture: Angles
    strokes: list[Stroke] = field(default_factory=list)

    def move(self, posture: Angles, duration_s: float, hold_s: float = 0.0, free: bool = True) -> None:
        """Go to a posture [20], fingers starting and ending a little apart, and stay there."""
        rng, person = self.rng, self.person
        target = person.shape(posture, free, rng)
        duration = max(0.07, duration_s * person.pace)
        finger_lag = np.repeat(rng.uniform(0.0, 0.35, 5), 4)
        joint_lag = rng.uniform(0.0, 0.12, 20)
        onset = self.now_s + duration * (finger_lag + joint_lag)
        each = duration * rng.uniform(0.7, 1.0, 20) * np.repeat(rng.uniform(0.75, 1.0, 5), 4)
        self.strokes.append(Stroke(onset, np.maximum(each, 0.05), target))
        self.posture = target
        overlap = rng.uniform(0.65, 1.0) if hold_s == 0.0 else 1.0
        self.now_s += duration * overlap + hold_s * person.pace

    def hold_s(self, mean_s: float) -> float:
        """A random pause [s], most short, some long."""
        return float(min(self.rng.exponential(mean_s), 4.0))


def grasp(table: Timetable) -> None:
    """Open while reaching, close, hold with small re-adjustments, sometimes re-grasp, let go (Jeannerod 1984)."""
    rng = table.rng
    library = table.grasps[str(rng.choice(list(table.grasps)))]
    closed = library[rng.integers(len(library))]
    opened = np.where(closed > 0.0, closed * rng.uniform(0.25, 0.6), closed)
    opened[:4] = closed[:4] * rng.uniform(0.4, 0.9)
    for _ in range(int(rng.integers(1, 4))):
        table.move(opened, rng.uniform(0.3, 0.8))
        table.move(closed, rng.uniform(0.2, 0.6), table.hold_s(0.7), free=False)
        for _ in range(int(rng.integers(0, 4))):
            squeeze = closed * rng.uniform(0.92, 1.08) + rng.normal(0.0, np.deg2rad(2.5), 20)
            table.move(squeeze, rng.uniform(0.15, 0.6), table.hold_s(0.3), free=False)
        if rng.random() < 0.4:
            closed = library[rng.integers(len(library))]
            table.move(0.3 * opened + 0.7 * closed, rng.uniform(0.15, 0.35), free=False)
            table.move(closed, rng.uniform(0.15, 0.4), table.hold_s(0.5), free=False)
    table.move(opened, rng.uniform(0.2, 0.5))
    table.move(postures.rest(rng), rng.uniform(0.3, 0.8), table.hold_s(0.4))


def pinch(table: Timetable) -> None:
    """Thumb against finger tips: one finger several times, or all in turn."""
    rng = table.rng
    fingers = ["pinch_index", "pinch_middle", "pinch_ring", "pinch_pinky"]
    start = table.posture
    order = (
        fingers + fingers[-2::-1] if rng.random() < 0.5 else [str(rng.choice(fingers))] * int(rng.integers(2, 6))
    )
    pause = rng.choice([0.0, 0.15])
    for kind in order:
        library = table.grasps[kind]
        touch = library[rng.integers(len(library))]
        table.move(touch, rng.uniform(0.15, 0.45), pause, free=False)
        away = rng.uniform(0.2, 0.8)
        table.move((1.0 - away) * touch + away * start, rng.uniform(0.12, 0.35))


def counting(table: Timetable) -> None:
    """Numbers one after the other, in order or not."""
    rng = table.rng
    ordered, first = rng.random() < 0.5, int(rng.integers(6))
    for step in range(int(rng.integers(3, 8))):
        table.move(postures.count(rng, first + step if ordered else None), rng.uniform(0.2, 0.6), table.hold_s(0.4))


def signing(table: Timetable) -> None:
    """A row of finger shapes, with a small beat here and there."""
    rng = table.rng
    for _ in range(int(rng.integers(3, 9))):
        shape = postures.sign(rng)
        table.move(shape, rng.uniform(0.15, 0.6), table.hold_s(0.35))
        if rng.random() < 0.25:
            _repeat(table, shape, postures.sign(rng), rng.uniform(0.15, 0.5))


def opening(table: Timetable) -> None:
    """Fist to flat hand and back, whole or by halves."""
    rng = table.rng
    closed, opened = postures.fist(rng), postures.flat(rng)
    duration = rng.uniform(0.2, 0.9)
    for _ in range(int(rng.integers(2, 6))):
        least, most = rng.uniform(0.0, 0.3), rng.uniform(0.6, 1.0)
        table.move((1 - most) * opened + most * closed, duration, table.hold_s(0.2))
        table.move((1 - least) * opened + least * closed, duration, table.hold_s(0.2))


def finger_by_finger(table: Timetable) -> None:
    """Fingers close or open in turn: waves and drumming."""
    rng = table.rng
    here, there = postures.flat(rng), postures.fist(rng) if rng.random() < 0.5 else postures.table(rng)
    order = np.arange(5) if rng.random() < 0.5 else np.arange(5)[::-1]
    duration, beat = rng.uniform(0.2, 0.6), rng.uniform(0.08, 0.3)
    for _ in range(int(rng.integers(1, 4))):
        for goal in (there, here):
            posture = table.posture.copy()
            for finger in order[rng.integers(0, 2) :]:
                posture[4 * finger : 4 * finger + 4] = goal[4 * finger : 4 * finger + 4]
                table.now_s += beat
                planned = table.now_s
                table.move(posture, duration)
                table.now_s = planned
            table.now_s += duration + table.hold_s(0.2)


def typing(table: Timetable) -> None:
    """Key strokes of single fingers over an arched hand, 0.1 to 0.35 s apart."""
    rng = table.rng
    arched = postures.table(rng)
    table.move(arched, rng.uniform(0.3, 0.6))
    interval, depth = rng.uniform(0.1, 0.35), np.deg2rad(rng.uniform(8.0, 28.0))
    for _ in range(int(rng.integers(8, 24))):
        finger = int(rng.integers(5))
        down = arched.copy()
        down[4 * finger + 1] += depth
        down[4 * finger + 2] += depth * rng.uniform(-0.2, 0.5)
        down[4 * finger] += np.deg2rad(rng.normal(0.0, 4.0))
        table.move(down, interval * 0.5)
        table.move(arched, interval * 0.6, table.hold_s(0.05))


def pointing(table: Timetable) -> None:
    """Point, click, beckon."""
    rng = table.rng
    straight = postures.point(rng)
    table.move(straight, rng.uniform(0.3, 0.7), table.hold_s(0.5))
    bent = straight.copy()
    bent[5:8] += np.deg2rad([rng.uniform(0.0, 40.0), rng.uniform(10.0, 70.0), rng.uniform(5.0, 40.0)])
    _repeat(table, straight, bent, rng.uniform(0.12, 0.4))


def spreading(table: Timetable) -> None:
    """Fingers apart and together, scissors, thumb in and out."""
    rng = table.rng
    _repeat(table, postures.flat(rng), postures.flat(rng), rng.uniform(0.2, 0.6))


def resting(table: Timetable) -> None:
    """Nothing much for a while."""
    for _ in range(int(table.rng.integers(1, 4))):
        table.move(postures.rest(table.rng), table.rng.uniform(0.5, 1.5), table.rng.uniform(0.5, 3.0))


ACTIVITIES: Final[tuple[tuple[Callable[[Timetable], None], float], ...]] = (
    (grasp, 0.33),
    (signing, 0.20),
    (counting, 0.10),
    (pinch, 0.09),
    (opening, 0.07),
    (finger_by_finger, 0.06),
    (typing, 0.05),
    (pointing, 0.04),
    (spreading, 0.03),
    (resting, 0.03),
)
"""Activities and how often they come."""


def _repeat(table: Timetable, one: Angles, other: Angles, duration_s: float) -> None:
    """Go to and fro a few times, each time a little differently far."""
    for _ in range(int(table.rng.integers(1, 5))):
        reach = table.rng.uniform(0.6, 1.0)
        table.move((1.0 - reach) * one + reach * other, duration_s)
        table.move(one, duration_s * table.rng.uniform(0.8, 1.3), table.hold_s(0.08))
