# SPDX-FileCopyrightText: 2026 The hmp_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What perception saw: the evidence, in the true camera frame, left hands as left hands."""

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from hmp_core.camera import Camera
from hmp_core.hand.skeleton import Side


@dataclass(frozen=True)
class Roi:
    """A rotated square crop.

    Attributes:
        center_px: [2] centre [px].
        size_px: side length [px].
        rotation_rad: rotation of the crop's axes in the image, clockwise positive (y is down) [rad];
            0 when the hand points up.
    """

    center_px: NDArray[np.float64]
    size_px: float
    rotation_rad: float


@dataclass(frozen=True)
class ManoPose:
    """MANO parameters of one hand at one instant, in MANO's conventions for its own side.

    Attributes:
        rotation_vectors: [16, 3] axis-angle [rad], MANO order, global orientation (camera frame) first,
            ``flat_hand_mean=True``.
        betas: [10] shape.
        translation: [3] MANO ``transl`` in the camera frame [m].
    """

    rotation_vectors: NDArray[np.float64]
    betas: NDArray[np.float64]
    translation: NDArray[np.float64]


@dataclass(frozen=True)
class HandObservation:
    """One hand in one image.

    Attributes:
        track_id: identity over time; a new id after a loss that outlasts the tracker's patience.
        side: None until decided by majority, then fixed for the track.
        side_score: mean probability of the decided (or leading) side over the track, 0.5 to 1.
        presence: probability that a hand is in the ROI, 0 to 1.
        roi: crop that the landmark network saw.
        keypoints_px: [21, 2] in the (distorted) image [px]; may lie outside the image.
        keypoint_sigma_px: [21] standard deviation per axis [px]; inf where there is no evidence.
        landmarks_m: [21, 3] relative to the wrist, camera axes [m].
        landmark_sigma_m: [21] standard deviation per axis of what a rotation and scale common to all joints do not
            explain [m]; inf where there is no evidence.
        initial: the initializer's pose, None before the side is decided.
    """

    track_id: int
    side: Side | None
    side_score: float
    presence: float
    roi: Roi
    keypoints_px: NDArray[np.float64]
    keypoint_sigma_px: NDArray[np.float64]
    landmarks_m: NDArray[np.float64]
    landmark_sigma_m: NDArray[np.float64]
    initial: ManoPose | None = None


@dataclass(frozen=True)
class FrameObservation:
    """All hands seen in one processed image; ``hands`` is empty when none was.

    Attributes:
        stamp_ns: capture time of the image [ns].
        camera: the camera that took it; with it the window node needs nothing else.
        hands: at most one per track.
        stage_ms: wall time spent per stage [ms], keys ``detect`` and ``initialize``.
    """

    stamp_ns: int
    camera: Camera
    hands: tuple[HandObservation, ...] = ()
    stage_ms: dict[str, float] = field(default_factory=dict)
