# SPDX-FileCopyrightText: 2026 The hmp_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Plays a bag as ``ros2 bag play --clock`` does: recorded bytes, recorded qualities of service, ``/clock``.

``bag_player.py BAG SPEED ROUNDS REST_S TOPIC...``: the topics in every round, each of which starts the clock
again, and then only the clock for ``REST_S``.
"""

import importlib
import sys
import time
from pathlib import Path
from typing import Any, Final

import rclpy
from rclpy.node import Node
from rclpy.qos import DurabilityPolicy, QoSProfile, ReliabilityPolicy
from rosbags.interfaces import Connection, ConnectionExtRosbag2, QosDurability
from rosgraph_msgs.msg import Clock

from hmp_core.media.bag_reader import BagReader
from hmp_core.media.message_fields import time_fields

_TICK_S: Final = 0.025


class BagPlayer(Node):
    """Publishes records of one bag."""

    def __init__(self, connections: list[Connection]) -> None:
        super().__init__("bag_player")
        self._clock_topic = self.create_publisher(Clock, "/clock", 10)
        self.outlets = {
            connection.topic: self.create_publisher(_type(connection), connection.topic, _quality(connection))
            for connection in connections
        }

    def wait(self, due: float, stamp_ns: int, speed: float) -> None:
        """Let the clock run until ``due`` (monotonic), when it shows ``stamp_ns``."""
        while (left := due - time.monotonic()) > 0:
            self._show(stamp_ns - round(left * speed * 1e9))
            time.sleep(min(left, _TICK_S))
        self._show(stamp_ns)

    def _show(self, now_ns: int) -> None:
        message = Clock()
        fields = time_fields(max(now_ns, 0))
        message.clock.sec, message.clock.nanosec = fields["sec"], fields["nanosec"]
        self._clock_topic.publish(message)


def _type(connection: Connection) -> Any:
    package, kind, name = connection.msgtype.split("/")
    return getattr(importlib.import_module(f"{package}.{kind}"), name)


def _quality(connection: Connection) -> QoSProfile:
    assert isinstance(connection.ext, ConnectionExtRosbag2)
    (offered,) = connection.ext.offered_qos_profiles
    latched = offered.durability is QosDurability.TRANSIENT_LOCAL
    return QoSProfile(
        depth=offered.depth,
        reliability=ReliabilityPolicy.RELIABLE,
        durability=DurabilityPolicy.TRANSIENT_LOCAL if latched else DurabilityPolicy.VOLATILE,
    )


def main(bag: str, speed: float, rounds: int, rest_s: float, topics: list[str]) -> None:
    """Play it all."""
    rclpy.init()
    with BagReader(Path(bag)) as reader:
        connections = [connection for topic in topics for connection in reader.on(topic)]
        records = list(reader.records(connections))
    player = BagPlayer(connections)
    first_ns, last_ns = records[0].recorded_ns, records[-1].recorded_ns
    waited_for = [player.outlets[item.topic] for item in connections if not item.topic.endswith("info")]
    while not all(outlet.get_subscription_count() for outlet in waited_for):
        player.wait(time.monotonic() + 0.1, first_ns, 0.0)
    player.wait(time.monotonic() + 1.0, first_ns, 0.0)  # until they have found this side, too
    for _ in range(rounds):
        began = time.monotonic()
        for record in records:
            due = began + (record.recorded_ns - first_ns) * 1e-9 / speed
            player.wait(due, record.recorded_ns, speed)
            player.outlets[record.connection.topic].publish(bytes(record.data))
    player.wait(time.monotonic() + rest_s, last_ns + round(rest_s * 1e9), 1.0)
    time.sleep(1.0)
    rclpy.shutdown()


if __name__ == "__main__":
    main(sys.argv[1], float(sys.argv[2]), int(sys.argv[3]), float(sys.argv[4]), sys.argv[5:])
