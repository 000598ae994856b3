# SPDX-FileCopyrightText: 2026 The hmp_ros authors
# SPDX-License-Identifier: Apache-2.0
"""A thread for heavy work, so that the executor is always free to receive."""

import threading
from collections.abc import Callable

from rclpy.context import Context


class Worker:
    """Runs ``work`` once, in a thread of its own.

    Args:
        name: of the thread.
        work: returns when whoever gave it is interrupted.
        context: is shut down when the work fails, which ends the process.

    Attributes:
        failure: the exception that ended the work, None while all is well.
    """

    def __init__(self, name: str, work: Callable[[], None], context: Context) -> None:
        self.failure: Exception | None = None
        self._work = work
        self._context = context
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)

    def start(self) -> None:
        """Begin to work."""
        self._thread.start()

    def join(self, timeout_s: float = 30.0) -> bool:
        """Wait for what it has in hand; whether it has ended."""
        if self._thread.is_alive():
            self._thread.join(timeout_s)
        return not self._thread.is_alive()

    def _run(self) -> None:
        try:
            self._work()
        except Exception as error:
            # After a signal nothing can be published any more, which is no failure.
            if self._context.ok():
                self.failure = error
                self._context.try_shutdown()
