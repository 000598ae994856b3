# SPDX-FileCopyrightText: 2026 The hmp_ros authors
# SPDX-License-Identifier: Apache-2.0
"""``hand/mano`` to joint commands: the real node as a process, over real DDS."""

import importlib.util
import signal
import sys
from collections.abc import Callable, Iterator
from dataclasses import fields
from pathlib import Path

import numpy as np
import pytest
import rclpy
import yaml
from diagnostic_msgs.msg import DiagnosticArray, DiagnosticStatus
from graph import START_S, Process, Recorder, stamps_of
from lifecycle_msgs.msg import Transition
from lifecycle_msgs.srv import ChangeState
from rclpy.parameter import Parameter
from sensor_msgs.msg import JointState

from hmp_core.errors import ConfigError
from hmp_core.estimate import FrameEstimate, HandEstimate, HandStatus
from hmp_core.hand.operator_frame import operator_frame
from hmp_core.hand.skeleton import Side
from hmp_core.media.message_fields import Timing
from hmp_core.observation import ManoPose
from hmp_ros import qos
from hmp_ros.messages import build_hand_array
from hmp_ros.msg import ManoHandArray
from hmp_ros.retarget_node import RetargetNode, RetargetParameters

sys.path.insert(0, str(Path(__file__).parents[1] / "core"))
from operator_poses import FIST, OPEN, operator_joints

ROOT = Path(__file__).parents[2]
JOINTS = [f"joint_{number}.0" for number in range(16)]
FRAME_NS = 33_333_333
START_NS = 1_000_000_000

pytestmark = pytest.mark.skipif(
    importlib.util.find_spec("dex_retargeting") is None, reason="needs the extra teleop"
)
Start = Callable[..., Process]


class Operator:
    """Publishes ``hand/mano`` at 30 Hz of its own time and reads the commands that come back."""

    def __init__(self, recorder: Recorder, side: Side = Side.RIGHT) -> None:
        self._recorder = recorder
        self._side = side
        self._publisher = recorder.node.create_publisher(ManoHandArray, "hand/mano", qos.HANDS)
        self._sent = 0
        self.commands = recorder.record(JointState, f"hand/{side.value}/joint_command", qos.HANDS)

    def connect(self) -> None:
        """Wait until the node listens and is heard."""
        topic = self._publisher.topic_name
        assert self._recorder.spin_until(
            lambda: (
                self._publisher.get_subscription_count() > 0
                and self._recorder.node.count_publishers(f"/hand/{self._side.value}/joint_command") > 0
            ),
            START_S,
        ), f"nobody listens to {topic}"

    def show(self, pose: str | None, status: HandStatus = HandStatus.OBSERVED, side: Side | None = None) -> int:
        """Publish one message; None: an empty list. Its stamp [ns]."""
        side = side or self._side
        joints = np.add(operator_joints(pose or OPEN, side), (0.0, 0.0, 0.5))
        hand = HandEstimate(
            track_id=1,
            side=side,
            side_score=1.0,
            status=status,
            score=1.0,
            since_observed_ns=0,
            joints_camera=joints,
            joint_stddev_m=np.full(21, 0.002),
            joint_observed=np.ones(21, bool),
            mano=ManoPose(np.zeros((16, 3)), np.zeros(10), joints[0]),
            R_camera_wrist=operator_frame(joints, side),
            wrist_covariance=np.eye(6),
        )
        stamp_ns = START_NS + self._sent * FRAME_NS
        self._sent += 1
        estimate = FrameEstimate(stamp_ns=stamp_ns, hands=() if pose is None else (hand,))
        self._publisher.publish(build_hand_array(estimate, "camera", Timing(stamp_ns, stamp_ns)))
        return stamp_ns

    def answered(self, stamp_ns: int) -> JointState:
        """The command that answers a message; the watchdog's have stamps of their own."""

        def answers() -> list[JointState]:
            return [command for command in self.commands[-20:] if stamps_of([command]) == [stamp_ns]]

        assert self._recorder.spin_until(lambda: bool(answers()), START_S), f"no command for {stamp_ns}"
        return answers()[0]

    def change_state(self, transition: int) -> bool:
        """Ask the node for a transition; whether it succeeded."""
        client = self._recorder.node.create_client(ChangeState, "/retarget_node/change_state")
        self._recorder.find(client)
        future = client.call_async(ChangeState.Request(transition=Transition(id=transition)))
        assert self._recorder.spin_until(future.done, START_S)
        return bool(future.result().success)

    def show_until(self, pose: str, reached: Callable[[JointState], bool]) -> bool:
        """Show a pose until the robot has taken it; how long that takes is a matter of the machine's speed."""
        return any(reached(self.answered(self.show(pose))) for _ in range(2000))


@pytest.fixture
def operator(recorder: Recorder) -> Iterator[Operator]:
    return Operator(recorder)


