# SPDX-FileCopyrightText: 2026 The hmp_ros authors
# SPDX-License-Identifier: Apache-2.0
"""One name for everything that frames can come from."""

from pathlib import Path

from hmp_core.errors import SourceError
from hmp_core.media.bag_source import BagSource
from hmp_core.media.bag_storage import BAG_SUFFIXES
from hmp_core.media.frame_source import FrameSource
from hmp_core.media.image_folder import ImageFolder
from hmp_core.media.intrinsics import Intrinsics
from hmp_core.media.video_source import VideoSource
from hmp_core.media.webcam import Webcam


def open_source(
    spec: str, intrinsics: Intrinsics | None = None, *, fps: float = 30.0, topic: str | None = None
) -> FrameSource:
    """Open a video file, image folder, bag (folder or storage file), or camera by what its name says.

    Args:
        spec: a path, or the digits of a camera's index.
        intrinsics: cameras; by default guessed from the default field of view.
        fps: rate of an image folder.
        topic: image topic of a bag.

    Raises:
        SourceError: nothing of that name, or nothing readable in it.
        ConfigError: ``fps`` out of range.
    """
    intrinsics = intrinsics or Intrinsics()
    path = Path(spec)
    if not path.exists():
        if spec.isdecimal():
            return Webcam(int(spec), intrinsics)
        raise SourceError(f"{spec} does not exist; give a video, an image folder, a bag, or a camera's number")
    if path.is_file():
        if path.suffix in BAG_SUFFIXES:
            return BagSource(path, intrinsics, topic)
        return VideoSource(path, intrinsics)
    if any(file.suffix in BAG_SUFFIXES or file.name == "metadata.yaml" for file in path.iterdir()):
        return BagSource(path, intrinsics, topic)
    return ImageFolder(path, intrinsics, fps)
