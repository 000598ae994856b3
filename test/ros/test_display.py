# SPDX-FileCopyrightText: 2026 The hmp_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What people look at: markers, and the node that draws them and the overlay for whoever listens."""

from collections.abc import Callable
from typing import Any

import cv2
import numpy as np
import pytest
from graph import START_S, Process, Recorder
from numpy.typing import NDArray
from sensor_msgs.msg import CompressedImage, Image
from visualization_msgs.msg import Marker, MarkerArray

from hmp_core.camera import Camera
from hmp_core.estimate import FrameEstimate, HandEstimate, HandStatus
from hmp_core.extrinsic import Extrinsic
from hmp_core.frame import Frame
from hmp_core.hand.loading import load_hand_model
from hmp_core.hand.skeleton import NUM_JOINTS, Side
from hmp_core.media.message_fields import Timing
from hmp_core.media.overlay import draw_overlay
from hmp_core.media.palette import STATUS_COLOURS
from hmp_core.media.ros_image import image_to_bgr
from hmp_core.observation import FrameObservation, ManoPose
from hmp_ros import qos
from hmp_ros.markers import build_markers, build_mesh_markers
from hmp_ros.messages import build_hand_array, build_image, build_observation_array, stamp_ns
from hmp_ros.msg import HandObservationArray, ManoHandArray
from hmp_ros.recent import Recent

CAMERA = Camera(320, 240, 300.0, 300.0, 159.5, 119.5)
PLACE = np.array([0.02, -0.01, 0.6])


def _estimate(status: HandStatus = HandStatus.OBSERVED, side: Side = Side.RIGHT, track: int = 7) -> HandEstimate:
    rng = np.random.default_rng(track)
    lost = status is HandStatus.LOST
    covariance = np.zeros((6, 6))
    covariance[:3, :3] = 1e-6 * np.eye(3) + 4e-4 * np.outer([0, 0.6, 0.8], [0, 0.6, 0.8])
    return HandEstimate(
        track_id=track,
        side=side,
        side_score=0.9,
        status=status,
        score=0.8,
        since_observed_ns=250_000_000 if status is HandStatus.INFILLED else 0,
        joints_camera=rng.normal(PLACE, 0.05, (NUM_JOINTS, 3)),
        joint_stddev_m=np.full(NUM_JOINTS, -1.0 if lost else 0.004),
        joint_observed=np.full(NUM_JOINTS, status is HandStatus.OBSERVED),
        mano=ManoPose(np.zeros((16, 3)), np.zeros(10), PLACE),
        R_camera_wrist=np.eye(3),
        wrist_covariance=-np.eye(6) if lost else covariance,
    )


def hands_message(stamp: int = 5, *hands: HandEstimate, frame_id: str = "optical") -> ManoHandArray:
    return build_hand_array(FrameEstimate(stamp, hands or (_estimate(),)), frame_id, Timing())


def _by_kind(markers: MarkerArray) -> dict[str, list[Marker]]:
    kinds: dict[str, list[Marker]] = {}
    for marker in markers.markers:
        kinds.setdefault(marker.ns, []).append(marker)
    return kinds


@pytest.mark.parametrize("status", [HandStatus.OBSERVED, HandStatus.INFILLED])
def test_markers_draw_every_bone_in_the_colour_of_the_status(status: HandStatus) -> None:
    message = hands_message(5, _estimate(status))
    kinds = _by_kind(build_markers(message))
    (bones,), (joints,), (label,) = kinds["hand_bones"], kinds["hand_joints"], kinds["hand_label"]
    assert (len(bones.points), len(joints.points)) == (2 * (NUM_JOINTS - 1), NUM_JOINTS)
    colour = np.array([bones.color.r, bones.color.g, bones.color.b]) * 255
    np.testing.assert_allclose(colour, STATUS_COLOURS[status], atol=0.01)
    assert bones.header == message.header
    assert (
        label.text == {HandStatus.OBSERVED: "right observed", HandStatus.INFILLED: "right infilled 0.25 s"}[status]
    )


