# SPDX-FileCopyrightText: 2026 The hmp_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Node from images to what is seen of the hands in each: ``image``, ``camera_info`` to ``hand/observations``."""

import sys
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, Final

from diagnostic_msgs.msg import DiagnosticArray
from sensor_msgs.msg import CameraInfo, CompressedImage, Image

from hmp_core.camera import Camera
from hmp_core.errors import CameraError, HmpError
from hmp_core.frame import Frame
from hmp_core.hand.loading import load_hand_model
from hmp_core.media.intrinsics import DEFAULT_FOV_DEG, Intrinsics
from hmp_core.media.message_fields import Timing
from hmp_core.media.ros_camera import camera_from_info
from hmp_core.media.ros_image import image_to_bgr
from hmp_core.perception.config import PerceptionConfig
from hmp_core.perception.initializer import HandInitializer
from hmp_core.perception.pipeline import HandPerception
from hmp_core.threads import use_one_thread
from hmp_ros import diagnostics, qos
from hmp_ros.camera_link import CameraLink
from hmp_ros.executable import run
from hmp_ros.logs import Faults
from hmp_ros.mailbox import Mailbox
from hmp_ros.messages import build_observation_array, stamp_ns
from hmp_ros.msg import HandObservationArray
from hmp_ros.observed_frame import ObservedFrame
from hmp_ros.parameters import declare, parameter
from hmp_ros.stamps import Arrival, StampGuard
from hmp_ros.worker_node import WorkerNode

_CALIBRATION_PATIENCE_S: Final = 2.0


_PERCEPTION: Final = PerceptionConfig()


@dataclass(frozen=True)
class InitializerParameters:
    """Parameters of ``initializer_node``; the metadata of each field describes it."""

    compressed: bool = parameter(False, "Subscribe to image/compressed (JPEG, PNG) instead of raw image.")
    rectified: bool = parameter(False, "The images are rectified already: use P of CameraInfo and no distortion.")
    fallback_fov_deg: float = parameter(
        DEFAULT_FOV_DEG, "Field of view across the longer image side without a calibration [deg].", 1.0, 170.0
    )
    max_hands: int = parameter(_PERCEPTION.max_hands, "Hands tracked at a time.", 1, 2)
    min_palm_score: float = parameter(
        _PERCEPTION.min_palm_score, "Palms detected with less probability are no hands.", 0.05, 0.99
    )
    min_presence: float = parameter(
        _PERCEPTION.min_presence, "Below this probability of a hand in its region it is not seen.", 0.05, 0.99
    )
    mano_path: str = parameter("", "Your MANO_RIGHT.pkl; empty: the shipped open hand.")


@dataclass(frozen=True)
class _Received:
    message: Image | CompressedImage
    received_ns: int


