# SPDX-FileCopyrightText: 2026 The hmp_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Hands in a robot's frame, and wrists for its arms: what goes into the messages."""

import sys
from types import ModuleType, SimpleNamespace
from typing import Any

import numpy as np
import pytest
import rclpy
from rclpy.node import Node
from rclpy.time import Time
from scipy.spatial.transform import Rotation

from hmp_core.errors import ConfigError, TransformError
from hmp_core.estimate import FrameEstimate, HandEstimate, HandStatus
from hmp_core.extrinsic import Extrinsic
from hmp_core.hand.skeleton import NUM_JOINTS, Side
from hmp_core.media.message_fields import Timing
from hmp_core.observation import ManoPose
from hmp_ros.messages import build_hand_array
from hmp_ros.target_frame import CameraFrame, FixedFrame, TfFrame, check_frame, make_frame
from hmp_ros.wrist_pose import build_wrist_poses

STAMP_NS = 1_700_000_000_123_456_789
# A camera that looks down on a table, half a metre above the base.
POSE = (0.2, 0.0, 0.5, 1.0, 0.0, 0.0, 0.0)
POSE_TEXT = " ".join(map(str, POSE))


def _hand(
    side: Side, track_id: int = 1, status: HandStatus = HandStatus.OBSERVED, unseen_ns: int = 0
) -> HandEstimate:
    rng = np.random.default_rng(track_id)
    joints = rng.normal((0, 0, 0.4), 0.05, (NUM_JOINTS, 3))
    pose = ManoPose(rng.normal(size=(16, 3)), rng.normal(size=10), joints[0] - 0.09)
    return HandEstimate(
        track_id, side, 0.9, status, 0.8, unseen_ns, joints, np.full(NUM_JOINTS, 0.01), np.ones(NUM_JOINTS, bool),
        pose, Rotation.random(random_state=track_id).as_matrix(), np.diag([1.0, 2, 3, 4, 5, 6]) * 1e-4,
    )  # fmt: skip


class StandInBuffer:
    """What ``tf2_ros.Buffer`` does, for one transform."""

    class Unknown(Exception):
        """Stands for ``TransformException``."""

    def __init__(self, known_at_ns: set[int], pose: tuple[float, ...] = POSE) -> None:
        self.known_at_ns = known_at_ns
        self.asked: list[tuple[str, str, int]] = []
        x, y, z, qx, qy, qz, qw = pose
        self._answer = SimpleNamespace(
            transform=SimpleNamespace(
                translation=SimpleNamespace(x=x, y=y, z=z), rotation=SimpleNamespace(x=qx, y=qy, z=qz, w=qw)
            )
        )

    def lookup_transform(self, target_frame: str, source_frame: str, time: Time) -> Any:
        self.asked.append((target_frame, source_frame, time.nanoseconds))
        if time.nanoseconds not in self.known_at_ns:
            raise self.Unknown("extrapolation into the future")
        return self._answer


def test_the_cameras_own_frame_is_the_default() -> None:
    estimate = FrameEstimate(STAMP_NS, (_hand(Side.LEFT),))
    assert CameraFrame().place(estimate, "optical") == (estimate, "optical")


def test_messages_are_in_the_target_frame() -> None:
    before = _hand(Side.RIGHT)
    fixed = FixedFrame("base", Extrinsic.parse(POSE_TEXT))
    message = build_hand_array(*fixed.place(FrameEstimate(STAMP_NS, (before,)), "optical"), Timing())
    assert message.header.frame_id == message.hands[0].header.frame_id == "base"
    expected = before.joints_camera * (1, -1, -1) + POSE[:3]
    found = [(joint.x, joint.y, joint.z) for joint in message.hands[0].joints]
    np.testing.assert_allclose(found, expected)
    position = message.hands[0].wrist_pose.pose.position
    np.testing.assert_allclose((position.x, position.y, position.z), expected[0])
    covariance = message.hands[0].wrist_pose.covariance.reshape(6, 6)
    np.testing.assert_allclose(covariance, before.wrist_covariance, atol=1e-12)
    np.testing.assert_allclose(message.hands[0].translation, expected[0] - 0.09, atol=1e-6)


