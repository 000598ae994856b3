# SPDX-FileCopyrightText: 2026 The hmp_ros authors
# SPDX-License-Identifier: Apache-2.0
"""``sensor_msgs/CameraInfo`` to :class:`Camera`, without ROS."""

from typing import Any, Final

import numpy as np

from hmp_core.camera import Camera, Distortion
from hmp_core.errors import CameraError

_MODELS: Final = {
    "": Distortion.NONE,
    "none": Distortion.NONE,
    "plumb_bob": Distortion.PLUMB_BOB,
    "rational_polynomial": Distortion.RATIONAL,
    "equidistant": Distortion.EQUIDISTANT,
    "fisheye": Distortion.EQUIDISTANT,
}


def camera_from_info(info: Any, rectified: bool = False) -> Camera:
    """Read a camera from anything shaped like ``sensor_msgs/CameraInfo`` (rclpy or ``rosbags``).

    Args:
        info: the message; binning and a region of interest are taken into account.
        rectified: the images are rectified already (``image_rect``): use ``p`` and no distortion.

    Raises:
        CameraError: intrinsics that are zero or not finite (an uncalibrated driver publishes those), or an
            unknown distortion model.
    """
    model = _MODELS.get(str(info.distortion_model).strip().lower())
    if model is None:
        known = ", ".join(sorted(filter(None, _MODELS)))
        raise CameraError(f"unknown distortion model {info.distortion_model!r}; known are {known}")
    matrix = np.asarray(info.p, dtype=np.float64).reshape(3, 4) if rectified else np.asarray(info.k).reshape(3, 3)
    coefficients = () if rectified else tuple(float(value) for value in info.d)
    if rectified or (model is not Distortion.EQUIDISTANT and not any(coefficients)):
        model, coefficients = Distortion.NONE, ()
    # The matrix belongs to the full sensor image: first the offset of the region, then the binning.
    binning_x, binning_y = max(int(info.binning_x), 1), max(int(info.binning_y), 1)
    roi = info.roi
    width = int(roi.width) or int(info.width)
    height = int(roi.height) or int(info.height)
    return Camera(
        width=width // binning_x,
        height=height // binning_y,
        fx=float(matrix[0, 0]) / binning_x,
        fy=float(matrix[1, 1]) / binning_y,
        cx=(float(matrix[0, 2]) - int(roi.x_offset) + 0.5) / binning_x - 0.5,
        cy=(float(matrix[1, 2]) - int(roi.y_offset) + 0.5) / binning_y - 0.5,
        distortion=model,
        coefficients=coefficients,
    )
