# SPDX-FileCopyrightText: 2026 The hmp_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The length of a hand from a depth image that is aligned with the colour image.

One colour image fixes an estimate up to its scale: twice as large and twice as far looks the same. With the depth
of its joints from a second sensor, the distances between them become metric, whatever scale, tilt and distance the
estimate has.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy.spatial.distance import pdist

from hmp_core.camera import Camera
from hmp_core.errors import DataError
from hmp_core.estimate import HandEstimate
from hmp_core.hand.skeleton import MIDDLE_MCP, WRIST

_JOINTS: Final = (0, 5, 9, 13, 17, 6, 10, 14, 18)
"""Wrist, knuckles and middle joints: well inside the hand's outline, and on flesh that keeps its thickness."""
_BELOW_PALM_M: Final = np.array([0.019, 0.015, 0.021, 0.020, 0.016, 0.0125, 0.0125, 0.0115, 0.009])
_BELOW_BACK_M: Final = np.array([0.016, 0.0045, 0.0045, 0.0035, 0.004, 0.004, 0.0045, 0.004, 0.0045])
"""How far these joints lie below the skin that faces the camera: medians over renders of the open hand, of its palm
and of its back, turned by up to 40 degrees."""
_LEAST_FACING: Final = 0.6
_PATCH: Final = 1
_LEAST_PATCH_SHARE: Final = 0.5
_LEAST_JOINTS: Final = 5
_SAME_SURFACE: Final = 0.08
"""Joints whose depth over the estimate's agrees to 8 % are on one hand; the others show what is around it."""
_SHORTEST_M: Final = 0.06
_LONGEST_M: Final = 0.135
_LEAST_VIEWS: Final = 10
_LARGEST_SPREAD: Final = 0.06
_SHRINKAGE: Final = 0.98
_SYSTEMATIC: Final = 0.025
"""Over 40 renders of open hands of all sizes, tilted, lengths came out 2 % too short in the mean, since the
detector's joints lie a little inside, with a spread of 2 %, which many views of one pose do not average away."""
_NORMAL_MAD: Final = 1.4826


@dataclass(frozen=True)
class MeasuredLength:
    """A hand's length, wrist to middle knuckle.

    Attributes:
        length_m: [m].
        stddev_m: [m].
        views: images that it comes from.
    """

    length_m: float
    stddev_m: float
    views: int


def hand_length_from_depth(depth_m: NDArray[np.floating], camera: Camera, hand: HandEstimate) -> float | None:
    """Wrist to middle knuckle of a hand in one image [m].

    Args:
        depth_m: [height, width] depth along the optical axis [m], aligned with the colour image, at its size or at
            another of the same aspect; NaN where nothing was measured.
        camera: of the colour image.
        hand: estimate at the stamp of the image, in the camera's frame.

    Returns:
        The length; None where the hand shows neither its palm nor its back, fewer than five of its wrist, knuckles
        and middle joints are seen and measured, or they do not lie on one hand of a human size.
    """
    joints = hand.joints_camera[list(_JOINTS)]
    towards_camera = -joints.mean(axis=0) / np.linalg.norm(joints.mean(axis=0))
    facing = float(hand.R_camera_wrist[:, 0] @ towards_camera)
    if abs(facing) < _LEAST_FACING:
        return None
    pixels = camera.project(joints)
    measured = _sample(depth_m, camera, pixels) + (_BELOW_PALM_M if facing > 0 else _BELOW_BACK_M)
    seen = hand.joint_observed[list(_JOINTS)] & np.isfinite(measured)
    if not seen.any():
        return None
    ratios = measured / joints[:, 2]
    on_hand = seen & (np.abs(ratios / np.median(ratios[seen]) - 1) < _SAME_SURFACE)
    if np.count_nonzero(on_hand) < _LEAST_JOINTS:
        return None
    points = np.column_stack([camera.rays(pixels), np.ones(len(pixels))]) * measured[:, None]
    expected, found = pdist(joints[on_hand]), pdist(points[on_hand])
    own_length = float(np.linalg.norm(hand.joints_camera[MIDDLE_MCP] - hand.joints_camera[WRIST]))
    length = own_length * float(expected @ found / (expected @ expected)) / _SHRINKAGE
    return length if _SHORTEST_M < length < _LONGEST_M else None


def settle_length(lengths_m: Sequence[float]) -> MeasuredLength:
    """The hand's length from those found in single images.

    Raises:
        DataError: too few, or they disagree.
    """
    lengths = np.asarray(lengths_m, dtype=np.float64)
    if len(lengths) < _LEAST_VIEWS:
        raise DataError(
            f"depth fits the hand in {len(lengths)} images, {_LEAST_VIEWS} are needed: hold the open hand still, "
            "palm or back to the camera, with nothing before it, and see that the depth image is aligned with the "
            "colour image"
        )
    median = float(np.median(lengths))
    spread = _NORMAL_MAD * float(np.median(np.abs(lengths - median)))
    if spread > _LARGEST_SPREAD * median:
        raise DataError(
            f"the hand's length varies by {100 * spread / median:.0f} % between images: hold the open hand still, "
            "palm or back to the camera, with nothing before it"
        )
    stddev = float(np.hypot(spread / np.sqrt(len(lengths)), _SYSTEMATIC * median))
    return MeasuredLength(median, stddev, len(lengths))


def _sample(depth_m: NDArray[np.floating], camera: Camera, pixels: NDArray[np.float64]) -> NDArray[np.float64]:
    """Depth at pixels [N, 2] of the colour image [m]: the median of a patch, NaN where half of it is a hole."""
    height, width = depth_m.shape
    scale = np.array([width / camera.width, height / camera.height])
    places = (pixels + 0.5) * scale - 0.5
    depths = np.full(len(pixels), np.nan)
    for index, place in enumerate(places):
        if not np.isfinite(place).all():
            continue
        x, y = np.round(place).astype(int)
        if not (_PATCH <= x < width - _PATCH and _PATCH <= y < height - _PATCH):
            continue
        patch = depth_m[y - _PATCH : y + _PATCH + 1, x - _PATCH : x + _PATCH + 1]
        found = patch[np.isfinite(patch)]
        if found.size >= _LEAST_PATCH_SHARE * patch.size:
            depths[index] = np.median(found)
    return depths
