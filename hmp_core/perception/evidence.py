# SPDX-FileCopyrightText: 2026 The hmp_ros authors
# SPDX-License-Identifier: Apache-2.0
"""How far each seen joint can be trusted, from a second look at the hand.

The landmark network gives no uncertainty of its own, and its presence says little about single joints. So it looks
twice: the second region is a little larger and turned. Where a joint is plain to see both looks agree; where it is
covered, the network guesses, and guesses differently.

The sigmas are hypotenuses of a few terms. Their factors were fitted to 2,116 sightings in 40 rendered scenes with
exact truth, in which things pass in front of the hand (``tools/calibrate_evidence.py``; maximum likelihood under
Student's t on one half of the scenes, scaled so that 95 % of the errors lie within two sigmas; figures from the
other half). There, per axis, 96 % of the visible joints' keypoints and 83 % of the covered ones' lie within two
sigmas, 96 % and 92 % of the landmarks. In a frame the disagreement of the looks ranks joints by their error with a
rank correlation of 0.55 on the real clips with painted boxes; presence alone reaches 0.39.

The landmarks' largest errors are common to all joints: a rotation (17 degrees in the median of these scenes) and
a scale (0.76 to 1.28). Landmark sigmas are those of the shape that remains; whoever uses landmarks allows for the
common part.
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
# Keypoints, as fractions of the region's size: always; per disagreement of this joint; per mean over the hand.
_KEYPOINT_FLOOR: Final = 0.0185
_KEYPOINT_OWN: Final = 1.75
_KEYPOINT_MEAN: Final = 1.42
# Landmarks: always [m]; per disagreement [m]; per keypoint disagreement of this joint; per mean over the hand.
_LANDMARK_FLOOR_M: Final = 0.0072
_LANDMARK_OWN: Final = 0.265
_LANDMARK_KEYPOINT_M: Final = 0.243
_LANDMARK_MEAN_M: Final = 0.272


@dataclass(frozen=True)
class Evidence:
    """Standard deviations of one sighting.

    Attributes:
        keypoint_sigma_px: [21] per axis [px]; inf for joints outside the image.
        landmark_sigma_m: [21] per axis [m], beside the rotation and scale common to all joints; inf for joints
            outside the image.
    """

    keypoint_sigma_px: NDArray[np.float64]
    landmark_sigma_m: NDArray[np.float64]


def second_look(roi: Roi) -> Roi:
    """The region of the second look."""
    return replace(
        roi, size_px=roi.size_px * _SECOND_SCALE, rotation_rad=wrap_angle(roi.rotation_rad + _SECOND_TURN_RAD)
    )


@dataclass(frozen=True)
class Disagreement:
    """How far two looks at a hand differ.

    Attributes:
        keypoints: [21] distances as fractions of the first region's size.
        landmarks_m: [21] distances of the wrist-relative points [m].
    """

    keypoints: NDArray[np.float64]
    landmarks_m: NDArray[np.float64]


def compare(first: HandLandmarks, second: HandLandmarks, camera: Camera) -> Disagreement:
    """Measure the disagreement of two looks."""
    points = [landmarks_from_crop(look.points_crop, look.roi, camera) for look in (first, second)]
    moved = np.linalg.norm(first.keypoints_px - second.keypoints_px, axis=1)
    return Disagreement(moved / first.roi.size_px, np.linalg.norm(points[0] - points[1], axis=1))


def weigh(first: HandLandmarks, second: HandLandmarks, camera: Camera) -> Evidence:
    """Turn the disagreement of two looks into sigmas; a second look with NaNs leaves no evidence."""
    moved = compare(first, second, camera)
    mean = moved.keypoints.mean()
    keypoint = first.roi.size_px * np.sqrt(
        _KEYPOINT_FLOOR**2 + (_KEYPOINT_OWN * moved.keypoints) ** 2 + (_KEYPOINT_MEAN * mean) ** 2
    )
    landmark = np.sqrt(
        _LANDMARK_FLOOR_M**2
        + (_LANDMARK_OWN * moved.landmarks_m) ** 2
        + (_LANDMARK_KEYPOINT_M * moved.keypoints) ** 2
        + (_LANDMARK_MEAN_M * mean) ** 2
    )
    seen = camera.contains(first.keypoints_px) & second.finite
    return Evidence(np.where(seen, keypoint, np.inf), np.where(seen, landmark, np.inf))
