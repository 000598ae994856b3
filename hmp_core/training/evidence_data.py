# SPDX-FileCopyrightText: 2026 The hmp_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Looks of the landmark network at pictures of covered hands: what it saw, and how wrong it was."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Final

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.spatial.transform import Rotation

from hmp_core.errors import DataError
from hmp_core.media.covered_hands import CoveredHand
from hmp_core.observation import Roi
from hmp_core.perception.evidence_head import distance_to_edge
from hmp_core.perception.keypoint_model import KEYPOINTS_FROM_JOINTS
from hmp_core.perception.landmark_frame import landmarks_from_crop
from hmp_core.perception.landmark_network import HandLandmarks, LandmarkNetwork
from hmp_core.perception.roi import roi_from_landmarks, wrap_angle
from hmp_core.training.evidence_network import sample

_MIN_PRESENCE: Final = 0.5
_TRACKING_ERROR_PX: Final = 4.0
_JOINT_ERRORS_PX: Final = (3, 8)
_OTHER_SCALE: Final = 1.1
_OTHER_TURN_RAD: Final = 0.25
_ALIGNED_BY: Final = 5


@dataclass(frozen=True)
class Looks:
    """N looks: inputs of ``EvidenceNetwork.judge``, and the truth about them.

    Attributes:
        local: float16 [N, 21, 424]; pooled: float16 [N, 1152].
        landmarks: [N, 63]; points_m: [N, 21, 3]; presence: [N, 1]; edge: [N, 21].
        keypoint_error: [N, 21, 2] over the region's size, against the truth as ``KEYPOINTS_FROM_JOINTS`` sees it.
        point_error: [N, 21, 3] beside the rotation and scale common to all joints [m].
        hidden: [N, 21] covered or outside the image; judged: [N, 21] keypoint inside the image.
        size_mm: [N] the region's size at the hand's depth [mm].
    """

    local: NDArray[np.float16]
    pooled: NDArray[np.float16]
    landmarks: NDArray[np.float32]
    points_m: NDArray[np.float32]
    presence: NDArray[np.float32]
    edge: NDArray[np.float32]
    keypoint_error: NDArray[np.float32]
    point_error: NDArray[np.float32]
    hidden: NDArray[np.bool_]
    judged: NDArray[np.bool_]
    size_mm: NDArray[np.float32]

    def rows(self, index: NDArray[np.integer] | slice) -> "Looks":
        """Some of the looks."""
        return Looks(*(getattr(self, item.name)[index] for item in fields(self)))

    @staticmethod
    def joined(parts: Iterable["Looks"]) -> "Looks":
        """All of them.

        Raises:
            DataError: there is none.
        """
        whole = list(parts)
        if not whole:
            raise DataError("no picture was taken for a hand, so that there is nothing to learn from; draw more")
        return Looks(*(np.concatenate([getattr(part, item.name) for part in whole]) for item in fields(Looks)))

    def save(self, path: Path) -> None:
        """Write them to an ``.npz`` file."""
        np.savez(path, **{item.name: getattr(self, item.name) for item in fields(self)})

    @staticmethod
    def load(path: Path) -> "Looks":
        """Read what :meth:`save` wrote."""
        with np.load(path) as file:
            return Looks(*(file[item.name] for item in fields(Looks)))


def look_at(hands: Iterable[CoveredHand], network: LandmarkNetwork, seed: int) -> Iterator[Looks]:
    """Look at each picture as a tracker does, in two regions; those taken for no hand are left out.

    Args:
        hands: pictures.
        network: that looks.
        seed: of the trackers' errors.
    """
    rng = np.random.default_rng(seed)
    for hand in hands:
        truth = hand.camera.project(hand.joints)
        shift = rng.normal(0, _TRACKING_ERROR_PX, 2)
        keypoints = truth + shift + rng.normal(0, rng.choice(_JOINT_ERRORS_PX), truth.shape)
        glances = int(rng.choice([1, 1, 1, 2]))
        for _ in range(1 + glances):
            seen = network.run(hand.image, roi_from_landmarks(keypoints))
            keypoints = seen.keypoints_px
            if seen.presence < _MIN_PRESENCE:
                break
        else:
            other = Roi(
                seen.roi.center_px,
                seen.roi.size_px * _OTHER_SCALE,
                wrap_angle(seen.roi.rotation_rad + _OTHER_TURN_RAD),
            )
            yield _account(hand, seen)
            yield _account(hand, network.run(hand.image, other))


def _account(hand: CoveredHand, seen: HandLandmarks) -> Looks:
    """One look beside the truth."""
    camera, size = hand.camera, seen.roi.size_px
    expected = camera.project(KEYPOINTS_FROM_JOINTS @ hand.joints)
    points = landmarks_from_crop(seen.points_crop, seen.roi, camera)
    truth = hand.joints - hand.joints[0]
    maps = tuple(torch.from_numpy(one) for one in seen.feature_maps)
    local = sample(maps, torch.from_numpy(seen.landmarks_crop))[0].numpy()
    return Looks(
        local=local[None].astype(np.float16),
        pooled=seen.features.astype(np.float16),
        landmarks=seen.landmarks_crop.astype(np.float32),
        points_m=seen.points_crop[None].astype(np.float32),
        presence=np.array([[seen.presence]], dtype=np.float32),
        edge=distance_to_edge(seen, camera)[None].astype(np.float32),
        keypoint_error=((seen.keypoints_px - expected) / size)[None].astype(np.float32),
        point_error=(aligned(points, truth, hand.hidden) - truth)[None].astype(np.float32),
        hidden=hand.hidden[None],
        judged=camera.contains(seen.keypoints_px)[None],
        size_mm=np.array([1e3 * size * hand.joints[:, 2].mean() / camera.focal_px], dtype=np.float32),
    )


def aligned(
    points: NDArray[np.float64], truth: NDArray[np.float64], hidden: NDArray[np.bool_]
) -> NDArray[np.float64]:
    """Points [21, 3] turned and scaled about the wrist onto the truth, judged by the joints in view."""
    used = ~hidden if np.count_nonzero(~hidden) > _ALIGNED_BY else np.ones(len(points), dtype=bool)
    turn, _ = Rotation.align_vectors(truth[used], points[used])
    turned = turn.apply(points)
    return np.asarray(turned * (turned[used] * truth[used]).sum() / (turned[used] ** 2).sum())
