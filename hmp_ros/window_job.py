# SPDX-FileCopyrightText: 2026 The hmp_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The work of ``window_node``: observations go into the sliding windows, hands come out."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from queue import SimpleQueue
from typing import TYPE_CHECKING, Final

from diagnostic_msgs.msg import DiagnosticStatus
from rclpy.parameter import Parameter
from rclpy.task import Future

from hmp_core.assets import asset_path
from hmp_core.assets.manifest import file_sha256
from hmp_core.errors import HmpError, TransformError
from hmp_core.estimate import FrameEstimate
from hmp_core.fitting.online import OnlineFitter
from hmp_core.hand.loading import load_hand_model
from hmp_core.prior.prior import SHIPPED_PRIOR, load_prior
from hmp_ros import qos
from hmp_ros.depth_ruler import DepthRuler
from hmp_ros.diagnostics import Health
from hmp_ros.logs import Faults
from hmp_ros.mailbox import Mailbox
from hmp_ros.messages import build_hand_array, build_info
from hmp_ros.msg import HandObservationArray, ManoHandArray, ManoInfo
from hmp_ros.observed_frame import ObservedFrame
from hmp_ros.shape_keeper import ShapeKeeper
from hmp_ros.shifted_hands import ShiftedHands
from hmp_ros.solve_record import SolveRecord
from hmp_ros.stamps import Arrival, StampGuard
from hmp_ros.target_frame import make_frame
from hmp_ros.wrist_pose import WristPoses
from hmp_ros.wrist_tf import WristBroadcaster

if TYPE_CHECKING:
    from hmp_ros.window_node import WindowNode

_EXPIRE_S: Final = 0.05
_DEACTIVATED: Final = "the node was deactivated"


