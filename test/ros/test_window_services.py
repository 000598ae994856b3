# SPDX-FileCopyrightText: 2026 The hmp_ros authors
# SPDX-License-Identifier: Apache-2.0
"""``~/pause``, ``~/reset`` and ``~/calibrate`` over DDS, with the real fitter in a process of its own."""

import sys
import time
from array import array
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from graph import START_S, Process, Recorder
from lifecycle_msgs.msg import Transition
from lifecycle_msgs.srv import ChangeState
from rcl_interfaces.srv import GetParameters, SetParameters
from rclpy.parameter import Parameter
from rclpy.task import Future
from scipy.spatial.transform import Rotation
from sensor_msgs.msg import Image
from std_srvs.srv import SetBool, Trigger

from hmp_core.hand.skeleton import MIDDLE_MCP, WRIST
from hmp_core.media.message_fields import Timing
from hmp_core.observation import FrameObservation
from hmp_ros import qos
from hmp_ros.messages import build_image, build_observation_array
from hmp_ros.msg import HandObservationArray, ManoHand, ManoHandArray, ManoInfo

sys.path.append(str(Path(__file__).parents[1] / "core"))
from hand_scene import CAMERA, HandScene, moving_hand

PERIOD_S = 1 / 15
LARGER = 1.12
"""The hand is this much larger, and farther away, than one camera would have it."""


def _palm_to_the_camera(scene: HandScene) -> HandScene:
    """The hand turned about its wrist by a quarter."""
    turn = Rotation.from_rotvec((0.0, np.pi / 2, 0.0))
    wrists = scene.joints_camera[:, :1]
    poses = []
    for pose in scene.poses:
        vectors = pose.rotation_vectors.copy()
        vectors[0] = (turn * Rotation.from_rotvec(vectors[0])).as_rotvec()
        poses.append(replace(pose, rotation_vectors=vectors))
    joints = wrists + (scene.joints_camera - wrists) @ turn.as_matrix().T
    return replace(scene, joints_camera=joints, poses=poses)


