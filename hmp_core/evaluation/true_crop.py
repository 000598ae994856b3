# SPDX-FileCopyrightText: 2026 The hmp_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The region in which a detector without error would see a hand; the detector's errors are told in its axes."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from hmp_core.camera import Camera
from hmp_core.observation import Roi
from hmp_core.perception.keypoint_model import KEYPOINTS_FROM_JOINTS
from hmp_core.perception.landmark_frame import camera_from_crop
from hmp_core.perception.roi import roi_from_landmarks, rotation_matrix


@dataclass(frozen=True)
class TrueCrop:
    """A region and its axes.

    Attributes:
        roi: the region, in the image.
        R_camera_crop: [3, 3] from crop axes (x right, y down, z away) to the camera's.
    """

    roi: Roi
    R_camera_crop: NDArray[np.float64]

    def from_image(self, pixels: NDArray[np.float64]) -> NDArray[np.float64]:
        """Pixels [..., 2] as fractions of the region's side from its centre, crop axes."""
        return np.asarray((pixels - self.roi.center_px) @ rotation_matrix(self.roi.rotation_rad) / self.roi.size_px)

    def to_image(self, fractions: NDArray[np.float64]) -> NDArray[np.float64]:
        """Undo :meth:`from_image`."""
        turned = fractions @ rotation_matrix(self.roi.rotation_rad).T
        return np.asarray(self.roi.center_px + self.roi.size_px * turned)


def true_crop(joints_camera: NDArray[np.float64], camera: Camera) -> TrueCrop:
    """The crop of a right hand's true joints [21, 3] in front of the camera [m]."""
    roi = roi_from_landmarks(camera.project(KEYPOINTS_FROM_JOINTS @ joints_camera))
    return TrueCrop(roi, camera_from_crop(roi, camera))
