# SPDX-FileCopyrightText: 2026 The hmp_ros authors
# SPDX-License-Identifier: Apache-2.0

from dataclasses import replace

import numpy as np
import pytest
from rclpy.serialization import deserialize_message, serialize_message

from hmp_core.camera import Camera
from hmp_core.errors import CameraError, DataError
from hmp_core.estimate import FrameEstimate, HandEstimate, HandStatus, WindowStatus
from hmp_core.fitting.config import FitterConfig
from hmp_core.fitting.shape_prior import HandShape
from hmp_core.hand.skeleton import FINGER_NAMES, JOINT_NAMES, NUM_JOINTS, PARENTS, TIPS, Side
from hmp_core.lens import Distortion
from hmp_core.media.message_fields import Timing
from hmp_core.media.message_reader import MAX_HANDS
from hmp_core.media.ros_camera import camera_from_info
from hmp_core.media.ros_image import image_to_bgr
from hmp_core.observation import FrameObservation, HandObservation, ManoPose, Roi
from hmp_ros.messages import (
    build_camera_info,
    build_hand_array,
    build_image,
    build_info,
    build_observation_array,
    stamp_ns,
)
from hmp_ros.msg import HandObservationArray, ManoHand, ManoHandArray
from hmp_ros.observed_frame import ObservedFrame
from hmp_ros.wrist_tf import build_transforms

STAMP_NS = 1_700_000_000_123_456_789
TIMING = Timing(received_ns=STAMP_NS + 7, published_ns=STAMP_NS + 9, dropped_images=3, dropped_solves=4)


def _pose(rng: np.random.Generator) -> ManoPose:
    return ManoPose(rng.normal(size=(16, 3)), rng.normal(size=10), rng.normal(size=3))


def _observation(rng: np.random.Generator, side: Side | None, initial: ManoPose | None) -> HandObservation:
    sigma = rng.uniform(1, 5, NUM_JOINTS)
    sigma[3] = np.inf
    return HandObservation(
        track_id=2**32 - 1,
        side=side,
        side_score=0.75,
        presence=0.5,
        roi=Roi(rng.uniform(-50, 800, 2), 210.5, -1.25),
        keypoints_px=rng.uniform(-50, 1300, (NUM_JOINTS, 2)),
        keypoint_sigma_px=sigma,
        landmarks_m=rng.normal(0, 0.1, (NUM_JOINTS, 3)),
        landmark_sigma_m=sigma * 1e-3,
        initial=initial,
    )


def _estimate(rng: np.random.Generator, status: HandStatus = HandStatus.PARTIAL) -> HandEstimate:
    window = WindowStatus(7, STAMP_NS - 10**9, STAMP_NS, 32, 20, 4, True, False, 12.5, 3.25, 1.5)
    return HandEstimate(
        track_id=7,
        side=Side.LEFT,
        side_score=0.9,
        status=status,
        score=0.8,
        since_observed_ns=1_250_000_000,
        joints_camera=rng.normal((0, 0, 0.5), 0.1, (NUM_JOINTS, 3)),
        joint_stddev_m=rng.uniform(0.001, 0.01, NUM_JOINTS),
        joint_observed=rng.random(NUM_JOINTS) < 0.5,
        mano=_pose(rng),
        R_camera_wrist=np.array([[0, -1, 0], [1, 0, 0], [0, 0, 1.0]]),
        wrist_covariance=np.diag(rng.uniform(0, 1, 6)),
        window=None if status is HandStatus.LOST else window,
    )


def _through_the_wire(message: object) -> object:
    return deserialize_message(serialize_message(message), type(message))


