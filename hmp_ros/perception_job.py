# SPDX-FileCopyrightText: 2026 The hmp_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The work of ``initializer_node``: each image becomes an observation of the hands in it."""

import time
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from diagnostic_msgs.msg import DiagnosticStatus
from sensor_msgs.msg import CameraInfo, CompressedImage, Image

from hmp_core.camera import Camera
from hmp_core.errors import CameraError, HmpError
from hmp_core.frame import Frame
from hmp_core.hand.loading import load_hand_model
from hmp_core.media.intrinsics import Intrinsics
from hmp_core.media.message_fields import Timing
from hmp_core.media.ros_camera import camera_from_info, rectification_complaint
from hmp_core.media.ros_image import image_to_bgr
from hmp_core.perception.initializer import HandInitializer
from hmp_core.perception.pipeline import HandPerception
from hmp_ros import qos
from hmp_ros.camera_link import CameraLink
from hmp_ros.diagnostics import Health
from hmp_ros.logs import Faults
from hmp_ros.loss_counter import MESSAGES_HAVE_INFO, LossCounter
from hmp_ros.mailbox import Mailbox
from hmp_ros.messages import build_observation_array, stamp_ns
from hmp_ros.msg import HandObservationArray
from hmp_ros.observed_frame import ObservedFrame
from hmp_ros.rate_meter import RateMeter
from hmp_ros.stamps import Arrival, StampGuard

if TYPE_CHECKING:
    from hmp_ros.initializer_node import InitializerNode

_CALIBRATION_PATIENCE_S: Final = 2.0


@dataclass(frozen=True)
class _Received:
    message: Image | CompressedImage
    received_ns: int


