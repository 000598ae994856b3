# SPDX-FileCopyrightText: 2026 The hmp_ros authors
# SPDX-License-Identifier: Apache-2.0
"""How often something happens, and how long ago it last did."""

import time
from collections import deque
from typing import Final

SPAN_S: Final = 5.0
"""Rates are means over so long [s]."""


class RateMeter:
    """Counts events of the last seconds; one thread may count while another reads."""

    def __init__(self) -> None:
        self._events: deque[float] = deque()
        self._newest: float | None = None
        self._since = time.monotonic()

    def count(self) -> None:
        """It happened."""
        self._newest = time.monotonic()
        self._events.append(self._newest)

    @property
    def recent(self) -> int:
        """Events within the span."""
        horizon = time.monotonic() - SPAN_S
        while self._events and self._events[0] < horizon:
            self._events.popleft()
        return len(self._events)

    @property
    def hz(self) -> float:
        """Events a second over the span, or since the start where that is shorter."""
        watched = min(time.monotonic() - self._since, SPAN_S)
        return self.recent / watched if watched > 0 else 0.0

    @property
    def age_s(self) -> float | None:
        """Time since the newest event [s]; None before the first."""
        return None if self._newest is None else time.monotonic() - self._newest
