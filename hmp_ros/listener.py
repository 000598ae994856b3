# SPDX-FileCopyrightText: 2026 The hmp_ros authors
# SPDX-License-Identifier: Apache-2.0
"""A node that hears the hands as a robot would, and knows which images were published."""

import time
from collections.abc import Mapping
from functools import partial
from typing import Any, Final

from rclpy.node import Node
from rclpy.subscription import Subscription
from sensor_msgs.msg import CameraInfo, Image

from hmp_core.estimate import FrameEstimate
from hmp_core.media.estimate_reader import estimate_from_message
from hmp_core.media.message_fields import Timing
from hmp_core.media.message_reader import nanoseconds
from hmp_ros import qos
from hmp_ros.loss_counter import MESSAGES_HAVE_INFO
from hmp_ros.msg import ManoHandArray

CONNECT_S: Final = 1.0
"""Time for readers and writers that know of each other to connect."""
QUIET_S: Final = 2.0
"""Silence after which nothing more will come."""
LOOK_S: Final = 0.1
"""How long to wait for a message before looking after the processes."""


class Listener(Node):
    """Keeps what a robot would hear.

    Args:
        name: of the node.
        options: of ``rclpy.node.Node``.

    Attributes:
        images: the published images; place in what is played, from 0, by stamp [ns].
        hands: messages on ``hand/mano`` by stamp.
        timings: when each of those messages was received as an image and published, by stamp.
        heard_at: monotonic time of the newest message [s].
    """

    def __init__(self, name: str, **options: Any) -> None:
        super().__init__(name, **options)
        self.images: dict[int, int] = {}
        self.hands: dict[int, FrameEstimate] = {}
        self.timings: dict[int, Timing] = {}
        self.heard_at = time.monotonic()
        on_info = self._on_camera_info if MESSAGES_HAVE_INFO else partial(self._on_camera_info, info={})
        self.create_subscription(CameraInfo, "camera_info", on_info, qos.OBSERVATIONS)
        self.create_subscription(ManoHandArray, "hand/mano", self._on_hands, qos.OBSERVATIONS)
        self._signal: Subscription | None = None

    @property
    def latency_ms(self) -> list[float]:
        """Publishing minus capture, one per message on ``hand/mano``."""
        return [(timing.published_ns - stamp) / 1e6 for stamp, timing in self.timings.items()]

    def hears(self, *topics: str) -> bool:
        """Whether every topic has a publisher."""
        return all(self.count_publishers(topic) > 0 for topic in topics)

    def begin(self) -> None:
        """Read images as well: the player waits for a second reader, so that nobody misses the beginning."""
        self._signal = self.create_subscription(Image, "image", lambda _: None, qos.IMAGES)
        self.heard_at = time.monotonic()

    def began(self) -> None:
        """Leave the images to the nodes again."""
        if self._signal is not None and self.images:
            self.destroy_subscription(self._signal)
            self._signal = None

    def _on_camera_info(self, message: Any, info: Mapping[str, Any]) -> None:
        # The publisher's numbers begin at 1, and tell whether one was missed.
        number = info.get("publication_sequence_number")
        self.images[nanoseconds(message.header.stamp)] = len(self.images) if number is None else number - 1

    def _on_hands(self, message: Any) -> None:
        estimate = estimate_from_message(message)
        self.hands[estimate.stamp_ns] = estimate
        latency = message.latency
        self.timings[estimate.stamp_ns] = Timing(
            received_ns=nanoseconds(latency.received_at),
            published_ns=nanoseconds(latency.published_at),
            dropped_images=latency.dropped_images,
            dropped_solves=latency.dropped_solves,
        )
        self.heard_at = time.monotonic()
