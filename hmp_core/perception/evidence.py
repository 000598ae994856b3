# SPDX-FileCopyrightText: 2026 The hmp_ros authors
# SPDX-License-Identifier: Apache-2.0
"""How far each seen joint can be trusted, from a second look at the hand.

The landmark network gives no uncertainty of its own, and its presence says little about single joints. So it looks
twice: the second region is a little larger and turned. Where a joint is plain to see both looks agree; where it is
covered, the network guesses, and guesses differently.
"""

from dataclasses import dataclass, replace
from typing import Final

import numpy as np
from numpy.typing import NDArray

from hmp_core.camera import Camera
from hmp_core.observation import Roi
from hmp_core.perception.landmark_frame import landmarks_from_crop
from hmp_core.perception.landmark_network import HandLandmarks
from hmp_core.perception.roi import wrap_angle

_SECOND_SCALE: Final = 1.1
_SECOND_TURN_RAD: Final = 0.25
_KEYPOINT_FLOOR: Final = 0.005
_KEYPOINT_GAIN: Final = 1.0
_LANDMARK_FLOOR_M: Final = 0.005
_LANDMARK_GAIN: Final = 1.0


@dataclass(frozen=True)
class Evidence:
    """Standard deviations of one sighting.

    Attributes:
        keypoint_sigma_px: [21] per axis [px]; inf for joints outside the image.
        landmark_sigma_m: [21] per axis [m]; inf for joints outside the image.
    """

    keypoint_sigma_px: NDArray[np.float64]
    landmark_sigma_m: NDArray[np.float64]


def second_look(roi: Roi) -> Roi:
    """The region of the second look."""
    return replace(
        roi, size_px=roi.size_px * _SECOND_SCALE, rotation_rad=wrap_angle(roi.rotation_rad + _SECOND_TURN_RAD)
    )


def weigh(first: HandLandmarks, second: HandLandmarks, camera: Camera) -> Evidence:
    """Turn the difference of two looks at a hand into sigmas; a second look with NaNs leaves no evidence."""
    moved = np.linalg.norm(first.keypoints_px - second.keypoints_px, axis=1)
    points = [landmarks_from_crop(look.points_crop, look.roi, camera) for look in (first, second)]
    moved_m = np.linalg.norm(points[0] - points[1], axis=1)
    seen = camera.contains(first.keypoints_px) & second.finite
    keypoint = np.hypot(_KEYPOINT_FLOOR * first.roi.size_px, _KEYPOINT_GAIN * moved)
    landmark = np.hypot(_LANDMARK_FLOOR_M, _LANDMARK_GAIN * moved_m)
    return Evidence(np.where(seen, keypoint, np.inf), np.where(seen, landmark, np.inf))
