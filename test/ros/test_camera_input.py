# SPDX-FileCopyrightText: 2026 The hmp_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What cameras publish, over DDS: one node, images of many encodings, depth by mistake, a topic named rectified."""

from array import array
from collections.abc import Callable
from functools import partial
from itertools import count
from pathlib import Path

import cv2
import numpy as np
import pytest
from diagnostic_msgs.msg import DiagnosticArray
from graph import START_S, Process, Recorder
from sensor_msgs.msg import CameraInfo, Image

from hmp_core.camera import Camera
from hmp_core.lens import Distortion
from hmp_core.media.intrinsics import Intrinsics
from hmp_core.media.video_source import VideoSource
from hmp_ros import qos
from hmp_ros.messages import build_camera_info, build_image
from hmp_ros.msg import HandObservationArray

SECOND = 1_000_000_000
TOPIC = "/cam/image_rect"


def _image(stamp_ns: int, encoding: str, rows: np.ndarray, width: int, height: int) -> Image:
    message = build_image(np.zeros((1, 1, 3), np.uint8), stamp_ns, "optical")
    data = np.ascontiguousarray(rows).view(np.uint8).reshape(rows.shape[0], -1)
    message.encoding, message.width, message.height, message.step = encoding, width, height, data.shape[1]
    message.data = array("B", data.tobytes())
    return message


def _said(node: Process, text: str, ask: Callable[[], None]) -> bool:
    """Whether the node says it; asked again, since the first message may come before the node listens."""
    ask()
    return text in node.output


def _encoded(picture: np.ndarray) -> dict[str, np.ndarray]:
    """The picture as drivers send it."""
    height, width = picture.shape[:2]
    planar = cv2.cvtColor(picture, cv2.COLOR_BGR2YUV_I420)
    chroma = planar[height:].reshape(2, -1).T.reshape(height // 2, width)
    grey = cv2.cvtColor(picture, cv2.COLOR_BGR2GRAY)
    mosaic = np.zeros((height, width), np.uint8)
    for row, column, channel in ((0, 0, 2), (0, 1, 1), (1, 0, 1), (1, 1, 0)):
        mosaic[row::2, column::2] = picture[row::2, column::2, channel]
    return {
        "bgr8": picture,
        "rgb8": picture[..., ::-1],
        "bgra8": np.dstack([picture, grey]),
        "rgba8": np.dstack([picture[..., ::-1], grey]),
        "mono8": grey,
        "mono16": grey.astype(np.uint16) * 257,
        "bayer_rggb8": mosaic,
        "yuv422_yuy2": cv2.cvtColor(picture, cv2.COLOR_BGR2YUV_YUY2),
        "nv12": np.vstack([planar[:height], chroma]),
    }


@pytest.mark.slow
def test_a_hand_is_seen_in_every_encoding_and_depth_is_refused(
    short_clip: Path, recorder: Recorder, start: Callable[..., Process]
) -> None:
    picture = next(iter(VideoSource(short_clip, Intrinsics()).images()))[1]
    picture = np.asarray(cv2.resize(picture, (640, 360), interpolation=cv2.INTER_AREA), np.uint8)
    height, width, _ = picture.shape
    node = start("initializer_node", remappings={"image": TOPIC})
    node.wait_for(f"ready: {TOPIC}")
    observations = recorder.record(HandObservationArray, "hand/observations", qos.OBSERVATIONS)
    diagnostics = recorder.record(DiagnosticArray, "/diagnostics", qos.HANDS)
    images = recorder.node.create_publisher(Image, TOPIC, qos.HANDS)
    infos = recorder.node.create_publisher(CameraInfo, "camera_info", qos.HANDS)
    assert recorder.spin_until(
        lambda: images.get_subscription_count() == infos.get_subscription_count() == 1, START_S
    )
    stamps = count(SECOND, SECOND)
    fisheye = Camera(width, height, 300, 300, 320, 180, Distortion.EQUIDISTANT, (0.1, 0.0, 0.0, 0.0))
    wrong = build_camera_info(fisheye, SECOND, "optical")
    wrong.d = [0.1, 0.2]
    for info, told in (
        (wrong, "the equidistant model takes 4 coefficients, got 2"),
        (build_camera_info(fisheye, SECOND, "optical"), f"{TOPIC} is named like rectified images"),
    ):
        assert recorder.spin_until(partial(_said, node, told, partial(infos.publish, info)), START_S), told

    def answered(message: Image) -> bool:
        before = len(observations)
        images.publish(message)
        return recorder.spin_until(lambda: len(observations) > before, 5.0)

    places = {}
    for encoding, rows in _encoded(picture).items():
        assert answered(_image(next(stamps), encoding, rows, width, height)), encoding
        (hand,) = observations[-1].hands
        places[encoding] = np.column_stack([hand.keypoint_x, hand.keypoint_y])
    for encoding, keypoints in places.items():
        assert np.abs(keypoints - places["bgr8"]).mean() < 6.0, encoding
    assert observations[-1].camera.distortion_model == "equidistant"

    depth = _image(next(stamps), "16UC1", np.full((height, width), 500, np.uint16), width, height)
    huge = _image(next(stamps), "mono8", np.zeros((4, 4), np.uint8), 1 << 16, 1 << 16)
    for message, told in ((depth, "depth belongs on depth_topic"), (huge, "pixels is larger than")):
        images.publish(message)
        node.wait_for(told, 10.0)

    def counted() -> bool:
        values = {item.key: item.value for item in diagnostics[-1].status[0].values} if diagnostics else {}
        return values.get("skipped: ImageError") == "2"

    assert recorder.spin_until(counted, 10.0)
    assert answered(_image(next(stamps), "bgr8", picture, width, height))
    assert node.end() == 0
    assert "Traceback" not in node.output
