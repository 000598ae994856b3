# SPDX-FileCopyrightText: 2026 The hmp_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The work of ``retarget_node``: hands go in, commands for a robot hand come out."""

import time
from typing import TYPE_CHECKING

from sensor_msgs.msg import JointState

from hmp_core.errors import HmpError
from hmp_core.hand.skeleton import Side
from hmp_core.media.estimate_reader import estimate_from_message
from hmp_core.retargeting.retargeter import HandRetargeter
from hmp_core.retargeting.teleoperation import RobotCommand, Teleoperation
from hmp_ros import qos
from hmp_ros.diagnostics import Health
from hmp_ros.logs import Faults
from hmp_ros.mailbox import Mailbox
from hmp_ros.messages import build_joint_state, stamp_ns
from hmp_ros.msg import ManoHandArray

if TYPE_CHECKING:
    from hmp_ros.retarget_node import RetargetNode


class RetargetJob:
    """Answers the newest ``hand/mano`` with a command; commands nothing before there was a hand to follow.

    Args:
        node: whose parameters, topics and clock are used.

    Raises:
        ConfigError: the configuration or the URDF cannot be used, or dex-retargeting is missing.
    """

    def __init__(self, node: "RetargetNode") -> None:
        self._node = node
        parameters = node.parameters.read()
        side = Side(parameters.side)
        self._watchdog_s = parameters.watchdog_s
        self._teleoperation = Teleoperation(
            HandRetargeter(parameters.read_configuration(), side), side, parameters.max_joint_velocity
        )
        self._mailbox: Mailbox[ManoHandArray] = Mailbox()
        self._faults = Faults(node.get_logger())
        self._command: RobotCommand | None = None
        self._followed = self._held = 0
        self._spent_ms = 0.0
        self._commands = node.topics.publisher(JointState, f"hand/{side.value}/joint_command", qos.HANDS)
        node.get_logger().info(f"ready: publishing {self._commands.topic_name}")

    def open(self) -> None:
        """Subscribe; the robot, which others may have moved meanwhile, is taken to be where it was left."""
        self._newest: tuple[int, int] | None = None
        self._teleoperation.hold("waiting for hand/mano", self._node.get_clock().now().nanoseconds)
        self._mailbox.open()
        self._node.topics.subscribe(ManoHandArray, "hand/mano", self._mailbox.put, qos.HANDS)

    def work(self) -> None:
        """Answer messages until interrupted; hold when none comes."""
        while not self._mailbox.closed:
            messages = self._mailbox.take(self._watchdog_s)
            self._follow_parameters()
            now_ns = self._node.get_clock().now().nanoseconds
            if messages:
                self._answer(messages[-1], now_ns)
            elif self._newest is not None and not self._mailbox.closed:
                silence_ns = now_ns - self._newest[1]
                command = self._teleoperation.hold(f"no hand/mano for {silence_ns / 1e9:.1f} s", now_ns)
                self._publish(command, self._newest[0] + silence_ns)

    def interrupt(self) -> None:
        """Let :meth:`work` end."""
        self._mailbox.close()

    def health(self) -> Health:
        """Whether it follows, and counters."""
        command = self._command
        values = {
            "commands while following": self._followed,
            "commands while holding": self._held,
            "retarget [ms]": self._spent_ms,
            "skipped hand/mano": self._mailbox.dropped,
            **{f"unusable: {kind}": count for kind, count in self._faults.counts.items()},
        }
        if command is None:
            return Health("no hand to follow yet", values=values)
        return Health(None if command.held_because is None else f"holding: {command.held_because}", values=values)

    def _answer(self, message: ManoHandArray, now_ns: int) -> None:
        self._newest = (stamp_ns(message.header), now_ns)
        started = time.perf_counter()
        try:
            command = self._teleoperation.update(estimate_from_message(message), now_ns)
        except HmpError as error:
            self._faults.add(type(error).__name__, error)
            command = self._teleoperation.hold(str(error), now_ns)
        self._spent_ms = (time.perf_counter() - started) * 1e3
        self._publish(command, self._newest[0])

    def _publish(self, command: RobotCommand, at_ns: int) -> None:
        following = command.held_because is None
        if self._command is None and not following:
            return
        if self._command is None or (self._command.held_because is None) != following:
            self._node.get_logger().info("following" if following else f"holding: {command.held_because}")
        self._command = command
        self._followed += following
        self._held += not following
        self._commands.publish(build_joint_state(self._teleoperation.joint_names, command.angles, at_ns))

    def _follow_parameters(self) -> None:
        """What was set while running counts from the next message on."""
        present = self._node.parameters.read()
        self._watchdog_s = present.watchdog_s
        self._teleoperation.limit_velocity(present.max_joint_velocity)
