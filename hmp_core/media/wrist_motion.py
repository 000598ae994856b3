# SPDX-FileCopyrightText: 2026 The hmp_ros authors
# SPDX-License-Identifier: Apache-2.0
"""How somebody moves a hand about in front of a camera."""

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy.interpolate import PchipInterpolator
from scipy.spatial.transform import Rotation, RotationSpline

from hmp_core.camera import Camera

R_CAMERA_UPRIGHT: Final = np.array([[0.0, 0.0, 1.0], [1.0, 0.0, 0.0], [0.0, 1.0, 0.0]])
"""Global orientation of a right hand in MANO's axes with fingers up and the palm to the camera."""

_PAUSE_S: Final = (0.5, 1.4)
_YAW_DEG: Final = 40.0
_PITCH_DEG: Final = 25.0
_ROLL_DEG: Final = 30.0
_MARGIN: Final = 0.27
"""Part of the image's sides that the hand's middle stays away from."""


@dataclass(frozen=True)
class WristMotion:
    """Smooth course of a hand.

    Attributes:
        R_camera_mano: [T, 3, 3] global orientation, MANO's axes, right hand.
        centre: [T, 3] where the middle of the palm is, camera frame [m].
    """

    R_camera_mano: NDArray[np.float64]
    centre: NDArray[np.float64]


def move_wrist(
    times_s: NDArray[np.float64],
    camera: Camera,
    rng: np.random.Generator,
    depth_m: tuple[float, float] = (0.34, 0.52),
    columns: tuple[float, float] = (0.0, 1.0),
) -> WristMotion:
    """Make up a course from one held pose to the next.

    Args:
        times_s: [T] increasing, from 0.
        camera: the hand stays in its image.
        rng: of everything random.
        depth_m: nearest and farthest distance.
        columns: part of the image's width that this hand keeps to, as fractions.
    """
    knots = np.concatenate(
        [[-0.5], np.cumsum(rng.uniform(*_PAUSE_S, size=int(times_s[-1] / _PAUSE_S[0]) + 4)) - 0.5]
    )
    count = len(knots)
    limits = np.radians([_PITCH_DEG, _YAW_DEG, _ROLL_DEG])
    angles = rng.uniform(-limits, limits, (count, 3))
    # Sometimes the back of the hand shows, for a while.
    back = np.repeat(rng.random(count // 4 + 1) < 0.25, 4)[:count]
    angles[:, 1] += np.pi * back * 0.85
    rotations = Rotation.from_euler("zyx", angles[:, [2, 1, 0]]) * Rotation.from_matrix(R_CAMERA_UPRIGHT)
    margin = np.array([_MARGIN * (columns[1] - columns[0]), _MARGIN])
    low, high = np.array([columns[0], 0.0]) + margin, np.array([columns[1], 1.0]) - margin
    pixels = rng.uniform(low, high, (count, 2)) * (camera.width, camera.height)
    depths = rng.uniform(*depth_m, size=count)
    points = np.hstack([camera.rays(pixels), np.ones((count, 1))]) * depths[:, None]
    return WristMotion(
        R_camera_mano=np.asarray(RotationSpline(knots, rotations)(times_s).as_matrix()),
        # No overshoot: between poses inside the image the hand stays inside.
        centre=np.asarray(PchipInterpolator(knots, points)(times_s)),
    )
