# SPDX-FileCopyrightText: 2026 The hmp_ros authors
# SPDX-License-Identifier: Apache-2.0
"""MediaPipe's palm detector: an image in, palms with seven keypoints each out.

Pre-processing, anchors, decoding and weighted non-maximum suppression follow the options of MediaPipe's hand
detector graph (``hand_detector_graph.cc`` of google-ai-edge/mediapipe).
"""

from dataclasses import dataclass
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from hmp_core.assets import asset_path
from hmp_core.observation import Roi
from hmp_core.perception.roi import expand_box, upright_rotation
from hmp_core.perception.sessions import open_session

INPUT_SIZE: Final = 192
NUM_KEYPOINTS: Final = 7
_GRIDS: Final = ((24, 2), (12, 6))
"""(cells per side, anchors per cell): stride 8 once, stride 16 three times, two square anchors each time."""
_WRIST_KEYPOINT: Final = 0
_MIDDLE_MCP_KEYPOINT: Final = 2
_SUPPRESSION_IOU: Final = 0.3
_SCALE_FROM_PALM: Final = 2.6
_SHIFT_FROM_PALM: Final = -0.5


@dataclass(frozen=True)
class PalmDetection:
    """One palm.

    Attributes:
        score: probability, 0 to 1.
        box_px: [2, 2] lower and upper corner (x, y) [px].
        keypoints_px: [7, 2] wrist, index, middle, ring and pinky MCP, thumb CMC and MCP [px].
    """

    score: float
    box_px: NDArray[np.float64]
    keypoints_px: NDArray[np.float64]

    def hand_roi(self) -> Roi:
        """Region of the whole hand, upright along wrist to middle MCP."""
        rotation = upright_rotation(self.keypoints_px[_WRIST_KEYPOINT], self.keypoints_px[_MIDDLE_MCP_KEYPOINT])
        low, high = self.box_px
        return expand_box((low + high) / 2, high - low, rotation, _SCALE_FROM_PALM, _SHIFT_FROM_PALM)


class PalmDetector:
    """Finds palms in a whole image.

    Args:
        min_score: detections below this probability are dropped; may be changed at any time.

    Raises:
        AssetError: when the shipped network is missing or altered.
    """

    def __init__(self, min_score: float) -> None:
        self.min_score = min_score
        self._anchors = _anchor_centers()
        self._session = open_session(asset_path("palm_detector.onnx"), ("image",), ("boxes", "scores"))

    def detect(self, image: NDArray[np.uint8]) -> list[PalmDetection]:
        """Detect palms in a BGR image [height, width, 3]; best first, empty when there is none."""
        height, width = image.shape[:2]
        scale = max(height, width) / INPUT_SIZE
        corner = np.array([width, height]) / 2 - scale * INPUT_SIZE / 2
        matrix = np.array([[scale, 0, corner[0]], [0, scale, corner[1]]])
        flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
        letterbox = np.asarray(cv2.warpAffine(image, matrix, (INPUT_SIZE, INPUT_SIZE), flags=flags), dtype=np.uint8)
        boxes, scores = self._session.run(["boxes", "scores"], {"image": network_input(letterbox)})
        detections = self._decode(boxes[0].astype(np.float64), scores[0, :, 0].astype(np.float64))
        return [
            PalmDetection(score, points[:2] * scale + corner, points[2:] * scale + corner)
            for score, points in detections
        ]

    def _decode(
        self, boxes: NDArray[np.float64], logits: NDArray[np.float64]
    ) -> list[tuple[float, NDArray[np.float64]]]:
        """Scores and points [9, 2] (two corners, seven keypoints) in pixels of the letterbox."""
        # NaN compares false, so that a broken output is no detection.
        kept = np.flatnonzero(logits >= np.log(self.min_score / (1 - self.min_score)))
        scores = 1 / (1 + np.exp(-logits[kept]))
        values = boxes[kept].reshape(-1, 2 + NUM_KEYPOINTS, 2)
        centers = self._anchors[kept, None] * INPUT_SIZE
        half = values[:, 1:2] / 2
        center = values[:, :1] + centers
        points = np.concatenate([center - half, center + half, values[:, 2:] + centers], axis=1)
        sound = (half[:, 0] > 0).all(axis=1) & np.isfinite(points).all(axis=(1, 2))
        return _weighted_suppression(scores[sound], points[sound])


def network_input(crop: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Turn a BGR crop [S, S, 3] into what MediaPipe's networks take: float32 [1, S, S, 3], RGB, 0 to 1."""
    return np.divide(cv2.cvtColor(crop, cv2.COLOR_BGR2RGB)[None], np.float32(255), dtype=np.float32)


def _anchor_centers() -> NDArray[np.float64]:
    """Centres [2016, 2] of the SSD anchors, normalised; rows, columns, then anchors of a cell."""
    layers = []
    for cells, per_cell in _GRIDS:
        ticks = (np.arange(cells) + 0.5) / cells
        x, y = np.meshgrid(ticks, ticks)
        layers.append(np.repeat(np.stack([x, y], axis=-1).reshape(-1, 2), per_cell, axis=0))
    return np.concatenate(layers)


def _weighted_suppression(
    scores: NDArray[np.float64], points: NDArray[np.float64]
) -> list[tuple[float, NDArray[np.float64]]]:
    """Merge each best detection with those that overlap it, weighted by score."""
    order = np.argsort(-scores, kind="stable")
    scores, points = scores[order], points[order]
    merged = []
    while len(scores):
        sides = np.minimum(points[0, 1], points[:, 1]) - np.maximum(points[0, 0], points[:, 0])
        intersection = sides.clip(min=0).prod(axis=1)
        areas = (points[:, 1] - points[:, 0]).prod(axis=1)
        same = intersection > _SUPPRESSION_IOU * (areas[0] + areas - intersection)
        merged.append((float(scores[0]), np.average(points[same], axis=0, weights=scores[same])))
        scores, points = scores[~same], points[~same]
    return merged
