# SPDX-FileCopyrightText: 2026 The hmp_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Lens models: from viewing rays to where they fall on an image of focal length 1, with derivatives, and back.

The formulas are OpenCV's (``projectPoints``, and ``fisheye::projectPoints`` for ``EQUIDISTANT``), which are also
those of ``sensor_msgs/CameraInfo``. OpenCV's inverses stop after a few fixed-point steps, which leaves a tenth of a
pixel 40 degrees off the axis of a wide lens, and nonsense behind the fold of the polynomial. Here Newton's steps
follow, and what does not come back to its pixel is said to lie beyond the lens's reach.
"""

from enum import Enum
from typing import Any, Final

import cv2
import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]


class Distortion(str, Enum):
    """Lens models of ``sensor_msgs/CameraInfo``; ``NONE`` also stands for any rectified image."""

    NONE = "none"
    PLUMB_BOB = "plumb_bob"
    RATIONAL = "rational_polynomial"
    EQUIDISTANT = "equidistant"


COEFFICIENTS: Final = {
    Distortion.NONE: (0,),
    Distortion.PLUMB_BOB: (4, 5, 8, 12, 14),
    Distortion.RATIONAL: (4, 5, 8, 12, 14),
    Distortion.EQUIDISTANT: (4,),
}
"""How many coefficients each model may have."""

_ORIGIN: Final = np.zeros(3)
_UNIT: Final = np.eye(3)
_TRANSLATION: Final = (slice(3, 5), slice(11, 13))
"""Columns of the Jacobians that belong to a translation across the axis: of projectPoints, of the fisheye's."""
_NEWTON_STEPS: Final = 3
_TOLERANCE: Final = 1e-6
_WIDEST: Final = float(np.tan(np.radians(85.0)))
_BEYOND: Final = float(np.tan(np.radians(60.0)))


def distort(model: Distortion, coefficients: tuple[float, ...], rays: Array) -> tuple[Array, Array]:
    """Where rays (x/z, y/z) [N, 2] fall [N, 2], and the derivative by the rays [N, 2, 2].

    Behind the fold of a polynomial, where the image would turn over, rays fall nowhere: NaN.
    """
    if model is Distortion.NONE or len(rays) == 0:
        return rays, np.broadcast_to(np.eye(2), (len(rays), 2, 2))
    points = np.concatenate([rays, np.ones((len(rays), 1))], axis=1).reshape(-1, 1, 3)
    project: Any = cv2.fisheye.projectPoints if model is Distortion.EQUIDISTANT else cv2.projectPoints
    images, jacobian = project(points, _ORIGIN, _ORIGIN, _UNIT, np.array(coefficients))[:2]
    jacobian = jacobian[:, _TRANSLATION[model is Distortion.EQUIDISTANT]].reshape(-1, 2, 2)
    return np.where(_upright(jacobian)[:, None], images.reshape(-1, 2), np.nan), jacobian


def undistort(model: Distortion, coefficients: tuple[float, ...], images: Array) -> tuple[Array, Array]:
    """The rays [N, 2] that fall on points [N, 2], and how many times larger than a point's their area is [N].

    Where no ray within 85 degrees of the axis falls on a point, the ray has its direction, 60 degrees off the axis,
    and the area is inf.
    """
    if model is Distortion.NONE or len(images) == 0:
        return images, np.ones(len(images))
    invert: Any = cv2.fisheye.undistortPoints if model is Distortion.EQUIDISTANT else cv2.undistortPoints
    rays = np.asarray(invert(images.reshape(-1, 1, 2), _UNIT, np.array(coefficients))).reshape(-1, 2)
    rays = np.where(np.hypot(*rays.T)[:, None] < _WIDEST, rays, 0.0)  # False for NaN
    for _ in range(_NEWTON_STEPS):
        fallen, jacobian = distort(model, coefficients, rays)
        # A start behind the fold is no start: the next one is the axis.
        jacobian = np.where(_upright(jacobian)[:, None, None], jacobian, np.eye(2))
        rays = rays + np.linalg.solve(jacobian, (images - fallen)[..., None])[..., 0]
        rays = np.where((np.abs(rays) < _WIDEST).all(axis=1, keepdims=True), rays, 0.0)
    fallen, jacobian = distort(model, coefficients, rays)
    length = np.hypot(*images.T)
    found = np.hypot(*(images - fallen).T) < _TOLERANCE * (1 + length)  # False for NaN
    direction = images / np.where(length > 0, length, 1.0)[:, None]
    areas = np.where(found, 1 / np.where(found, _determinant(jacobian), 1.0), np.inf)
    return np.where(found[:, None], rays, _BEYOND * direction), areas


def _upright(jacobian: Array) -> NDArray[np.bool_]:
    """Whether the image moves the way the ray does: both eigenvalues are positive; False for NaN."""
    return np.asarray((_determinant(jacobian) > 0) & (jacobian[:, 0, 0] + jacobian[:, 1, 1] > 0))


def _determinant(matrix: Array) -> Array:
    return np.asarray(matrix[:, 0, 0] * matrix[:, 1, 1] - matrix[:, 0, 1] * matrix[:, 1, 0])
