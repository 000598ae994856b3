# SPDX-FileCopyrightText: 2026 The hmp_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Follows hands from image to image, and searches for palms only when there is a reason to."""

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from hmp_core.hand.skeleton import WRIST
from hmp_core.observation import Roi
from hmp_core.perception.config import PerceptionConfig
from hmp_core.perception.landmark_network import HandLandmarks, LandmarkNetwork
from hmp_core.perception.palm_detector import PalmDetector
from hmp_core.perception.roi import overlap
from hmp_core.perception.track import Track

_SAME_ROI: Final = 0.5
"""Overlap beyond which a palm belongs to a hand that is followed already (MediaPipe's default)."""
_UNMOVED_ROI: Final = 0.9
_MIN_JOINTS_INSIDE: Final = 5
_MIN_ROI_PX: Final = 16.0
_PALM_CORNERS: Final = (WRIST, 5, 17)
_SAME_JOINT: Final = 0.2
_SAME_HAND_JOINTS: Final = 10
"""Two hands are one when ten joints coincide to a fifth of the palm (MediaPipe's deduplication)."""


@dataclass
class PerceptionCounters:
    """What perception has met since it was made; readable at any time.

    Attributes:
        images: images processed.
        palm_searches: runs of the palm detector.
        extra_hands: palms left out because ``max_hands`` hands were followed.
        duplicates: second sightings of one hand, dropped.
        invalid_outputs: network results with a NaN or an infinity, skipped.
        repeated_stamps: images refused because their stamp is that of the image before.
        unusable_images: images refused for their type or size.
        resets: restarts after stamps that ran backwards or a change of resolution.
    """

    images: int = 0
    palm_searches: int = 0
    extra_hands: int = 0
    duplicates: int = 0
    invalid_outputs: int = 0
    repeated_stamps: int = 0
    unusable_images: int = 0
    resets: int = 0


@dataclass(frozen=True)
class Sighting:
    """A tracked hand in one image."""

    track: Track
    landmarks: HandLandmarks