class PerceptionJob:
    """Takes the newest image whenever the last one is done.

    Args:
        node: whose parameters, topics and clock are used.
        deliver: also called with every observation.

    Raises:
        AssetError, HandModelError: a model file cannot be used.
    """

    def __init__(self, node: "InitializerNode", deliver: Callable[[ObservedFrame], None] | None) -> None:
        self._node = node
        self._deliver = deliver
        self._parameters = parameters = node.parameters.read()
        node.get_logger().info("loading models")
        hand_model = load_hand_model(Path(parameters.mano_path) if parameters.mano_path else None)
        self._perception = HandPerception(parameters.perception, HandInitializer(hand_model))
        self._intrinsics = Intrinsics(
            fov_deg=parameters.fallback_fov_deg, hint="publish it on camera_info, or set fallback_fov_deg"
        )
        self._calibration: Camera | None = None
        self._uncalibrated = "no camera info came"
        self._calibration_deadline: float | None = None
        self._info_complaint = ""
        self._losses = LossCounter()
        self._mailbox: Mailbox[_Received] = Mailbox()
        self._faults = Faults(node.get_logger())
        self._spent_ms: dict[str, float] = {}
        self._observations = node.topics.publisher(HandObservationArray, "hand/observations", qos.OBSERVATIONS)

    def open(self) -> None:
        """Subscribe and begin anew."""
        node = self._node
        kind, topic = (CompressedImage, "image/compressed") if self._parameters.compressed else (Image, "image")
        self._image_topic = node.resolve_topic_name(topic)
        self._info_topic = node.resolve_topic_name("camera_info")
        self._link = CameraLink(self._image_topic)
        self._output = RateMeter()
        self._guard = StampGuard()
        self._perception.reset()
        self._losses.pause()
        self._mailbox.open()
        node.topics.subscribe(CameraInfo, "camera_info", self._on_info, qos.IMAGES)
        on_image = self._on_image if MESSAGES_HAVE_INFO else partial(self._on_image, info={})
        node.topics.subscribe(kind, topic, on_image, qos.IMAGES)
        node.get_logger().info(f"ready: {self._image_topic} to {self._observations.topic_name}")

    def work(self) -> None:
        """Process images until interrupted."""
        while not self._mailbox.closed:
            for received in self._mailbox.take():
                self._follow_parameters()
                try:
                    self._process(received)
                except HmpError as error:
                    self._faults.add(type(error).__name__, error)

    def interrupt(self) -> None:
        """Let :meth:`work` end."""
        self._mailbox.close()

    def health(self) -> Health:
        """Rates, times and counters; whether the camera is heard."""
        complaint = self._link.complaint(self._node.count_publishers(self._image_topic))
        if complaint is not None:
            self._node.get_logger().warning(complaint, throttle_duration_sec=10.0)
        age_s = self._link.age_s
        values = {
            "image rate [Hz]": self._link.rate_hz,
            "observation rate [Hz]": self._output.hz,
            "age of the newest image [s]": "none yet" if age_s is None else age_s,
            "dropped images": self._dropped,
            "of these lost on the way": self._losses.lost,
            **{f"{stage} [ms]": spent for stage, spent in self._spent_ms.items()},
            **{key.replace("_", " "): value for key, value in asdict(self._perception.counters).items()},
            **{f"skipped: {kind}": count for kind, count in self._faults.counts.items()},
        }
        return Health(complaint, DiagnosticStatus.STALE if self._link.stopped else DiagnosticStatus.WARN, values)

    @property
    def _dropped(self) -> int:
        return self._losses.lost + self._mailbox.dropped

    def _on_info(self, message: CameraInfo) -> None:
        self._link.info()
        self._calibration_deadline = 0.0
        rectified = self._parameters.rectified
        try:
            self._calibration = camera_from_info(message, rectified)
            complaint = rectification_complaint(self._image_topic, self._calibration, rectified)
        except CameraError as error:
            self._calibration, self._uncalibrated = None, "the camera info is not usable"
            complaint = str(error)
        if complaint is not None and complaint != self._info_complaint:
            self._info_complaint = complaint
            self._node.get_logger().warning(f"camera info: {complaint}")

    def _on_image(self, message: Image | CompressedImage, info: Mapping[str, Any]) -> None:
        if self._link.stopped:
            self._node.get_logger().info(f"images on {self._image_topic} again, after {self._link.age_s:.1f} s")
        self._link.image()
        self._losses.count(info)
        if self._waiting_for_calibration():
            return
        arrival = self._guard.check(stamp_ns(message.header))
        if arrival in (Arrival.REPEATED, Arrival.LATE):
            stamp = message.header.stamp
            self._faults.add(arrival.value, f"image of {stamp.sec}.{stamp.nanosec:09d}; does the driver stamp?")
            return
        self._mailbox.put(_Received(message, self._node.get_clock().now().nanoseconds))

    def _waiting_for_calibration(self) -> bool:
        """At the start a camera info may come a little later than the first image."""
        if self._calibration_deadline is None:
            self._calibration_deadline = time.monotonic() + _CALIBRATION_PATIENCE_S
        return time.monotonic() < self._calibration_deadline and self._node.count_publishers(self._info_topic) > 0

    def _follow_parameters(self) -> None:
        """What was set while running counts from the next image on."""
        present = self._node.parameters.read()
        if present != self._parameters:
            self._parameters = present
            self._perception.reconfigure(present.perception)

    def _process(self, received: _Received) -> None:
        message = received.message
        image = image_to_bgr(message)
        height, width, _ = image.shape
        self._intrinsics.calibrate(self._calibration, self._uncalibrated)
        frame = Frame(image, stamp_ns(message.header), self._intrinsics.camera_for(width, height))
        resets = self._perception.counters.resets
        observation = self._perception.process(frame)
        if self._perception.counters.resets > resets:
            self._node.get_logger().warning(
                f"time ran backwards (a bag that loops?) or the image size changed (now {width}x{height}): "
                "tracks start anew"
            )
        self._spent_ms = observation.stage_ms
        timing = Timing(received_ns=received.received_ns, dropped_images=self._dropped)
        observed = ObservedFrame(observation, message.header.frame_id, timing)
        if self._deliver is not None:
            self._deliver(observed)
        published = replace(timing, published_ns=self._node.get_clock().now().nanoseconds)
        self._observations.publish(build_observation_array(observation, observed.frame_id, published))
        self._output.count()
