# SPDX-FileCopyrightText: 2026 The hmp_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What the window node would publish for a recording, on the recording's own clock."""

from collections import deque
from collections.abc import Callable
from dataclasses import replace
from typing import Final

from hmp_core.estimate import FrameEstimate
from hmp_core.fitting.online import OnlineFitter
from hmp_core.media.hand_topics import HANDS, PREDICTED, SMOOTHED, HandTopic
from hmp_core.observation import FrameObservation

SMOOTHING_LAG_S: Final = 0.2
PREDICTION_HORIZON_S: Final = 0.05

Write = Callable[[HandTopic, int, FrameEstimate], None]


class HandReplay:
    """Every observation is solved, none is late, and nothing depends on the speed of the machine.

    Where images stop, hands become LOST and leave as they do live; that ends with the recording. Durations of
    stages are left out, so that the same input gives the same output.

    Args:
        fitter: fresh.
        write: gets topic, time of recording [ns] and estimate of each message. Times go back only where a gap
            in the images has been noticed at its end.
    """

    def __init__(self, fitter: OnlineFitter, write: Write) -> None:
        self._fitter = fitter
        self._write = write
        self._lag_ns = round(SMOOTHING_LAG_S * 1e9)
        self._timeout_ns = round(fitter.config.infill_timeout_s * 1e9)
        self._waiting: deque[FrameEstimate] = deque()
        self._newest: tuple[int, int] | None = None

    def take(self, observation: FrameObservation, recorded_ns: int) -> FrameEstimate:
        """Follow the hands to the next observation, which was recorded at ``recorded_ns``."""
        if self._newest is not None:
            if observation.stamp_ns < self._newest[0]:  # the recording starts again
                self._release_all()
                self._fitter.reset()
            else:
                self._pass_gap(observation.stamp_ns)
        self._newest = (observation.stamp_ns, recorded_ns)
        estimate = replace(self._fitter.update(observation), stage_ms={})
        self._publish(estimate)
        return estimate

    def finish(self, recorded_ns: int) -> None:
        """Publish what still waits; the recording goes on to ``recorded_ns``, perhaps without images."""
        if self._newest is not None:
            stamp_ns, seen_ns = self._newest
            self._pass_gap(stamp_ns + recorded_ns - seen_ns)
            self._release_all()

    def _pass_gap(self, until_ns: int) -> None:
        """Let hands expire that are not seen before ``until_ns``."""
        assert self._newest is not None
        if until_ns - self._newest[0] <= self._timeout_ns:
            return
        self._release_all()
        while (estimate := self._fitter.expire(until_ns - 1)) is not None:
            self._publish(estimate)

    def _publish(self, estimate: FrameEstimate) -> None:
        recorded_ns = self._recorded(estimate.stamp_ns)
        self._write(HANDS, recorded_ns, estimate)
        self._write(PREDICTED, recorded_ns, self._fitter.predict(estimate, PREDICTION_HORIZON_S))
        self._waiting.append(estimate)
        while self._waiting[0].stamp_ns + self._lag_ns <= estimate.stamp_ns:
            self._release(recorded_ns)

    def _release_all(self) -> None:
        while self._waiting:
            self._release(self._recorded(self._waiting[0].stamp_ns + self._lag_ns))

    def _release(self, recorded_ns: int) -> None:
        self._write(SMOOTHED, recorded_ns, self._fitter.smooth(self._waiting.popleft()))

    def _recorded(self, stamp_ns: int) -> int:
        """When something of this stamp would have been recorded, by the newest observation's two times."""
        assert self._newest is not None
        newest_ns, recorded_ns = self._newest
        return recorded_ns + stamp_ns - newest_ns
