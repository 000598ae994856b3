# SPDX-FileCopyrightText: 2026 The hmp_ros authors
# SPDX-License-Identifier: Apache-2.0
"""One hand over time: where to look for it next, and whether something seen is it."""

from typing import Final

import numpy as np

from hmp_core.observation import Roi
from hmp_core.perception.landmark_network import HandLandmarks
from hmp_core.perception.roi import interpolate_roi, roi_from_landmarks
from hmp_core.perception.side_vote import SideVote

_REACH_PER_SECOND: Final = 3.0
"""A hand moves by up to this many region sizes in a second (fast motion at arm's length is about 3 m/s)."""
_REACH: Final = 0.35
_MAX_SIZE_RATIO: Final = 2.0
_MAX_PROBE_STEPS: Final = 2.0
"""Motion is extrapolated by no more than this many image intervals: hands turn round."""


class Track:
    """Identity, region and side of one hand.

    Attributes:
        id: identity over time.
        followed: the landmark network saw it in the newest image.
        vote: left or right.
        aside_ns: since when it is a hand that does not count, None for one that does [ns].
    """

    def __init__(self, track_id: int, landmarks: HandLandmarks, stamp_ns: int) -> None:
        self.id = track_id
        self.followed = False
        self.vote = SideVote()
        self.aside_ns: int | None = None
        self._previous: tuple[int, Roi] | None = None
        self._last: tuple[int, Roi] = (stamp_ns, roi_from_landmarks(landmarks.keypoints_px))

    def see(self, landmarks: HandLandmarks, stamp_ns: int) -> None:
        """Take in what the network saw in an image."""
        # Motion across a gap is no velocity: start anew behind one.
        self._previous = self._last if self.followed else None
        self._last = (stamp_ns, roi_from_landmarks(landmarks.keypoints_px))
        self.followed = True
        self.vote.add(landmarks.right)

    def lose(self) -> None:
        """The network did not see it in this image."""
        self.followed = False

    def unseen_s(self, stamp_ns: int) -> float:
        """Time since it was last seen [s]."""
        return (stamp_ns - self._last[0]) / 1e9

    @property
    def roi(self) -> Roi:
        """Region around the newest landmarks: where MediaPipe looks in the next image."""
        return self._last[1]

    def probe_roi(self, stamp_ns: int) -> Roi:
        """Where it should be now if it kept its velocity for a moment and then stood still."""
        if self._previous is None:
            return self.roi
        (before_ns, before), (after_ns, after) = self._previous, self._last
        interval = max(after_ns - before_ns, 1)
        steps = min((stamp_ns - after_ns) / interval, _MAX_PROBE_STEPS)
        return interpolate_roi(before, after, 1 + steps)

    def distance(self, roi: Roi, stamp_ns: int) -> float:
        """How far a region is from this hand, in units of what the hand can have moved since; above 1: not it."""
        ratio = max(roi.size_px / self.roi.size_px, self.roi.size_px / roi.size_px)
        if ratio > _MAX_SIZE_RATIO:
            return float("inf")
        reach = (_REACH + _REACH_PER_SECOND * self.unseen_s(stamp_ns)) * max(roi.size_px, self.roi.size_px)
        return float(np.linalg.norm(roi.center_px - self.roi.center_px)) / reach
