# SPDX-FileCopyrightText: 2026 The hmp_ros authors
# SPDX-License-Identifier: Apache-2.0
"""A video that is small enough to lie inside a page."""

import base64
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import av
import cv2
import numpy as np
from numpy.typing import NDArray

from hmp_core.media.intrinsics import Intrinsics
from hmp_core.media.video_source import VideoSource
from hmp_core.media.video_writer import VideoWriter

_SIDES_PX: Final = (960, 640, 480, 320)
_CRF: Final = 30
_CRF_SHARE: Final = 0.3
"""Bytes at this quality over those of an overlay as hmp track writes it (crf 20), at the same size."""
_POSTER_QUALITY: Final = 80
_POSTER_PX: Final = 960


@dataclass(frozen=True)
class EmbeddedVideo:
    """A video and one of its images as ``data:`` addresses.

    Attributes:
        video: the mp4, empty where the file could not be made small enough.
        poster: a JPEG.
        note: what was done to the video, empty when it is the file itself.
    """

    video: str
    poster: str
    note: str


def embed_video(path: Path, max_bytes: int, poster_s: float) -> EmbeddedVideo:
    """Take the file as it is when it is small enough, else a smaller copy that fits; times stay as they are.

    Args:
        path: an mp4 file that browsers play.
        max_bytes: of the video, before it becomes text.
        poster_s: time of the image that stands for the video.

    Raises:
        SourceError: the file cannot be read.
    """
    poster = _data("image/jpeg", _poster(path, poster_s))
    if path.stat().st_size <= max_bytes:
        return EmbeddedVideo(_data("video/mp4", path.read_bytes()), poster, "")
    with tempfile.TemporaryDirectory() as folder:
        for side in _promising(path, max_bytes):
            small = Path(folder) / f"{side}.mp4"
            _shrink(path, small, side)
            if small.stat().st_size <= max_bytes:
                note = f"copy of {path.name}, longer side {side} px"
                return EmbeddedVideo(_data("video/mp4", small.read_bytes()), poster, note)
    return EmbeddedVideo("", poster, f"{path.name} is too long to lie in this page; one image stands for it")


def _promising(path: Path, max_bytes: int) -> list[int]:
    """Sides worth the time of a copy: bytes go with the number of pixels, and with the quality."""
    with av.open(str(path)) as container:
        stream = container.streams.video[0]
        longest = max(stream.width, stream.height)
    shares = {side: _CRF_SHARE * min(side / longest, 1.0) ** 2 for side in _SIDES_PX}
    return [side for side, share in shares.items() if share * path.stat().st_size <= max_bytes]


def _shrink(path: Path, small: Path, side: int) -> None:
    with VideoWriter(small, crf=_CRF) as writer:
        for stamp_ns, image in VideoSource(path, Intrinsics()).images():
            writer.write(_fit(image, side), stamp_ns)


def _poster(path: Path, poster_s: float) -> bytes:
    chosen = np.zeros((9, 16, 3), dtype=np.uint8)
    first_ns: int | None = None
    for stamp_ns, image in VideoSource(path, Intrinsics()).images():
        first_ns = stamp_ns if first_ns is None else first_ns
        chosen = image
        if stamp_ns - first_ns >= poster_s * 1e9:
            break
    _, data = cv2.imencode(".jpg", _fit(chosen, _POSTER_PX), [cv2.IMWRITE_JPEG_QUALITY, _POSTER_QUALITY])
    return bytes(data)


def _fit(image: NDArray[np.uint8], side: int) -> NDArray[np.uint8]:
    scale = side / max(image.shape[:2])
    if scale >= 1:
        return image
    size = max(round(image.shape[1] * scale), 2), max(round(image.shape[0] * scale), 2)
    return np.asarray(cv2.resize(image, size, interpolation=cv2.INTER_AREA), dtype=np.uint8)


def _data(kind: str, content: bytes) -> str:
    return f"data:{kind};base64,{base64.b64encode(content).decode()}"