class WindowJob:
    """Observes everything and solves at the newest; while no images come, hands expire.

    What is asked of it from outside waits for the worker, which alone touches the fitter.

    Args:
        node: whose parameters, topics and clock are used.
        subscribes: False where :meth:`receive` is called directly.

    Attributes:
        paused: observations are ignored, as if no images came.

    Raises:
        AssetError, HandModelError: a model file cannot be used.
    """

    def __init__(self, node: "WindowNode", subscribes: bool) -> None:
        self.paused = False
        self._node = node
        self._subscribes = subscribes
        self._parameters = parameters = node.parameters.read()
        node.get_logger().info("loading models (the first start also compiles, which takes up to a minute)")
        hand_model = load_hand_model(Path(parameters.mano_path) if parameters.mano_path else None)
        prior_path = Path(parameters.prior_path) if parameters.prior_path else asset_path(SHIPPED_PRIOR)
        self._fitter = OnlineFitter(hand_model, load_prior(prior_path), parameters.fitter)
        self._fitter.warm_up()
        self._shape = ShapeKeeper(self._fitter, self._publish_info, self._adopt_length)
        self._asked: SimpleQueue[tuple[Callable[[Future], None], Future]] = SimpleQueue()
        self._models = (hand_model.name, file_sha256(prior_path))
        self._mailbox: Mailbox[tuple[ObservedFrame, int]] = Mailbox(capacity=None)
        self._faults = Faults(node.get_logger())
        self._record = SolveRecord()
        self._frame = make_frame(node, parameters.target_frame, parameters.camera_pose)
        self._hands = node.topics.publisher(ManoHandArray, "hand/mano", qos.HANDS)
        self._shifted = ShiftedHands(node.get_clock(), node.topics, self._fitter, self._frame)
        self._wrist_poses = WristPoses(node.topics)
        self._info = node.topics.publisher(ManoInfo, "hand/info", qos.LATCHED)
        self._wrists: WristBroadcaster | None = None
        self._adopt_parameters()

    def open(self) -> None:
        """Subscribe and begin anew."""
        self._newest: tuple[ObservedFrame, int] | None = None
        self._forget_motion()
        self._guard = StampGuard()
        self._published_ns: int | None = None
        self._mailbox.open()
        node = self._node
        if self._subscribes:
            node.topics.subscribe(
                HandObservationArray, "hand/observations", self._on_observations, qos.OBSERVATIONS
            )
        node.get_logger().info(f"ready: publishing {self._hands.topic_name}")

    def receive(self, observed: ObservedFrame) -> None:
        """Leave an observation for the worker; from any thread."""
        if not self.paused:
            self._mailbox.put((observed, self._node.get_clock().now().nanoseconds))

    def work(self) -> None:
        """Observe and solve until interrupted; without images, let hands expire."""
        while not self._mailbox.closed:
            items = self._mailbox.take(_EXPIRE_S)
            self._follow_parameters()
            self._do_what_was_asked()
            try:
                if items:
                    self._take_in(items)
                elif self._newest is not None:
                    self._expire(*self._newest)
            except TransformError as error:
                self._faults.add("no transform", error)
        self._shape.abandon(_DEACTIVATED)
        self._do_what_was_asked()

    def reset(self) -> Future:
        """Forget the motion and the shape of all hands; the answer is a pair of success and message."""
        return self._ask(self._reset)

    async def calibrate(self) -> tuple[bool, str]:
        """Find the hand's shape in the next images and hold it; the answer is a pair of success and message."""
        topic = self._node.parameters.read().depth_topic
        if not topic:
            return await self._ask(partial(self._calibrate, None))
        # Subscriptions come and go in the executor's thread, which is where this coroutine runs.
        ruler = DepthRuler(self._node, topic, self._faults)
        try:
            return await self._ask(partial(self._calibrate, ruler))
        finally:
            ruler.close()

    def interrupt(self) -> None:
        """Let :meth:`work` end."""
        self._mailbox.close()

    def health(self) -> Health:
        """Rates, times and counters."""
        health = self._record.health()
        skipped = {f"skipped: {kind}": count for kind, count in self._faults.counts.items()}
        if self.paused:
            complaint = f"paused: {self._node.get_fully_qualified_name()}/pause with false goes on"
            health = replace(health, complaint=complaint, level=DiagnosticStatus.WARN)
        extra = {"extra hands": self._fitter.extra_hands}
        return replace(health, values={**health.values, **extra, **skipped})

    def _on_observations(self, message: HandObservationArray) -> None:
        try:
            self.receive(ObservedFrame.from_message(message))
        except HmpError as error:
            self._faults.add(type(error).__name__, error)

    def _ask(self, action: Callable[[Future], None]) -> Future:
        answer = Future()
        self._asked.put((action, answer))
        return answer

    def _do_what_was_asked(self) -> None:
        while not self._asked.empty():
            action, answer = self._asked.get()
            if self._mailbox.closed:
                answer.set_result((False, f"not done: {_DEACTIVATED}"))
            else:
                action(answer)
        self._shape.expire()

    def _reset(self, answer: Future) -> None:
        self._shape.forget()
        self._forget_motion()
        answer.set_result((True, "motion and calibration are forgotten"))

    def _calibrate(self, ruler: DepthRuler | None, answer: Future) -> None:
        parameters = self._parameters
        if self.paused:
            answer.set_result((False, "paused: no images are looked at"))
        else:
            self._shape.begin(parameters.calibration_frames, parameters.calibration_timeout_s, ruler, answer)

    def _forget_motion(self) -> None:
        self._fitter.reset()
        self._shifted.clear()
        self._newest = None

    def _publish_info(self) -> None:
        self._info.publish(build_info(*self._models, self._fitter.config, self._fitter.hand_shape))

    def _follow_parameters(self) -> None:
        """What was set while running counts from the next image on."""
        present = self._node.parameters.read()
        if present != self._parameters:
            self._parameters = present
            self._adopt_parameters()

    def _adopt_length(self, length_m: float) -> None:
        """A parameter, so that whoever asks for it, or saves the parameters, finds what was measured."""
        self._node.set_parameters([Parameter("hand_length_m", value=round(length_m, 4))])
        self._follow_parameters()

    def _adopt_parameters(self) -> None:
        parameters = self._parameters
        self._shifted.lag_s = parameters.smoothing_lag_s
        self._shifted.horizon_s = parameters.prediction_horizon_s
        if parameters.publish_tf and self._wrists is None:
            self._wrists = WristBroadcaster(self._node)
        self._shape.configure(parameters.fitter)

    def _take_in(self, items: Sequence[tuple[ObservedFrame, int]]) -> None:
        accepted = 0
        for item in items:
            observation = item[0].observation
            arrival = self._guard.check(observation.stamp_ns)
            if arrival in (Arrival.REPEATED, Arrival.LATE):
                self._faults.add(arrival.value, f"observation stamped {observation.stamp_ns} ns")
                continue
            if arrival is Arrival.RESTART:
                self._node.get_logger().warning("time ran backwards (a bag that loops?): hands start anew")
                self._forget_motion()
                self._published_ns, accepted = None, 0
            self._fitter.observe(observation)
            self._newest = item
            self._record.observed(observation.stamp_ns)
            accepted += 1
        if self._newest is not None and accepted:
            estimate = self._fitter.solve()
            self._record.solved(estimate, accepted)
            self._shape.see(estimate, self._newest[0].observation.camera)
            self._publish(estimate, self._newest[0])
            self._fitter.prepare()

    def _expire(self, newest: ObservedFrame, arrived_ns: int) -> None:
        # Now, on the clock of the stamps: recordings have stamps of long ago.
        now_ns = newest.observation.stamp_ns + self._node.get_clock().now().nanoseconds - arrived_ns
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
            published_ns=self._node.get_clock().now().nanoseconds,
            dropped_solves=self._record.dropped,
        )
        message = build_hand_array(*self._frame.place(estimate, observed.frame_id), timing)
        self._hands.publish(message)
        self._wrist_poses.publish(message)
        if self._parameters.publish_tf and self._wrists is not None:
            self._wrists.broadcast(message)
        self._shifted.add(estimate, observed.frame_id, timing)
        self._record.published(estimate)
