# SPDX-FileCopyrightText: 2026 The hmp_ros authors
# SPDX-License-Identifier: Apache-2.0
"""A node that works from its start to its end."""

from abc import abstractmethod
from typing import Any

from rclpy.node import Node

from hmp_ros.worker import Worker


class WorkerNode(Node):
    """A plain node with a worker thread."""

    def __init__(self, name: str, **options: Any) -> None:
        super().__init__(name, **options)
        self._worker = Worker(name, self.work, self.context)

    @property
    def failure(self) -> Exception | None:
        """The exception that ended the worker, None while all is well."""
        return self._worker.failure

    @abstractmethod
    def work(self) -> None:
        """Run in the worker's thread until :meth:`interrupt`."""

    @abstractmethod
    def interrupt(self) -> None:
        """Make :meth:`work` return soon; called from another thread."""

    def start(self) -> bool:
        """Begin to work; always succeeds."""
        self._worker.start()
        return True

    def stop(self) -> None:
        """Interrupt the worker and wait for what it has in hand."""
        self.interrupt()
        self._worker.join()