@pytest.mark.parametrize(("side", "has_initial"), [(Side.LEFT, True), (Side.RIGHT, False), (None, False)])
def test_an_observation_survives_the_way_to_the_window_node(side: Side | None, has_initial: bool) -> None:
    rng = np.random.default_rng(0)
    camera = Camera(1280, 720, 910.5, 905.25, 640.125, 359.5, Distortion.PLUMB_BOB, (0.1, -0.2, 0.001, 0.002, 0.0))
    hand = _observation(rng, side, _pose(rng) if has_initial else None)
    sent = FrameObservation(STAMP_NS, camera, (hand, replace(hand, track_id=5)), {"detect": 7.5, "initialize": 1.0})
    message = _through_the_wire(build_observation_array(sent, "optical", TIMING))
    observed = ObservedFrame.from_message(message)
    got = observed.observation
    assert observed.frame_id == "optical"
    assert observed.timing == Timing(received_ns=TIMING.received_ns, dropped_images=3)
    assert (got.stamp_ns, got.camera, got.stage_ms) == (sent.stamp_ns, sent.camera, sent.stage_ms)
    assert [item.track_id for item in got.hands] == [2**32 - 1, 5]
    first = got.hands[0]
    assert (first.side, first.side_score, first.presence) == (side, 0.75, 0.5)
    for name in ("keypoints_px", "keypoint_sigma_px", "landmarks_m", "landmark_sigma_m"):
        np.testing.assert_allclose(getattr(first, name), getattr(hand, name), rtol=1e-6)
    np.testing.assert_allclose(first.roi.center_px, hand.roi.center_px, rtol=1e-6)
    assert (first.roi.size_px, first.roi.rotation_rad) == (210.5, -1.25)
    assert (first.initial is None) == (hand.initial is None)
    if first.initial is not None and hand.initial is not None:
        np.testing.assert_allclose(first.initial.rotation_vectors, hand.initial.rotation_vectors, rtol=1e-6)
        np.testing.assert_allclose(first.initial.betas, hand.initial.betas, rtol=1e-6)
        np.testing.assert_allclose(first.initial.translation, hand.initial.translation, rtol=1e-6)


def test_an_empty_scene_is_a_message_with_empty_lists() -> None:
    camera = Camera.from_field_of_view(640, 480, 60.0)
    message = build_observation_array(FrameObservation(STAMP_NS, camera), "optical", TIMING)
    observation = ObservedFrame.from_message(message).observation
    assert observation.hands == ()
    assert observation.camera == camera
    assert not observation.camera.calibrated
    hands = build_hand_array(FrameEstimate(STAMP_NS), "optical", TIMING)
    assert (list(hands.hands), list(hands.windows)) == ([], [])
    assert stamp_ns(hands.header) == STAMP_NS


def test_unusable_observations_are_refused() -> None:
    rng = np.random.default_rng(1)
    frame = FrameObservation(STAMP_NS, Camera.from_field_of_view(640, 480, 60.0), (_observation(rng, None, None),))

    def message() -> HandObservationArray:
        return build_observation_array(frame, "optical", TIMING)

    wrong_side, nan_keypoint, zero_sigma, crowd, no_camera = (message() for _ in range(5))
    wrong_side.hands[0].side = 3
    nan_keypoint.hands[0].keypoint_x[4] = np.nan
    zero_sigma.hands[0].keypoint_sigma[4] = 0.0
    crowd.hands = list(crowd.hands) * (MAX_HANDS + 1)
    no_camera.camera.k = np.zeros(9)
    for bad in (wrong_side, nan_keypoint, zero_sigma, crowd):
        with pytest.raises(DataError):
            ObservedFrame.from_message(bad)
    with pytest.raises(CameraError):
        ObservedFrame.from_message(no_camera)


