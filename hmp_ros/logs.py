# SPDX-FileCopyrightText: 2026 The hmp_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What the nodes say: the core's log lines through ROS, and faults that are counted and not shouted."""

import logging
import time
from collections import Counter
from typing import Any, Final

_ALWAYS_TOLD: Final = 3
_QUIET_S: Final = 5.0


class RosLogHandler(logging.Handler):
    """Passes records of Python's ``logging`` on to a logger of ``rclpy``."""

    def __init__(self, logger: Any) -> None:
        super().__init__(logging.INFO)
        self._logger = logger

    def emit(self, record: logging.LogRecord) -> None:
        """Log one record; rclpy wants one call site per severity."""
        text = self.format(record)
        if record.levelno >= logging.ERROR:
            self._logger.error(text)
        elif record.levelno >= logging.WARNING:
            self._logger.warning(text)
        else:
            self._logger.info(text)


class Faults:
    """Counts inputs that could not be used; warns of the first three of a kind, then at most every five seconds.

    Attributes:
        counts: how often each kind occurred.
    """

    def __init__(self, logger: Any) -> None:
        self.counts: Counter[str] = Counter()
        self._logger = logger
        self._warned_at: dict[str, float] = {}

    def add(self, kind: str, detail: object) -> None:
        """Count a fault of this kind; ``detail`` tells the latest one."""
        self.counts[kind] += 1
        now = time.monotonic()
        if self.counts[kind] <= _ALWAYS_TOLD or now - self._warned_at[kind] >= _QUIET_S:
            self._warned_at[kind] = now
            self._logger.warning(f"skipped ({kind}, {self.counts[kind]} so far): {detail}")
