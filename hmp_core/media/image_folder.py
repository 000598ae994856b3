# SPDX-FileCopyrightText: 2026 The hmp_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Frames of a folder of images."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import cv2
import numpy as np
from numpy.typing import NDArray

from hmp_core.errors import ConfigError, SourceError
from hmp_core.media.frame_source import FrameSource
from hmp_core.media.intrinsics import Intrinsics

IMAGE_SUFFIXES: Final = frozenset({".png", ".jpg", ".jpeg", ".bmp", ".tif", ".tiff", ".webp", ".ppm", ".pgm"})
_NS_PER_S: Final = 1_000_000_000


class ImageFolder(FrameSource):
    """Reads the images of a folder in the order of the numbers in their names, at a constant rate.

    Args:
        path: the folder.
        intrinsics: cameras.
        fps: frames per second, 0 < fps <= 1000; an unreadable image leaves a gap of one period.

    Raises:
        SourceError: the folder holds no image (here), or none is readable (when iterating).
        ConfigError: ``fps`` out of range.
    """

    def __init__(self, path: Path, intrinsics: Intrinsics, fps: float = 30.0) -> None:
        super().__init__(str(path), intrinsics)
        if not 0 < fps <= 1000:
            raise ConfigError(f"fps must lie above 0 and at most at 1000, got {fps}")
        self._fps = fps
        files = (file for file in Path(path).iterdir() if file.suffix.lower() in IMAGE_SUFFIXES)
        self._files = sorted(files, key=_natural_order)
        if not self._files:
            known = " ".join(sorted(IMAGE_SUFFIXES))
            raise SourceError(f"folder {path} holds no image ({known})")
        self.frame_count = len(self._files)

    def images(self) -> Iterator[tuple[int, NDArray[np.uint8]]]:
        """See :meth:`FrameSource.images`."""
        for index, file in enumerate(self._files):
            image: Any = cv2.imread(str(file), cv2.IMREAD_COLOR)
            if image is None:
                self.skip("unreadable image", file.name)
                continue
            yield round(index * _NS_PER_S / self._fps), np.asarray(image, dtype=np.uint8)
        if self.skipped["unreadable image"] == len(self._files):
            raise SourceError(f"none of the {len(self._files)} images in {self.name} is readable")


def _natural_order(path: Path) -> tuple[tuple[int, str], ...]:
    """Sort key under which ``frame_2`` comes before ``frame_10``."""
    parts = re.split(r"(\d+)", path.name.lower())
    return tuple((int(part), "") if part.isdigit() else (-1, part) for part in parts)
