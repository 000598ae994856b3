# SPDX-FileCopyrightText: 2026 The hmp_ros authors
# SPDX-License-Identifier: Apache-2.0
"""An image in, hand observations out."""

import time
from typing import Final, Protocol

import cv2
import numpy as np

from hmp_core.camera import Camera
from hmp_core.errors import ImageError
from hmp_core.frame import Frame
from hmp_core.hand.skeleton import NUM_JOINTS
from hmp_core.observation import FrameObservation, HandObservation
from hmp_core.perception.config import PerceptionConfig
from hmp_core.perception.evidence import weigh
from hmp_core.perception.evidence_head import EvidenceHead
from hmp_core.perception.landmark_frame import landmarks_from_crop
from hmp_core.perception.landmark_network import LandmarkNetwork
from hmp_core.perception.palm_detector import PalmDetector
from hmp_core.perception.track import Track
from hmp_core.perception.tracker import HandTracker, PerceptionCounters, Sighting

_DEFAULTS: Final = PerceptionConfig()


class PoseInitializer(Protocol):
    """Completes what the landmark network saw of one hand."""

    def observe(self, frame: Frame, hand: HandObservation) -> HandObservation:
        """Give the observation its MANO pose, from its points or from the image.

        A hand that the landmark network lost sight of comes without evidence (all sigmas inf); an initializer that
        sees it in the image gives it keypoints too. Whoever has no honest pose returns the observation as it is.
        """


class HandPerception:
    """Finds and follows hands in a stream of images; one instance a stream.

    Args:
        config: thresholds and intervals.
        initializer: gives observations their MANO pose once the side is known; without one ``initial`` stays None.

    Raises:
        AssetError: when a shipped network is missing or altered.
    """

    def __init__(self, config: PerceptionConfig = _DEFAULTS, initializer: PoseInitializer | None = None) -> None:
        # Further threads would only take the cores from the solver.
        cv2.setNumThreads(1)
        self.counters = PerceptionCounters()
        self._tracker = HandTracker(config, PalmDetector(config.min_palm_score), LandmarkNetwork(), self.counters)
        self._evidence = EvidenceHead()
        self._initializer = initializer
        self._last: tuple[int, Camera] | None = None

    def reconfigure(self, config: PerceptionConfig) -> None:
        """Other thresholds and intervals from the next image on; hands that are followed stay."""
        self._tracker.reconfigure(config)

    def reset(self) -> None:
        """Forget all hands, as at the start of a stream."""
        self._tracker.reset()
        self._last = None

    def process(self, frame: Frame) -> FrameObservation:
        """Observe the hands in the next image.

        A stamp before that of the last image, or another image size, starts afresh (counted).

        Raises:
            ImageError: when the image cannot be used or repeats the last stamp; count it and go on.
        """
        self._admit(frame)
        started = time.perf_counter()
        sightings = self._tracker.update(frame.image, frame.stamp_ns)
        hands = [self._observe(frame, sighting) for sighting in sightings]
        detected = time.perf_counter()
        if self._initializer is not None:
            hands = self._initialize(frame, hands, self._initializer)
        finished = time.perf_counter()
        self.counters.images += 1
        stage_ms = {"detect": 1e3 * (detected - started), "initialize": 1e3 * (finished - detected)}
        return FrameObservation(frame.stamp_ns, frame.camera, tuple(hands), stage_ms)

    def _admit(self, frame: Frame) -> None:
        """Refuse what cannot be used; start afresh where the stream does."""
        image, camera = frame.image, frame.camera
        if image.dtype != np.uint8 or image.shape != (camera.height, camera.width, 3):
            self.counters.unusable_images += 1
            raise ImageError(
                f"an image of shape {image.shape} and type {image.dtype} is not a uint8 BGR image of "
                f"{camera.width}x{camera.height}; convert it or correct the camera's size"
            )
        if self._last is not None:
            last_ns, last_camera = self._last
            if frame.stamp_ns == last_ns:
                self.counters.repeated_stamps += 1
                raise ImageError(f"two images have the stamp {frame.stamp_ns} ns; the second is left out")
            resized = (camera.width, camera.height) != (last_camera.width, last_camera.height)
            if frame.stamp_ns < last_ns or resized:
                self.counters.resets += 1
                self._tracker.reset()
        self._last = (frame.stamp_ns, camera)

    def _observe(self, frame: Frame, sighting: Sighting) -> HandObservation:
        """Weigh a sighting and bring it into the camera's axes."""
        landmarks, vote = sighting.landmarks, sighting.track.vote
        evidence = weigh(landmarks, self._evidence.judge(landmarks, frame.camera), frame.camera)
        return HandObservation(
            track_id=sighting.track.id,
            side=vote.side,
            side_score=vote.score,
            presence=landmarks.presence,
            roi=landmarks.roi,
            keypoints_px=landmarks.keypoints_px,
            keypoint_sigma_px=evidence.keypoint_sigma_px,
            landmarks_m=landmarks_from_crop(landmarks.points_crop, landmarks.roi, frame.camera),
            landmark_sigma_m=evidence.landmark_sigma_m,
        )

    def _initialize(
        self, frame: Frame, hands: list[HandObservation], initializer: PoseInitializer
    ) -> list[HandObservation]:
        """The observations with their poses, and hands that only the initializer sees."""
        completed = [hand if hand.side is None else initializer.observe(frame, hand) for hand in hands]
        for track in self._tracker.out_of_sight():
            hand = initializer.observe(frame, _unseen(track, frame.stamp_ns))
            if hand.initial is not None:
                completed.append(hand)
        return completed


def _unseen(track: Track, stamp_ns: int) -> HandObservation:
    """An observation without evidence, in the region where the hand should be."""
    return HandObservation(
        track_id=track.id,
        side=track.vote.side,
        side_score=track.vote.score,
        presence=0.0,
        roi=track.probe_roi(stamp_ns),
        keypoints_px=np.full((NUM_JOINTS, 2), np.nan),
        keypoint_sigma_px=np.full(NUM_JOINTS, np.inf),
        landmarks_m=np.full((NUM_JOINTS, 3), np.nan),
        landmark_sigma_m=np.full(NUM_JOINTS, np.inf),
    )
