# SPDX-FileCopyrightText: 2026 The hmp_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Frames of a video file."""

import logging
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path
from typing import Any, Final

import av
import numpy as np
from numpy.typing import NDArray

from hmp_core.errors import SourceError
from hmp_core.media.frame_source import FrameSource
from hmp_core.media.intrinsics import Intrinsics

_NS_PER_S: Final = 1_000_000_000
_FALLBACK_RATE: Final = Fraction(30)

_log = logging.getLogger(__name__)


class VideoSource(FrameSource):
    """Reads any container and codec that FFmpeg knows; stamps are the container's presentation times.

    Phone videos are turned upright as their display matrix says. Frames without a time follow at the nominal
    rate.

    Args:
        path: the video.
        intrinsics: cameras.

    Raises:
        SourceError: not a readable video (here), or no frame in it decodes (when iterating).
    """

    def __init__(self, path: Path, intrinsics: Intrinsics) -> None:
        super().__init__(str(path), intrinsics)
        self._path = Path(path)
        with self._open() as container:
            stream = container.streams.video[0]
            self.frame_count = stream.frames or None

    def _open(self) -> Any:
        """An open container with at least one video stream."""
        try:
            container = av.open(str(self._path), metadata_errors="replace")
        except (av.FFmpegError, OSError) as error:
            raise SourceError(f"cannot read video {self._path}: {error.strerror or error}") from error
        if not container.streams.video:
            container.close()
            raise SourceError(f"{self._path} holds no video stream")
        return container

    def images(self) -> Iterator[tuple[int, NDArray[np.uint8]]]:
        """See :meth:`FrameSource.images`."""
        count, next_ns = 0, 0
        with self._open() as container:
            stream = container.streams.video[0]
            period_ns = int(_NS_PER_S / (stream.average_rate or _FALLBACK_RATE))
            for packet in self._packets(container, stream):
                for frame in self._decode(packet):
                    stamp_ns = next_ns
                    if frame.pts is not None:
                        stamp_ns = int(frame.pts * frame.time_base * _NS_PER_S)
                    next_ns = stamp_ns + period_ns
                    count += 1
                    image = frame.to_ndarray(format="bgr24")
                    yield stamp_ns, np.ascontiguousarray(np.rot90(image, frame.rotation // 90))
        if count == 0:
            raise SourceError(f"no frame of video {self._path} decodes; the file is empty or damaged")

    def _packets(self, container: Any, stream: Any) -> Iterator[Any]:
        """Packets up to the end, or to where a truncated file breaks off."""
        try:
            yield from container.demux(stream)
        except av.FFmpegError as error:
            _log.warning("%s breaks off: %s", self._path, error.strerror)

    def _decode(self, packet: Any) -> list[Any]:
        try:
            return list(packet.decode())
        except av.FFmpegError as error:
            self.skip("damaged image", str(error.strerror))
            return []
