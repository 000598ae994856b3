# SPDX-FileCopyrightText: 2026 The hmp_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The real-time fitter: observations of whole images in, estimates of all hands out."""

import time
from dataclasses import replace
from typing import Final

import torch

from hmp_core.estimate import FrameEstimate, HandEstimate
from hmp_core.fitting.config import FitterConfig
from hmp_core.fitting.hand_length import hand_length
from hmp_core.fitting.hand_track import HandTrack
from hmp_core.fitting.made_up_hand import made_up_images
from hmp_core.fitting.shape_prior import HandShape, ShapePrior
from hmp_core.fitting.window_model import WindowModel
from hmp_core.hand.model import HandModel
from hmp_core.hand.so3 import right_jacobian, right_jacobian_inverse
from hmp_core.observation import FrameObservation
from hmp_core.prior.prior import MotionPrior

MAX_TRACKS: Final = 16
"""Most hands followed at a time, those that are hidden included; each costs a solve an image."""


class OnlineFitter:
    """Follows every hand that perception tracks.

    ``observe`` takes evidence in and is cheap; ``solve`` works on the newest stamp. A caller that falls behind
    observes everything and solves less often: evidence is never dropped. Results are deterministic for a given
    input and thread count. ``prepare``, between the images, keeps some solves short.

    Attributes:
        repeated_stamps: images ignored because their stamp had been seen.
        resets: how often stamps ran backwards (a bag that loops) and everything was forgotten.
        extra_hands: observations of new hands while ``MAX_TRACKS`` were followed, which are left out.
    """

    def __init__(self, hand_model: HandModel, prior: MotionPrior, config: FitterConfig | None = None) -> None:
        self.config = config if config is not None else FitterConfig()
        self.repeated_stamps = 0
        self.resets = 0
        self.extra_hands = 0
        self._model = WindowModel(hand_model, prior, self.config.latent_directions)
        self.reset()

    def reconfigure(self, config: FitterConfig) -> None:
        """Another configuration from the next image on; hands that are followed stay, and move to where it wants
        them no faster than ``blend_speed``; only their bones change at once.
        """
        self.config = config
        for track in self._tracks.values():
            track.reconfigure(config)

    @property
    def hand_shape(self) -> HandShape:
        """What hands begin with: the shape that is held, or an average one, as long as was measured."""
        mean = ShapePrior.of_hand(self.config, self._model.kinematics).mean
        return HandShape(tuple(mean.tolist()), hand_length(self._model.kinematics, mean)[0])

    def warm_up(self) -> None:
        """Follow a made-up hand for some images, so that no real one waits; all hands are forgotten.

        Compiled loops are loaded at their first call, and compiled where no earlier process has kept them, which
        takes up to a minute.
        """
        for observation in made_up_images(self._model.kinematics):
            self.update(observation)
        with torch.inference_mode():
            for seldom in (right_jacobian, right_jacobian_inverse):
                seldom(torch.zeros(1, 3, dtype=torch.float64))
        self.reset()

    def reset(self) -> None:
        """Forget all hands."""
        self._tracks: dict[int, HandTrack] = {}
        self._stamp_ns: int | None = None
        self._period_ns = 0  # between the newest two images
        self._stage_ms: dict[str, float] = {}
        self._expired_to_ns: int | None = None

    def update(self, observation: FrameObservation) -> FrameEstimate:
        """Observe, solve, and prepare for the next image."""
        self.observe(observation)
        estimate = self.solve()
        self.prepare()
        return estimate

    def observe(self, observation: FrameObservation) -> None:
        """Take one image's evidence in."""
        if self._stamp_ns is not None and observation.stamp_ns <= self._stamp_ns:
            if observation.stamp_ns == self._stamp_ns:
                self.repeated_stamps += 1
                return
            self.resets += 1
            self.reset()
        if self._stamp_ns is not None:
            self._period_ns = observation.stamp_ns - self._stamp_ns
        self._stamp_ns = observation.stamp_ns
        self._stage_ms = dict(observation.stage_ms)
        self._expired_to_ns = None
        for hand in observation.hands:
            if hand.track_id not in self._tracks:
                if len(self._tracks) == MAX_TRACKS:
                    self.extra_hands += 1
                    continue
                self._tracks[hand.track_id] = HandTrack(hand.track_id, self._model, self.config)
            self._tracks[hand.track_id].observe(observation.stamp_ns, hand, observation.camera)

    @torch.inference_mode()  # small tensors: what autograd keeps for each costs as much as many an operation
    def solve(self) -> FrameEstimate:
        """Estimates at the newest observed stamp.

        Raises:
            RuntimeError: before the first observation.
        """
        if self._stamp_ns is None:
            raise RuntimeError("nothing observed yet: call observe() first")
        began = time.perf_counter()
        self._drop_departed(self._stamp_ns)
        hands = [track.solve(self._stamp_ns) for track in self._tracks.values()]
        spent_ms = (time.perf_counter() - began) * 1e3
        return self._frame(self._stamp_ns, hands, {**self._stage_ms, "optimize": spent_ms})

    @torch.inference_mode()
    def prepare(self) -> None:
        """What the next image would otherwise wait for: call when the estimates are on their way.

        The next image is expected as long after the last one as that came after the one before it.
        """
        if self._stamp_ns is not None and self._period_ns > 0:
            for track in self._tracks.values():
                track.prepare(self._stamp_ns + self._period_ns)

    @torch.inference_mode()
    def revise(self, frame: FrameEstimate) -> FrameEstimate:
        """An earlier frame as the present windows see it: fixed-lag smoothing, two-sided inside a gap."""
        hands = [
            self._tracks[hand.track_id].revise(frame.stamp_ns, hand) if hand.track_id in self._tracks else hand
            for hand in frame.hands
        ]
        return replace(frame, hands=tuple(hands))

    @torch.inference_mode()
    def smooth(self, frame: FrameEstimate) -> FrameEstimate:
        """As :meth:`revise`, for frames in order, without jumps where a window has changed its mind."""
        hands = [
            self._tracks[hand.track_id].smooth(frame.stamp_ns, hand) if hand.track_id in self._tracks else hand
            for hand in frame.hands
        ]
        return replace(frame, hands=tuple(hands))

    @torch.inference_mode()
    def predict(self, frame: FrameEstimate, horizon_s: float) -> FrameEstimate:
        """The frame that was solved last, ``horizon_s`` ahead; hands that were seen become PREDICTED."""
        if horizon_s == 0:
            return frame
        hands = [
            self._tracks[hand.track_id].predict(frame.stamp_ns, hand, horizon_s)
            for hand in frame.hands
            if hand.track_id in self._tracks
        ]
        return FrameEstimate(frame.stamp_ns + round(horizon_s * 1e9), tuple(hands), frame.stage_ms)

    def expire(self, now_ns: int) -> FrameEstimate | None:
        """What to publish when images have stopped.

        Args:
            now_ns: present time on the clock of the stamps [ns].

        Returns:
            Once, LOST hands stamped the time-out after the last image; once, an empty frame when they leave;
            None in between, and while images may still come.
        """
        if self._stamp_ns is None or not self._tracks:
            return None
        lost_ns = self._stamp_ns + round(self.config.infill_timeout_s * 1e9) + 1
        gone_ns = lost_ns + round(self.config.lost_duration_s * 1e9)
        if now_ns >= gone_ns and self._expired_to_ns is not None:
            self._tracks.clear()
            return FrameEstimate(gone_ns)
        if now_ns >= lost_ns and self._expired_to_ns is None:
            self._expired_to_ns = lost_ns
            self._drop_departed(lost_ns)
            return self._frame(lost_ns, [track.lost(lost_ns) for track in self._tracks.values()], {})
        return None

    def _drop_departed(self, stamp_ns: int) -> None:
        patience_ns = round((self.config.infill_timeout_s + self.config.lost_duration_s) * 1e9)
        for track_id, track in list(self._tracks.items()):
            seen_ns = track.last_seen_ns
            if seen_ns is None or stamp_ns - seen_ns > patience_ns:
                del self._tracks[track_id]

    @staticmethod
    def _frame(stamp_ns: int, hands: list[HandEstimate | None], stage_ms: dict[str, float]) -> FrameEstimate:
        return FrameEstimate(stamp_ns, tuple(hand for hand in hands if hand is not None), stage_ms)
