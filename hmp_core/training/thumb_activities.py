# SPDX-FileCopyrightText: 2026 The hmp_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What thumbs do by themselves; the fingers stay, up to what tendons share."""

from typing import Final

import numpy as np

from hmp_core.training import postures
from hmp_core.training.timetable import THUMB, Angles, Timetable

_PINCHES: Final = ["pinch_index", "pinch_middle", "pinch_ring", "pinch_pinky"]


def move_thumb(table: Timetable) -> None:
    """From one thumb posture to another, anywhere."""
    rng = table.rng
    for _ in range(int(rng.integers(2, 7))):
        goal = postures.thumb_angles(rng, table.posture)
        table.move(goal, _duration_s(rng), table.pause_s(0.3), digits=[THUMB])


def circle_thumb(table: Timetable) -> None:
    """Circumduct: base abduction and flexion a quarter turn apart, the outer joints along with them or still."""
    rng = table.rng
    center = postures.thumb_angles(rng, table.posture)
    radii = np.deg2rad(rng.uniform((6.0, 6.0, 0.0, 0.0), (24.0, 22.0, 12.0, 25.0)))
    phase = np.array([0.0, rng.choice([-1, 1]) * rng.uniform(1.0, 2.1), *rng.uniform(0.0, 6.28, 2)])
    step_s, steps = rng.uniform(0.07, 0.3), 6
    for step in range(steps * int(rng.integers(1, 4))):
        posture = center.copy()
        posture[:4] += radii * np.sin(2.0 * np.pi * step / steps + phase)
        planned = table.now_s
        table.move(posture, 2.0 * step_s, digits=[THUMB])
        table.now_s = planned + step_s * table.haste * table.person.pace  # one stroke flows into the next


def oppose(table: Timetable) -> None:
    """The thumb goes to meet a finger that comes part of the way or stays, and back out."""
    rng = table.rng
    out = postures.thumb_angles(rng, table.posture)
    for _ in range(int(rng.integers(2, 6))):
        finger = int(rng.integers(4))
        touch = table.grasps.draw(_PINCHES[finger], rng)
        digits = [THUMB, finger + 1] if rng.random() < 0.5 else [THUMB]
        back = np.concatenate((out[:4], table.posture[4:]))
        table.move(touch, _duration_s(rng), table.pause_s(0.15), free=False, digits=digits)
        table.move(back, _duration_s(rng), table.pause_s(0.15), digits=digits)


def press_thumb(table: Timetable) -> None:
    """Press, swipe or wag: one joint or two go to and fro, as on a phone or a button."""
    rng = table.rng
    here = postures.thumb_angles(rng, table.posture)
    table.move(here, _duration_s(rng), digits=[THUMB])
    for _ in range(int(rng.integers(1, 4))):
        there: Angles = here.copy()
        joints = rng.permutation(4)[: rng.integers(1, 3)]
        there[joints] += np.deg2rad(rng.uniform(10.0, 45.0, len(joints))) * rng.choice([-1.0, 1.0], len(joints))
        table.repeat(here, there, _duration_s(rng), digits=[THUMB])


def _duration_s(rng: np.random.Generator) -> float:
    """Duration of a stroke of the thumb [s]; slow and fast ones alike."""
    return float(np.exp(rng.uniform(np.log(0.1), np.log(0.7))))
