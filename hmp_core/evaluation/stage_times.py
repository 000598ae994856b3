# SPDX-FileCopyrightText: 2026 The hmp_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Where the time of an image goes in the pipeline, and how much memory its process takes."""

import resource
import sys
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np

from hmp_core.errors import ImageError
from hmp_core.frame import Frame
from hmp_core.pipeline import Pipeline

STAGES: Final = ("detect", "initialize", "optimize")
_WARM_UP: Final = 5
"""Images in which libraries make their plans; they count nowhere."""


def spread(values: list[float]) -> dict[str, float | None]:
    """Median and 95th percentile; None of nothing."""
    if not values:
        return {"median": None, "p95": None}
    median, p95 = np.percentile(values, [50, 95])
    return {"median": round(float(median), 3), "p95": round(float(p95), 3)}


def peak_memory_mb() -> float:
    """The most memory [MB] that this process has held so far."""
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return round(peak / (1e6 if sys.platform == "darwin" else 1e3), 1)


@dataclass
class StageTimes:
    """Times of a run through the pipeline; images are ready in memory when a clock starts.

    Attributes:
        stage_ms: per image, one list a stage.
        solve_ms: per solved hand: ``optimize`` of the images with hands, by their number.
        image_ms: per image, everything.
        hands: on average.
    """

    stage_ms: dict[str, list[float]] = field(default_factory=lambda: {stage: [] for stage in STAGES})
    solve_ms: list[float] = field(default_factory=list)
    image_ms: list[float] = field(default_factory=list)
    hands: float = 0.0

    @classmethod
    def of(cls, pipeline: Pipeline, frames: Iterable[Frame], advance: Callable[[], None]) -> "StageTimes":
        """Send frames through; unusable ones are left out.

        Args:
            advance: called after each.
        """
        times, hands = cls(), []
        for index, frame in enumerate(frames):
            began = time.perf_counter()
            try:
                _, estimate = pipeline.process(frame)
            except ImageError:
                continue
            finally:
                advance()
            spent_ms = 1e3 * (time.perf_counter() - began)
            if index < _WARM_UP:
                continue
            times.image_ms.append(spent_ms)
            for stage in STAGES:
                times.stage_ms[stage].append(estimate.stage_ms[stage])
            hands.append(len(estimate.hands))
            if estimate.hands:
                times.solve_ms.append(estimate.stage_ms["optimize"] / len(estimate.hands))
        times.hands = float(np.mean(hands)) if hands else 0.0
        return times

    def fps(self) -> float | None:
        """Images a second, one after the other; None without any."""
        return round(1e3 * len(self.image_ms) / sum(self.image_ms), 2) if self.image_ms else None

    def summary(self) -> dict[str, Any]:
        """``stage_ms`` and ``online_solve_ms`` with median and p95."""
        return {
            "stage_ms": {stage: spread(values) for stage, values in self.stage_ms.items()},
            "online_solve_ms": spread(self.solve_ms),
        }
