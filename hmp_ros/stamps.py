# SPDX-FileCopyrightText: 2026 The hmp_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Order in time: which stamps go on, which are skipped, and when time starts anew."""

from enum import Enum

from hmp_core.media.recording import LOOP_NS


class Arrival(Enum):
    """What a stamp means for the stream it came with."""

    NEXT = "later than everything before"
    REPEATED = "stamp repeats"
    LATE = "stamp runs backwards"
    RESTART = "far back in time: a bag loops, or the clock was set"


class StampGuard:
    """Judges each stamp against the newest one; a restart becomes the new beginning."""

    def __init__(self) -> None:
        self._newest_ns: int | None = None

    def check(self, stamp_ns: int) -> Arrival:
        """Judge a stamp [ns]; ``NEXT`` and ``RESTART`` are remembered as the newest."""
        if self._newest_ns is None or stamp_ns > self._newest_ns:
            arrival = Arrival.NEXT
        elif stamp_ns == self._newest_ns:
            return Arrival.REPEATED
        elif self._newest_ns - stamp_ns < LOOP_NS:
            return Arrival.LATE
        else:
            arrival = Arrival.RESTART
        self._newest_ns = stamp_ns
        return arrival
