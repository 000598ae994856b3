# SPDX-FileCopyrightText: 2026 The hmp_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Our executables as processes, and a node that records what they publish, over real DDS."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from copy import copy
from pathlib import Path
from typing import Any

import rclpy
from rclpy.client import Client
from rclpy.executors import SingleThreadedExecutor
from rclpy.node import Node
from rclpy.qos import QoSProfile
from rclpy.subscription import Subscription

from hmp_ros.messages import stamp_ns

START_S = 60.0
"""Loading torch and the models, on a busy machine."""
PATIENCE_S = 6.0
"""Until a hand is lost, where it must not be: the machine that runs the tests may stall for a second or two."""
_DISCOVERY_S = 2.0
_DEPTH = 2000


class Process:
    """One executable of the package.

    Args:
        executable: module name below ``hmp_ros``.
        log: where its output goes.
        parameters: ROS parameters.
        remappings: names and what they become; ``__ns`` is the namespace.
    """

    def __init__(
        self,
        executable: str,
        log: Path,
        parameters: Mapping[str, object] | None = None,
        remappings: Mapping[str, str] | None = None,
    ) -> None:
        command = [sys.executable, "-m", f"hmp_ros.{executable}", "--ros-args"]
        for name, value in (parameters or {}).items():
            command += ["-p", f"{name}:={_yaml(value)}"]
        for name, other in (remappings or {}).items():
            command += ["-r", f"{name}:={other}"]
        # Readers need no profile, and the video publisher brings its own.
        inherited = {name: value for name, value in os.environ.items() if "DEFAULT_PROFILES_FILE" not in name}
        self._log = log
        with log.open("wb") as output:
            self._process = subprocess.Popen(
                command,
                stdout=output,
                stderr=subprocess.STDOUT,
                cwd=Path(__file__).parents[2],
                env={**inherited, "OMP_NUM_THREADS": "1", "PYTHONUNBUFFERED": "1"},
                start_new_session=True,
            )

    @property
    def output(self) -> str:
        """Everything printed so far."""
        return self._log.read_text(errors="replace")

    @property
    def running(self) -> bool:
        return self._process.poll() is None

    def wait_for(self, text: str, timeout_s: float = START_S) -> None:
        """Until it printed the text."""
        deadline = time.monotonic() + timeout_s
        while text not in self.output:
            if not self.running or time.monotonic() > deadline:
                raise AssertionError(f"{text!r} was not printed; exit code {self._process.poll()}:\n{self.output}")
            time.sleep(0.05)

    def send(self, number: signal.Signals) -> None:
        """Send a signal."""
        self._process.send_signal(number)

    def end(self, number: signal.Signals = signal.SIGINT, timeout_s: float = 20.0) -> int:
        """Signal it unless it ended by itself, and return the exit code."""
        if self.running:
            self.send(number)
        return self.wait(timeout_s)

    def wait(self, timeout_s: float) -> int:
        """The exit code, once it ended."""
        try:
            return self._process.wait(timeout_s)
        except subprocess.TimeoutExpired:
            raise AssertionError(f"did not end within {timeout_s} s:\n{self.output}") from None

    def kill(self) -> None:
        if self.running:
            self._process.kill()
            self._process.wait()


class Recorder:
    """Subscribes to topics and keeps every message."""

    def __init__(self) -> None:
        self._context = rclpy.Context()
        rclpy.init(context=self._context)
        self.node = Node("recorder", context=self._context)
        self._executor = SingleThreadedExecutor(context=self._context)
        self._executor.add_node(self.node)
        self._subscriptions: list[Subscription] = []

    def record(self, kind: type[Any], topic: str, profile: QoSProfile) -> list[Any]:
        """The list that messages of this topic are appended to.

        Of the profile all but the depth counts: where the machine stalls for a second, nothing may go missing here.
        """
        messages: list[Any] = []
        deep = copy(profile)
        deep.depth = _DEPTH
        self._subscriptions.append(self.node.create_subscription(kind, topic, messages.append, deep))
        return messages

    def spin_until(self, condition: Callable[[], bool], timeout_s: float) -> bool:
        """Receive until the condition holds; whether it does."""
        deadline = time.monotonic() + timeout_s
        while not condition():
            if time.monotonic() > deadline:
                return False
            self._executor.spin_once(timeout_sec=0.05)
        return True

    def connect(self) -> None:
        """Until somebody writes to every topic recorded so far."""
        assert self.spin_until(lambda: all(one.get_publisher_count() for one in self._subscriptions), START_S)

    def find(self, client: Client) -> None:
        """Until the service knows its client, too: an answer before that is lost, however ready it seems."""
        assert self.spin_until(client.service_is_ready, START_S)
        self.spin_until(lambda: False, _DISCOVERY_S)

    def close(self) -> None:
        self._executor.shutdown()
        self.node.destroy_node()
        self._context.try_shutdown()


def stamps_of(messages: list[Any]) -> list[int]:
    """Header stamps [ns]."""
    return [stamp_ns(message.header) for message in messages]


def _yaml(value: object) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    return f'"{value}"' if isinstance(value, str | Path) else str(value)
