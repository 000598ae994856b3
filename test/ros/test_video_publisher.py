# SPDX-FileCopyrightText: 2026 The hmp_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Raw images between two processes, with the Fast DDS profile that ships."""

import json
import signal
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from graph import START_S, Process, Recorder, stamps_of
from sensor_msgs.msg import CameraInfo, Image

from hmp_core.media.video_writer import VideoWriter
from hmp_ros import qos

SIZE = (1280, 720)
COUNT = 45


@pytest.fixture(scope="module")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Noise does not compress: every image has its full size on the wire."""
    path = tmp_path_factory.mktemp("video") / "noise.mp4"
    rng = np.random.default_rng(0)
    image = rng.integers(0, 256, (SIZE[1], SIZE[0], 3), dtype=np.uint8)
    with VideoWriter(path) as writer:
        for index in range(COUNT):
            writer.write(np.roll(image, index, axis=1), round(index * 1e9 / 30))
    return path


def test_every_image_arrives_in_another_process(
    clip: Path, recorder: Recorder, start: Callable[..., Process]
) -> None:
    images = recorder.record(Image, "image", qos.IMAGES)
    infos = recorder.record(CameraInfo, "camera_info", qos.IMAGES)
    publisher = start("video_publisher", video=clip, wait_for_subscribers=1, frame_id="optical")
    assert recorder.spin_until(lambda: len(images) == COUNT, START_S)
    recorder.spin_until(lambda: len(infos) == COUNT, 1.0)
    assert publisher.wait(START_S) == 0
    assert {(image.width, image.height, image.encoding, image.step) for image in images} == {
        (*SIZE, "bgr8", 3 * SIZE[0])
    }
    assert {image.header.frame_id for image in images} == {"optical"}
    stamps = np.array(stamps_of(images))
    assert (np.diff(stamps) > 0).all()
    assert (stamps[-1] - stamps[0]) * 1e-9 > 0.9 * (COUNT - 1) / 30, "no faster than the clip"
    assert infos
    assert set(stamps_of(infos)) <= set(stamps.tolist())
    assert not any(np.any(info.k) for info in infos), "without a calibration none is claimed"


def test_a_loop_with_its_own_stamps_runs_back_as_a_bag_does(
    clip: Path, tmp_path: Path, recorder: Recorder, start: Callable[..., Process]
) -> None:
    camera_file = tmp_path / "camera.json"
    intrinsics = {"width": 1280, "height": 720, "fx": 900.0, "fy": 905.0, "cx": 640.0, "cy": 350.0}
    camera_file.write_text(json.dumps(intrinsics))
    infos = recorder.record(CameraInfo, "camera_info", qos.IMAGES)
    publisher = start("video_publisher", video=clip, camera_file=camera_file, loop=True, own_stamps=True, speed=4.0)
    assert recorder.spin_until(lambda: (np.diff(stamps_of(infos)) < 0).sum() >= 2, START_S)
    assert publisher.end(signal.SIGTERM) == 0
    assert infos[0].k.reshape(3, 3)[0, 0] == 900.0
    assert max(stamps_of(infos)) == pytest.approx((COUNT - 1) / 30 * 1e9, rel=1e-3)


@pytest.mark.parametrize(
    ("parameters", "told"),
    [
        ({}, "parameter video is empty"),
        ({"video": "nowhere.mp4"}, "nowhere.mp4"),
        ({"video": "nowhere.mp4", "speed": 0.0}, "parameter speed must be float from 0.01 to 100.0"),
        ({"video": __file__}, "cannot read video"),
    ],
)
def test_what_cannot_be_played_ends_with_one_clear_line(
    parameters: dict[str, object], told: str, start: Callable[..., Process]
) -> None:
    publisher = start("video_publisher", **parameters)
    assert publisher.wait(START_S) == 1
    assert told in publisher.output
    assert "Traceback" not in publisher.output
