# SPDX-FileCopyrightText: 2026 The hmp_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The managed nodes through their states, in the test's own process and as processes over DDS."""

import threading
from collections.abc import Callable, Iterator

import pytest
import rclpy
from diagnostic_msgs.msg import DiagnosticArray, DiagnosticStatus
from graph import START_S, Process, Recorder
from lifecycle_msgs.msg import State, Transition
from lifecycle_msgs.srv import ChangeState, GetState
from rcl_interfaces.msg import Parameter as ParameterMessage
from rcl_interfaces.srv import SetParameters
from rclpy.client import Client
from rclpy.lifecycle import TransitionCallbackReturn
from rclpy.parameter import Parameter
from rclpy.qos import ReliabilityPolicy

from hmp_core.camera import Camera
from hmp_core.media.message_fields import Timing
from hmp_core.observation import FrameObservation
from hmp_ros import qos
from hmp_ros.initializer_node import InitializerNode
from hmp_ros.messages import build_observation_array
from hmp_ros.msg import HandObservationArray, ManoHandArray
from hmp_ros.observed_frame import ObservedFrame
from hmp_ros.window_node import WindowNode

SUCCESS, FAILURE = TransitionCallbackReturn.SUCCESS, TransitionCallbackReturn.FAILURE
CAMERA = Camera(64, 48, 50.0, 50.0, 31.5, 23.5)
SECOND = 1_000_000_000


def _threads(name: str) -> int:
    return sum(thread.name == name for thread in threading.enumerate())


@pytest.fixture
def window(context: rclpy.Context) -> Iterator[WindowNode]:
    node = WindowNode(context=context)
    yield node
    node.stop()
    node.destroy_node()


