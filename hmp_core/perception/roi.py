# SPDX-FileCopyrightText: 2026 The hmp_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Regions of interest: where the landmark network looks.

The rules and constants that place a region around landmarks are those of MediaPipe's hand tracker
(``HandLandmarksToRectCalculator`` and ``RectTransformationCalculator`` of google-ai-edge/mediapipe).
"""

from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from hmp_core.hand.skeleton import WRIST
from hmp_core.observation import Roi

_STABLE_JOINTS: Final = (0, 1, 2, 3, 5, 6, 9, 10, 13, 14, 17, 18)
"""Joints whose bounding box places the next region: the outer finger parts move too much."""
_UP_JOINTS: Final = ((5, 0.25), (9, 0.5), (13, 0.25))
"""Knuckles and weights of the point that the hand points up to."""
_SCALE_FROM_LANDMARKS: Final = 2.0
_SHIFT_FROM_LANDMARKS: Final = -0.1


def roi_from_landmarks(keypoints_px: NDArray[np.floating]) -> Roi:
    """Region for the next image from the 21 keypoints [21, 2] of this one [px]."""
    keypoints = np.asarray(keypoints_px, dtype=np.float64)
    up = sum(weight * keypoints[joint] for joint, weight in _UP_JOINTS)
    rotation = upright_rotation(keypoints[WRIST], np.asarray(up))
    axes = rotation_matrix(rotation)
    local = keypoints[_STABLE_JOINTS, :] @ axes
    low, high = local.min(axis=0), local.max(axis=0)
    return expand_box(axes @ ((low + high) / 2), high - low, rotation, _SCALE_FROM_LANDMARKS, _SHIFT_FROM_LANDMARKS)


def upright_rotation(start_px: NDArray[np.floating], end_px: NDArray[np.floating]) -> float:
    """Rotation [rad, clockwise] of a region whose up direction runs from one pixel to another, in [-pi, pi)."""
    x, y = np.asarray(end_px, dtype=np.float64) - start_px
    return wrap_angle(np.pi / 2 - np.arctan2(-y, x))


def expand_box(
    center_px: NDArray[np.float64], extent_px: NDArray[np.float64], rotation_rad: float, scale: float, shift: float
) -> Roi:
    """Square region from a rotated box: moved along its own y axis by ``shift`` heights, grown by ``scale``."""
    offset = rotation_matrix(rotation_rad) @ np.array([0.0, shift * extent_px[1]])
    return Roi(center_px + offset, float(scale * extent_px.max()), rotation_rad)


def rotation_matrix(rotation_rad: float) -> NDArray[np.float64]:
    """Columns are the axes, in the image, of a region turned clockwise by an angle [rad]."""
    cosine, sine = np.cos(rotation_rad), np.sin(rotation_rad)
    return np.array([[cosine, -sine], [sine, cosine]])


def wrap_angle(angle_rad: float) -> float:
    """The same angle in [-pi, pi) [rad]."""
    return float((angle_rad + np.pi) % (2 * np.pi) - np.pi)


def image_from_crop(roi: Roi, crop_size: int) -> NDArray[np.float64]:
    """Affine map [2, 3] from crop to image pixels; crop pixel 0 lies on the region's edge, as in MediaPipe."""
    linear = rotation_matrix(roi.rotation_rad) * (roi.size_px / crop_size)
    corner = roi.center_px - linear @ np.full(2, crop_size / 2)
    return np.column_stack([linear, corner])


def crop_image(image: NDArray[np.uint8], roi: Roi, crop_size: int) -> NDArray[np.uint8]:
    """Sample a region bilinearly into a square crop; what lies outside the image repeats its border."""
    flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    size = (crop_size, crop_size)
    matrix = image_from_crop(roi, crop_size)
    crop = cv2.warpAffine(image, matrix, size, flags=flags, borderMode=cv2.BORDER_REPLICATE)
    return np.asarray(crop, dtype=np.uint8)


def interpolate_roi(before: Roi, after: Roi, fraction: float) -> Roi:
    """Region between two others: linear in centre and log size, the shortest way round in rotation.

    A fraction beyond 1 extrapolates at constant velocity.
    """
    turn = wrap_angle(after.rotation_rad - before.rotation_rad)
    return Roi(
        center_px=before.center_px + fraction * (after.center_px - before.center_px),
        size_px=float(before.size_px * (after.size_px / before.size_px) ** fraction),
        rotation_rad=wrap_angle(before.rotation_rad + fraction * turn),
    )


def overlap(first: Roi, second: Roi) -> float:
    """Intersection over union of two regions as if neither were rotated (MediaPipe's association rule), 0 to 1."""
    half = (first.size_px + second.size_px) / 2
    smaller = min(first.size_px, second.size_px)
    sides = np.clip(half - np.abs(first.center_px - second.center_px), 0.0, smaller)
    intersection = float(sides.prod())
    return intersection / (first.size_px**2 + second.size_px**2 - intersection)