def test_a_robot_hand_follows_and_holds(operator: Operator, recorder: Recorder, start: Start) -> None:
    diagnostics = recorder.record(DiagnosticArray, "/diagnostics", qos.HANDS)
    node = start("retarget_node", max_joint_velocity=4.0, watchdog_s=0.2)
    node.wait_for("publishing /hand/right/joint_command")
    operator.connect()
    # Nothing to follow: no command, lest the robot jumps to the neutral pose.
    for _ in range(5):
        operator.show(None)
    operator.show(FIST, HandStatus.LOST)
    operator.show(FIST, side=Side.LEFT)
    assert not recorder.spin_until(lambda: bool(operator.commands), 1.0)
    # The first command is the neutral pose, then it closes and opens.
    first = operator.answered(operator.show(FIST))
    assert list(first.name) == JOINTS
    assert np.count_nonzero(first.position) == 1
    assert operator.commands[0].header.stamp == first.header.stamp
    assert operator.show_until(FIST, lambda command: _flexion(command).min() > 3.8)
    closed = operator.commands[-1]
    # LOST and empty lists: the same command again, with the stamps of the messages.
    for pose, status in ((OPEN, HandStatus.LOST), (None, HandStatus.OBSERVED)):
        stamp_ns = operator.show(pose, status)
        held = operator.answered(stamp_ns)
        assert stamps_of([held]) == [stamp_ns]
        np.testing.assert_array_equal(held.position, closed.position)
    # Silence: the watchdog repeats it, stamped later and later.
    count = len(operator.commands)
    assert recorder.spin_until(lambda: len(operator.commands) >= count + 3, START_S)
    silent = operator.commands[count:]
    assert (np.diff(stamps_of(silent)) > 0).all()
    assert all(list(command.position) == list(closed.position) for command in silent)
    assert recorder.spin_until(lambda: any(_complaint(d, "no hand/mano for") for d in diagnostics), START_S)
    # Inactive: no command at all; then on from where it was.
    assert operator.change_state(Transition.TRANSITION_DEACTIVATE)
    count = len(operator.commands)
    assert not recorder.spin_until(lambda: len(operator.commands) > count, 1.0)
    assert operator.change_state(Transition.TRANSITION_ACTIVATE)
    # Back again, within the speed limit from the first command on.
    assert operator.show_until(OPEN, lambda command: _flexion(command).max() < 1.2)
    angles = np.array([command.position for command in operator.commands])
    assert np.abs(np.diff(angles, axis=0)).max() <= 4.0 * 0.1 + 1e-9
    assert node.end(signal.SIGINT) == 0
    assert "following" in node.output
    assert "holding: the right hand is LOST" in node.output
    assert "Traceback" not in node.output


def _complaint(message: DiagnosticArray, text: str) -> bool:
    return any(
        status.name == "/retarget_node" and status.level == DiagnosticStatus.WARN and text in status.message
        for status in message.status
    )


def _flexion(command: JointState) -> np.ndarray:
    return np.asarray(command.position).reshape(4, 4)[:3, 1:].sum(axis=1)


@pytest.mark.slow
def test_the_camera_moves_a_robot_hand(short_clip: Path, recorder: Recorder, start: Start) -> None:
    """The whole way: images of the real clip, both nodes in one process, the robot's commands."""
    hands = recorder.record(ManoHandArray, "hand/mano", qos.HANDS)
    commands = recorder.record(JointState, "hand/right/joint_command", qos.HANDS)
    retargeting = start("retarget_node", configuration="allegro_dexpilot", watchdog_s=2.0)
    retargeting.wait_for("publishing /hand/right/joint_command")
    camera = start("hmp_node")
    camera.wait_for("publishing /hand/mano")
    publisher = start("video_publisher", video=short_clip, wait_for_subscribers=1, speed=0.25, own_stamps=True)
    assert recorder.spin_until(lambda: not publisher.running, START_S)
    assert recorder.spin_until(lambda: bool(hands) and not hands[-1].hands, START_S), "the hand was never lost"
    followed = [at for at, message in zip(stamps_of(hands), hands, strict=True) if message.hands]
    assert len(set(stamps_of(commands)) & set(followed)) > 5, "commands carry the images' stamps"
    angles = np.array([command.position for command in commands])
    assert np.isfinite(angles).all()
    assert np.abs(np.diff(angles, axis=0)).max() > 0
    for node in (camera, retargeting):
        assert node.end() == 0
        assert "Traceback" not in node.output


@pytest.mark.parametrize(
    ("parameters", "told"),
    [
        ({"side": "both"}, "parameter side must be left or right, got 'both'"),
        ({"max_joint_velocity": 0.0}, "parameter max_joint_velocity must be float from 0.01 to 100.0"),
        ({"watchdog_s": 60.0}, "parameter watchdog_s must be float from 0.05 to 10.0"),
        ({"configuration": "shadow_hand"}, "allegro_vector, allegro_dexpilot or a file ending in .yml"),
        ({"configuration": "nowhere.yml"}, "nowhere.yml cannot be read"),
        ({"urdf_path": "nowhere.urdf"}, "nowhere.urdf does not exist"),
    ],
)
def test_bad_parameters_are_refused(parameters: dict[str, object], told: str, context: rclpy.Context) -> None:
    overrides = [Parameter(name, value=value) for name, value in parameters.items()]
    with pytest.raises(ConfigError, match=told):
        RetargetNode(context=context, parameter_overrides=overrides)


def test_a_left_robot_hand_has_its_own_topic(recorder: Recorder, start: Start) -> None:
    operator = Operator(recorder, Side.LEFT)
    node = start("retarget_node", side="left", configuration="allegro_dexpilot")
    node.wait_for("publishing /hand/left/joint_command")
    operator.connect()
    assert operator.show_until(FIST, lambda command: _flexion(command).min() > 3.8)
    assert node.end(signal.SIGTERM) == 0


def test_the_parameter_file_holds_every_parameter_with_its_default() -> None:
    sections = yaml.safe_load((ROOT / "config" / "hmp.yaml").read_text())
    assert sections["/**/retarget_node"]["ros__parameters"] == {
        item.name: item.default for item in fields(RetargetParameters)
    }