def test_a_node_goes_through_its_states_and_back(window: WindowNode, recorder: Recorder) -> None:
    hands = recorder.record(ManoHandArray, "hand/mano", qos.HANDS)
    observed = ObservedFrame(FrameObservation(SECOND, CAMERA), "optical", Timing())
    stamps = iter(range(2 * SECOND, 1000 * SECOND, SECOND // 30))
    window.receive(observed)  # nobody is there to take it

    for round_ in range(2):
        assert window.trigger_configure() == SUCCESS
        assert window.count_subscribers("hand/observations") == 0
        window.receive(observed)
        for _ in range(2):
            assert window.trigger_activate() == SUCCESS
            assert _threads("window_node") == 1
            heard = len(hands)

            def answered(before: int = heard) -> bool:
                # Each is new: what went out before the recorder was discovered is not said again.
                window.receive(ObservedFrame(FrameObservation(next(stamps), CAMERA), "optical", Timing()))
                return recorder.spin_until(lambda: len(hands) > before, 1.0)

            assert recorder.spin_until(answered, START_S), round_
            assert window.trigger_deactivate() == SUCCESS
            assert _threads("window_node") == 0
            heard = len(hands)
            window.receive(observed)
            assert not recorder.spin_until(lambda before=heard: len(hands) > before, 0.3)
        assert window.trigger_cleanup() == SUCCESS
        assert not [p for p in window.publishers if p.topic_name == "/hand/mano"]
    assert window.trigger_shutdown() == SUCCESS


def test_an_active_node_can_be_shut_down(window: WindowNode) -> None:
    assert window.trigger_configure() == SUCCESS
    assert window.trigger_activate() == SUCCESS
    assert window.trigger_shutdown() == SUCCESS
    assert _threads("window_node") == 0
    assert window.failure is None


@pytest.mark.parametrize("node_class", [InitializerNode, WindowNode])
def test_configuring_that_fails_leaves_the_node_where_it_can_be_repaired(
    node_class: type[InitializerNode | WindowNode], context: rclpy.Context
) -> None:
    node = node_class(context=context, parameter_overrides=[Parameter("mano_path", value="nowhere")])
    assert node.trigger_configure() == FAILURE
    (result,) = node.set_parameters([Parameter("mano_path", value="")])
    assert result.successful
    assert node.trigger_configure() == SUCCESS
    (result,) = node.set_parameters([Parameter("mano_path", value="nowhere")])
    assert "cannot change while the node is configured" in result.reason
    assert node.trigger_cleanup() == SUCCESS
    (result,) = node.set_parameters([Parameter("mano_path", value="nowhere")])
    assert result.successful
    node.destroy_node()


def test_quality_of_service_can_be_overridden_by_topic(context: rclpy.Context) -> None:
    overrides = [
        Parameter("qos_overrides./image.subscription.reliability", value="reliable"),
        Parameter("qos_overrides./hand/observations.publisher.depth", value=7),
    ]
    node = InitializerNode(context=context, parameter_overrides=overrides)
    for _ in range(2):
        assert node.trigger_configure() == SUCCESS
        assert node.trigger_activate() == SUCCESS
        reliability = {s.topic_name: s.qos_profile.reliability for s in node.subscriptions}
        assert reliability["/image"] == ReliabilityPolicy.RELIABLE
        assert reliability["/camera_info"] == ReliabilityPolicy.BEST_EFFORT
        assert {p.topic_name: p.qos_profile.depth for p in node.publishers}["/hand/observations"] == 7
        assert node.trigger_deactivate() == SUCCESS
        assert node.trigger_cleanup() == SUCCESS
    assert qos.OBSERVATIONS.depth == 30, "the profile that others use is untouched"
    node.destroy_node()


def _call(recorder: Recorder, client: Client, request: object) -> object:
    future = client.call_async(request)
    assert recorder.spin_until(future.done, START_S)
    return future.result()


@pytest.mark.slow
def test_a_manager_brings_the_node_up_and_its_parameters_change_live(
    recorder: Recorder, start: Callable[..., Process]
) -> None:
    """Over DDS: what ``ros2 lifecycle`` and ``ros2 param`` do."""
    node = start("window_node", autostart=False)
    node.wait_for("waiting: ros2 lifecycle set /window_node configure")
    change = recorder.node.create_client(ChangeState, "window_node/change_state")
    state = recorder.node.create_client(GetState, "window_node/get_state")
    set_parameters = recorder.node.create_client(SetParameters, "window_node/set_parameters")
    diagnostics: list[DiagnosticStatus] = []
    recorder.node.create_subscription(
        DiagnosticArray, "/diagnostics", lambda message: diagnostics.extend(message.status), qos.HANDS
    )
    for client in (change, state, set_parameters):
        recorder.find(client)
    hands = recorder.record(ManoHandArray, "hand/mano", qos.HANDS)
    observations = recorder.node.create_publisher(HandObservationArray, "hand/observations", qos.OBSERVATIONS)

    def go(transition: int) -> bool:
        request = ChangeState.Request(transition=Transition(id=transition))
        return bool(_call(recorder, change, request).success)

    def state_id() -> int:
        return int(_call(recorder, state, GetState.Request()).current_state.id)

    def refusal(name: str, value: object) -> str:
        parameter: ParameterMessage = Parameter(name, value=value).to_parameter_msg()
        request = SetParameters.Request(parameters=[parameter])
        (result,) = _call(recorder, set_parameters, request).results
        return "" if result.successful else str(result.reason)

    def told(text: str, level: bytes) -> bool:
        return recorder.spin_until(
            lambda: any(text in status.message and status.level == level for status in diagnostics), START_S
        )

    assert state_id() == State.PRIMARY_STATE_UNCONFIGURED
    assert told("unconfigured: waits for its lifecycle manager", DiagnosticStatus.WARN)
    assert refusal("prior_path", "nowhere.safetensors") == ""
    assert not go(Transition.TRANSITION_CONFIGURE)
    assert state_id() == State.PRIMARY_STATE_UNCONFIGURED
    assert told("nowhere.safetensors", DiagnosticStatus.ERROR)
    assert refusal("prior_path", "") == ""
    assert go(Transition.TRANSITION_CONFIGURE)
    assert observations.get_subscription_count() == 0, "an inactive node does not listen"
    assert go(Transition.TRANSITION_ACTIVATE)
    assert state_id() == State.PRIMARY_STATE_ACTIVE

    assert "Min: 1, Max: 50" in refusal("iterations", 0)
    assert refusal("iterations", 3) == ""
    assert "hand_length_m is 0.01" in refusal("hand_length_m", 0.01)
    assert "cannot change while the node is configured" in refusal("window_s", 1.0)

    stamps = iter(range(SECOND, 100 * SECOND, SECOND // 30))

    def answered() -> bool:
        frame = FrameObservation(next(stamps), CAMERA)
        observations.publish(build_observation_array(frame, "optical", Timing()))
        return recorder.spin_until(lambda: bool(hands), 0.2)

    assert recorder.spin_until(answered, START_S)
    assert go(Transition.TRANSITION_DEACTIVATE)
    assert go(Transition.TRANSITION_CLEANUP)
    assert go(Transition.TRANSITION_UNCONFIGURED_SHUTDOWN)
    assert state_id() == State.PRIMARY_STATE_FINALIZED
    assert node.end() == 0
    assert "Traceback" not in node.output