class HandTracker:
    """Keeps up to ``max_hands`` hands apart over time.

    Args:
        config: thresholds and intervals.
        palms: the palm detector.
        network: the landmark network.
        counters: written to while tracking.
    """

    def __init__(
        self, config: PerceptionConfig, palms: PalmDetector, network: LandmarkNetwork, counters: PerceptionCounters
    ) -> None:
        self._config = config
        self._palms = palms
        self._network = network
        self._counters = counters
        self._next_id = 0
        self.reset()

    def reconfigure(self, config: PerceptionConfig) -> None:
        """Other thresholds and intervals from the next image on; hands that are followed stay."""
        self._config = config
        self._palms.min_score = config.min_palm_score

    def reset(self) -> None:
        """Forget all hands; ids go on counting, so that no two hands ever share one."""
        self._tracks: list[Track] = []
        self._last_search_ns: int | None = None

    def update(self, image: NDArray[np.uint8], stamp_ns: int) -> list[Sighting]:
        """Find the hands of the next image (BGR); stamps must increase. Oldest track first."""
        self._tracks = [t for t in self._tracks if t.unseen_s(stamp_ns) <= self._config.patience_s]
        sightings: list[Sighting] = []
        for track in sorted(self._tracks, key=lambda t: not t.followed):
            if len(sightings) == self._config.max_hands:
                break
            landmarks = self._follow(image, track, stamp_ns)
            if landmarks is not None:
                sightings.append(Sighting(track, landmarks))
        sightings = self._without_duplicates(sightings)
        seen = {sighting.track.id for sighting in sightings}
        lost = [track for track in self._tracks if track.id not in seen]
        if self._search_is_due(len(sightings), bool(lost), stamp_ns):
            self._last_search_ns = stamp_ns
            sightings += self._search(image, sightings, lost, stamp_ns)
        for track in lost:
            track.lose()
        for sighting in sightings:
            sighting.track.see(sighting.landmarks, stamp_ns)
        return sorted(sightings, key=lambda s: s.track.id)

    def out_of_sight(self) -> list[Track]:
        """Hands of a known side that the newest image did not show to the landmark network, within its patience."""
        return [track for track in self._tracks if not track.followed and track.vote.side is not None]

    def _follow(self, image: NDArray[np.uint8], track: Track, stamp_ns: int) -> HandLandmarks | None:
        """Look where the hand was in the last image, then where its motion would have carried it."""
        probe = track.probe_roi(stamp_ns)
        if not track.followed:
            return self._look(image, probe)
        landmarks = self._look(image, track.roi)
        if landmarks is None and overlap(probe, track.roi) < _UNMOVED_ROI:
            landmarks = self._look(image, probe)
        return landmarks

    def _look(self, image: NDArray[np.uint8], roi: Roi) -> HandLandmarks | None:
        """Run the network on a region; None when it shows no hand."""
        landmarks = self._network.run(image, roi)
        if not landmarks.finite:
            self._counters.invalid_outputs += 1
            return None
        height, width = image.shape[:2]
        inside = ((landmarks.keypoints_px >= 0) & (landmarks.keypoints_px < (width, height))).all(axis=1)
        hand = landmarks.presence >= self._config.min_presence and np.count_nonzero(inside) >= _MIN_JOINTS_INSIDE
        return landmarks if hand and np.ptp(landmarks.keypoints_px, axis=0).max() >= _MIN_ROI_PX / 2 else None

    def _search_is_due(self, followed: int, some_lost: bool, stamp_ns: int) -> bool:
        if followed >= self._config.max_hands:
            return False
        if followed == 0 or self._last_search_ns is None:
            return True
        interval = self._config.reacquire_interval_s if some_lost else self._config.search_interval_s
        return stamp_ns - self._last_search_ns >= interval * 1e9

    def _search(
        self, image: NDArray[np.uint8], followed: list[Sighting], lost: list[Track], stamp_ns: int
    ) -> list[Sighting]:
        """Look for palms beside the hands that are followed; takes hands that come back out of ``lost``."""
        self._counters.palm_searches += 1
        found: list[Sighting] = []
        for palm in self._palms.detect(image):
            roi = palm.hand_roi()
            if roi.size_px < _MIN_ROI_PX or any(
                overlap(roi, s.landmarks.roi) > _SAME_ROI for s in followed + found
            ):
                continue
            if len(followed) + len(found) >= self._config.max_hands:
                self._counters.extra_hands += 1
                continue
            landmarks = self._look(image, roi)
            if landmarks is None:
                continue
            if any(_same_hand(landmarks, s.landmarks) for s in followed + found):
                self._counters.duplicates += 1
                continue
            track = self._recall(landmarks, lost, stamp_ns)
            found.append(Sighting(track, landmarks))
        return found

    def _recall(self, landmarks: HandLandmarks, lost: list[Track], stamp_ns: int) -> Track:
        """The lost track that a new sighting continues, or a new one."""
        costs = [t.distance(landmarks.roi, stamp_ns) + t.vote.contradiction(landmarks.right) for t in lost]
        if costs and min(costs) <= 1:
            return lost.pop(int(np.argmin(costs)))
        track = Track(self._next_id, landmarks, stamp_ns)
        self._next_id += 1
        self._tracks.append(track)
        return track

    def _without_duplicates(self, sightings: list[Sighting]) -> list[Sighting]:
        """Two tracks that slid onto one hand: it stays with the followed one, then the one whose side fits."""
        kept: list[Sighting] = []
        order = [(not s.track.followed, s.track.vote.contradiction(s.landmarks.right)) for s in sightings]
        for index in sorted(range(len(sightings)), key=order.__getitem__):
            sighting = sightings[index]
            if any(_same_hand(sighting.landmarks, other.landmarks) for other in kept):
                self._counters.duplicates += 1
            else:
                kept.append(sighting)
        return kept


def _same_hand(first: HandLandmarks, second: HandLandmarks) -> bool:
    """Whether two sightings show one hand: many of their joints coincide."""
    palms = [hand.keypoints_px[_PALM_CORNERS, :] for hand in (first, second)]
    size = max(float(np.linalg.norm(palm - np.roll(palm, 1, axis=0), axis=1).max()) for palm in palms)
    distances = np.linalg.norm(first.keypoints_px - second.keypoints_px, axis=1)
    return bool(np.count_nonzero(distances < _SAME_JOINT * size) >= _SAME_HAND_JOINTS)
