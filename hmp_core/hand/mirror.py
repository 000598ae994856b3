# SPDX-FileCopyrightText: 2026 The hmp_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Mirroring through the camera's y-z plane, x to -x, which turns a left hand into a right one.

Everything inside the prior and the fitter is a right hand. Left observations are mirrored when they enter a
window, left estimates when they leave it; both go through these functions. Points are mirrored as *rays* or
metric points, never as pixels, so that neither the principal point nor tangential distortion is touched.
The left model takes the same betas with the same sign: its shape directions are the mirrored right ones.
"""

from typing import Final

import numpy as np
from numpy.typing import NDArray

_FLIP_X: Final = np.array([-1.0, 1.0, 1.0])
_FLIP_ROTATION_VECTOR: Final = np.array([1.0, -1.0, -1.0])


def mirror_points(points: NDArray[np.float64]) -> NDArray[np.float64]:
    """Mirror points or directions [..., 2 or 3] (any unit): x changes sign."""
    mirrored: NDArray[np.float64] = points * _FLIP_X[: points.shape[-1]]
    return mirrored


def mirror_rotation_vector(rotation_vector: NDArray[np.float64]) -> NDArray[np.float64]:
    """Mirror axis-angle vectors [..., 3] [rad]: y and z change sign."""
    mirrored: NDArray[np.float64] = rotation_vector * _FLIP_ROTATION_VECTOR
    return mirrored


def mirror_rotation(rotation: NDArray[np.float64]) -> NDArray[np.float64]:
    """Mirror rotation matrices [..., 3, 3]: ``M R M`` with ``M = diag(-1, 1, 1)``."""
    return rotation * np.outer(_FLIP_X, _FLIP_X)
