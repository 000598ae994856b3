# SPDX-FileCopyrightText: 2026 The hmp_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What our nodes publish, subscribe to and serve, asked of the running graph instead of read from the source."""

import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final

import rclpy
from rclpy.executors import SingleThreadedExecutor
from rclpy.node import Node
from rclpy.qos import DurabilityPolicy, QoSProfile, ReliabilityPolicy
from sensor_msgs.msg import Image

ROOT: Final = Path(__file__).resolve().parents[1]
NODES: Final = {
    "initializer_node": [],
    "window_node": [],
    "retarget_node": [],
    "display_node": [],
    # Waits for ever, its publishers open.
    "video_publisher": [
        f"video:={ROOT / 'hmp_core' / 'assets' / 'demo' / 'video.mp4'}",
        "wait_for_subscribers:=100",
    ],
}
"""Executables, which are the names of their nodes too, and the parameters that they cannot do without."""

INFRASTRUCTURE: Final = ("rcl_interfaces", "lifecycle_msgs", "type_description_interfaces")
"""Packages whose types mark what every (lifecycle) node of ROS 2 has."""

# In a namespace one sees which names are relative to it.
_NAMESPACE: Final = "/reference"
_START_S: Final = 120.0
_SETTLE_S: Final = 2.0


@dataclass(frozen=True, order=True)
class Endpoint:
    """One publisher, subscription or service.

    Attributes:
        name: of the topic or service, as the node's code has it: ``hand/mano``, ``/diagnostics`` or ``~/reset``.
        node: that has it.
        role: ``publish``, ``subscribe`` or ``serve``.
        kind: its type, ``package/msg/Name``.
        qos: what is offered or asked for; empty for services.
    """

    name: str
    node: str
    role: str
    kind: str
    qos: str = ""

    @property
    def is_infrastructure(self) -> bool:
        """Every node of its sort has it."""
        return self.kind.split("/")[0] in INFRASTRUCTURE


def observe_graph() -> list[Endpoint]:
    """Start all nodes, see what they have, and stop them.

    Raises:
        RuntimeError: a node did not start; with its output.
    """
    os.environ.setdefault("ROS_AUTOMATIC_DISCOVERY_RANGE", "LOCALHOST")
    with TemporaryDirectory() as logs, _observer() as (node, spin), _started(Path(logs)) as check_alive:
        deadline = time.monotonic() + _START_S
        endpoints, since = _endpoints(node), time.monotonic()
        while not _is_complete(endpoints) or time.monotonic() - since < _SETTLE_S:
            check_alive(time.monotonic() < deadline)
            spin()
            now = _endpoints(node)
            if now != endpoints:
                endpoints, since = now, time.monotonic()
    return endpoints


def _is_complete(endpoints: list[Endpoint]) -> bool:
    """Every node reads or writes something besides its diagnostics, which it has before the models are loaded."""
    of_its_own = [item for item in endpoints if not item.is_infrastructure and item.name != "/diagnostics"]
    reading = {item.node for item in of_its_own if item.role == "subscribe"}
    return reading | {item.node for item in of_its_own if item.name == "image"} == set(NODES)


def _endpoints(node: Node) -> list[Endpoint]:
    """What can be seen now, sorted."""
    found = []
    for name in {name for name, namespace in node.get_node_names_and_namespaces() if namespace == _NAMESPACE}:
        for topic, kinds in node.get_publisher_names_and_types_by_node(name, _NAMESPACE):
            infos = node.get_publishers_info_by_topic(topic)
            found.append(Endpoint(_short(topic, name), name, "publish", kinds[0], _qos(infos, name)))
        for topic, kinds in node.get_subscriber_names_and_types_by_node(name, _NAMESPACE):
            infos = node.get_subscriptions_info_by_topic(topic)
            found.append(Endpoint(_short(topic, name), name, "subscribe", kinds[0], _qos(infos, name)))
        for service, kinds in node.get_service_names_and_types_by_node(name, _NAMESPACE):
            found.append(Endpoint(_short(service, name), name, "serve", kinds[0]))
    return sorted(found)


def _short(name: str, node: str) -> str:
    private = f"{_NAMESPACE}/{node}/"
    if name.startswith(private):
        return "~/" + name.removeprefix(private)
    return name.removeprefix(_NAMESPACE + "/")


def _qos(infos: list[Any], node: str) -> str:
    profiles: list[QoSProfile] = [info.qos_profile for info in infos if info.node_name == node]
    if not profiles:
        return ""
    reliable = profiles[0].reliability == ReliabilityPolicy.RELIABLE
    latched = profiles[0].durability == DurabilityPolicy.TRANSIENT_LOCAL
    return ("reliable" if reliable else "best effort") + (", latched" if latched else "")


@contextmanager
def _observer() -> Iterator[tuple[Node, Callable[[], None]]]:
    context = rclpy.Context()
    rclpy.init(context=context)
    node = Node("observer", context=context)
    # Who looks at the overlay makes the display node subscribe to all that it draws.
    node.create_subscription(Image, f"{_NAMESPACE}/hand/overlay", lambda _: None, 1)
    executor = SingleThreadedExecutor(context=context)
    executor.add_node(node)
    try:
        yield node, lambda: executor.spin_once(timeout_sec=0.1)
    finally:
        executor.shutdown()
        node.destroy_node()
        context.try_shutdown()


@contextmanager
def _started(logs: Path) -> Iterator[Callable[[bool], None]]:
    """The nodes as processes; what it yields complains when one ended or there is no time left."""
    processes = {}
    for executable, parameters in NODES.items():
        command = [sys.executable, "-m", f"hmp_ros.{executable}", "--ros-args", "-r", f"__ns:={_NAMESPACE}"]
        command += [word for parameter in parameters for word in ("-p", parameter)]
        with (logs / executable).open("wb") as log:
            processes[executable] = subprocess.Popen(
                command, cwd=ROOT, stdout=log, stderr=subprocess.STDOUT, start_new_session=True
            )

    def check_alive(in_time: bool) -> None:
        for executable, process in processes.items():
            if process.poll() is not None or not in_time:
                raise RuntimeError(f"{executable} did not start:\n{(logs / executable).read_text()}")

    try:
        yield check_alive
    finally:
        for process in processes.values():
            process.terminate()
        for process in processes.values():
            process.wait()
