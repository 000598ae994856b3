# SPDX-FileCopyrightText: 2026 The hmp_ros authors
# SPDX-License-Identifier: Apache-2.0
"""ROS image messages to BGR arrays, without ROS.

Works on anything shaped like ``sensor_msgs/Image`` or ``sensor_msgs/CompressedImage``: live messages of rclpy
and messages read from a bag by ``rosbags`` alike. Colour conversion is that of ``rosbags-image``; this module
adds what it leaves out: padded rows (``step``), short data, bounds, and errors that name the fault.
"""

from types import SimpleNamespace
from typing import Any, Final

import cv2
import numpy as np
from numpy.typing import NDArray
from rosbags.image import ImageError as ConversionError
from rosbags.image import message_to_cvimage

from hmp_core.errors import ImageError
from hmp_core.media.compressed_image import check_size, decode_compressed

MAX_BYTES: Final = 1 << 28
"""Largest message that is taken in: 256 MiB, the largest image at eight bytes a pixel."""

# Bytes per pixel and rows per image row of every encoding that can become a colour image.
_COLOUR: Final = {"bgr8": 3, "rgb8": 3, "8UC3": 3, "bgra8": 4, "rgba8": 4, "8UC4": 4}
_DEEP_COLOUR: Final = {"bgr16": 6, "rgb16": 6, "16UC3": 6, "bgra16": 8, "rgba16": 8}
_GREY: Final = {"mono8": 1, "8UC1": 1, "mono16": 2}
_YUV: Final = {"uyvy": 2, "yuv422": 2, "yuyv": 2, "yuy2": 2, "yuv422_yuy2": 2, "nv12": 1, "nv21": 1}
_BAYER: Final = {
    f"bayer_{order}{bits}": bits // 8 for order in ("rggb", "bggr", "gbrg", "grbg") for bits in (8, 16)
}
_PIXEL_BYTES: Final = {**_COLOUR, **_DEEP_COLOUR, **_GREY, **_YUV, **_BAYER}
_DEPTH: Final = frozenset({"16UC1", "32FC1", "64FC1"})
# OpenCV matrix types say nothing about colour: they are read as the message's usual meaning.
_ALIASES: Final = {
    "8UC1": "mono8", "8UC3": "bgr8", "8UC4": "bgra8", "16UC3": "bgr16", "yuy2": "yuyv",
}  # fmt: skip
_PLANAR_CODES: Final = {"nv12": cv2.COLOR_YUV2BGR_NV12, "nv21": cv2.COLOR_YUV2BGR_NV21}


def image_to_bgr(message: Any) -> NDArray[np.uint8]:
    """Convert an image message to uint8 [height, width, 3] BGR.

    Args:
        message: attributes of ``sensor_msgs/Image`` (``encoding, height, width, step, is_bigendian, data``) or
            of ``sensor_msgs/CompressedImage`` (``format, data``).

    Raises:
        ImageError: unknown encoding, depth in place of colour, empty image, ``step`` below the row's size, data
            shorter than ``step * height``, odd sizes that the encoding's shared chroma does not allow, more than
            ``MAX_BYTES`` or ``MAX_PIXELS``, or compressed data that do not decode.
    """
    data = np.asarray(memoryview(message.data), dtype=np.uint8)
    if data.size > MAX_BYTES:
        raise ImageError(f"image message of {data.size} bytes is larger than {MAX_BYTES} bytes; scale it down")
    if hasattr(message, "format"):
        return decode_compressed(data, str(message.format))
    encoding = str(message.encoding)
    _check_chroma(encoding, int(message.width), int(message.height))
    rows = image_rows(message, data, _pixel_bytes(encoding), 1.5 if encoding in _PLANAR_CODES else 1.0)
    if encoding in _PLANAR_CODES:
        planar: Any = cv2.cvtColor(rows, _PLANAR_CODES[encoding])
        return np.ascontiguousarray(planar)
    packed: Any = SimpleNamespace(
        encoding=_ALIASES.get(encoding, encoding),
        height=message.height,
        width=message.width,
        is_bigendian=bool(message.is_bigendian),
        data=rows.reshape(-1),
    )
    try:
        image = message_to_cvimage(packed, "bgr8")
    except (ConversionError, cv2.error) as error:
        raise ImageError(f"image with encoding {encoding!r} does not convert to bgr8: {error}") from error
    return np.ascontiguousarray(image, dtype=np.uint8)


def image_rows(
    message: Any, data: NDArray[np.uint8], pixel_bytes: int, rows_per_row: float = 1.0
) -> NDArray[np.uint8]:
    """Check the layout of a raw image and cut the padding off.

    Args:
        message: see :func:`image_to_bgr`.
        data: uint8 [N], its data.
        pixel_bytes: bytes per pixel in a row.
        rows_per_row: rows of data per row of pixels; more than one where planes follow each other.

    Returns:
        uint8 [rows, bytes per row], contiguous.

    Raises:
        ImageError: the layout contradicts itself or the data.
    """
    height, width, step = int(message.height), int(message.width), int(message.step)
    check_size(width, height)
    row_bytes, row_count = width * pixel_bytes, int(height * rows_per_row)
    if step < row_bytes:
        raise ImageError(f"step {step} is below the {row_bytes} bytes of {width} {message.encoding} pixels")
    # The last row may come without its padding.
    if data.size < step * (row_count - 1) + row_bytes:
        raise ImageError(f"{data.size} bytes of data are short of {row_count} rows of {step} bytes")
    rows = np.lib.stride_tricks.as_strided(data, (row_count, row_bytes), (step, 1), writeable=False)
    return np.ascontiguousarray(rows)


def _check_chroma(encoding: str, width: int, height: int) -> None:
    """Refuse odd sizes where two pixels share their colour."""
    odd = width % 2 or (height % 2 and encoding in _PLANAR_CODES)
    if encoding in _YUV and odd:
        raise ImageError(f"{encoding} images have an even size, not {width}x{height}")


def _pixel_bytes(encoding: str) -> int:
    if encoding in _DEPTH:
        raise ImageError(
            f"a depth image ({encoding}) came where colour or grey is needed; depth belongs on depth_topic, and a "
            "grey image of 16 bits is called mono16"
        )
    try:
        return _PIXEL_BYTES[encoding]
    except KeyError:
        known = ", ".join(sorted(_PIXEL_BYTES))
        raise ImageError(f"unknown image encoding {encoding!r}; known are {known}") from None
