# SPDX-FileCopyrightText: 2026 The hmp_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Depth image messages to metres, without ROS (REP 118: ``16UC1`` in millimetres, ``32FC1`` in metres)."""

from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from hmp_core.errors import ImageError
from hmp_core.media.ros_image import MAX_BYTES, image_rows

_MM: Final = np.float32(1e-3)
_TYPES: Final = {"16UC1": "u2", "mono16": "u2", "32FC1": "f4"}


def depth_to_metres(message: Any) -> NDArray[np.float32]:
    """Convert a depth image to float32 [height, width] in metres, NaN where nothing was measured.

    Args:
        message: attributes of ``sensor_msgs/Image``. Zero and what is not finite count as not measured.

    Raises:
        ImageError: another encoding, a layout that contradicts the data, or too large an image.
    """
    encoding = str(getattr(message, "encoding", "compressed"))
    if encoding not in _TYPES:
        raise ImageError(f"a depth image has the encoding 16UC1 (mm) or 32FC1 (m), not {encoding!r}")
    data = np.asarray(memoryview(message.data), dtype=np.uint8)
    if data.size > MAX_BYTES:
        raise ImageError(f"depth message of {data.size} bytes is larger than {MAX_BYTES} bytes; scale it down")
    kind = np.dtype(_TYPES[encoding]).newbyteorder(">" if message.is_bigendian else "<")
    values = image_rows(message, data, kind.itemsize).view(kind).astype(np.float32)
    metres = values * _MM if kind.kind == "u" else values
    return np.where(np.isfinite(metres) & (metres > 0), metres, np.float32(np.nan))