def test_an_estimate_fills_every_field_of_its_message() -> None:
    rng = np.random.default_rng(2)
    estimate = _estimate(rng)
    frame = FrameEstimate(STAMP_NS, (estimate,), {"detect": 7.0, "initialize": 1.0, "optimize": 12.5})
    message = _through_the_wire(build_hand_array(frame, "optical", TIMING))
    assert isinstance(message, ManoHandArray)
    (hand,), (window,) = message.hands, message.windows
    assert (stamp_ns(hand.header), hand.header.frame_id) == (STAMP_NS, "optical")
    assert (hand.track_id, hand.side, hand.status) == (7, ManoHand.SIDE_LEFT, ManoHand.STATUS_PARTIAL)
    assert (hand.since_observed.sec, hand.since_observed.nanosec) == (1, 250_000_000)
    np.testing.assert_allclose([(p.x, p.y, p.z) for p in hand.joints], estimate.joints_camera)
    position, orientation = hand.wrist_pose.pose.position, hand.wrist_pose.pose.orientation
    np.testing.assert_allclose((position.x, position.y, position.z), estimate.joints_camera[0])
    half = np.sqrt(0.5)
    np.testing.assert_allclose(
        (orientation.x, orientation.y, orientation.z, orientation.w), (0, 0, half, half), atol=1e-9
    )
    np.testing.assert_allclose(hand.wrist_pose.covariance.reshape(6, 6), estimate.wrist_covariance)
    np.testing.assert_allclose(hand.joint_stddev, estimate.joint_stddev_m, rtol=1e-6)
    assert list(hand.joint_observed) == estimate.joint_observed.tolist()
    np.testing.assert_allclose(hand.pose, estimate.mano.rotation_vectors.reshape(48), rtol=1e-6)
    np.testing.assert_allclose(hand.betas, estimate.mano.betas, rtol=1e-6)
    np.testing.assert_allclose(hand.translation, estimate.mano.translation, rtol=1e-6)
    assert (window.track_id, window.steps, window.steps_observed, window.iterations) == (7, 32, 20, 4)
    assert (window.warm_started, window.converged, window.final_cost) == (True, False, 3.25)
    assert (message.latency.optimize.nanosec, message.latency.dropped_solves) == (12_500_000, 4)


def test_status_and_joint_constants_agree_with_the_core() -> None:
    assert {name: getattr(ManoHand, f"STATUS_{name}") for name in HandStatus.__members__} == {
        name: int(value) for name, value in HandStatus.__members__.items()
    }
    assert [getattr(ManoHand, f"{finger.upper()}_TIP") for finger in FINGER_NAMES] == list(TIPS)
    assert (ManoHand.NUM_JOINTS, ManoHand.WRIST) == (NUM_JOINTS, 0)


def test_info_describes_the_skeleton() -> None:
    info = _through_the_wire(build_info("open hand", "ab" * 32, FitterConfig(), HandShape((0.5,) * 10, 0.09)))
    assert tuple(info.joint_names) == JOINT_NAMES
    assert tuple(info.joint_parents) == PARENTS
    assert info.flat_hand_mean
    assert (info.calibrated, info.metric) == (False, False)
    assert info.hand_length == pytest.approx(0.09)
    held = FitterConfig(betas=(0.5,) * 10, hand_length_m=0.09)
    info = _through_the_wire(build_info("open hand", "ab" * 32, held, HandShape((0.5,) * 10, 0.09)))
    assert (info.calibrated, info.metric, list(info.betas)) == (True, True, [0.5] * 10)


def test_images_and_cameras_come_back_as_they_were() -> None:
    image = np.random.default_rng(3).integers(0, 256, (48, 64, 3), dtype=np.uint8)
    message = _through_the_wire(build_image(image, STAMP_NS, "optical"))
    np.testing.assert_array_equal(image_to_bgr(message), image)
    assert (stamp_ns(message.header), message.header.frame_id) == (STAMP_NS, "optical")
    camera = Camera(64, 48, 50.0, 51.0, 31.0, 23.0, Distortion.EQUIDISTANT, (0.1, 0.2, 0.3, 0.4))
    assert camera_from_info(_through_the_wire(build_camera_info(camera, STAMP_NS, "optical"))) == camera


def test_a_lost_hand_has_no_wrist_frame() -> None:
    rng = np.random.default_rng(5)
    seen, lost = _estimate(rng), _estimate(rng, HandStatus.LOST)
    (transform,) = build_transforms(build_hand_array(FrameEstimate(STAMP_NS, (seen,)), "optical", TIMING))
    assert (transform.header.frame_id, transform.child_frame_id) == ("optical", "hand_left_wrist")
    assert transform.transform.translation.x == seen.joints_camera[0, 0]
    assert build_transforms(build_hand_array(FrameEstimate(STAMP_NS, (lost,)), "optical", TIMING)) == []
    message = build_hand_array(FrameEstimate(STAMP_NS, (seen,)), "optical", TIMING)
    assert build_transforms(message, "front/")[0].child_frame_id == "front/hand_left_wrist"
