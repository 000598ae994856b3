# SPDX-FileCopyrightText: 2026 The hmp_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What hands do with objects: take, hold, turn in the fingers, use, let go."""

from typing import Final

import numpy as np

from hmp_core.training import postures
from hmp_core.training.grasps import GRASP_KINDS
from hmp_core.training.timetable import THUMB, Angles, Timetable

_KINDS: Final = list(GRASP_KINDS)
_PINCHES: Final = ["pinch_index", "pinch_middle", "pinch_ring", "pinch_pinky"]
_PRECISION: Final = ["precision_all", "precision_prism", "tripod", "pen", "pinch_index", "pinch_middle", "disk"]
_TOOLS: Final = ["tool", "index_extension", "lateral", "pen", "power_cylinder", "pinch_index"]


def grasp(table: Timetable) -> None:
    """Open while reaching, close, hold with small re-adjustments, sometimes re-grasp, let go (Jeannerod 1984)."""
    rng = table.rng
    kind = str(rng.choice(_KINDS))
    closed = table.grasps.draw(kind, rng)
    opened = _aperture(closed, rng)
    for _ in range(int(rng.integers(1, 3))):
        table.move(opened, rng.uniform(0.3, 0.8))
        table.move(closed, rng.uniform(0.2, 0.6), table.pause_s(0.7), free=False)
        for _ in range(int(rng.integers(0, 3))):
            squeeze = closed * rng.uniform(0.92, 1.08) + rng.normal(0.0, np.deg2rad(2.5), 20)
            table.move(squeeze, rng.uniform(0.15, 0.6), table.pause_s(0.3), free=False)
        if rng.random() < 0.4:
            closed = table.grasps.draw(kind if rng.random() < 0.5 else str(rng.choice(_KINDS)), rng)
            table.move(0.3 * opened + 0.7 * closed, rng.uniform(0.15, 0.35), free=False)
            table.move(closed, rng.uniform(0.15, 0.4), table.pause_s(0.5), free=False)
    table.move(opened, rng.uniform(0.2, 0.5))
    if rng.random() < 0.5:
        table.move(postures.rest(rng), rng.uniform(0.3, 0.8), table.pause_s(0.4))


def pinch(table: Timetable) -> None:
    """Thumb against finger tips: one finger several times, or all in turn."""
    rng = table.rng
    start = postures.free(rng) if rng.random() < 0.4 else postures.rest(rng)
    order = (
        _PINCHES + _PINCHES[-2::-1] if rng.random() < 0.5 else [str(rng.choice(_PINCHES))] * int(rng.integers(2, 6))
    )
    pause = rng.choice([0.0, 0.15])
    for kind in order:
        touch = table.grasps.draw(kind, rng)
        table.move(touch, rng.uniform(0.15, 0.45), pause, free=False)
        away = rng.uniform(0.2, 0.8)
        table.move((1.0 - away) * touch + away * start, rng.uniform(0.12, 0.35))


def manipulate(table: Timetable) -> None:
    """Turn or roll an object in the fingers: digits go round between two holds, out of step with each other."""
    rng = table.rng
    kind = str(rng.choice(_PRECISION))
    one, other = table.grasps.draw(kind, rng), table.grasps.draw(kind, rng)
    table.move(one, rng.uniform(0.3, 0.6), table.pause_s(0.2), free=False)
    far, beat = rng.uniform(0.15, 0.8), rng.uniform(0.12, 0.5)
    phase = np.repeat(rng.uniform(0.0, 2.0 * np.pi, 5) * rng.uniform(0.0, 0.5), 4)
    for step in range(int(rng.integers(4, 14))):
        share = 0.5 * far * (1.0 - np.cos(np.pi * step + phase))
        table.move((1.0 - share) * one + share * other, beat, free=False)


def regrasp(table: Timetable) -> None:
    """Walk an object through the hand: one digit after another lets go and takes hold elsewhere."""
    rng = table.rng
    kind = str(rng.choice(_PRECISION))
    held = table.grasps.draw(kind, rng)
    table.move(held, rng.uniform(0.25, 0.6), table.pause_s(0.2), free=False)
    for _ in range(int(rng.integers(1, 4))):
        goal = table.grasps.draw(kind, rng)
        for digit in rng.permutation(5)[: rng.integers(2, 6)].tolist():
            lifted = _aperture(goal, rng)
            table.move(lifted, rng.uniform(0.12, 0.3), free=False, digits=[digit])
            table.move(goal, rng.uniform(0.12, 0.3), table.pause_s(0.05), free=False, digits=[digit])
        table.wait(table.pause_s(0.3))


def use_tool(table: Timetable) -> None:
    """Hold a tool while one or two digits work it: triggers, clicks, sprays, strokes of a pen."""
    rng = table.rng
    held = table.grasps.draw(str(rng.choice(_TOOLS)), rng)
    table.move(held, rng.uniform(0.3, 0.7), table.pause_s(0.3), free=False)
    digits = [[THUMB], [1], [THUMB, 1], [1, 2], [THUMB, 1, 2]][int(rng.integers(5))]
    beat, depth = rng.uniform(0.08, 0.35), np.deg2rad(rng.uniform(4.0, 25.0))
    for _ in range(int(rng.integers(3, 12))):
        worked = held.copy().reshape(5, 4)
        worked[digits] += depth * rng.normal(0.0, (0.4, 0.7, 0.7, 0.5), (len(digits), 4))
        table.move(worked.reshape(-1), beat, free=False, digits=digits)
        table.move(held, beat * rng.uniform(0.8, 1.4), table.pause_s(0.1), free=False, digits=digits)


def _aperture(closed: Angles, rng: np.random.Generator) -> Angles:
    """A hand [20] open wide enough for what it will hold: fingers straighter, the thumb partly."""
    opened = np.where(closed > 0.0, closed * rng.uniform(0.2, 0.6), closed)
    opened[:4] = closed[:4] * rng.uniform(0.4, 0.9)
    return opened
