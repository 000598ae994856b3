# SPDX-FileCopyrightText: 2026 The hmp_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Clips to measure speed on: the shipped one, one or both hands in the size of a common camera; kept once made."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from hmp_core.assets import asset_path
from hmp_core.camera import Camera
from hmp_core.hand.skeleton import Side
from hmp_core.media.frame_source import FrameSource
from hmp_core.media.intrinsics import Intrinsics, load_camera, rescale, save_camera
from hmp_core.media.scene import SceneConfig
from hmp_core.media.sources import open_source
from hmp_core.media.synth import CAMERA_NAME, VIDEO_NAME, synthesize
from hmp_core.media.video_writer import VideoWriter

WIDTH: Final = 1280
HEIGHT: Final = 720
_TWO_HANDS: Final = SceneConfig(
    seconds=4.0, width=WIDTH, height=HEIGHT, sides=(Side.RIGHT, Side.LEFT), passes=0, seed=2
)


@dataclass(frozen=True)
class BenchmarkClip:
    """A video and its camera file; without one, an uncalibrated camera."""

    video: Path
    camera: Path | None = None

    def open(self) -> FrameSource:
        """Its frames."""
        return open_source(str(self.video), Intrinsics(load_camera(self.camera) if self.camera else None))


def shipped_clip() -> BenchmarkClip:
    """One hand, 640x480; exact truth lies beside it."""
    return BenchmarkClip(asset_path("demo/video.mp4"), asset_path("demo/camera.json"))


def one_hand_clip(cache: Path, report: Callable[[int, int], None]) -> BenchmarkClip:
    """The shipped clip as a 1280x720 camera would have taken it: enlarged, bars at its sides.

    Args:
        cache: folder for what is made.
        report: called with frames made and frames in all.
    """
    folder = cache / "bench_one_hand"
    video, camera_file = folder / VIDEO_NAME, folder / CAMERA_NAME
    if not camera_file.is_file():
        folder.mkdir(parents=True, exist_ok=True)
        source = shipped_clip().open()
        with VideoWriter(video) as writer:
            for index, frame in enumerate(source):
                image, camera = enlarged(frame.image, frame.camera)
                writer.write(image, frame.stamp_ns)
                report(index + 1, source.frame_count or 0)
        save_camera(camera, camera_file)  # last: it says that the clip is whole
    return BenchmarkClip(video, camera_file)


def two_hands_clip(cache: Path, report: Callable[[int, int], None]) -> BenchmarkClip:
    """Both hands, rendered; arguments as in :func:`one_hand_clip`."""
    folder = cache / "bench_two_hands"
    if not (folder / CAMERA_NAME).is_file():
        for done in synthesize(folder, _TWO_HANDS):
            report(done, round(_TWO_HANDS.seconds * _TWO_HANDS.fps))
    return BenchmarkClip(folder / VIDEO_NAME, folder / CAMERA_NAME)


def enlarged(image: NDArray[np.uint8], camera: Camera) -> tuple[NDArray[np.uint8], Camera]:
    """An image [h, w, 3] and its camera, as large as fits into 1280x720, with black bars around it."""
    height, width = image.shape[:2]
    scale = min(WIDTH / width, HEIGHT / height)
    size = round(width * scale), round(height * scale)
    left, top = (WIDTH - size[0]) // 2, (HEIGHT - size[1]) // 2
    large = np.zeros((HEIGHT, WIDTH, 3), dtype=np.uint8)
    large[top : top + size[1], left : left + size[0]] = cv2.resize(image, size)
    fitted = rescale(camera, *size)
    moved = replace(fitted, width=WIDTH, height=HEIGHT, cx=fitted.cx + left, cy=fitted.cy + top)
    return large, moved
