# SPDX-FileCopyrightText: 2026 The hmp_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Windows of recorded motion in front of a simulated camera, with a gap in each: truth for ``hmp eval motion``."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from hmp_core.camera import Camera
from hmp_core.errors import DataError
from hmp_core.evaluation.detector_simulation import TrueHand
from hmp_core.evaluation.occlusion_pattern import GAPS_S, KINDS, SWEEP_S, hide_joints
from hmp_core.evaluation.recorded_motion import RecordedMotion
from hmp_core.evaluation.staged_hand import Stage
from hmp_core.hand.model import HandModel

CAMERA: Final = Camera(1280, 720, 912.0, 911.0, 643.0, 361.0)
"""Intrinsics as a RealSense D435's colour stream reports them at this size, rounded."""
SETTLING_S: Final = 0.4
"""Frames at a window's start that are seen and not judged: nobody has settled then [s]."""
_LEAD_S: Final = (0.8, 1.4)
_TAIL_S: Final = 0.5


@dataclass(frozen=True)
class OccludedWindow:
    """One hand through one gap.

    Attributes:
        hand: the truth.
        kind, gap_s: how it is hidden, and the gap's nominal length [s].
        in_gap: [T] frames with something hidden by the pattern.
        judged: [T] frames that count.
        active: whether the hidden joints move over 1 mm a frame in the mean, as ``hmp eval prior`` defines it.
        label: sign or activity.
    """

    hand: TrueHand
    kind: str
    gap_s: float
    in_gap: NDArray[np.bool_]
    judged: NDArray[np.bool_]
    active: bool
    label: str


@dataclass(frozen=True)
class WindowPlan:
    """Which piece of a recording a window shows, and when its gap is.

    Attributes:
        recording: its number.
        frames: how many.
        kind: of :data:`~hmp_core.evaluation.occlusion_pattern.KINDS`.
        lead_s, gap_s: when the gap begins, and its nominal length [s].
        rng: for all that is still to be drawn of the window.
    """

    recording: int
    frames: int
    kind: str
    lead_s: float
    gap_s: float
    rng: np.random.Generator

    def judged(self, times_s: NDArray[np.float64]) -> NDArray[np.bool_]:
        """Frames [T] that count."""
        end = self.lead_s + self.gap_s + SWEEP_S + _TAIL_S
        return np.asarray((times_s >= SETTLING_S) & (times_s < end))


def plan_windows(motion: RecordedMotion, count: int, seed: int) -> Iterator[WindowPlan]:
    """Draw windows, evenly over patterns, gap lengths and signs.

    Recordings too short for a gap of a length leave it to others.

    Raises:
        DataError: no recording is long enough for any gap.
    """
    fingers = motion.fingers
    length_s = (fingers.lengths.numpy() - 1) / fingers.rate_hz
    fitting = {gap: np.flatnonzero(length_s >= _needed_s(gap)) for gap in GAPS_S}
    gaps = [gap for gap in GAPS_S if len(fitting[gap])]
    if not gaps:
        raise DataError(f"no recording lasts the {_needed_s(GAPS_S[0]):.1f} s that the shortest gap needs")
    cells = [(kind, gap) for gap in gaps for kind in KINDS]
    for number in range(count):
        kind, gap_s = cells[number % len(cells)]
        rng = np.random.default_rng((seed, number))
        labels = sorted({fingers.labels[index] for index in fitting[gap_s]})
        # Every sign has its turn before any comes again.
        label = labels[(number // len(cells) + 7 * (number % len(cells))) % len(labels)]
        recording = int(rng.choice([index for index in fitting[gap_s] if fingers.labels[index] == label]))
        lead = min(rng.uniform(*_LEAD_S), length_s[recording] - gap_s - _TAIL_S)
        frames = min(round((lead + gap_s + _TAIL_S) * fingers.rate_hz) + 1, int(fingers.lengths[recording]))
        yield WindowPlan(recording, frames, kind, float(lead), gap_s, rng)


def occluded_windows(motion: RecordedMotion, model: HandModel, count: int, seed: int) -> Iterator[OccludedWindow]:
    """Windows as :func:`plan_windows` draws them, their joints hidden by a pattern.

    Raises:
        DataError: no recording is long enough for any gap.
    """
    stage = Stage(motion, model, CAMERA)
    for plan in plan_windows(motion, count, seed):
        hand = stage.put(plan.recording, plan.frames, plan.rng)
        pixels = CAMERA.project(hand.joints)
        behind = hide_joints(plan.kind, pixels, hand.times_s, plan.lead_s, plan.gap_s, plan.rng)
        yield OccludedWindow(
            hand=TrueHand(hand.times_s, hand.joints, behind | ~hand.inside, CAMERA),
            kind=plan.kind,
            gap_s=plan.gap_s,
            in_gap=np.asarray(behind.any(axis=1)),
            judged=plan.judged(hand.times_s),
            active=stage.moves(hand, behind),
            label=hand.label,
        )


def _needed_s(gap_s: float) -> float:
    return _LEAD_S[0] + gap_s + _TAIL_S
