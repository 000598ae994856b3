# SPDX-FileCopyrightText: 2026 The hmp_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What cameras do wrong: the nodes say so, skip it, and go on."""

from array import array
from collections.abc import Callable
from itertools import count
from pathlib import Path

import cv2
import numpy as np
import pytest
from graph import START_S, Process, Recorder, stamps_of
from numpy.typing import NDArray
from sensor_msgs.msg import CameraInfo, CompressedImage, Image

from hmp_core.camera import Camera
from hmp_core.media.intrinsics import Intrinsics
from hmp_core.media.video_source import VideoSource
from hmp_ros import fastdds, qos
from hmp_ros.messages import build_camera_info, build_image
from hmp_ros.msg import HandObservationArray

SECOND = 1_000_000_000
FRAME = "optical"


@pytest.fixture
def hand_image(short_clip: Path) -> NDArray[np.uint8]:
    """A real image with a hand."""
    return next(iter(VideoSource(short_clip, Intrinsics()).images()))[1]


def _next_stamp(observations: list[HandObservationArray]) -> int:
    return stamps_of(observations)[-1] + 10 * SECOND


@pytest.mark.slow
def test_a_faulty_camera_does_not_stop_the_node(
    hand_image: NDArray[np.uint8], recorder: Recorder, start: Callable[..., Process]
) -> None:
    node = start("initializer_node")
    node.wait_for("ready")
    observations = recorder.record(HandObservationArray, "hand/observations", qos.OBSERVATIONS)
    images = recorder.node.create_publisher(Image, "image", qos.HANDS)
    infos = recorder.node.create_publisher(CameraInfo, "camera_info", qos.HANDS)

    def connected() -> bool:
        return images.get_subscription_count() == infos.get_subscription_count() == 1

    assert recorder.spin_until(connected, START_S)

    def answered(image: Image) -> bool:
        seen = len(observations)
        images.publish(image)
        return recorder.spin_until(lambda: len(observations) > seen, 5.0)

    def told(image: Image, text: str) -> None:
        images.publish(image)
        node.wait_for(text, 10.0)

    height, width, _ = hand_image.shape
    nan_info = build_camera_info(Camera.from_field_of_view(width, height, 60.0), SECOND, FRAME)
    nan_info.k[0] = np.nan

    def refused() -> bool:
        infos.publish(nan_info)
        return recorder.spin_until(lambda: "camera info: camera intrinsics fx=nan" in node.output, 0.5)

    assert recorder.spin_until(refused, START_S)
    stamps = count(SECOND, 1000)
    assert recorder.spin_until(lambda: answered(build_image(hand_image, next(stamps), FRAME)), START_S)
    assert not observations[-1].camera_calibrated
    assert "assuming a field of view of 60 degrees" in node.output

    unknown = build_image(hand_image, 2 * SECOND, FRAME)
    unknown.encoding = "yuv999"
    told(unknown, "unknown image encoding 'yuv999'")
    short = build_image(hand_image, 3 * SECOND, FRAME)
    short.data = array("B", bytes(100))
    told(short, "100 bytes of data are short of")
    narrow = build_image(hand_image, 4 * SECOND, FRAME)
    narrow.step = width
    told(narrow, f"step {width} is below")
    told(build_image(hand_image, 4 * SECOND, FRAME), "stamp repeats, 1 so far")
    told(build_image(hand_image, 4 * SECOND - 1000, FRAME), "stamp runs backwards, 1 so far")
    before = len(observations)
    assert not recorder.spin_until(lambda: len(observations) > before, 0.5)

    infos.publish(build_camera_info(Camera(width, height, 900.0, 900.0, 640.0, 360.0), 5 * SECOND, FRAME))
    assert recorder.spin_until(lambda: answered(build_image(hand_image, _next_stamp(observations), FRAME)), START_S)
    assert observations[-1].camera.k[0] == 900.0
    assert observations[-1].camera_calibrated
    half = cv2.resize(hand_image, (width // 2, height // 2), interpolation=cv2.INTER_AREA)
    assert answered(build_image(np.asarray(half, np.uint8), _next_stamp(observations), FRAME))
    assert (observations[-1].camera.width, observations[-1].camera.k[0]) == (width // 2, 450.0)
    assert "the image size changed (now 640x360)" in node.output
    assert answered(build_image(np.asarray(half, np.uint8), SECOND, FRAME)), "a bag that loops"
    assert len(observations[-1].hands) == 1
    assert node.end() == 0
    assert "Traceback" not in node.output


@pytest.mark.slow
def test_compressed_images_are_read_too(
    hand_image: NDArray[np.uint8], recorder: Recorder, start: Callable[..., Process]
) -> None:
    node = start("initializer_node", compressed=True)
    node.wait_for("ready: /image/compressed")
    observations = recorder.record(HandObservationArray, "hand/observations", qos.OBSERVATIONS)
    images = recorder.node.create_publisher(CompressedImage, "image/compressed", qos.HANDS)
    assert recorder.spin_until(lambda: images.get_subscription_count() == 1, START_S)
    image = CompressedImage(format="jpeg", data=cv2.imencode(".jpg", hand_image)[1].tobytes())

    def answered() -> bool:
        image.header.stamp.sec += 1
        images.publish(image)
        return recorder.spin_until(lambda: bool(observations), 2.0)

    assert recorder.spin_until(answered, START_S)
    assert len(observations[0].hands) == 1
    image.data = b"not a picture"
    image.header.stamp.sec += 1
    images.publish(image)
    node.wait_for("does not decode")
    assert node.end() == 0


def test_the_profile_that_large_images_need_is_named_in_the_advice() -> None:
    assert fastdds.profile_path().is_file()
    assert fastdds.export_line() == f"export FASTDDS_DEFAULT_PROFILES_FILE={fastdds.profile_path()}"
