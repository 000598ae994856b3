# SPDX-FileCopyrightText: 2026 The hmp_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Node that draws what people look at: ``hand/overlay``, ``hand/markers`` and ``hand/mesh_markers``.

It stands beside the others so that looking takes no time from what a robot waits for. Nothing is subscribed to,
computed or published before somebody listens.
"""

import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import cv2
from rclpy.subscription import Subscription
from sensor_msgs.msg import CompressedImage, Image
from visualization_msgs.msg import MarkerArray

from hmp_core.errors import HmpError
from hmp_core.estimate import FrameEstimate
from hmp_core.frame import Frame
from hmp_core.media.estimate_reader import estimate_from_message
from hmp_core.media.message_reader import observation_from_message
from hmp_core.media.overlay import draw_overlay
from hmp_core.media.ros_image import image_to_bgr
from hmp_ros import fastdds, qos
from hmp_ros.executable import run
from hmp_ros.logs import Faults
from hmp_ros.mailbox import Mailbox
from hmp_ros.markers import build_markers, build_mesh_markers
from hmp_ros.messages import build_image, stamp_ns
from hmp_ros.msg import HandObservationArray, ManoHandArray
from hmp_ros.parameters import declare, parameter
from hmp_ros.recent import Recent
from hmp_ros.target_frame import CameraFrame, check_frame, make_way_back
from hmp_ros.target_frame import Frame as HandFrame
from hmp_ros.worker_node import WorkerNode

_LOOK_S: Final = 0.5
"""How often to look whether somebody listens."""
_IMAGES: Final = 30
"""Images that wait for their hands: those of a quarter of a second at 120 Hz."""
_MISSES: Final = 60
_MESH_PERIOD_S: Final = 0.1
_JPEG_QUALITY: Final = 85


@dataclass(frozen=True)
class DisplayParameters:
    """Parameters of ``display_node``; the metadata of each field describes it."""

    compressed: bool = parameter(False, "Subscribe to image/compressed (JPEG, PNG) instead of raw image.")
    mano_path: str = parameter("", "Your MANO_RIGHT.pkl; empty: the shipped open hand.")
    target_frame: str = parameter("", "Frame that hands are published in; empty: the camera's optical frame.")
    camera_pose: str = parameter(
        "", "'x y z qx qy qz qw' of the camera's optical frame in target_frame; empty: ask TF."
    )


class DisplayNode(WorkerNode):
    """Draws the newest hands for whoever listens.

    Args:
        options: of ``rclpy.node.Node``.

    Raises:
        ConfigError: a parameter has the wrong type, or the frame cannot be found out.
    """

    def __init__(self, **options: Any) -> None:
        super().__init__("display_node", **options)
        self.parameters = parameters = declare(self, DisplayParameters)
        check_frame(parameters.target_frame, parameters.camera_pose)
        self._mailbox: Mailbox[ManoHandArray] = Mailbox()
        self._images: Recent[Image | CompressedImage] = Recent(_IMAGES)
        self._observations: Recent[HandObservationArray] = Recent(_IMAGES)
        self._faults = Faults(self.get_logger())
        self._misses = 0
        self._mesh_due = 0.0
        self._surfaces: Any = None
        self._camera_frame: str | None = None
        self._way_back: HandFrame = CameraFrame()
        self._overlay = self.create_publisher(Image, "hand/overlay", qos.HANDS)
        self._overlay_jpeg = self.create_publisher(CompressedImage, "hand/overlay/compressed", qos.HANDS)
        self._markers = self.create_publisher(MarkerArray, "hand/markers", qos.HANDS)
        self._mesh = self.create_publisher(MarkerArray, "hand/mesh_markers", qos.HANDS)
        self._hands_in: list[Subscription] = []
        self._images_in: list[Subscription] = []
        self.create_timer(_LOOK_S, self._look)
        self.get_logger().info(f"ready: {self._overlay.topic_name} and markers for whoever listens")

    def work(self) -> None:
        """Draw the newest hands until interrupted."""
        while not self._mailbox.closed:
            for message in self._mailbox.take():
                try:
                    self._draw(message)
                except HmpError as error:
                    self._faults.add(type(error).__name__, error)

    def interrupt(self) -> None:
        """Let :meth:`work` end."""
        self._mailbox.close()

    def _look(self) -> None:
        """Listen to what is needed for those who listen."""
        overlay = self._wanted(self._overlay, self._overlay_jpeg)
        if overlay and not self._images_in:
            kind, topic = (CompressedImage, "image/compressed") if self.parameters.compressed else (Image, "image")
            self._images_in = [
                self.create_subscription(kind, topic, self._on_image, qos.IMAGES),
                self.create_subscription(
                    HandObservationArray, "hand/observations", self._on_observations, qos.OBSERVATIONS
                ),
            ]
        elif not overlay and self._images_in:
            self._leave(self._images_in)
            self._images.clear()
            self._observations.clear()
        hands = overlay or self._wanted(self._markers, self._mesh)
        if hands and not self._hands_in:
            self._hands_in = [self.create_subscription(ManoHandArray, "hand/mano", self._mailbox.put, qos.HANDS)]
        elif not hands and self._hands_in:
            self._leave(self._hands_in)

    def _leave(self, subscriptions: list[Subscription]) -> None:
        while subscriptions:
            self.destroy_subscription(subscriptions.pop())

    @staticmethod
    def _wanted(*publishers: Any) -> bool:
        return any(publisher.get_subscription_count() > 0 for publisher in publishers)

    def _on_image(self, message: Image | CompressedImage) -> None:
        self._images.put(stamp_ns(message.header), message)

    def _on_observations(self, message: HandObservationArray) -> None:
        if message.header.frame_id != self._camera_frame:
            # Here, in the executor's thread: it may take a subscription to /tf.
            self._camera_frame = message.header.frame_id
            self._way_back = make_way_back(
                self, self._camera_frame, self.parameters.target_frame, self.parameters.camera_pose
            )
        self._observations.put(stamp_ns(message.header), message)

    def _draw(self, message: ManoHandArray) -> None:
        if self._wanted(self._markers):
            self._markers.publish(build_markers(message))
        if self._wanted(self._mesh) and time.monotonic() >= self._mesh_due:
            self._mesh_due = time.monotonic() + _MESH_PERIOD_S
            self._draw_mesh(message)
        if self._wanted(self._overlay, self._overlay_jpeg):
            self._draw_overlay(message)

    def _draw_overlay(self, message: ManoHandArray) -> None:
        stamp = stamp_ns(message.header)
        image, seen = self._images.take(stamp), self._observations.take(stamp)
        if image is None or seen is None:
            self._misses += 1
            if self._misses >= _MISSES:
                self.get_logger().warning(
                    "no overlay: hands come, but not the images that they belong to; does this node have the "
                    f"initializer's image topic? It reads {self.resolve_topic_name('image')}",
                    throttle_duration_sec=10.0,
                )
            return
        self._misses = 0
        observation = observation_from_message(seen)
        estimate, frame_id = estimate_from_message(message), message.header.frame_id
        if frame_id != seen.header.frame_id:
            estimate, frame_id = self._way_back.place(estimate, frame_id)
        if frame_id != seen.header.frame_id:
            estimate = FrameEstimate(stamp)
            self.get_logger().warning(
                f"the overlay shows keypoints only: hands are in {frame_id}, images in {seen.header.frame_id}; "
                "give this node the window node's target_frame",
                throttle_duration_sec=60.0,
            )
        picture = draw_overlay(Frame(image_to_bgr(image), stamp, observation.camera), estimate, observation)
        if self._wanted(self._overlay):
            self._overlay.publish(build_image(picture, stamp, image.header.frame_id))
        if self._wanted(self._overlay_jpeg):
            _, data = cv2.imencode(".jpg", picture, [cv2.IMWRITE_JPEG_QUALITY, _JPEG_QUALITY])
            self._overlay_jpeg.publish(CompressedImage(header=image.header, format="jpeg", data=data.tobytes()))

    def _draw_mesh(self, message: ManoHandArray) -> None:
        if self._surfaces is None:
            # Torch takes seconds and a lot of memory, which nobody owes who does not look at surfaces.
            from hmp_ros.hand_surfaces import HandSurfaces

            path = self.parameters.mano_path
            self._surfaces = HandSurfaces(Path(path) if path else None)
        self._mesh.publish(build_mesh_markers(message, self._surfaces.of(message)))


def main() -> None:
    """Entry point of ``display_node``."""
    fastdds.use_profile()
    sys.exit(run(lambda: [DisplayNode()]))


if __name__ == "__main__":
    main()