def test_tf_is_asked_at_the_images_stamp_and_else_for_the_newest() -> None:
    estimate = FrameEstimate(STAMP_NS, (_hand(Side.RIGHT),))
    fixed = FixedFrame("base", Extrinsic.parse(POSE_TEXT)).place(estimate, "optical")
    for known, asked in (({STAMP_NS}, [STAMP_NS]), ({0}, [STAMP_NS, 0])):
        buffer = StandInBuffer(known)
        placed = TfFrame("base", buffer, StandInBuffer.Unknown).place(estimate, "optical")
        np.testing.assert_allclose(placed[0].hands[0].joints_camera, fixed[0].hands[0].joints_camera)
        assert placed[1] == "base"
        assert buffer.asked == [("base", "optical", time) for time in asked]


def test_without_a_transform_hands_are_nowhere_and_an_empty_list_is_an_empty_list() -> None:
    frame = TfFrame("base", StandInBuffer(set()), StandInBuffer.Unknown)
    with pytest.raises(TransformError, match=r"from 'optical' to target_frame 'base'.*camera_pose"):
        frame.place(FrameEstimate(STAMP_NS, (_hand(Side.RIGHT),)), "optical")
    empty = FrameEstimate(STAMP_NS)
    assert frame.place(empty, "optical") == (empty, "base")


def test_parameters_that_do_not_fit_together_are_refused() -> None:
    with pytest.raises(ConfigError, match="give target_frame"):
        check_frame("", POSE_TEXT)
    with pytest.raises(ConfigError, match="qx qy qz qw"):
        check_frame("base", "1 2 3")
    check_frame("", "")
    check_frame("base", POSE_TEXT)


def test_tf_is_wanted_only_where_it_is_installed(monkeypatch: pytest.MonkeyPatch, context: rclpy.Context) -> None:
    node = Node("placed", context=context)
    assert isinstance(make_frame(node, "", ""), CameraFrame)
    assert isinstance(make_frame(node, "base", POSE_TEXT), FixedFrame)
    monkeypatch.setitem(sys.modules, "tf2_ros", None)
    with pytest.raises(ConfigError, match="needs tf2_ros"):
        make_frame(node, "base", "")
    heard: list[object] = []
    installed = ModuleType("tf2_ros")
    installed.__spec__ = SimpleNamespace()  # type: ignore[assignment]
    buffer = StandInBuffer({STAMP_NS})
    vars(installed).update(
        Buffer=lambda: buffer,
        TransformException=StandInBuffer.Unknown,
        TransformListener=lambda *arguments: heard.append(arguments),
    )
    monkeypatch.setitem(sys.modules, "tf2_ros", installed)
    frame = make_frame(node, "base", "")
    assert heard == [(buffer, node)]
    assert frame.place(FrameEstimate(STAMP_NS, (_hand(Side.LEFT),)), "optical")[1] == "base"
    node.destroy_node()


def test_each_side_has_the_wrist_that_was_seen_last_and_a_lost_hand_has_none() -> None:
    old = _hand(Side.RIGHT, 1, HandStatus.INFILLED, unseen_ns=400_000_000)
    seen = _hand(Side.RIGHT, 2)
    lost = _hand(Side.LEFT, 3, HandStatus.LOST, unseen_ns=1_100_000_000)
    message = build_hand_array(FrameEstimate(STAMP_NS, (seen, old, lost)), "base", Timing())
    poses = build_wrist_poses(message)
    assert set(poses) == {"right"}
    assert poses["right"].header == message.header
    assert poses["right"].pose == message.hands[0].wrist_pose.pose
    message = build_hand_array(FrameEstimate(STAMP_NS, (old,)), "base", Timing())
    assert build_wrist_poses(message)["right"].pose == message.hands[0].wrist_pose.pose
    assert build_wrist_poses(build_hand_array(FrameEstimate(STAMP_NS), "base", Timing())) == {}
