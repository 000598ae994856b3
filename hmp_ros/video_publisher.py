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
from numpy.typing import NDArray
from sensor_msgs.msg import CameraInfo, Image

from hmp_core.camera import Camera
from hmp_core.errors import ConfigError
from hmp_core.media.intrinsics import DEFAULT_FOV_DEG, Intrinsics, load_camera
from hmp_core.media.sources import open_source
from hmp_ros import fastdds, qos
from hmp_ros.executable import run
from hmp_ros.messages import build_camera_info, build_image
from hmp_ros.parameters import declare, parameter
from hmp_ros.worker_node import WorkerNode

_POLL_S: Final = 0.05
_SETTLE_S: Final = 0.5
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
        camera_file = self.parameters.camera_file
        calibration = load_camera(Path(camera_file)) if camera_file else None
        self._source = open_source(self.parameters.video, Intrinsics(calibration))
        self._image = self.create_publisher(Image, "image", qos.HANDS)
        self._camera_info = self.create_publisher(CameraInfo, "camera_info", qos.HANDS)

    def work(self) -> None:
        """Play the source, wait for the last image to be read, and end the process."""
        if self.parameters.wait_for_subscribers > 0:
            while self._image.get_subscription_count() < self.parameters.wait_for_subscribers:
                if self._ended.wait(_POLL_S):
                    return
            # The subscribers must discover this side too, or they miss the first images.
            self._ended.wait(_SETTLE_S)
        count = self._play()
        if not self._ended.is_set():
            self.get_logger().info(f"published {count} images of {self.parameters.video}")
        self._ended.wait(_LINGER_S)
        self.context.try_shutdown()

    def interrupt(self) -> None:
        """Stop playing."""
        self._ended.set()

    def _play(self) -> int:
        count, previous_ns, due = 0, None, 0.0
        for stamp_ns, image in self._images():
            now = time.monotonic()
            # A recording that starts again goes on without a pause.
            gap = 0.0 if previous_ns is None else max(stamp_ns - previous_ns, 0) * 1e-9 / self.parameters.speed
            # Make up for a delay of one image, no more: a camera does not burst.
            due = max(due + gap, now - gap)
            previous_ns = stamp_ns
            if self._ended.wait(max(due - now, 0.0)):
                break
            self._publish(stamp_ns, image)
            count += 1
        return count

    def _images(self) -> Iterator[tuple[int, NDArray[np.uint8]]]:
        while True:
            yield from self._source.images()
            if not self.parameters.loop:
                return

    def _publish(self, source_stamp_ns: int, image: NDArray[np.uint8]) -> None:
        stamp_ns = source_stamp_ns if self.parameters.own_stamps else self.get_clock().now().nanoseconds
        self._camera_info.publish(self._build_info(image, stamp_ns))
        self._image.publish(build_image(image, stamp_ns, self.parameters.frame_id))

    def _build_info(self, image: NDArray[np.uint8], stamp_ns: int) -> CameraInfo:
        height, width, _ = image.shape
        intrinsics = self._source.intrinsics
        if intrinsics.calibrated is not None:
            camera = intrinsics.camera_for(width, height)
            return build_camera_info(camera, stamp_ns, self.parameters.frame_id)
        # What an uncalibrated driver publishes: the size, and zeros.
        guess = Camera.from_field_of_view(width, height, DEFAULT_FOV_DEG)
        info = build_camera_info(guess, stamp_ns, self.parameters.frame_id)
        info.k, info.p = np.zeros(9), np.zeros(12)
        return info


def main() -> None:
    """Entry point of ``video_publisher``."""
    fastdds.use_profile()
    sys.exit(run(lambda: [VideoPublisher()]))


if __name__ == "__main__":
    main()
