# SPDX-FileCopyrightText: 2026 The hmp_ros authors
# SPDX-License-Identifier: Apache-2.0
"""A hand's length from depth images that are aligned with the colour images, while somebody wants to know it."""

from collections import deque
from typing import Final

from rclpy.node import Node
from sensor_msgs.msg import Image

from hmp_core.camera import Camera
from hmp_core.errors import DataError, ImageError
from hmp_core.estimate import FrameEstimate, HandEstimate
from hmp_core.fitting.depth_length import MeasuredLength, hand_length_from_depth, settle_length
from hmp_core.media.ros_depth import depth_to_metres
from hmp_ros import qos
from hmp_ros.logs import Faults
from hmp_ros.messages import stamp_ns

_TOLERANCE_NS: Final = 15_000_000
"""Cameras stamp both images alike, or half a frame apart."""
_KEPT_IMAGES: Final = 10
_KEPT_ESTIMATES: Final = 60


class DepthRuler:
    """Matches estimates with depth images by their stamps; depth may come before or after the estimate.

    Subscribes from its making to :meth:`close`, since depth images are large; both are for the executor's thread.

    Args:
        node: that listens.
        topic: of the depth images.
        faults: counts depth images that cannot be used.
    """

    def __init__(self, node: Node, topic: str, faults: Faults) -> None:
        self._node = node
        self._faults = faults
        self._images: deque[Image] = deque(maxlen=_KEPT_IMAGES)
        self._waiting: deque[tuple[int, Camera, tuple[HandEstimate, ...]]] = deque(maxlen=_KEPT_ESTIMATES)
        self._lengths: list[float] = []
        self._subscription = node.create_subscription(Image, topic, self._on_image, qos.IMAGES)

    def close(self) -> None:
        """Listen no more."""
        self._node.destroy_subscription(self._subscription)

    def see(self, estimate: FrameEstimate, camera: Camera) -> None:
        """Take in hands in the frame of the colour camera."""
        if estimate.hands:
            self._waiting.append((estimate.stamp_ns, camera, estimate.hands))
        self._measure()

    def settle(self) -> MeasuredLength:
        """What the images so far say of the hand's length.

        Raises:
            DataError: no depth image came, too few of them fit a hand, or they disagree.
        """
        if not self._images:
            raise DataError(
                f"no depth image came on {self._subscription.topic_name}: sensor_msgs/Image is expected there, "
                "see ros2 topic info -v"
            )
        self._measure()
        return settle_length(self._lengths)

    def _on_image(self, message: Image) -> None:
        self._images.append(message)

    def _measure(self) -> None:
        """Measure the hands whose depth image has come; the others go on waiting."""
        images = list(self._images)
        if not images:
            return
        for _ in range(len(self._waiting)):
            stamp, camera, hands = self._waiting.popleft()
            nearest = min(images, key=lambda image: abs(stamp_ns(image.header) - stamp))
            if abs(stamp_ns(nearest.header) - stamp) > _TOLERANCE_NS:
                self._waiting.append((stamp, camera, hands))
                continue
            try:
                depth_m = depth_to_metres(nearest)
            except ImageError as error:
                self._faults.add("depth image", error)
                continue
            found = (hand_length_from_depth(depth_m, camera, hand) for hand in hands)
            self._lengths += [length for length in found if length is not None]
