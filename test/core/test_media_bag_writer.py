# SPDX-FileCopyrightText: 2026 The hmp_ros authors
# SPDX-License-Identifier: Apache-2.0
from pathlib import Path

import numpy as np
import pytest
from rosbags.highlevel import AnyReader
from scipy.spatial.transform import Rotation

from hmp_core.camera import Camera
from hmp_core.estimate import FrameEstimate, HandEstimate, HandStatus, WindowStatus
from hmp_core.hand.skeleton import Side
from hmp_core.lens import Distortion
from hmp_core.media import message_types
from hmp_core.media.bag_writer import HandBagWriter
from hmp_core.media.message_fields import Timing
from hmp_core.media.ros_camera import camera_from_info
from hmp_core.observation import FrameObservation, HandObservation, ManoPose, Roi

CAMERA = Camera(640, 480, 500, 510, 319.5, 239.5, Distortion.PLUMB_BOB, (0.1, -0.2, 0.0, 0.0, 0.0))
STAMP_NS = 1_700_000_000_123_456_789


def mano(rng):
    return ManoPose(rng.normal(size=(16, 3)), rng.normal(size=10), rng.normal(size=3))


def observation(rng, side=Side.RIGHT):
    return HandObservation(
        track_id=7,
        side=side,
        side_score=0.9,
        presence=0.8,
        roi=Roi(np.array([100.0, 200.0]), 150.0, 0.3),
        keypoints_px=rng.uniform(0, 640, (21, 2)),
        keypoint_sigma_px=np.where(np.arange(21) == 4, np.inf, 2.0),
        landmarks_m=rng.normal(size=(21, 3)),
        landmark_sigma_m=np.full(21, 0.01),
        initial=None if side is None else mano(rng),
    )


def estimate(rng, status=HandStatus.PARTIAL):
    window = WindowStatus(7, STAMP_NS - 10**9, STAMP_NS, 32, 20, 3, True, False, 12.5, 3.5, 1.25)
    return HandEstimate(
        track_id=7,
        side=Side.LEFT,
        side_score=0.95,
        status=status,
        score=0.7,
        since_observed_ns=1_500_000_000,
        joints_camera=rng.normal(size=(21, 3)),
        joint_stddev_m=rng.uniform(0, 0.01, 21),
        joint_observed=rng.uniform(size=21) > 0.5,
        mano=mano(rng),
        R_camera_wrist=Rotation.from_rotvec(rng.normal(size=3)).as_matrix(),
        wrist_covariance=np.diag(np.arange(1.0, 7.0)),
        window=None if status is HandStatus.LOST else window,
    )


def points(message):
    return np.array([[point.x, point.y, point.z] for point in message])


def read(path):
    with AnyReader([Path(path)]) as reader:
        return [
            (connection.topic, stamp, reader.deserialize(data, connection.msgtype))
            for connection, stamp, data in reader.messages()
        ]