def test_sigmas_are_balls_and_an_ellipsoid_along_the_wrist_s_worst_direction() -> None:
    kinds = _by_kind(build_markers(hands_message(5, _estimate(), _estimate(side=Side.LEFT, track=8))))
    balls = kinds["hand_sigma"]
    assert len({ball.id for ball in balls}) == len(balls) == 2 * NUM_JOINTS
    assert balls[3].scale.x == pytest.approx(0.008)
    ellipsoid = kinds["hand_wrist_sigma"][0]
    sizes = np.array([ellipsoid.scale.x, ellipsoid.scale.y, ellipsoid.scale.z])
    np.testing.assert_allclose(sizes, 2 * np.sqrt([1e-6, 1e-6, 4.01e-4]), rtol=1e-6)
    turn = ellipsoid.pose.orientation
    # The z axis of a quaternion.
    longest = np.array(
        [
            2 * (turn.x * turn.z + turn.w * turn.y),
            2 * (turn.y * turn.z - turn.w * turn.x),
            1 - 2 * (turn.x**2 + turn.y**2),
        ]
    )
    np.testing.assert_allclose(np.abs(longest), [0, 0.6, 0.8], atol=1e-6)


def test_a_lost_hand_is_pale_and_has_no_sigmas() -> None:
    kinds = _by_kind(build_markers(hands_message(5, _estimate(HandStatus.LOST))))
    assert set(kinds) == {"hand_bones", "hand_joints", "hand_label"}
    assert kinds["hand_bones"][0].color.a == pytest.approx(0.4)


def test_mesh_markers_are_the_model_s_surface_where_the_hand_is() -> None:
    from hmp_ros.hand_surfaces import HandSurfaces

    message = hands_message(5, _estimate(), _estimate(side=Side.LEFT, track=8))
    markers = build_mesh_markers(message, HandSurfaces(None).of(message)).markers
    model = load_hand_model()
    for marker, own in zip(markers, (model, model.mirrored()), strict=True):
        corners = np.array([(point.x, point.y, point.z) for point in marker.points])
        np.testing.assert_allclose(corners, (own.v_template + PLACE)[own.faces.reshape(-1)], atol=1e-6)
        assert marker.type == Marker.TRIANGLE_LIST


def test_recent_messages_are_found_by_stamp_once_and_older_ones_are_forgotten() -> None:
    recent: Recent[str] = Recent(3)
    for stamp in (1, 2, 3, 4):
        recent.put(stamp, f"at {stamp}")
    assert recent.take(1) is None
    assert recent.take(3) == "at 3"
    assert recent.take(2) is None
    assert recent.take(4) == "at 4"
    assert recent.take(4) is None


class Pictures:
    """Publishes what the display node reads."""

    def __init__(self, recorder: Recorder) -> None:
        node = recorder.node
        self.recorder = recorder
        self.image = node.create_publisher(Image, "image", qos.HANDS)
        self.observations = node.create_publisher(HandObservationArray, "hand/observations", qos.OBSERVATIONS)
        self.hands = node.create_publisher(ManoHandArray, "hand/mano", qos.HANDS)

    def readers(self) -> tuple[int, int]:
        """Of images and of hands."""
        return self.image.get_subscription_count(), self.hands.get_subscription_count()

    def publish(
        self, stamp: int, picture: NDArray[np.uint8], hand: HandEstimate, frame_id: str = "optical"
    ) -> None:
        self.image.publish(build_image(picture, stamp, "optical"))
        self.observations.publish(build_observation_array(FrameObservation(stamp, CAMERA), "optical", Timing()))
        self.hands.publish(hands_message(stamp, hand, frame_id=frame_id))

    def publish_until(
        self, received: list[Any], picture: NDArray[np.uint8], hand: HandEstimate | None = None, **more: str
    ) -> bool:
        """Frames one after the other until an answer comes."""
        stamps = iter(range(10**9, 10**12, 33_000_000))

        def answered() -> bool:
            self.publish(next(stamps), picture, hand or _estimate(), **more)
            return bool(received)

        return self.recorder.spin_until(answered, START_S)