class Operator:
    """Shows a hand to ``window_node`` and calls its services."""

    def __init__(self, recorder: Recorder) -> None:
        self.hands: list[ManoHandArray] = recorder.record(ManoHandArray, "hand/mano", qos.HANDS)
        self.info: list[ManoInfo] = recorder.record(ManoInfo, "hand/info", qos.LATCHED)
        self.spin_until = recorder.spin_until
        node = recorder.node
        self._observations = node.create_publisher(HandObservationArray, "hand/observations", qos.OBSERVATIONS)
        self._clients = {
            "pause": node.create_client(SetBool, "window_node/pause"),
            "reset": node.create_client(Trigger, "window_node/reset"),
            "calibrate": node.create_client(Trigger, "window_node/calibrate"),
            "set_parameters": node.create_client(SetParameters, "window_node/set_parameters"),
            "get_parameters": node.create_client(GetParameters, "window_node/get_parameters"),
            "change_state": node.create_client(ChangeState, "window_node/change_state"),
        }
        recorder.find(self._clients["change_state"])
        self.depth = node.create_publisher(Image, "camera/depth", qos.HANDS)
        self._scene = _palm_to_the_camera(moving_hand(120))
        joints = self._scene.joints_camera[0]
        self.hand_length_m = LARGER * float(np.linalg.norm(joints[MIDDLE_MCP] - joints[WRIST]))
        # A board where the still palm's skin is, a quarter of the colour image's size, in millimetres.
        board_mm = round(1e3 * (LARGER * np.median(joints[:, 2]) - 0.0155))
        self._board = np.full((CAMERA.height // 4, CAMERA.width // 4), board_mm, np.uint16)

    def show(self, moving: bool = False) -> None:
        """One image of a hand, still or not, and its depth for those who listen; its stamp is now."""
        scene = self._scene
        frame = int(time.monotonic() * 30) % 100 if moving else 0
        seed = time.monotonic_ns() % 1000
        stamp_ns = time.time_ns()
        frame_observation = FrameObservation(stamp_ns, CAMERA, (scene.observation(frame, seed),))
        self._observations.publish(build_observation_array(frame_observation, "optical", Timing()))
        if self.depth.get_subscription_count():
            image = build_image(np.zeros((1, 1, 3), np.uint8), stamp_ns, "optical")
            image.height, image.width = self._board.shape
            image.encoding, image.step = "16UC1", 2 * image.width
            image.data = array("B", self._board.tobytes())
            self.depth.publish(image)
        self.spin_until(lambda: False, PERIOD_S)

    def ask(self, service: str, request: object) -> Future:
        """Call without waiting."""
        assert self.spin_until(self._clients[service].service_is_ready, START_S)
        return self._clients[service].call_async(request)

    def answer(self, future: Future, showing: bool = False, moving: bool = False) -> object:
        """The answer, showing the hand meanwhile or nothing."""
        deadline = time.monotonic() + START_S
        while not future.done():
            assert time.monotonic() < deadline, "no answer"
            if showing:
                self.show(moving)
            else:
                self.spin_until(future.done, PERIOD_S)
        return future.result()

    def set(self, **values: object) -> None:
        """Set live parameters."""
        parameters = [Parameter(name, value=value).to_parameter_msg() for name, value in values.items()]
        results = self.answer(self.ask("set_parameters", SetParameters.Request(parameters=parameters))).results
        assert all(result.successful for result in results), results

    def get(self, name: str) -> float:
        """A parameter that is a number."""
        return self.answer(self.ask("get_parameters", GetParameters.Request(names=[name]))).values[0].double_value


@pytest.fixture
def operator(recorder: Recorder, start: Callable[..., Process]) -> Operator:
    node = start("window_node", calibration_frames=8, infill_timeout_s=0.4, lost_duration_s=0.2)
    operator = Operator(recorder)
    deadline = time.monotonic() + START_S
    while not (operator.info and any(message.hands for message in operator.hands)):
        assert node.running, node.output
        assert time.monotonic() < deadline, node.output
        operator.show()
    return operator


@pytest.mark.slow
def test_a_hand_is_calibrated_held_and_forgotten(operator: Operator) -> None:
    assert not operator.info[-1].calibrated

    operator.set(calibration_timeout_s=1.0)
    refused = operator.answer(operator.ask("calibrate", Trigger.Request()))
    assert not refused.success
    assert "no hand was held still for long enough: 0 of 8 images in 1 s" in refused.message
    operator.set(calibration_timeout_s=60.0)

    first = operator.ask("calibrate", Trigger.Request())
    operator.show()
    second = operator.answer(operator.ask("calibrate", Trigger.Request()))
    assert (second.success, second.message) == (False, "a calibration is running already")
    found = operator.answer(first, showing=True)
    assert found.success, found.message
    assert "8 still images" in found.message
    assert "not metric" in found.message
    assert operator.spin_until(lambda: operator.info[-1].calibrated, START_S)
    info = operator.info[-1]
    assert not info.metric
    assert 0.07 < info.hand_length < 0.12

    operator.set(hand_length_m=0.08)
    operator.show()
    assert operator.spin_until(lambda: operator.info[-1].metric, START_S)
    info = operator.info[-1]
    assert info.calibrated
    assert info.hand_length == pytest.approx(0.08, abs=1e-4)
    found = operator.answer(operator.ask("calibrate", Trigger.Request()), showing=True)
    assert found.success
    assert "metric, as hand_length_m says: 80 mm" in found.message

    forgotten = operator.answer(operator.ask("reset", Trigger.Request()))
    assert (forgotten.success, forgotten.message) == (True, "motion and calibration are forgotten")
    assert operator.spin_until(lambda: not operator.info[-1].calibrated, START_S)
    assert operator.info[-1].metric, "what was measured is a parameter, and stays"

    pending = operator.ask("calibrate", Trigger.Request())
    operator.show()
    change = ChangeState.Request()
    change.transition.id = Transition.TRANSITION_DEACTIVATE
    assert operator.answer(operator.ask("change_state", change)).success
    assert "the node was deactivated" in operator.answer(pending).message
    for service in ("reset", "calibrate"):
        assert not operator.answer(operator.ask(service, Trigger.Request())).success


@pytest.mark.slow
def test_depth_makes_a_calibration_metric(operator: Operator) -> None:
    operator.set(calibration_frames=16, calibration_timeout_s=60.0, depth_topic="nobody/depth")
    found = operator.answer(operator.ask("calibrate", Trigger.Request()), showing=True)
    assert found.success, found.message
    assert "depth did not measure it (no depth image came on /nobody/depth" in found.message
    assert "not metric" in found.message
    assert not operator.info[-1].metric

    operator.set(depth_topic="camera/depth")
    assert operator.depth.get_subscription_count() == 0, "depth is only listened to while it is needed"
    found = operator.answer(operator.ask("calibrate", Trigger.Request()), showing=True)
    assert found.success, found.message
    assert "its size is metric, as depth measured it in" in found.message
    assert operator.spin_until(lambda: operator.info[-1].metric, START_S)
    info = operator.info[-1]
    assert info.calibrated
    assert info.hand_length == pytest.approx(operator.hand_length_m, rel=0.04)
    assert f"{1e3 * info.hand_length:.0f} mm" in found.message
    assert operator.get("hand_length_m") == pytest.approx(info.hand_length, abs=1e-4)
    assert operator.spin_until(lambda: operator.depth.get_subscription_count() == 0, START_S)

    operator.set(depth_topic="", hand_length_m=0.0)
    operator.show()
    assert operator.spin_until(lambda: not operator.info[-1].metric, START_S), "it can be taken back"


@pytest.mark.slow
def test_a_paused_node_lets_hands_go_lost_and_goes_on(operator: Operator) -> None:
    paused = operator.answer(operator.ask("pause", SetBool.Request(data=True)))
    assert paused.success
    for _ in range(30):  # the camera goes on
        operator.show()
        if not operator.hands[-1].hands:
            break
    statuses = [hand.status for message in operator.hands for hand in message.hands]
    assert statuses[-1] == ManoHand.STATUS_LOST
    assert not operator.hands[-1].hands
    silent = len(operator.hands)
    operator.show()
    assert len(operator.hands) == silent
    refused = operator.answer(operator.ask("calibrate", Trigger.Request()))
    assert (refused.success, refused.message) == (False, "paused: no images are looked at")

    assert operator.answer(operator.ask("pause", SetBool.Request(data=False))).success
    for _ in range(30):
        operator.show()
        if len(operator.hands) > silent:
            break
    assert operator.hands[-1].hands[0].status == ManoHand.STATUS_OBSERVED
