# SPDX-FileCopyrightText: 2026 The hmp_ros authors
# SPDX-License-Identifier: Apache-2.0
"""``hand/mano_smoothed`` and ``hand/mano_predicted``: the hands a little in the past, and a little ahead."""

from collections import deque
from dataclasses import replace
from typing import Any

from rclpy.clock import Clock
from rclpy.publisher import Publisher

from hmp_core.estimate import FrameEstimate
from hmp_core.fitting.online import OnlineFitter
from hmp_core.media.message_fields import Timing
from hmp_ros import qos
from hmp_ros.messages import build_hand_array
from hmp_ros.msg import ManoHandArray
from hmp_ros.target_frame import Frame
from hmp_ros.topics import Topics


class ShiftedHands:
    """One message on both topics for each on ``hand/mano``; computed only while somebody subscribes.

    Args:
        clock: of the node that publishes.
        topics: of the same node.
        fitter: its fitter.
        target: frame that hands are published in.

    Attributes:
        lag_s: how far behind the newest image smoothed hands are [s]; may be changed at any time.
        horizon_s: how far ahead of the newest image predicted hands are [s]; may be changed at any time.
    """

    def __init__(self, clock: Clock, topics: Topics, fitter: OnlineFitter, target: Frame) -> None:
        self.lag_s = self.horizon_s = 0.0
        self._clock = clock
        self._fitter = fitter
        self._target = target
        self._waiting: deque[tuple[FrameEstimate, str, Timing]] = deque()
        self._smoothed = topics.publisher(ManoHandArray, "hand/mano_smoothed", qos.HANDS)
        self._predicted = topics.publisher(ManoHandArray, "hand/mano_predicted", qos.HANDS)

    def add(self, frame: FrameEstimate, frame_id: str, timing: Timing) -> None:
        """Take in what was just published on ``hand/mano``."""
        if self._predicted.get_subscription_count() > 0:
            self._publish(self._predicted, self._fitter.predict(frame, self.horizon_s), frame_id, timing)
        self._waiting.append((frame, frame_id, timing))
        self.publish_due(frame.stamp_ns)

    def publish_due(self, now_ns: int) -> None:
        """Publish the smoothed frames whose lag has passed.

        Args:
            now_ns: newest stamp, or the present time on its clock when images have stopped [ns].
        """
        lag_ns = round(self.lag_s * 1e9)
        while self._waiting and self._waiting[0][0].stamp_ns + lag_ns <= now_ns:
            frame, frame_id, timing = self._waiting.popleft()
            if self._smoothed.get_subscription_count() > 0:
                self._publish(self._smoothed, self._fitter.smooth(frame), frame_id, timing)

    def clear(self) -> None:
        """Forget what waits: time has started anew."""
        self._waiting.clear()

    def _publish(self, publisher: Publisher, frame: FrameEstimate, frame_id: str, timing: Timing) -> None:
        now_ns = self._clock.now().nanoseconds
        placed = self._target.place(frame, frame_id)
        message: Any = build_hand_array(*placed, replace(timing, published_ns=now_ns))
        publisher.publish(message)
