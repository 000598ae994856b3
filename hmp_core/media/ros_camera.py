# SPDX-FileCopyrightText: 2026 The hmp_ros authors
# SPDX-License-Identifier: Apache-2.0
"""``sensor_msgs/CameraInfo`` to :class:`Camera`, without ROS."""

import re
from typing import Any, Final

import numpy as np

from hmp_core.camera import Camera
from hmp_core.errors import CameraError
from hmp_core.lens import COEFFICIENTS, Distortion

_MODELS: Final = {
    "": Distortion.NONE,
    "none": Distortion.NONE,
    "plumb_bob": Distortion.PLUMB_BOB,
    "rational_polynomial": Distortion.RATIONAL,
    "equidistant": Distortion.EQUIDISTANT,
    "fisheye": Distortion.EQUIDISTANT,
}
_RECTIFIED_NAME: Final = re.compile(r"(^|[_/])rect(ified)?([_/]|$)")


def camera_from_info(info: Any, rectified: bool = False) -> Camera:
    """Read a camera from anything shaped like ``sensor_msgs/CameraInfo`` (rclpy or ``rosbags``).

    Args:
        info: the message; binning and a region of interest are taken into account.
        rectified: the images are rectified already (``image_rect``): use ``p`` and no distortion.

    Raises:
        CameraError: intrinsics that are zero or not finite (an uncalibrated driver publishes those), an
            unknown distortion model, or the wrong number of coefficients.
    """
    model = _MODELS.get(str(info.distortion_model).strip().lower())
    if model is None:
        known = ", ".join(sorted(filter(None, _MODELS)))
        raise CameraError(f"unknown distortion model {info.distortion_model!r}; known are {known}")
    matrix = np.asarray(info.p, dtype=np.float64).reshape(3, 4) if rectified else np.asarray(info.k).reshape(3, 3)
    if not matrix[:2, :2].any():
        raise CameraError("fx and fy are 0, as drivers of cameras publish that nobody has calibrated")
    coefficients = () if rectified else _without_padding(tuple(float(value) for value in info.d), model)
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


def is_rectified_topic(topic: str) -> bool:
    """Whether an image topic is named as ``image_proc`` names images without distortion (``image_rect_color``)."""
    return _RECTIFIED_NAME.search(topic) is not None


def rectification_complaint(topic: str, camera: Camera, rectified: bool) -> str | None:
    """What is odd about how the distortion of a topic's images is treated, None where nothing is.

    Args:
        topic: resolved name of the image topic.
        camera: read from its camera info with this ``rectified``.
        rectified: whether its images are said to be rectified.
    """
    if not rectified and is_rectified_topic(topic) and camera.distortion is not Distortion.NONE:
        return (
            f"{topic} is named like rectified images, but their lens distortion is removed once more; "
            "set rectified to true if they are rectified"
        )
    if rectified and topic.rstrip("/").endswith("image_raw"):
        return f"rectified is true, but {topic} is named like images with distortion; set rectified to false if so"
    return None


def _without_padding(coefficients: tuple[float, ...], model: Distortion) -> tuple[float, ...]:
    """Some drivers fill ``d`` up with zeros beyond what the model has."""
    counts = COEFFICIENTS[model]
    while len(coefficients) > 0 and len(coefficients) not in counts and coefficients[-1] == 0:
        coefficients = coefficients[:-1]
    return coefficients
