# SPDX-FileCopyrightText: 2026 The hmp_ros authors
# SPDX-License-Identifier: Apache-2.0
"""How far each seen joint can be trusted.

The landmark network gives no uncertainty of its own, its presence says little about single joints, and where a
joint is covered it guesses with confidence. But its inner feature maps know whether there is a finger where it put
one: a small network that reads them there (:mod:`hmp_core.perception.evidence_head`) says how wrong each point is,
from one look, and was trained on rendered hands behind things, where the error is known.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from hmp_core.camera import Camera
from hmp_core.perception.evidence_head import Judgement
from hmp_core.perception.landmark_network import HandLandmarks


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


def weigh(look: HandLandmarks, judgement: Judgement, camera: Camera) -> Evidence:
    """Turn the judgement of a look into sigmas; what is outside the image or no number is no evidence."""
    keypoint, landmark = judgement.keypoint_sigma * look.roi.size_px, judgement.landmark_sigma_m
    seen = camera.contains(look.keypoints_px) & np.isfinite(keypoint) & np.isfinite(landmark)
    return Evidence(np.where(seen, keypoint, np.inf), np.where(seen, landmark, np.inf))
