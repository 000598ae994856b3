# SPDX-FileCopyrightText: 2026 The hmp_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Two cameras in two namespaces, without a line of code: each pair of nodes keeps to its own."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from geometry_msgs.msg import PoseStamped
from graph import START_S, Process, Recorder, stamps_of
from sensor_msgs.msg import CameraInfo

from hmp_ros import qos
from hmp_ros.msg import ManoHand, ManoHandArray

FRONT, SIDE = "/front", "/side"
# The front camera looks down on a table from half a metre above the base.
POSE = "0.2 0.0 0.5 1.0 0.0 0.0 0.0"
SPEED = 0.2


@pytest.mark.slow
def test_two_cameras_in_two_namespaces(short_clip: Path, recorder: Recorder, start: Callable[..., Process]) -> None:
    settings: dict[str, dict[str, object]] = {
        FRONT: {"target_frame": "base", "camera_pose": POSE},
        SIDE: {"hands": "left"},
    }
    nodes = {name: start("hmp_node", remappings={"__ns": name}, **settings[name]) for name in (FRONT, SIDE)}
    hands = {name: recorder.record(ManoHandArray, f"{name}/hand/mano", qos.HANDS) for name in nodes}
    infos = {name: recorder.record(CameraInfo, f"{name}/camera_info", qos.IMAGES) for name in nodes}
    wrists = {
        (name, side): recorder.record(PoseStamped, f"{name}/hand/{side}/wrist_pose", qos.HANDS)
        for name in nodes
        for side in ("left", "right")
    }
    for name, node in nodes.items():
        node.wait_for(f"publishing {name}/hand/mano")
    players = [
        start(
            "video_publisher",
            remappings={"__ns": name},
            video=short_clip,
            wait_for_subscribers=1,
            speed=SPEED,
            loop=True,
        )
        for name in nodes
    ]
    assert recorder.spin_until(lambda: len(wrists[FRONT, "right"]) > 15 and len(hands[SIDE]) > 25, 3 * START_S)

    for name, other in ((FRONT, SIDE), (SIDE, FRONT)):
        answered = set(stamps_of(hands[name]))
        assert answered & set(stamps_of(infos[name])), "a camera's images are answered in its own namespace"
        assert not answered & set(stamps_of(infos[other]))
    # In front: a right hand, in the frame of the robot, its wrist published for the arm.
    seen = [hand for message in hands[FRONT] for hand in message.hands if hand.status == ManoHand.STATUS_OBSERVED]
    assert {hand.side for hand in seen} == {ManoHand.SIDE_RIGHT}
    assert {message.header.frame_id for message in hands[FRONT]} == {"base"}
    assert all(hand.joints[0].z < 0.5 for hand in seen), "below the camera"
    by_stamp = dict(zip(stamps_of(hands[FRONT]), hands[FRONT], strict=True))
    for stamp, wrist in zip(stamps_of(wrists[FRONT, "right"]), wrists[FRONT, "right"], strict=True):
        if stamp in by_stamp:
            assert wrist.header.frame_id == "base"
            assert wrist.pose in [hand.wrist_pose.pose for hand in by_stamp[stamp].hands]
    quaternions = np.array([(w.pose.orientation.x, w.pose.orientation.y, w.pose.orientation.z, w.pose.orientation.w)
                            for w in wrists[FRONT, "right"]])  # fmt: skip
    np.testing.assert_allclose(np.linalg.norm(quaternions, axis=1), 1.0, atol=1e-9)
    # At the side: the same clip, where only left hands are wanted.
    assert not any(message.hands for message in hands[SIDE])
    assert {message.header.frame_id for message in hands[SIDE]} == {"camera_optical_frame"}
    assert not wrists[FRONT, "left"] + wrists[SIDE, "left"] + wrists[SIDE, "right"]
    for process in (*players, *nodes.values()):
        assert process.end() == 0
        assert "Traceback" not in process.output
