# SPDX-FileCopyrightText: 2026 The hmp_ros authors
# SPDX-License-Identifier: Apache-2.0
"""ROS image messages to BGR arrays, without ROS.

Works on anything shaped like ``sensor_msgs/Image`` or ``sensor_msgs/CompressedImage``: live messages of rclpy
and messages read from a bag by ``rosbags`` alike. Colour conversion is that of ``rosbags-image``; this module
adds what it leaves out: padded rows (``step``), short data, and errors that name the fault.
"""

from types import SimpleNamespace
from typing import Any, Final

import cv2
import numpy as np
from numpy.typing import NDArray
from rosbags.image import ImageError as ConversionError
from rosbags.image import message_to_cvimage

from hmp_core.errors import ImageError

# Bytes per pixel and rows per image row of every encoding that can become a colour image.
_COLOUR: Final = {"bgr8": 3, "rgb8": 3, "8UC3": 3, "bgra8": 4, "rgba8": 4, "8UC4": 4}
_DEEP_COLOUR: Final = {"bgr16": 6, "rgb16": 6, "16UC3": 6, "bgra16": 8, "rgba16": 8}
_GREY: Final = {"mono8": 1, "8UC1": 1, "mono16": 2, "16UC1": 2}
_YUV: Final = {"uyvy": 2, "yuv422": 2, "yuyv": 2, "yuv422_yuy2": 2, "nv12": 1, "nv21": 1}
_BAYER: Final = {
    f"bayer_{order}{bits}": bits // 8 for order in ("rggb", "bggr", "gbrg", "grbg") for bits in (8, 16)
}
_PIXEL_BYTES: Final = {**_COLOUR, **_DEEP_COLOUR, **_GREY, **_YUV, **_BAYER}
_PLANAR: Final = frozenset({"nv12", "nv21"})
# OpenCV matrix types say nothing about colour: they are read as the message's usual meaning.
_ALIASES: Final = {"8UC1": "mono8", "8UC3": "bgr8", "8UC4": "bgra8", "16UC1": "mono16", "16UC3": "bgr16"}
_YUV_CODES: Final = {"nv12": cv2.COLOR_YUV2BGR_NV12, "nv21": cv2.COLOR_YUV2BGR_NV21}


def image_to_bgr(message: Any) -> NDArray[np.uint8]:
    """Convert an image message to uint8 [height, width, 3] BGR.

    Args:
        message: attributes of ``sensor_msgs/Image`` (``encoding, height, width, step, is_bigendian, data``) or
            of ``sensor_msgs/CompressedImage`` (``format, data``).

    Raises:
        ImageError: unknown encoding, empty image, ``step`` below the row's size, data shorter than
            ``step * height``, or compressed data that do not decode.
    """
    data = np.asarray(memoryview(message.data), dtype=np.uint8)
    if hasattr(message, "format"):
        return _decode(data, message.format)
    rows = _rows(message, data)
    encoding = str(message.encoding)
    if encoding in _YUV_CODES:
        planar: Any = cv2.cvtColor(rows, _YUV_CODES[encoding])
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


def _rows(message: Any, data: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Cut the padding off: uint8 [rows, bytes per row]."""
    height, width, step = int(message.height), int(message.width), int(message.step)
    try:
        row_bytes = width * _PIXEL_BYTES[message.encoding]
    except KeyError:
        known = ", ".join(sorted(_PIXEL_BYTES))
        raise ImageError(f"unknown image encoding {message.encoding!r}; known are {known}") from None
    if height <= 0 or width <= 0:
        raise ImageError(f"image of {width}x{height} pixels is empty")
    if step < row_bytes:
        raise ImageError(f"step {step} is below the {row_bytes} bytes of {width} {message.encoding} pixels")
    row_count = height * 3 // 2 if message.encoding in _PLANAR else height
    # The last row may come without its padding.
    if data.size < step * (row_count - 1) + row_bytes:
        raise ImageError(f"{data.size} bytes of data are short of {row_count} rows of {step} bytes")
    whole = np.zeros(step * row_count, dtype=np.uint8) if data.size < step * row_count else data
    if whole is not data:
        whole[: data.size] = data
    return np.ascontiguousarray(whole[: step * row_count].reshape(row_count, step)[:, :row_bytes])


def _decode(data: NDArray[np.uint8], compression: str) -> NDArray[np.uint8]:
    image: Any = None
    if data.size:
        try:
            image = cv2.imdecode(data, cv2.IMREAD_COLOR)
        except cv2.error as error:
            raise ImageError(f"compressed image ({compression!r}) does not decode: {error}") from error
    if image is None:
        raise ImageError(f"compressed image ({compression!r}, {data.size} bytes) does not decode")
    return np.asarray(image, dtype=np.uint8)
