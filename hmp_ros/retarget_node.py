# SPDX-FileCopyrightText: 2026 The hmp_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Node from hands to a robot hand: ``hand/mano`` to ``hand/<side>/joint_command``, through dex-retargeting."""

import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ament_index_python.packages import PackageNotFoundError, get_package_share_directory
from diagnostic_msgs.msg import DiagnosticArray
from sensor_msgs.msg import JointState

from hmp_core.errors import ConfigError, HmpError
from hmp_core.hand.skeleton import Side
from hmp_core.media.estimate_reader import estimate_from_message
from hmp_core.retargeting.configuration import read_configuration
from hmp_core.retargeting.retargeter import HandRetargeter
from hmp_core.retargeting.teleoperation import RobotCommand, Teleoperation
from hmp_core.threads import use_one_thread
from hmp_ros import diagnostics, qos
from hmp_ros.executable import run
from hmp_ros.logs import Faults
from hmp_ros.mailbox import Mailbox
from hmp_ros.messages import build_joint_state, stamp_ns
from hmp_ros.msg import ManoHandArray
from hmp_ros.parameters import declare, parameter
from hmp_ros.worker_node import WorkerNode

_FOLDER = Path("config") / "retargeting"


@dataclass(frozen=True)
class RetargetParameters:
    """Parameters of ``retarget_node``; the metadata of each field describes it."""

    side: str = parameter("right", "The operator's hand, and the robot's: left or right.")
    configuration: str = parameter(
        "allegro_vector", "A shipped configuration (allegro_vector, allegro_dexpilot) or your YAML file."
    )
    urdf_path: str = parameter("", "URDF of the robot hand; empty: the one that the configuration names.")
    max_joint_velocity: float = parameter(
        5.0, "No joint is commanded faster; lower limits of the URDF count as well [rad/s].", 0.01, 100.0
    )
    watchdog_s: float = parameter(
        0.3, "Without hand/mano for so long the robot is held, and told so as often [s].", 0.05, 10.0
    )


class RetargetNode(WorkerNode):
    """Answers every ``hand/mano`` with a command; commands nothing before there was a hand to follow.

    Args:
        options: of ``rclpy.node.Node``.

    Raises:
        ConfigError: a parameter, the configuration or the URDF cannot be used, or dex-retargeting is missing.
    """

    def __init__(self, **options: Any) -> None:
        super().__init__("retarget_node", **options)
        self.parameters = parameters = declare(self, RetargetParameters)
        use_one_thread()
        side = _side(parameters.side)
        configuration = read_configuration(
            _configuration_path(parameters.configuration, side),
            Path(parameters.urdf_path) if parameters.urdf_path else None,
        )
        self._teleoperation = Teleoperation(
            HandRetargeter(configuration, side), side, parameters.max_joint_velocity
        )
        self._mailbox: Mailbox[ManoHandArray] = Mailbox()
        self._faults = Faults(self.get_logger())
        self._newest: tuple[int, int] | None = None
        self._command: RobotCommand | None = None
        self._followed = self._held = 0
        self._spent_ms = 0.0
        self._commands = self.create_publisher(JointState, f"hand/{side.value}/joint_command", qos.HANDS)
        self._diagnostics = self.create_publisher(DiagnosticArray, "/diagnostics", qos.HANDS)
        self.create_subscription(ManoHandArray, "hand/mano", self._mailbox.put, qos.HANDS)
        self.create_timer(diagnostics.PERIOD_S, self._diagnose)
        self.get_logger().info(f"ready: {configuration.urdf_path.name}, publishing {self._commands.topic_name}")

    def work(self) -> None:
        """Answer messages until interrupted; hold when none comes."""
        while not self._mailbox.closed:
            messages = self._mailbox.take(self.parameters.watchdog_s)
            now_ns = self.get_clock().now().nanoseconds
            if messages:
                self._answer(messages[-1], now_ns)
            elif self._newest is not None and not self._mailbox.closed:
                silence_ns = now_ns - self._newest[1]
                command = self._teleoperation.hold(f"no hand/mano for {silence_ns / 1e9:.1f} s", now_ns)
                self._publish(command, self._newest[0] + silence_ns)

    def interrupt(self) -> None:
        """Let :meth:`work` end."""
        self._mailbox.close()

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
            self.get_logger().info("following" if following else f"holding: {command.held_because}")
        self._command = command
        self._followed += following
        self._held += not following
        self._commands.publish(build_joint_state(self._teleoperation.joint_names, command.angles, at_ns))

    def _diagnose(self) -> None:
        command = self._command
        complaint = "no hand to follow yet" if command is None else command.held_because
        values = {
            "commands while following": self._followed,
            "commands while holding": self._held,
            "retarget [ms]": self._spent_ms,
            "skipped hand/mano": self._mailbox.dropped,
            **{f"unusable: {kind}": count for kind, count in self._faults.counts.items()},
        }
        now = self.get_clock().now().to_msg()
        self._diagnostics.publish(
            diagnostics.build_diagnostics(now, self.get_fully_qualified_name(), complaint, values)
        )


def _side(name: str) -> Side:
    try:
        return Side(name)
    except ValueError:
        raise ConfigError(f"parameter side must be left or right, got {name!r}") from None


def _configuration_path(name: str, side: Side) -> Path:
    """The user's file, or a shipped one from the installed package or the source tree."""
    if name.endswith((".yml", ".yaml")):
        return Path(name)
    file = _FOLDER / f"{name}_{side.value}.yml"
    source = Path(__file__).resolve().parents[1] / file
    try:
        installed = Path(get_package_share_directory("hmp_ros")) / file
    except PackageNotFoundError:
        installed = source
    for path in (installed, source):
        if path.is_file():
            return path
    raise ConfigError(
        f"parameter configuration must be allegro_vector, allegro_dexpilot or a file ending in .yml, got {name!r}"
    )


def main() -> None:
    """Entry point of ``retarget_node``."""
    sys.exit(run(lambda: [RetargetNode()]))


if __name__ == "__main__":
    main()
