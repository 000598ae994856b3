# SPDX-FileCopyrightText: 2026 The hmp_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What everything that is read in order of time has in common: order of stamps, counted faults."""

import logging
from collections import Counter
from collections.abc import Iterator
from typing import Final, TypeVar

LOOP_NS: Final = 500_000_000
"""A stamp this far behind the newest is a recording that starts again, not a late image."""
_WARNINGS_PER_FAULT: Final = 3

_log = logging.getLogger(__name__)

Item = TypeVar("Item")


class Recording:
    """Frames, or observations, one after the other.

    Attributes:
        name: what is read, for messages.
        frame_id: camera optical frame.
        frame_count: number of frames if known, else None.
        recorded_ns: when the present frame was recorded [ns]; 0 where that is not known.
        skipped: faults and how often each occurred.
    """

    def __init__(self, name: str) -> None:
        self.name = name
        self.frame_id = "camera_optical_frame"
        self.frame_count: int | None = None
        self.recorded_ns = 0
        self.skipped: Counter[str] = Counter()

    def in_order(self, stamped: Iterator[tuple[int, Item]]) -> Iterator[tuple[int, Item]]:
        """Those whose stamp [ns] goes on or jumps back by ``LOOP_NS``; others, and missing ones, are counted."""
        newest_ns: int | None = None
        count = 0
        for stamp_ns, item in stamped:
            if newest_ns is not None and newest_ns - LOOP_NS < stamp_ns <= newest_ns:
                fault = "repeated stamp" if stamp_ns == newest_ns else "stamp runs backwards"
                self.skip(fault, f"{stamp_ns} ns after {newest_ns} ns")
                continue
            newest_ns = stamp_ns
            count += 1
            yield stamp_ns, item
        lost = (self.frame_count or 0) - count - sum(self.skipped.values())
        if lost > 0:
            self.skipped["lost to damage"] = lost
            _log.warning("%s: %d of %d frames are lost to damage", self.name, lost, self.frame_count)

    def skip(self, fault: str, detail: str) -> None:
        """Count an unusable frame; the first few of each fault are warned about."""
        self.skipped[fault] += 1
        if self.skipped[fault] <= _WARNINGS_PER_FAULT:
            further = "; further ones are only counted" if self.skipped[fault] == _WARNINGS_PER_FAULT else ""
            _log.warning("%s: skipped a frame: %s (%s)%s", self.name, fault, detail, further)
