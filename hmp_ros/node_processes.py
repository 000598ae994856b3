# SPDX-FileCopyrightText: 2026 The hmp_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Executables of this package as processes that end with whoever started them."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from types import TracebackType
from typing import Final

from hmp_core.errors import SourceError

_START_S: Final = 90.0
_STOP_S: Final = 15.0
_LOOK_S: Final = 0.1


class NodeProcesses:
    """A context that stops what was started in it, the newest first.

    Args:
        logs: folder where the output of each goes, ``<executable>.log``.
    """

    def __init__(self, logs: Path) -> None:
        self._logs = logs
        self._running: list[tuple[str, subprocess.Popen[bytes]]] = []

    def __enter__(self) -> "NodeProcesses":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for _, process in reversed(self._running):
            self.stop(process)

    def start(
        self,
        executable: str,
        parameters: Mapping[str, object] | None = None,
        environment: Mapping[str, str] | None = None,
    ) -> subprocess.Popen[bytes]:
        """Start a module of ``hmp_ros``.

        Args:
            executable: its name.
            parameters: ROS parameters by name.
            environment: variables beside those of this process.
        """
        command = [sys.executable, "-m", f"hmp_ros.{executable}", "--ros-args"]
        for name, value in (parameters or {}).items():
            command += ["-p", f"{name}:={str(value).lower() if isinstance(value, bool) else value}"]
        variables = {**os.environ, **(environment or {})}
        with (self._logs / f"{executable}.log").open("wb") as log:
            process = subprocess.Popen(
                command, stdout=log, stderr=subprocess.STDOUT, env=variables, start_new_session=True
            )
        self._running.append((executable, process))
        return process

    @staticmethod
    def stop(process: subprocess.Popen[bytes]) -> None:
        """Interrupt it, as Ctrl-C does, and wait for its end."""
        if process.poll() is None:
            process.send_signal(signal.SIGINT)
            try:
                process.wait(_STOP_S)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()

    def check_alive(self, *but: subprocess.Popen[bytes]) -> None:
        """See that all still run, ``but`` those that may end.

        Raises:
            SourceError: naming the executable and its log.
        """
        for executable, process in self._running:
            if process not in but and process.poll() is not None:
                raise SourceError(f"{executable} ended by itself; its log is {self._logs / f'{executable}.log'}")

    def wait_until(self, ready: Callable[[], bool]) -> None:
        """Wait for what the processes bring about by starting.

        Raises:
            SourceError: one ended, or it takes too long.
        """
        started = time.monotonic()
        while not ready():
            time.sleep(_LOOK_S)
            self.check_alive()
            if time.monotonic() - started > _START_S:
                raise SourceError(
                    f"the nodes did not start within {_START_S:.0f} s; their logs are in {self._logs}"
                )
