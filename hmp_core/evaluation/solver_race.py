# SPDX-FileCopyrightText: 2026 The hmp_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What our solvers cost, and err, against the paper's schedule of 2 x 400 Adam steps.

The same observations, prior, terms, kinematics and gradients serve all. Images vanish for stretches of
0.3, 1.0 and 0.5 s with 0.7 s in view between them; errors count in those stretches, against exact truth. Fits are
interleaved, since machines are noisy, and ratios are taken of one run. Adam's gradients come from reverse-mode
differentiation of the terms' costs, which for one number is cheaper than the Jacobians that Gauss-Newton needs.
"""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import Final

import numpy as np
from numpy.typing import NDArray

from hmp_core.evaluation.fitter_methods import Method, offline, online
from hmp_core.evaluation.metrics import ra_mpjpe
from hmp_core.evaluation.occlusion_report import charged
from hmp_core.fitting.stages import StageTable
from hmp_core.hand.model import HandModel
from hmp_core.observation import FrameObservation
from hmp_core.prior.prior import MotionPrior

OFFLINE: Final = "offline"
ONLINE: Final = "online"
PAPER: Final = "paper_adam"
_HIDDEN_S: Final = (0.3, 1.0, 0.5)
_SEEN_S: Final = 0.7


def hidden_stretches(times_s: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Frames [T] to hide at times [T] [s]; the first and the last are seen."""
    hidden = np.zeros(len(times_s), dtype=bool)
    begin, index = float(times_s[0]) + _SEEN_S, 0
    while begin < times_s[-1]:
        end = begin + _HIDDEN_S[index % len(_HIDDEN_S)]
        hidden |= (times_s >= begin) & (times_s < min(end, times_s[-1]))
        begin, index = end + _SEEN_S, index + 1
    return hidden


@dataclass
class Contender:
    """One method.

    Attributes:
        name: of the method.
        fit: all frames at once, or one after the other.
        wall_s, cpu_s: of its fits [s].
        hidden_mm: mean wrist-relative joint error in the hidden frames [mm].
    """

    name: str
    fit: Method
    wall_s: list[float] = field(default_factory=list)
    cpu_s: list[float] = field(default_factory=list)
    hidden_mm: float = float("nan")


class SolverRace:
    """Fits one hand's clip with every method.

    Args:
        model: right hand.
        prior: of finger motion.
        table: stages of both, Gauss-Newton and the paper's schedule.
        others: further tables by name, solved with the paper's schedule, for comparison.
    """

    def __init__(
        self, model: HandModel, prior: MotionPrior, table: StageTable, others: dict[str, StageTable]
    ) -> None:
        self._offline = Contender(OFFLINE, offline(model, prior, table, "gn"))
        self._online = Contender(ONLINE, online(model, prior))
        # The quick ones run before, between and after the slow ones.
        self._quick = (self._offline, self._online, self._offline)
        self._slow = [
            Contender(name, offline(model, prior, own, "adam")) for name, own in {PAPER: table, **others}.items()
        ]

    @property
    def fits(self) -> int:
        """How many a race takes."""
        return (1 + len(self._slow)) * len(self._quick) + len(self._slow)

    def run(
        self,
        observations: Sequence[FrameObservation],
        joints_camera: NDArray[np.floating],
        advance: Callable[[str], None],
    ) -> dict[str, Contender]:
        """Race.

        Args:
            observations: T frames of one hand.
            joints_camera: [T, 21, 3] truth [m].
            advance: called with a method's name after each of its fits.

        Returns:
            The contenders by name, their times and errors filled in.
        """
        stamps = np.array([observation.stamp_ns for observation in observations])
        hidden = hidden_stretches((stamps - stamps[0]) * 1e-9)
        shown = [
            replace(observation, hands=()) if away else observation
            for observation, away in zip(observations, hidden, strict=True)
        ]
        for contender in (self._offline, self._online):
            contender.fit(shown[: len(shown) // 4])  # libraries make their plans
        for slow in ((), *((each,) for each in self._slow)):
            for contender in (*slow, *self._quick):
                began, cpu_began = time.perf_counter(), time.process_time()
                output = contender.fit(shown)
                contender.wall_s.append(time.perf_counter() - began)
                contender.cpu_s.append(time.process_time() - cpu_began)
                contender.hidden_mm = float(ra_mpjpe(charged(output.joints_camera), joints_camera)[hidden].mean())
                advance(contender.name)
        return {contender.name: contender for contender in (self._offline, self._online, *self._slow)}


def ratios(contenders: dict[str, Contender], name: str) -> dict[str, float]:
    """How many times less a method computes than the paper's schedule, and its hidden error over the schedule's."""
    own, paper = contenders[name], contenders[PAPER]
    return {
        "compute_ratio_vs_paper": round(float(np.median(paper.wall_s) / np.median(own.wall_s)), 3),
        "hidden_error_ratio_vs_paper": round(own.hidden_mm / paper.hidden_mm, 4),
    }