def test_the_node_draws_for_whoever_listens_and_for_nobody_else(
    recorder: Recorder, start: Callable[..., Process]
) -> None:
    camera = Pictures(recorder)
    node = start("display_node")
    node.wait_for("for whoever listens")
    recorder.spin_until(lambda: False, 1.5)
    assert camera.readers() == (0, 0), "nobody looks, so nothing is read"

    markers = recorder.record(MarkerArray, "hand/markers", qos.HANDS)
    assert recorder.spin_until(lambda: camera.readers() == (0, 1), START_S), "markers need no images"
    picture = np.random.default_rng(0).integers(0, 255, (240, 320, 3), dtype=np.uint8)
    assert camera.publish_until(markers, picture)

    overlays = recorder.record(Image, "hand/overlay", qos.HANDS)
    jpegs = recorder.record(CompressedImage, "hand/overlay/compressed", qos.HANDS)
    meshes = recorder.record(MarkerArray, "hand/mesh_markers", qos.HANDS)
    assert recorder.spin_until(lambda: camera.readers() == (1, 1), START_S)
    assert camera.publish_until(overlays, picture)
    assert camera.publish_until(jpegs, picture)
    stamp = stamp_ns(overlays[0].header)
    expected = draw_overlay(
        Frame(picture, stamp, CAMERA), FrameEstimate(stamp, (_estimate(),)), FrameObservation(stamp, CAMERA)
    )
    np.testing.assert_array_equal(image_to_bgr(overlays[0]), expected)
    assert overlays[0].header.frame_id == "optical"
    decoded = cv2.imdecode(np.frombuffer(jpegs[0].data, np.uint8), cv2.IMREAD_COLOR)
    assert decoded.shape == expected.shape
    assert camera.publish_until(meshes, picture)
    assert meshes[0].markers[0].ns == "hand_mesh"

    overlays.clear()
    assert camera.publish_until(overlays, picture, frame_id="robot_base")
    assert recorder.spin_until(lambda: "keypoints only" in node.output, START_S)

    for subscription in list(recorder.node.subscriptions):
        recorder.node.destroy_subscription(subscription)
    assert recorder.spin_until(lambda: camera.readers() == (0, 0), START_S), "nobody looks any more"
    assert node.end() == 0


def test_hands_in_a_robot_s_frame_come_back_onto_the_image(
    recorder: Recorder, start: Callable[..., Process]
) -> None:
    camera_pose = "0.4 -0.2 1.1 0.5 -0.5 0.5 -0.5"
    camera = Pictures(recorder)
    start("display_node", target_frame="robot_base", camera_pose=camera_pose)
    overlays = recorder.record(Image, "hand/overlay", qos.HANDS)
    assert recorder.spin_until(lambda: camera.readers() == (1, 1), START_S)
    picture = np.full((240, 320, 3), 80, np.uint8)
    (moved,) = Extrinsic.parse(camera_pose).apply(FrameEstimate(5, (_estimate(),))).hands
    assert camera.publish_until(overlays, picture, hand=moved, frame_id="robot_base")
    stamp = stamp_ns(overlays[0].header)
    expected = draw_overlay(Frame(picture, stamp, CAMERA), FrameEstimate(stamp, (_estimate(),)))
    differing = np.abs(image_to_bgr(overlays[0]).astype(int) - expected).max(axis=2) > 30
    assert differing.mean() < 0.001


def test_hands_without_their_images_are_complained_about(recorder: Recorder, start: Callable[..., Process]) -> None:
    camera = Pictures(recorder)
    node = start("display_node")
    recorder.record(Image, "hand/overlay", qos.HANDS)
    assert recorder.spin_until(lambda: camera.readers() == (1, 1), START_S)
    stamps = iter(range(10**9, 10**12, 33_000_000))

    def complained() -> bool:
        camera.hands.publish(hands_message(next(stamps), _estimate()))
        return "no overlay: hands come, but not the images" in node.output

    assert recorder.spin_until(complained, START_S)
