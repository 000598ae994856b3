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
from hmp_core.perception.operator import Operator, SeenHand, choose
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
_RECONSIDER_S: Final = 5.0
"""A hand that was set aside gets a new hearing after this time: its side may have been misjudged."""
_SAME_HAND_JOINTS: Final = 10
"""Two hands are one when ten joints coincide to a fifth of the palm (MediaPipe's deduplication)."""


@dataclass
class PerceptionCounters:
    """What perception has met since it was made; readable at any time.

    Attributes:
        images: images processed.
        palm_searches: runs of the palm detector.
        extra_hands: palms left out because ``max_hands`` hands were followed.
        bystanders: hands set aside as not wanted, or not the operator's.
        duplicates: second sightings of one hand, dropped.
        invalid_outputs: network results with a NaN or an infinity, skipped.
        repeated_stamps: images refused because their stamp is that of the image before.
        unusable_images: images refused for their type or size.
        resets: restarts after stamps that ran backwards or a change of resolution.
    """

    images: int = 0
    palm_searches: int = 0
    extra_hands: int = 0
    bystanders: int = 0
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
        """Find the hands of the next image (BGR); stamps must increase. Oldest track first.

        Hands that do not count are set aside: they take no place of others, and are looked at only when palms are
        searched, to know them again.
        """
        self._tracks = [t for t in self._tracks if self._remembered(t, stamp_ns)]
        own = [track for track in self._tracks if track.aside_ns is None]
        sightings: list[Sighting] = []
        for track in sorted(own, key=lambda t: not t.followed):
            if len(sightings) == self._config.max_hands:
                break
            landmarks = self._follow(image, track, stamp_ns)
            if landmarks is not None:
                sightings.append(Sighting(track, landmarks))
        sightings = self._without_duplicates(sightings)
        seen = {sighting.track.id for sighting in sightings}
        lost = [track for track in own if track.id not in seen]
        if self._search_is_due(len(sightings), bool(lost), stamp_ns):
            self._last_search_ns = stamp_ns
            sightings += self._search(image, sightings, lost, stamp_ns)
        for track in lost:
            track.lose()
        for sighting in sightings:
            sighting.track.see(sighting.landmarks, stamp_ns)
        return sorted(self._without_bystanders(sightings, stamp_ns), key=lambda s: s.track.id)

    def out_of_sight(self) -> list[Track]:
        """Hands of a known side that the newest image did not show to the landmark network, within its patience."""
        own = [track for track in self._tracks if track.aside_ns is None]
        return [track for track in own if not track.followed and track.vote.side is not None]

    def _remembered(self, track: Track, stamp_ns: int) -> bool:
        heard = track.aside_ns is None or stamp_ns - track.aside_ns <= _RECONSIDER_S * 1e9
        return heard and track.unseen_s(stamp_ns) <= self._config.patience_s

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
        aside: list[Sighting] = []
        rois = [palm.hand_roi() for palm in self._palms.detect(image)]
        if self._config.operator is Operator.NEAREST:
            rois.sort(key=lambda roi: -roi.size_px)
        for roi in rois:
            known = followed + found + aside
            if roi.size_px < _MIN_ROI_PX or any(overlap(roi, s.landmarks.roi) > _SAME_ROI for s in known):
                continue
            if len(followed) + len(found) >= self._config.max_hands:
                self._counters.extra_hands += 1
                continue
            landmarks = self._look(image, roi)
            if landmarks is None:
                continue
            if any(_same_hand(landmarks, s.landmarks) for s in known):
                self._counters.duplicates += 1
                continue
            track = self._recall(landmarks, lost, {s.track.id for s in aside}, stamp_ns)
            (found if track.aside_ns is None else aside).append(Sighting(track, landmarks))
        for sighting in aside:
            sighting.track.see(sighting.landmarks, stamp_ns)
        return found

    def _recall(self, landmarks: HandLandmarks, lost: list[Track], taken: set[int], stamp_ns: int) -> Track:
        """The lost track, or the one set aside and not yet ``taken``, that a sighting continues, or a new one."""
        aside = [track for track in self._tracks if track.aside_ns is not None and track.id not in taken]
        candidates = lost + aside
        costs = [
            # A hand that was set aside for its side is not known again by a hand of the other.
            t.distance(landmarks.roi, stamp_ns) + (1 + (t in aside)) * t.vote.contradiction(landmarks.right)
            for t in candidates
        ]
        if costs and min(costs) <= 1:
            track = candidates[int(np.argmin(costs))]
            if track in lost:
                lost.remove(track)
            return track
        track = Track(self._next_id, landmarks, stamp_ns)
        self._next_id += 1
        self._tracks.append(track)
        return track

    def _without_bystanders(self, sightings: list[Sighting], stamp_ns: int) -> list[Sighting]:
        """Set aside the hands that do not count."""
        seen = [
            SeenHand(s.track.id, s.track.vote.side, s.landmarks.roi.center_px, s.landmarks.pixels_per_metre)
            for s in sightings
        ]
        chosen = choose(seen, self._config.hands, self._config.operator)
        for sighting in sightings:
            if sighting.track.id not in chosen:
                self._counters.bystanders += 1
                sighting.track.aside_ns = stamp_ns
        return [sighting for sighting in sightings if sighting.track.id in chosen]

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
