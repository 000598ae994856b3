# SPDX-FileCopyrightText: 2026 The hmp_ros authors
# SPDX-License-Identifier: Apache-2.0
"""World landmarks: from the axes of a crop to those of the camera.

The network sees a crop as if the camera looked straight at it: its x and y are the crop's axes and its z runs along
the line of sight. In the camera's axes the points must therefore be turned by the region's roll, and then by the
rotation that carries the optical axis onto the viewing ray through the region's centre; without the second turn a
hand at the edge of a 70 degree view is wrong by 35 degrees.
"""

import numpy as np
from numpy.typing import NDArray

from hmp_core.camera import Camera
from hmp_core.hand.skeleton import WRIST
from hmp_core.observation import Roi
from hmp_core.perception.roi import rotation_matrix


def landmarks_from_crop(points_crop: NDArray[np.float64], roi: Roi, camera: Camera) -> NDArray[np.float64]:
    """Turn points [21, 3] in crop axes into points relative to the wrist in camera axes [21, 3] [m]."""
    relative = points_crop - points_crop[WRIST]
    return np.asarray(relative @ camera_from_crop(roi, camera).T)


def camera_from_crop(roi: Roi, camera: Camera) -> NDArray[np.float64]:
    """Rotation [3, 3] from a region's crop axes (x right, y down, z away) to camera axes."""
    roll = np.eye(3)
    roll[:2, :2] = rotation_matrix(roi.rotation_rad)
    return _shortest_rotation_to_ray(camera.rays(roi.center_px)) @ roll


def _shortest_rotation_to_ray(ray: NDArray[np.float64]) -> NDArray[np.float64]:
    """Rotation [3, 3] that carries the optical axis onto the ray (x/z, y/z) without rolling about it."""
    length = float(np.sqrt(1.0 + ray @ ray))
    x, y, z = ray[0] / length, ray[1] / length, 1.0 / length
    # Rodrigues' formula for two unit vectors; the ray is in front of the camera, so that 1 + cos is not zero.
    bend = 1.0 / (1.0 + z)
    return np.array([[1 - x * x * bend, -x * y * bend, x], [-x * y * bend, 1 - y * y * bend, y], [-x, -y, z]])
