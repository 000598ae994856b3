# SPDX-FileCopyrightText: 2026 The hmp_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Node from evidence to hands: ``hand/observations`` to ``hand/mano*``, through the sliding-window fitter."""

import sys
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

from diagnostic_msgs.msg import DiagnosticArray
from visualization_msgs.msg import MarkerArray

from hmp_core.assets import asset_path
from hmp_core.assets.manifest import file_sha256
from hmp_core.errors import HmpError
from hmp_core.estimate import FrameEstimate, HandStatus
from hmp_core.fitting.config import FitterConfig
from hmp_core.fitting.online import OnlineFitter
from hmp_core.hand.loading import load_hand_model
from hmp_core.prior.prior import SHIPPED_PRIOR, load_prior
from hmp_core.threads import use_one_thread
from hmp_ros import diagnostics, qos
from hmp_ros.executable import run
from hmp_ros.logs import Faults
from hmp_ros.mailbox import Mailbox
from hmp_ros.markers import build_markers
from hmp_ros.messages import build_hand_array, build_info
from hmp_ros.msg import HandObservationArray, ManoHandArray, ManoInfo
from hmp_ros.observed_frame import ObservedFrame
from hmp_ros.parameters import declare, parameter
from hmp_ros.shifted_hands import ShiftedHands
from hmp_ros.stamps import Arrival, StampGuard
from hmp_ros.worker_node import WorkerNode
from hmp_ros.wrist_tf import WristBroadcaster

_EXPIRE_S: Final = 0.05
_FITTER: Final = FitterConfig()


@dataclass(frozen=True)
class WindowParameters:
    """Parameters of ``window_node``; the metadata of each field describes it."""

    mano_path: str = parameter("", "Your MANO_RIGHT.pkl; empty: the shipped open hand.")
    prior_path: str = parameter("", "Weights of a motion prior (.safetensors); empty: the shipped ones.")
    hand_length_m: float = parameter(
        _FITTER.hand_length_m,
        "Wrist to middle knuckle of whoever is seen, 0.05 to 0.15; 0: not measured [m].",
        0.0,
        0.15,
    )
    window_s: float = parameter(_FITTER.window_s, "Time span of the evidence in a window [s].", 0.5, 10.0)
    max_steps: int = parameter(_FITTER.max_steps, "Time steps in a window at most.", 6, 128)
    iterations: int = parameter(_FITTER.iterations, "Gauss-Newton iterations an image.", 1, 50)
    infill_timeout_s: float = parameter(
        _FITTER.infill_timeout_s, "Age of the last evidence after which a hand is LOST [s].", 0.05, 3600.0
    )
    lost_duration_s: float = parameter(
        _FITTER.lost_duration_s, "How long LOST is published before the hand leaves the list [s].", 0.0, 60.0
    )
    smoothing_lag_s: float = parameter(
        0.2,
        "How far behind the newest image hand/mano_smoothed is [s]; what came since makes it smoother.",
        0.0,
        1.0,
    )
    prediction_horizon_s: float = parameter(
        0.05, "How far ahead of the newest image hand/mano_predicted is [s].", 0.0, 0.15
    )
    publish_tf: bool = parameter(False, "Broadcast hand_left_wrist, hand_right_wrist (needs tf2_ros).")