def test_bag_reads_back_what_was_written(tmp_path):
    rng = np.random.default_rng(0)
    seen, hand = observation(rng), estimate(rng)
    stage_ms = {"detect": 12.5, "initialize": 0.25}
    with HandBagWriter(tmp_path / "hands.mcap", "camera_optical") as bag:
        timing = Timing(STAMP_NS + 1, STAMP_NS + 2, 3, 4)
        bag.write_observation(FrameObservation(STAMP_NS, CAMERA, (seen,), stage_ms), timing)
        bag.write_estimate(FrameEstimate(STAMP_NS, (hand,), {**stage_ms, "optimize": 9.0}), timing)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["hands.mcap"]

    messages = {topic: (stamp, message) for topic, stamp, message in read(tmp_path / "hands.mcap")}
    stamp, array = messages["/hand/observations"]
    assert stamp == STAMP_NS
    assert array.header.frame_id == "camera_optical"
    assert (array.header.stamp.sec, array.header.stamp.nanosec) == divmod(STAMP_NS, 10**9)
    assert camera_from_info(array.camera) == CAMERA
    assert array.camera_calibrated
    assert (array.latency.detect.nanosec, array.latency.optimize.nanosec) == (12_500_000, 0)
    assert (array.latency.dropped_images, array.latency.dropped_solves) == (3, 4)
    (message,) = array.hands
    np.testing.assert_allclose(message.keypoint_x, seen.keypoints_px[:, 0], rtol=1e-6)
    np.testing.assert_allclose(message.keypoint_y, seen.keypoints_px[:, 1], rtol=1e-6)
    assert np.isinf(message.keypoint_sigma[4])
    np.testing.assert_allclose(points(message.landmarks), seen.landmarks_m)
    assert (message.side, message.has_initial, message.track_id) == (message.SIDE_RIGHT, True, 7)
    np.testing.assert_allclose(message.initial_pose, seen.initial.rotation_vectors.ravel(), rtol=1e-6)

    _, array = messages["/hand/mano"]
    (message,), (window,) = array.hands, array.windows
    assert (message.side, message.status) == (message.SIDE_LEFT, message.STATUS_PARTIAL)
    assert (message.since_observed.sec, message.since_observed.nanosec) == (1, 500_000_000)
    np.testing.assert_allclose(points(message.joints), hand.joints_camera)
    np.testing.assert_array_equal(message.joint_observed, hand.joint_observed)
    np.testing.assert_allclose(message.pose.reshape(16, 3), hand.mano.rotation_vectors, rtol=1e-6)
    wrist = message.wrist_pose.pose
    np.testing.assert_allclose(points([wrist.position])[0], hand.joints_camera[0])
    quaternion = [wrist.orientation.x, wrist.orientation.y, wrist.orientation.z, wrist.orientation.w]
    np.testing.assert_allclose(Rotation.from_quat(quaternion).as_matrix(), hand.R_camera_wrist, atol=1e-12)
    np.testing.assert_allclose(message.wrist_pose.covariance.reshape(6, 6), hand.wrist_covariance)
    assert (window.steps, window.warm_started, window.converged) == (32, True, False)
    assert window.reprojection_rmse == pytest.approx(1.25)
    assert array.latency.optimize.nanosec == 9_000_000


def test_nobody_undecided_and_lost_hands_are_written(tmp_path):
    rng = np.random.default_rng(1)
    with HandBagWriter(tmp_path / "hands.mcap", "camera") as bag:
        bag.write_observation(FrameObservation(1, CAMERA), Timing())
        bag.write_estimate(FrameEstimate(1), Timing())
        bag.write_observation(FrameObservation(2, CAMERA, (observation(rng, side=None),)), Timing())
        bag.write_estimate(FrameEstimate(2, (estimate(rng, HandStatus.LOST),)), Timing())
    messages = read(tmp_path / "hands.mcap")
    assert [stamp for _, stamp, _ in messages] == [1, 1, 2, 2]
    assert [len(message.hands) for *_, message in messages] == [0, 0, 1, 1]
    undecided, lost = messages[2][2].hands[0], messages[3][2]
    assert undecided.side == undecided.SIDE_UNKNOWN
    assert not undecided.has_initial
    assert lost.hands[0].status == lost.hands[0].STATUS_LOST
    assert len(lost.windows) == 0


def test_an_interrupted_bag_is_closed_and_replaces_the_older(tmp_path):
    path = tmp_path / "hands.mcap"
    path.write_bytes(b"older")

    def record_until_interrupted():
        with HandBagWriter(path, "camera") as bag:
            bag.write_estimate(FrameEstimate(5), Timing())
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        record_until_interrupted()
    assert [stamp for _, stamp, _ in read(path)] == [5]


def test_definitions_are_found_in_the_source_tree_and_under_a_prefix(tmp_path, monkeypatch):
    source = message_types.message_folder()
    assert {path.stem for path in source.glob("*.msg")} >= {"ManoHandArray", "HandObservationArray"}
    share = tmp_path / "share" / "hmp_ros" / "msg"
    share.mkdir(parents=True)
    (share / "ManoHandArray.msg").write_bytes((source / "ManoHandArray.msg").read_bytes())
    installed = tmp_path / "lib" / "python3.11" / "site-packages" / "hmp_core" / "media" / "message_types.py"
    monkeypatch.setattr(message_types, "__file__", str(installed))
    assert message_types.message_folder() == share
    (share / "ManoHandArray.msg").unlink()
    with pytest.raises(message_types.DataError, match="reinstall"):
        message_types.message_folder()
