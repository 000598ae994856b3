# SPDX-FileCopyrightText: 2026 The hmp_ros authors
# SPDX-License-Identifier: Apache-2.0
"""JPEG and PNG data to BGR arrays: looked at before they are decoded, since a few bytes may unpack to gigabytes."""

import struct
from typing import Any, Final

import cv2
import numpy as np
from numpy.typing import NDArray

from hmp_core.errors import ImageError

MAX_PIXELS: Final = 1 << 25
"""Largest image that is taken in: 33.5 million pixels, 8192 x 4096."""
_PNG: Final = b"\x89PNG\r\n\x1a\n"
_JPEG: Final = b"\xff\xd8"
_MARKER: Final = 0xFF
_BARE_MARKERS: Final = frozenset({0x01, *range(0xD0, 0xD8)})
_FRAME_HEADERS: Final = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}
# Colour as it is, not turned upright: the calibration belongs to the sensor's rows and columns.
_READ: Final = cv2.IMREAD_COLOR | cv2.IMREAD_IGNORE_ORIENTATION


def decode_compressed(data: NDArray[np.uint8], description: str) -> NDArray[np.uint8]:
    """Decode a JPEG or PNG file, the two formats of ``compressed_image_transport``.

    Args:
        data: uint8 [N], the file.
        description: ``format`` of the message: codec, and for some publishers the encodings before and after.

    Returns:
        uint8 [height, width, 3], BGR.

    Raises:
        ImageError: another format, depth in place of colour, more than ``MAX_PIXELS``, or damaged data.
    """
    if "compresseddepth" in description.lower() or description.startswith(("16UC1", "32FC1")):
        raise ImageError(
            f"a depth image ({description!r}) came where colour or grey is needed; depth belongs on depth_topic"
        )
    width, height = _size(data.tobytes(), description)
    check_size(width, height)
    image: Any = None
    try:
        image = cv2.imdecode(data, _READ)
    except cv2.error as error:
        raise ImageError(f"compressed image ({description!r}) does not decode: {error}") from error
    if image is None:
        raise ImageError(f"compressed image ({description!r}, {data.size} bytes) does not decode")
    # What compressed_image_transport says of files whose first channel is not blue.
    swapped = "compressed rgb" in description
    return np.ascontiguousarray(image[..., ::-1] if swapped else image, dtype=np.uint8)


def check_size(width: int, height: int) -> None:
    """Refuse images without pixels, or with too many.

    Raises:
        ImageError: either.
    """
    if height <= 0 or width <= 0:
        raise ImageError(f"image of {width}x{height} pixels is empty")
    if width * height > MAX_PIXELS:
        raise ImageError(f"image of {width}x{height} pixels is larger than {MAX_PIXELS} pixels; scale it down")


def _size(data: bytes, description: str) -> tuple[int, int]:
    """Width and height that the file claims."""
    try:
        if data.startswith(_PNG):
            width, height = struct.unpack_from(">II", data, 16)
            return int(width), int(height)
        if data.startswith(_JPEG):
            return _jpeg_size(data)
    except (struct.error, IndexError):
        raise ImageError(f"compressed image ({description!r}, {len(data)} bytes) does not decode") from None
    raise ImageError(
        f"compressed image ({description!r}, {len(data)} bytes) does not decode: neither JPEG nor PNG; set the "
        "publisher's format to one of these"
    )


def _jpeg_size(data: bytes) -> tuple[int, int]:
    """Follow the chain of segments to the frame header."""
    at = len(_JPEG)
    while True:
        while data[at] == _MARKER:
            at += 1
        marker, at = data[at], at + 1
        if marker in _BARE_MARKERS:
            continue
        length, _, height, width = struct.unpack_from(">HBHH", data, at)
        if marker in _FRAME_HEADERS:
            return int(width), int(height)
        at += max(length, 2)
