# SPDX-FileCopyrightText: 2026 The hmp_ros authors
# SPDX-License-Identifier: Apache-2.0
"""MediaPipe's hand landmark network: a region of an image in, 21 keypoints and metric points out."""

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from hmp_core.assets import asset_path
from hmp_core.hand.skeleton import NUM_JOINTS
from hmp_core.observation import Roi
from hmp_core.perception.palm_detector import network_input
from hmp_core.perception.roi import crop_image, image_from_crop
from hmp_core.perception.sessions import open_session

INPUT_SIZE: Final = 224
FEATURE_MAPS: Final = ("tensor_27_0", "tensor_44_0", "tensor_61_0", "tensor_84_0")
"""Inner tensors of the network after its residual blocks: [1, 40, 28, 28], [1, 80, 14, 14], [1, 112, 14, 14],
[1, 192, 7, 7]."""
_OUTPUTS: Final = ("landmarks", "presence", "handedness", "world_landmarks", "features")
_LEAST_SPREAD_M: Final = 1e-3


@dataclass(frozen=True)
class HandLandmarks:
    """What the network says about one region.

    Attributes:
        roi: the region that it saw.
        presence: probability that it shows a hand, 0 to 1.
        right: probability that it is a right hand, 0 to 1.
        keypoints_px: [21, 2] in the image [px].
        points_crop: [21, 3] in the crop's axes (x right, y down, z away), about the hand's centre [m].
        landmarks_crop: [1, 63] x, y [px] in the crop and z, as the network gives them.
        features: [1, 1152] pooled features.
        feature_maps: see ``FEATURE_MAPS``.
    """

    roi: Roi
    presence: float
    right: float
    keypoints_px: NDArray[np.float64]
    points_crop: NDArray[np.float64]
    landmarks_crop: NDArray[np.float32]
    features: NDArray[np.float32]
    feature_maps: tuple[NDArray[np.float32], ...]

    @property
    def finite(self) -> bool:
        """False when the network gave a NaN or an infinity anywhere."""
        numbers = (self.presence, self.right, self.keypoints_px.sum(), self.points_crop.sum())
        return bool(np.isfinite(numbers).all())

    @property
    def pixels_per_metre(self) -> float:
        """Scale of the hand in the image, whatever its gesture: focal length over distance."""
        spread_px = np.linalg.norm(self.keypoints_px - self.keypoints_px.mean(axis=0))
        across = self.points_crop[:, :2]
        spread_m = np.linalg.norm(across - across.mean(axis=0))
        return float(spread_px) / max(float(spread_m), _LEAST_SPREAD_M)


class LandmarkNetwork:
    """Finds the 21 points of the hand in a region.

    Raises:
        AssetError: when the shipped network is missing or altered.
    """

    def __init__(self) -> None:
        self._session = open_session(asset_path("hand_landmarks.onnx"), ("image",), _OUTPUTS, FEATURE_MAPS)

    def run(self, image: NDArray[np.uint8], roi: Roi) -> HandLandmarks:
        """Look at a region of a BGR image [height, width, 3]."""
        crop = network_input(crop_image(image, roi, INPUT_SIZE))
        outputs = self._session.run([*_OUTPUTS, *FEATURE_MAPS], {"image": crop})
        landmarks, presence, right, world, features, *maps = outputs
        map_to_image = image_from_crop(roi, INPUT_SIZE)
        crop_px = landmarks.reshape(NUM_JOINTS, 3)[:, :2].astype(np.float64)
        return HandLandmarks(
            roi=roi,
            presence=float(presence[0, 0]),
            right=float(right[0, 0]),
            keypoints_px=crop_px @ map_to_image[:, :2].T + map_to_image[:, 2],
            points_crop=world.reshape(NUM_JOINTS, 3).astype(np.float64),
            landmarks_crop=landmarks,
            features=features,
            feature_maps=tuple(maps),
        )
