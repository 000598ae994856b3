# SPDX-FileCopyrightText: 2026 The hmp_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What empty hands do, and how often hands do what."""

from collections.abc import Callable
from typing import Final

import numpy as np

from hmp_core.training import postures
from hmp_core.training.object_activities import grasp, manipulate, pinch, regrasp, use_tool
from hmp_core.training.thumb_activities import circle_thumb, move_thumb, oppose, press_thumb
from hmp_core.training.timetable import Timetable


def counting(table: Timetable) -> None:
    """Numbers one after the other, in order or not."""
    rng = table.rng
    ordered, first = rng.random() < 0.5, int(rng.integers(6))
    for step in range(int(rng.integers(3, 8))):
        table.move(
            postures.count(rng, first + step if ordered else None), rng.uniform(0.2, 0.6), table.pause_s(0.4)
        )


def signing(table: Timetable) -> None:
    """A row of finger shapes, with a small beat here and there."""
    rng = table.rng
    for _ in range(int(rng.integers(3, 9))):
        shape = postures.sign(rng)
        table.move(shape, _duration_s(rng), table.pause_s(0.35))
        if rng.random() < 0.25:
            table.repeat(shape, postures.sign(rng), rng.uniform(0.15, 0.5))


def opening(table: Timetable) -> None:
    """Fist to flat hand and back, whole or by halves."""
    rng = table.rng
    closed, opened = postures.fist(rng), postures.flat(rng)
    duration = rng.uniform(0.2, 0.9)
    for _ in range(int(rng.integers(2, 6))):
        least, most = rng.uniform(0.0, 0.3), rng.uniform(0.6, 1.0)
        table.move((1 - most) * opened + most * closed, duration, table.pause_s(0.2))
        table.move((1 - least) * opened + least * closed, duration, table.pause_s(0.2))


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
            table.now_s += duration + table.pause_s(0.2)


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
        table.move(arched, interval * 0.6, table.pause_s(0.05))


def pointing(table: Timetable) -> None:
    """Point, click, beckon."""
    rng = table.rng
    straight = postures.point(rng)
    table.move(straight, rng.uniform(0.3, 0.7), table.pause_s(0.5))
    bent = straight.copy()
    bent[5:8] += np.deg2rad([rng.uniform(0.0, 40.0), rng.uniform(10.0, 70.0), rng.uniform(5.0, 40.0)])
    table.repeat(straight, bent, rng.uniform(0.12, 0.4))


def spreading(table: Timetable) -> None:
    """Fingers apart and together, scissors, thumb in and out."""
    rng = table.rng
    table.repeat(postures.flat(rng), postures.flat(rng), rng.uniform(0.2, 0.6))


def flapping(table: Timetable) -> None:
    """Wave good-bye, beckon, flap: all fingers to and fro from the knuckles, or curling."""
    rng = table.rng
    one = postures.flat(rng)
    other = one.copy().reshape(5, 4)
    other[1:, 1:] += np.deg2rad(rng.uniform((10.0, 0.0, 0.0), (75.0, 60.0, 35.0)))
    other[0] += np.deg2rad(rng.normal(0.0, 12.0, 4))
    for _ in range(int(rng.integers(1, 4))):
        table.repeat(one, other.reshape(-1), rng.uniform(0.12, 0.4))


def flicking(table: Timetable) -> None:
    """Load a finger against the thumb and let it go: as fast as fingers get."""
    rng = table.rng
    finger = int(rng.integers(1, 5))
    loaded, released = postures.free(rng), postures.flat(rng)
    loaded[4 * finger : 4 * finger + 4] = np.deg2rad((0.0, 65.0, 85.0, 45.0))
    digits = [finger] if rng.random() < 0.5 else None
    for _ in range(int(rng.integers(1, 4))):
        table.move(loaded, rng.uniform(0.15, 0.4), table.pause_s(0.2), digits=digits)
        table.move(released, rng.uniform(0.06, 0.12), table.pause_s(0.2), digits=digits)


def free_motion(table: Timetable) -> None:
    """From anywhere to anywhere."""
    for _ in range(int(table.rng.integers(3, 8))):
        table.move(postures.free(table.rng), _duration_s(table.rng), table.pause_s(0.25))


def some_digits(table: Timetable) -> None:
    """One digit, or some, go about while the others stay."""
    rng = table.rng
    digits = rng.permutation(5)[: rng.choice([1, 1, 1, 2, 2, 3, 4])].tolist()
    for _ in range(int(rng.integers(2, 8))):
        table.move(postures.free(rng), _duration_s(rng), table.pause_s(0.2), digits=digits)


def resting(table: Timetable) -> None:
    """Nothing much for a while, slack or in whatever posture there is."""
    rng = table.rng
    if rng.random() < 0.5:
        table.move(postures.rest(rng), rng.uniform(0.5, 1.5))
    table.wait(rng.uniform(1.0, 6.0))


ACTIVITIES: Final[tuple[tuple[Callable[[Timetable], None], float], ...]] = (
    (grasp, 0.14),
    (manipulate, 0.05),
    (regrasp, 0.03),
    (use_tool, 0.04),
    (pinch, 0.05),
    (signing, 0.14),
    (counting, 0.07),
    (free_motion, 0.14),
    (some_digits, 0.09),
    (move_thumb, 0.04),
    (circle_thumb, 0.02),
    (oppose, 0.03),
    (press_thumb, 0.02),
    (opening, 0.08),
    (finger_by_finger, 0.04),
    (flapping, 0.04),
    (flicking, 0.03),
    (typing, 0.03),
    (pointing, 0.03),
    (spreading, 0.03),
    (resting, 0.06),
)
"""Activities and how often they come."""


def _duration_s(rng: np.random.Generator) -> float:
    """Duration of a stroke [s], from as fast as can be to leisurely."""
    return float(np.exp(rng.uniform(np.log(0.1), np.log(0.8))))
