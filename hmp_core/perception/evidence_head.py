# SPDX-FileCopyrightText: 2026 The hmp_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The network ``evidence.onnx``: how wrong each point of one look is, from what the landmark network felt there.

What is inside: :mod:`hmp_core.training.evidence_network`. How it is made: ``tools/train_evidence.py``.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from hmp_core.assets import asset_path
from hmp_core.camera import Camera
from hmp_core.perception.landmark_network import FEATURE_MAPS, HandLandmarks
from hmp_core.perception.sessions import open_session

EVIDENCE_HEAD: Final = "evidence.onnx"
INPUTS: Final = ("landmarks", "points_m", "presence", "edge", "features", *FEATURE_MAPS)
OUTPUTS: Final = ("keypoint_sigma", "landmark_sigma_m", "covered")


@dataclass(frozen=True)
class Judgement:
    """What the network makes of a look.

    Attributes:
        keypoint_sigma: [21] per axis, as a fraction of the region's size.
        landmark_sigma_m: [21] per axis, beside the rotation and scale common to all joints [m].
        covered: [21] probability that something other than the hand covers the joint.
    """

    keypoint_sigma: NDArray[np.float64]
    landmark_sigma_m: NDArray[np.float64]
    covered: NDArray[np.float64]


class EvidenceHead:
    """Judges looks one by one.

    Raises:
        AssetError: when the shipped network is missing or altered.
    """

    def __init__(self) -> None:
        self._session = open_session(asset_path(EVIDENCE_HEAD), INPUTS, OUTPUTS)

    def judge(self, look: HandLandmarks, camera: Camera) -> Judgement:
        """How far each point of a look at this camera's image can be trusted."""
        values = (
            look.landmarks_crop,
            look.points_crop[None].astype(np.float32),
            np.array([[look.presence]], dtype=np.float32),
            distance_to_edge(look, camera)[None].astype(np.float32),
            look.features,
            *look.feature_maps,
        )
        outputs = self._session.run(list(OUTPUTS), dict(zip(INPUTS, values, strict=True)))
        return Judgement(*(output[0].astype(np.float64) for output in outputs))


def distance_to_edge(look: HandLandmarks, camera: Camera) -> NDArray[np.float64]:
    """Of the keypoints [21] to the image's nearest border, inside positive, as fractions of the region's size."""
    beyond = np.array([camera.width - 1, camera.height - 1]) - look.keypoints_px
    return np.asarray(np.minimum(look.keypoints_px, beyond).min(axis=1) / look.roi.size_px)