class WindowNode(WorkerNode):
    """Takes in every observation and solves at the newest one; a solve that comes too late is skipped, counted.

    Args:
        subscribe: False where :meth:`receive` is called directly, in the initializer's process.
        options: of ``rclpy.node.Node``.

    Raises:
        ConfigError: a parameter is out of range.
        AssetError, HandModelError: a model file cannot be used.
    """

    def __init__(self, subscribe: bool = True, **options: Any) -> None:
        super().__init__("window_node", **options)
        self.parameters = parameters = declare(self, WindowParameters)
        use_one_thread()
        self.get_logger().info("loading models")
        hand_model = load_hand_model(Path(parameters.mano_path) if parameters.mano_path else None)
        prior_path = Path(parameters.prior_path) if parameters.prior_path else asset_path(SHIPPED_PRIOR)
        self._fitter = OnlineFitter(hand_model, load_prior(prior_path), _fitter_config(parameters))
        self._mailbox: Mailbox[tuple[ObservedFrame, int]] = Mailbox(capacity=None)
        self._guard = StampGuard()
        self._faults = Faults(self.get_logger())
        self._newest: tuple[ObservedFrame, int] | None = None
        self._published_ns: int | None = None
        self._dropped_solves = 0
        self._solved = self._infilled = 0
        self._spent_ms = 0.0
        self._hands = self.create_publisher(ManoHandArray, "hand/mano", qos.HANDS)
        self._shifted = ShiftedHands(
            self, self._fitter, parameters.smoothing_lag_s, parameters.prediction_horizon_s
        )
        self._markers = self.create_publisher(MarkerArray, "hand/markers", qos.HANDS)
        self._info = self.create_publisher(ManoInfo, "hand/info", qos.LATCHED)
        self._diagnostics = self.create_publisher(DiagnosticArray, "/diagnostics", qos.HANDS)
        self._wrists = WristBroadcaster(self) if parameters.publish_tf else None
        self._info.publish(
            build_info(hand_model.name, file_sha256(prior_path), parameters.window_s, parameters.infill_timeout_s)
        )
        if subscribe:
            self.create_subscription(
                HandObservationArray, "hand/observations", self._on_observations, qos.OBSERVATIONS
            )
        self.create_timer(diagnostics.PERIOD_S, self._diagnose)
        self.get_logger().info(f"ready: publishing {self._hands.topic_name}")

    def receive(self, observed: ObservedFrame) -> None:
        """Leave an observation for the worker; from any thread."""
        self._mailbox.put((observed, self.get_clock().now().nanoseconds))

    def work(self) -> None:
        """Observe and solve until interrupted; without images, let hands expire."""
        while not self._mailbox.closed:
            items = self._mailbox.take(_EXPIRE_S)
            if items:
                self._take_in(items)
            elif self._newest is not None:
                self._expire(*self._newest)

    def interrupt(self) -> None:
        """Let :meth:`work` end."""
        self._mailbox.close()

    def _on_observations(self, message: HandObservationArray) -> None:
        try:
            self.receive(ObservedFrame.from_message(message))
        except HmpError as error:
            self._faults.add(type(error).__name__, error)

    def _take_in(self, items: Sequence[tuple[ObservedFrame, int]]) -> None:
        accepted = 0
        for item in items:
            observation = item[0].observation
            arrival = self._guard.check(observation.stamp_ns)
            if arrival in (Arrival.REPEATED, Arrival.LATE):
                self._faults.add(arrival.value, f"observation stamped {observation.stamp_ns} ns")
                continue
            if arrival is Arrival.RESTART:
                self.get_logger().warning("time ran backwards (a bag that loops?): hands start anew")
                self._fitter.reset()
                self._shifted.clear()
                self._published_ns, accepted = None, 0
            self._fitter.observe(observation)
            self._newest = item
            accepted += 1
        if self._newest is not None and accepted:
            self._dropped_solves += accepted - 1
            estimate = self._fitter.solve()
            self._spent_ms = estimate.stage_ms.get("optimize", 0.0)
            self._publish(estimate, self._newest[0])

    def _expire(self, newest: ObservedFrame, arrived_ns: int) -> None:
        # Now, on the clock of the stamps: recordings have stamps of long ago.
        now_ns = newest.observation.stamp_ns + self.get_clock().now().nanoseconds - arrived_ns
        estimate = self._fitter.expire(now_ns)
        if estimate is not None:
            self._publish(estimate, newest)
        self._shifted.publish_due(now_ns)

    def _publish(self, estimate: FrameEstimate, observed: ObservedFrame) -> None:
        if self._published_ns is not None and estimate.stamp_ns <= self._published_ns:
            self._faults.add("hand already expired", f"estimate at {estimate.stamp_ns} ns")
            return
        self._published_ns = estimate.stamp_ns
        timing = replace(
            observed.timing,
            published_ns=self.get_clock().now().nanoseconds,
            dropped_solves=self._dropped_solves,
        )
        message = build_hand_array(estimate, observed.frame_id, timing)
        self._hands.publish(message)
        if self._markers.get_subscription_count() > 0:
            self._markers.publish(build_markers(message))
        if self._wrists is not None:
            self._wrists.broadcast(message)
        self._shifted.add(estimate, observed.frame_id, timing)
        self._solved += 1
        self._infilled += any(hand.status is HandStatus.INFILLED for hand in estimate.hands)

    def _diagnose(self) -> None:
        values = {
            "published": self._solved,
            "with infilled hands": self._infilled,
            "dropped solves": self._dropped_solves,
            "optimize [ms]": self._spent_ms,
            **{f"skipped: {kind}": count for kind, count in self._faults.counts.items()},
        }
        now = self.get_clock().now().to_msg()
        self._diagnostics.publish(diagnostics.build_diagnostics(now, self.get_fully_qualified_name(), None, values))


def _fitter_config(parameters: WindowParameters) -> FitterConfig:
    return FitterConfig(
        window_s=parameters.window_s,
        max_steps=parameters.max_steps,
        iterations=parameters.iterations,
        infill_timeout_s=parameters.infill_timeout_s,
        lost_duration_s=parameters.lost_duration_s,
        hand_length_m=parameters.hand_length_m,
    )


def main() -> None:
    """Entry point of ``window_node``."""
    sys.exit(run(lambda: [WindowNode()]))


if __name__ == "__main__":
    main()
