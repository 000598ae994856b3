# SPDX-FileCopyrightText: 2026 The hmp_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What our nodes have in common: a worker thread and a clean end."""

import threading
from abc import abstractmethod
from typing import Any

from rclpy.node import Node


class WorkerNode(Node):
    """A node whose heavy work runs in a thread of its own, so that the executor is always free to receive.

    Attributes:
        failure: the exception that ended the worker, None while all is well.
    """

    def __init__(self, name: str, **options: Any) -> None:
        super().__init__(name, **options)
        self.failure: Exception | None = None
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)

    @abstractmethod
    def work(self) -> None:
        """Run in the worker's thread until :meth:`interrupt`."""

    @abstractmethod
    def interrupt(self) -> None:
        """Make :meth:`work` return soon; called from another thread."""

    def start(self) -> None:
        """Begin to work."""
        self._thread.start()

    def stop(self, timeout_s: float = 30.0) -> None:
        """Interrupt the worker and wait for what it has in hand."""
        self.interrupt()
        if self._thread.is_alive():
            self._thread.join(timeout_s)

    def _run(self) -> None:
        try:
            self.work()
        except Exception as error:
            # After a signal nothing can be published any more, which is no failure.
            if self.context.ok():
                self.failure = error
                self.context.try_shutdown()
