# SPDX-FileCopyrightText: 2026 The hmp_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What a window node has done so far, for its diagnostics."""

from collections import deque
from typing import Final

from diagnostic_msgs.msg import DiagnosticStatus

from hmp_core.estimate import FrameEstimate, HandStatus
from hmp_ros.diagnostics import Health
from hmp_ros.rate_meter import RateMeter

_SILENCE_S: Final = 2.0
_RECENT: Final = 60
_TOLERATED: Final = 0.1


class SolveRecord:
    """Counts observations, solves and messages; written by the worker, read by the executor.

    Attributes:
        dropped: images whose own solve was skipped for a newer one.
    """

    def __init__(self) -> None:
        self.dropped = 0
        self._input = RateMeter()
        self._output = RateMeter()
        self._observed_ns: int | None = None
        self._period_ms = 0.0
        self._spent_ms = 0.0
        self._late = 0
        self._recently_late: deque[bool] = deque(maxlen=_RECENT)
        self._messages = 0
        self._hands = 0
        self._infilled = 0

    @property
    def age_s(self) -> float | None:
        """Time since the newest observation arrived [s]; None before the first."""
        return self._input.age_s

    def observed(self, stamp_ns: int) -> None:
        """An observation was taken in."""
        self._input.count()
        if self._observed_ns is not None:
            self._period_ms = (stamp_ns - self._observed_ns) * 1e-6
        self._observed_ns = stamp_ns

    def solved(self, estimate: FrameEstimate, observations: int) -> None:
        """A solve answered the newest of so many observations."""
        self.dropped += observations - 1
        self._spent_ms = estimate.stage_ms.get("optimize", 0.0)
        late = self._spent_ms > self._period_ms > 0
        self._late += late
        self._recently_late.append(late)

    def published(self, estimate: FrameEstimate) -> None:
        """A message went out."""
        self._output.count()
        self._messages += 1
        self._hands += len(estimate.hands)
        self._infilled += sum(hand.status is HandStatus.INFILLED for hand in estimate.hands)

    def health(self) -> Health:
        """STALE while no observations come, WARN while many solves take longer than an image's period."""
        age_s, late = self.age_s, self._recently_late
        if age_s is None:
            return Health(
                "no observations yet: is initializer_node active?", DiagnosticStatus.STALE, self._values()
            )
        if age_s > _SILENCE_S:
            complaint = f"no observations for {age_s:.0f} s: has the camera or initializer_node stopped?"
            return Health(complaint, DiagnosticStatus.STALE, self._values())
        if len(late) == _RECENT and sum(late) > _TOLERATED * _RECENT:
            complaint = (
                f"{sum(late)} of the last {_RECENT} solves took longer than an image's period: "
                "fewer max_steps, a slower camera or a freer processor would help"
            )
            return Health(complaint, values=self._values())
        return Health(values=self._values())

    def _values(self) -> dict[str, float | int | str]:
        return {
            "observation rate [Hz]": self._input.hz,
            "output rate [Hz]": self._output.hz,
            "age of the newest observation [s]": "none yet" if self.age_s is None else self.age_s,
            "published": self._messages,
            "dropped solves": self.dropped,
            "solves longer than an image's period": self._late,
            "optimize [ms]": self._spent_ms,
            "infilled share of hands [%]": 100 * self._infilled / max(self._hands, 1),
        }