class InitializerNode(WorkerNode):
    """Publishes one message for every processed image; images that come too fast are dropped before any work.

    Args:
        deliver: also called with every observation, for a window node in the same process.
        options: of ``rclpy.node.Node``.

    Raises:
        ConfigError: a parameter is out of range.
        AssetError, HandModelError: a model file cannot be used.
    """

    def __init__(self, deliver: Callable[[ObservedFrame], None] | None = None, **options: Any) -> None:
        super().__init__("initializer_node", **options)
        self.parameters = parameters = declare(self, InitializerParameters)
        use_one_thread()
        self.get_logger().info("loading models")
        hand_model = load_hand_model(Path(parameters.mano_path) if parameters.mano_path else None)
        self._perception = HandPerception(
            PerceptionConfig(parameters.max_hands, parameters.min_palm_score, parameters.min_presence),
            HandInitializer(hand_model),
        )
        self._intrinsics = Intrinsics(
            fov_deg=parameters.fallback_fov_deg, hint="publish it on camera_info, or set fallback_fov_deg"
        )
        self._calibration: Camera | None = None
        self._calibration_deadline: float | None = None
        self._info_complaint = ""
        self._deliver = deliver
        self._mailbox: Mailbox[_Received] = Mailbox()
        self._guard = StampGuard()
        self._faults = Faults(self.get_logger())
        self._spent_ms: dict[str, float] = {}
        self._observations = self.create_publisher(HandObservationArray, "hand/observations", qos.OBSERVATIONS)
        self._diagnostics = self.create_publisher(DiagnosticArray, "/diagnostics", qos.HANDS)
        kind, topic = (CompressedImage, "image/compressed") if parameters.compressed else (Image, "image")
        self._image_topic = self.resolve_topic_name(topic)
        self._info_topic = self.resolve_topic_name("camera_info")
        self._link = CameraLink(self._image_topic)
        self.create_subscription(CameraInfo, "camera_info", self._on_info, qos.IMAGES)
        self.create_subscription(kind, topic, self._on_image, qos.IMAGES)
        self.create_timer(diagnostics.PERIOD_S, self._diagnose)
        self.get_logger().info(f"ready: {self._image_topic} to {self._observations.topic_name}")

    def work(self) -> None:
        """Process images until interrupted."""
        while not self._mailbox.closed:
            for received in self._mailbox.take():
                try:
                    self._process(received)
                except HmpError as error:
                    self._faults.add(type(error).__name__, error)

    def interrupt(self) -> None:
        """Let :meth:`work` end."""
        self._mailbox.close()

    def _on_info(self, message: CameraInfo) -> None:
        self._link.info()
        self._calibration_deadline = 0.0
        try:
            self._calibration = camera_from_info(message, self.parameters.rectified)
        except CameraError as error:
            self._calibration = None
            if str(error) != self._info_complaint:
                self._info_complaint = str(error)
                self.get_logger().warning(f"camera info: {error}")

    def _on_image(self, message: Image | CompressedImage) -> None:
        self._link.image()
        if self._waiting_for_calibration():
            return
        arrival = self._guard.check(stamp_ns(message.header))
        if arrival in (Arrival.REPEATED, Arrival.LATE):
            stamp = message.header.stamp
            self._faults.add(arrival.value, f"image of {stamp.sec}.{stamp.nanosec:09d}; does the driver stamp?")
            return
        self._mailbox.put(_Received(message, self.get_clock().now().nanoseconds))

    def _waiting_for_calibration(self) -> bool:
        """At the start a camera info may come a little later than the first image."""
        if self._calibration_deadline is None:
            self._calibration_deadline = time.monotonic() + _CALIBRATION_PATIENCE_S
        return time.monotonic() < self._calibration_deadline and self.count_publishers(self._info_topic) > 0

    def _process(self, received: _Received) -> None:
        message = received.message
        image = image_to_bgr(message)
        height, width, _ = image.shape
        self._intrinsics.calibrate(self._calibration)
        frame = Frame(image, stamp_ns(message.header), self._intrinsics.camera_for(width, height))
        resets = self._perception.counters.resets
        observation = self._perception.process(frame)
        if self._perception.counters.resets > resets:
            self.get_logger().warning(
                f"time ran backwards (a bag that loops?) or the image size changed (now {width}x{height}): "
                "tracks start anew"
            )
        self._spent_ms = observation.stage_ms
        timing = Timing(received_ns=received.received_ns, dropped_images=self._mailbox.dropped)
        observed = ObservedFrame(observation, message.header.frame_id, timing)
        if self._deliver is not None:
            self._deliver(observed)
        published = replace(timing, published_ns=self.get_clock().now().nanoseconds)
        self._observations.publish(build_observation_array(observation, observed.frame_id, published))

    def _diagnose(self) -> None:
        complaint = self._link.complaint(self.count_publishers(self._image_topic))
        if complaint is not None:
            self.get_logger().warning(complaint, throttle_duration_sec=10.0)
        values = {
            "image rate [Hz]": self._link.rate_hz,
            "dropped images": self._mailbox.dropped,
            **{f"{stage} [ms]": spent for stage, spent in self._spent_ms.items()},
            **{key.replace("_", " "): value for key, value in asdict(self._perception.counters).items()},
            **{f"skipped: {kind}": count for kind, count in self._faults.counts.items()},
        }
        now = self.get_clock().now().to_msg()
        self._diagnostics.publish(
            diagnostics.build_diagnostics(now, self.get_fully_qualified_name(), complaint, values)
        )


def main() -> None:
    """Entry point of ``initializer_node``."""
    sys.exit(run(lambda: [InitializerNode()]))


if __name__ == "__main__":
    main()
