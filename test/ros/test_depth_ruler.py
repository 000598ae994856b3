# SPDX-FileCopyrightText: 2026 The hmp_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Depth images over DDS become a hand's length; what does not fit is counted or waits."""

from array import array
from collections.abc import Callable, Iterator

import numpy as np
import pytest
import rclpy
from graph import START_S, Recorder
from rclpy.executors import SingleThreadedExecutor
from rclpy.node import Node
from rclpy.publisher import Publisher
from sensor_msgs.msg import Image

from hmp_core.camera import Camera
from hmp_core.errors import DataError
from hmp_core.estimate import FrameEstimate, HandEstimate, HandStatus
from hmp_core.hand.operator_frame import operator_frame
from hmp_core.hand.skeleton import MIDDLE_MCP, NUM_JOINTS, WRIST, Side
from hmp_core.observation import ManoPose
from hmp_ros import qos
from hmp_ros.depth_ruler import DepthRuler
from hmp_ros.logs import Faults
from hmp_ros.messages import build_image

STEP_NS = 33_333_333
CAMERA = Camera(320, 180, 250.0, 250.0, 159.5, 89.5)
LARGER = 1.15
"""The hand is this much larger, and farther away, than its estimate says."""


def _estimate(index: int) -> FrameEstimate:
    """An open hand with its palm to the camera, as far as one camera can tell."""
    fingers = [(-0.045, 0.03), (-0.025, 0.09), (0.0, 0.092), (0.02, 0.085), (0.038, 0.075)]
    joints = np.zeros((NUM_JOINTS, 3))
    for finger, (x, y) in enumerate(fingers):
        for knuckle in range(4):
            joints[1 + 4 * finger + knuckle] = (x * (1 + 0.1 * knuckle), -y - 0.028 * knuckle, 0.0)
    joints += (0.0, 0.07, 0.5)
    hand = HandEstimate(
        1, Side.RIGHT, 0.9, HandStatus.OBSERVED, 0.9, 0, joints, np.full(NUM_JOINTS, 0.01),
        np.ones(NUM_JOINTS, bool), ManoPose(np.zeros((16, 3)), np.zeros(10), np.zeros(3)),
        operator_frame(joints, Side.RIGHT), np.eye(6),
    )  # fmt: skip
    return FrameEstimate((index + 1) * STEP_NS, (hand,))


def _depth(index: int, offset_ns: int = 0, encoding: str = "16UC1") -> Image:
    """A board at the palm's skin, in millimetres."""
    image = build_image(np.zeros((1, 1, 3), np.uint8), (index + 1) * STEP_NS + offset_ns, "optical")
    values = np.full((CAMERA.height, CAMERA.width), round(1e3 * (LARGER * 0.5 - 0.0155)), np.uint16)
    image.encoding, image.width, image.height, image.step = encoding, CAMERA.width, CAMERA.height, 2 * CAMERA.width
    image.data = array("B", values.tobytes())
    return image


@pytest.fixture
def listening(context: rclpy.Context) -> Iterator[tuple[DepthRuler, Faults, Callable[[], None]]]:
    """A ruler, what it counts, and what lets it hear."""
    node = Node("ruler", context=context)
    executor = SingleThreadedExecutor(context=context)
    executor.add_node(node)
    faults = Faults(node.get_logger())
    ruler = DepthRuler(node, "depth", faults)
    yield ruler, faults, lambda: executor.spin_once(timeout_sec=0.02)
    ruler.close()
    assert node.count_subscribers("depth") == 0
    executor.shutdown()
    node.destroy_node()


def _send(publisher: Publisher, recorder: Recorder, images: list[Image], hear: Callable[[], None]) -> None:
    assert recorder.spin_until(lambda: publisher.get_subscription_count() == 1, START_S)
    for image in images:
        publisher.publish(image)
        hear()
    for _ in range(5):
        hear()


@pytest.mark.parametrize("first", ["depth", "hands"])
def test_the_length_is_measured_whichever_comes_first(
    first: str, listening: tuple[DepthRuler, Faults, Callable[[], None]], recorder: Recorder
) -> None:
    ruler, faults, hear = listening
    publisher = recorder.node.create_publisher(Image, "depth", qos.HANDS)
    for index in range(16):
        if first == "hands":
            ruler.see(_estimate(index), CAMERA)
        _send(publisher, recorder, [_depth(index, 2_000_000)], hear)
        if first == "depth":
            ruler.see(_estimate(index), CAMERA)
    measured = ruler.settle()
    (hand,) = _estimate(0).hands
    expected = LARGER * float(np.linalg.norm(hand.joints_camera[MIDDLE_MCP] - hand.joints_camera[WRIST]))
    assert measured.views >= 14
    assert abs(measured.length_m / expected - 1) < 0.04
    assert not faults.counts


def test_images_of_other_stamps_or_kinds_give_no_length(
    listening: tuple[DepthRuler, Faults, Callable[[], None]], recorder: Recorder
) -> None:
    ruler, faults, hear = listening
    publisher = recorder.node.create_publisher(Image, "depth", qos.HANDS)
    for index in range(12):
        ruler.see(_estimate(index), CAMERA)
    with pytest.raises(DataError, match="no depth image came on /depth: sensor_msgs/Image is expected"):
        ruler.settle()
    _send(publisher, recorder, [_depth(100 + index) for index in range(3)], hear)
    with pytest.raises(DataError, match=r"in 0 images, 10 are needed: .* aligned"):
        ruler.settle()
    _send(publisher, recorder, [_depth(index, 0, "mono8") for index in range(6, 12)], hear)
    with pytest.raises(DataError, match="in 0 images"):
        ruler.settle()
    assert faults.counts["depth image"] >= 1
