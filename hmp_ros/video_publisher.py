# SPDX-FileCopyrightText: 2026 The hmp_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Node that plays a video file, image folder, bag or webcam as a camera would publish it.

Publishes ``image`` (``sensor_msgs/Image``, bgr8) and ``camera_info`` at the source's own pace, stamped at the
instant of publishing, which stands for the capture. It ends after the last image unless ``loop`` is set.
"""

import sys
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
from sensor_msgs.msg import CameraInfo, Image

from hmp_core.errors import ConfigError
from hmp_core.frame import Frame
from hmp_core.media.intrinsics import Intrinsics, load_camera
from hmp_core.media.sources import open_source
from hmp_ros import fastdds, qos
from hmp_ros.executable import run
from hmp_ros.messages import build_camera_info, build_image
from hmp_ros.parameters import declare, parameter
from hmp_ros.worker_node import WorkerNode

_POLL_S: Final = 0.05
_LINGER_S: Final = 1.0


@dataclass(frozen=True)
class VideoParameters:
    """Parameters of ``video_publisher``; the metadata of each field describes it."""

    video: str = parameter("", "Video file, image folder, bag, or a webcam's number.")
    camera_file: str = parameter("", "JSON with width, height, fx, fy, cx, cy; empty: an uncalibrated camera.")
    frame_id: str = parameter("camera_optical_frame", "Frame of the camera.")
    speed: float = parameter(1.0, "Pace: 1 is the source's own, 2 twice as fast.", 0.01, 100.0)
    loop: bool = parameter(False, "Start again at the end.")
    own_stamps: bool = parameter(False, "Keep the source's stamps (a loop runs them backwards, as a bag's does).")
    wait_for_subscribers: int = parameter(0, "Begin only when as many subscribe to the images.", 0, 100)


class VideoPublisher(WorkerNode):
    """Plays one source.

    Args:
        options: of ``rclpy.node.Node``.

    Raises:
        ConfigError: no source is named, or a parameter is out of range.
        SourceError: the source cannot be read.
        CameraError: the camera file cannot be used.
    """

    def __init__(self, **options: Any) -> None:
        super().__init__("video_publisher", **options)
        self.parameters = declare(self, VideoParameters)
        if not self.parameters.video:
            raise ConfigError("parameter video is empty; name a video file, image folder, bag or webcam number")
        self._ended = threading.Event()
        self._source = self._open()
        self._image = self.create_publisher(Image, "image", qos.HANDS)
        self._camera_info = self.create_publisher(CameraInfo, "camera_info", qos.HANDS)

    def work(self) -> None:
        """Play the source, wait for the last image to be read, and end the process."""
        while self._image.get_subscription_count() < self.parameters.wait_for_subscribers:
            if self._ended.wait(_POLL_S):
                return
        count = self._play()
        self.get_logger().info(f"published {count} images of {self.parameters.video}")
        self._ended.wait(_LINGER_S)
        self.context.try_shutdown()

    def interrupt(self) -> None:
        """Stop playing."""
        self._ended.set()

    def _open(self) -> Any:
        parameters = self.parameters
        calibration = load_camera(Path(parameters.camera_file)) if parameters.camera_file else None
        return open_source(parameters.video, Intrinsics(calibration, hint="set camera_file"))

    def _play(self) -> int:
        count, previous_ns, due = 0, None, time.monotonic()
        for frame in self._frames():
            if previous_ns is not None:
                # A recording that starts again goes on without a pause.
                due += max(frame.stamp_ns - previous_ns, 0) * 1e-9 / self.parameters.speed
            previous_ns = frame.stamp_ns
            if self._ended.wait(max(due - time.monotonic(), 0.0)):
                break
            self._publish(frame)
            count += 1
        return count

    def _frames(self) -> Iterator[Frame]:
        yield from self._source
        while self.parameters.loop:
            yield from self._open()

    def _publish(self, frame: Frame) -> None:
        stamp_ns = frame.stamp_ns if self.parameters.own_stamps else self.get_clock().now().nanoseconds
        frame_id = self.parameters.frame_id
        info = build_camera_info(frame.camera, stamp_ns, frame_id)
        if not frame.camera.calibrated:
            # What an uncalibrated driver publishes: the size, and zeros.
            info.k, info.p = np.zeros(9), np.zeros(12)
        self._camera_info.publish(info)
        self._image.publish(build_image(frame.image, stamp_ns, frame_id))


def main() -> None:
    """Entry point of ``video_publisher``."""
    fastdds.use_profile()
    sys.exit(run(lambda: [VideoPublisher()]))


if __name__ == "__main__":
    main()
