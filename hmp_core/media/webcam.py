# SPDX-FileCopyrightText: 2026 The hmp_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Frames of a camera attached to this machine."""

import logging
import time
from collections.abc import Iterator
from typing import Any, Final

import cv2
import numpy as np
from numpy.typing import NDArray

from hmp_core.errors import SourceError
from hmp_core.media.frame_source import FrameSource
from hmp_core.media.intrinsics import Intrinsics

_PATIENCE: Final = 30

_log = logging.getLogger(__name__)


class Webcam(FrameSource):
    """Reads a camera by index, until it stops or the reader does; stamps are wall time at arrival.

    Args:
        index: number of the camera, 0 is the first.
        intrinsics: cameras.

    Raises:
        SourceError: the camera does not open (here), or gives no image (when iterating).
    """

    def __init__(self, index: int, intrinsics: Intrinsics) -> None:
        super().__init__(f"camera {index}", intrinsics)
        self._capture = cv2.VideoCapture(index)
        if not self._capture.isOpened():
            raise SourceError(f"camera {index} does not open; is it plugged in, free, and readable by this user?")
        # One buffered image, so that a slow reader gets the newest and not an old one.
        self._capture.set(cv2.CAP_PROP_BUFFERSIZE, 1)

    def images(self) -> Iterator[tuple[int, NDArray[np.uint8]]]:
        """See :meth:`FrameSource.images`."""
        count = failures = 0
        try:
            while failures < _PATIENCE:
                ok, image = self._read()
                stamp_ns = time.time_ns()
                if ok:
                    count, failures = count + 1, 0
                    yield stamp_ns, np.asarray(image, dtype=np.uint8)
                else:
                    failures += 1
                    self.skip("no image", f"{failures} in a row")
        finally:
            self._capture.release()
        if count == 0:
            raise SourceError(f"{self.name} gives no image")
        _log.warning("%s stopped after %d frames", self.name, count)

    def _read(self) -> tuple[bool, Any]:
        return self._capture.read()
