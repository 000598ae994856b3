# SPDX-FileCopyrightText: 2026 The hmp_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Camera to ``hand/mano``: the real nodes as processes, real images, real DDS."""

import signal
from collections.abc import Callable
from dataclasses import fields
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import rclpy
import yaml
from graph import PATIENCE_S, START_S, Process, Recorder, stamps_of
from rclpy.parameter import Parameter

from hmp_core.errors import HmpError
from hmp_core.fitting.config import FitterConfig
from hmp_core.hand.skeleton import JOINT_NAMES
from hmp_core.media.intrinsics import Intrinsics
from hmp_core.media.recording import LOOP_NS
from hmp_core.media.video_source import VideoSource
from hmp_core.media.video_writer import VideoWriter
from hmp_core.perception.config import PerceptionConfig
from hmp_ros import qos
from hmp_ros.initializer_node import InitializerNode, InitializerParameters
from hmp_ros.msg import HandObservationArray, ManoHand, ManoHandArray, ManoInfo
from hmp_ros.window_node import WindowNode, WindowParameters

ROOT = Path(__file__).parents[2]
SEEN = {ManoHand.STATUS_OBSERVED, ManoHand.STATUS_PARTIAL}
SPEED = 0.25
"""A quarter of the clip's own: the machine that runs the tests may be slow and busy."""

Start = Callable[..., Process]


def _start_nodes(start: Start, composed: bool, **parameters: object) -> list[Process]:
    executables = ["hmp_node"] if composed else ["initializer_node", "window_node"]
    nodes = [start(executable, **parameters) for executable in executables]
    nodes[0].wait_for("to /hand/observations")
    nodes[-1].wait_for("publishing /hand/mano")
    return nodes


def _statuses(message: ManoHandArray) -> set[int]:
    return {hand.status for hand in message.hands}


@pytest.mark.slow
@pytest.mark.parametrize("composed", [False, True], ids=["two processes", "one process"])
def test_the_clip_comes_out_as_hands(composed: bool, short_clip: Path, recorder: Recorder, start: Start) -> None:
    hands = recorder.record(ManoHandArray, "hand/mano", qos.HANDS)
    smoothed = recorder.record(ManoHandArray, "hand/mano_smoothed", qos.HANDS)
    predicted = recorder.record(ManoHandArray, "hand/mano_predicted", qos.HANDS)
    observations = recorder.record(HandObservationArray, "hand/observations", qos.OBSERVATIONS)
    nodes = _start_nodes(
        start, composed, smoothing_lag_s=0.3, prediction_horizon_s=0.1, infill_timeout_s=PATIENCE_S
    )
    recorder.connect()
    publisher = start("video_publisher", video=short_clip, wait_for_subscribers=1, speed=SPEED, own_stamps=True)

    def lost_and_gone() -> bool:
        return len(hands) > 1 and not hands[-1].hands and _statuses(hands[-2]) == {ManoHand.STATUS_LOST}

    assert recorder.spin_until(lost_and_gone, START_S)
    assert publisher.wait(START_S) == 0
    latched = recorder.record(ManoInfo, "hand/info", qos.LATCHED)
    assert recorder.spin_until(lambda: bool(latched), START_S), "late readers get the description"

    camera_stamps = {stamp_ns for stamp_ns, _ in VideoSource(short_clip, Intrinsics()).images()}
    seen = [message for message in hands if _statuses(message) and _statuses(message) <= SEEN]
    lost = [message for message in hands if _statuses(message) == {ManoHand.STATUS_LOST}]
    # Order and capture stamps.
    assert (np.diff(stamps_of(hands)) > 0).all()
    assert (np.diff(stamps_of(observations)) > 0).all()
    assert set(stamps_of(observations)) <= camera_stamps
    assert set(stamps_of(seen)) <= camera_stamps
    assert {message.header.frame_id for message in hands} == {"camera_optical_frame"}
    # Nothing gets lost uncounted: an image is dropped before perception, its solve is skipped, or it comes out.
    dropped = hands[-1].latency.dropped_images
    first, last = stamps_of(observations)[0], stamps_of(observations)[-1]  # others nobody heard of
    sent = sum(first <= stamp <= last for stamp in camera_stamps)
    assert sent <= len(observations) + dropped <= len(camera_stamps) == 90
    solved = [message for message in hands if message.header.stamp in [o.header.stamp for o in observations]]
    taken_in = len(solved) + hands[-1].latency.dropped_solves  # from when the nodes had found each other
    assert len(observations) - stamps_of(observations).index(stamps_of(solved)[0]) <= taken_in <= len(observations)
    # What they say: a hand is there from when its side is decided to the end.
    assert len(seen) >= 5
    assert seen == solved[solved.index(seen[0]) :]
    tracks = [hand for message in seen for hand in message.hands]
    assert {hand.side for hand in tracks} == {ManoHand.SIDE_RIGHT}
    assert len({hand.track_id for hand in tracks}) == 1
    joints = np.array([[(p.x, p.y, p.z) for p in hand.joints] for hand in tracks])
    assert np.isfinite(joints).all()
    assert (joints[..., 2] > 0.1).all()
    assert all(np.isfinite(hand.pose).all() and np.isfinite(hand.betas).all() for hand in tracks)
    assert all((hand.joint_stddev[1:] > 0).all() for hand in tracks), "relative to the wrist"
    assert all(message.windows[0].track_id == message.hands[0].track_id for message in seen)
    # Images stopped: lost once, at the time-out, sigmas unknown.
    assert len(lost) == 1
    assert stamps_of(lost)[0] - stamps_of(observations)[-1] == pytest.approx(PATIENCE_S * 1e9, abs=10)
    assert (lost[0].hands[0].joint_stddev == -1).all()
    # Every message again, smoothed once the lag has passed, and predicted.
    assert recorder.spin_until(lambda: len(smoothed) == len(hands), START_S)
    assert stamps_of(smoothed) == stamps_of(hands)
    assert [_statuses(message) for message in smoothed] == [_statuses(message) for message in hands]
    assert stamps_of(predicted) == [stamp + 100_000_000 for stamp in stamps_of(hands)]
    assert _statuses(predicted[hands.index(seen[-1])]) == {ManoHand.STATUS_PREDICTED}
    assert [_statuses(message) for message in predicted[-2:]] == [{ManoHand.STATUS_LOST}, set()]
    moved = [
        abs(now.hands[0].joints[8].x - then.hands[0].joints[8].x)
        for now, then in zip(hands, smoothed, strict=True)
        if now in seen
    ]
    assert 0 < max(moved) < 0.03
    assert tuple(latched[0].joint_names) == JOINT_NAMES
    assert len(latched[0].prior_sha256) == 64
    for node in nodes:
        node.send(signal.SIGINT)  # as from the terminal, and then from ros2 launch
        assert node.end(signal.SIGINT) == 0
        assert "Traceback" not in node.output


@pytest.mark.slow
def test_a_looping_bag_starts_the_hands_anew(short_clip: Path, recorder: Recorder, start: Start) -> None:
    hands = recorder.record(ManoHandArray, "hand/mano", qos.HANDS)
    (node,) = _start_nodes(start, composed=True)
    start("video_publisher", video=short_clip, wait_for_subscribers=1, loop=True, own_stamps=True)

    def restarted() -> bool:
        stamps = stamps_of(hands)
        jumps = [later < earlier for earlier, later in pairwise(stamps)]
        return any(jumps[:-5]) and bool(hands[-1].hands)

    assert recorder.spin_until(restarted, START_S)
    steps = np.diff(stamps_of(hands))
    assert (steps[steps <= 0] <= -LOOP_NS).all(), "back only by a whole loop"
    after = hands[int(np.argmax(steps < 0)) + 1 :]
    assert all(hand.since_observed.sec == 0 for message in after for hand in message.hands)
    assert node.end() == 0
    assert "start anew" in node.output


@pytest.mark.slow
def test_an_empty_scene_gives_empty_lists(tmp_path: Path, recorder: Recorder, start: Start) -> None:
    clip = tmp_path / "grey.mp4"
    with VideoWriter(clip) as writer:
        for index in range(20):
            writer.write(np.full((480, 640, 3), 100 + index, np.uint8), round(index * 1e9 / 15))
    hands = recorder.record(ManoHandArray, "hand/mano", qos.HANDS)
    (node,) = _start_nodes(start, composed=True)
    start("video_publisher", video=clip, wait_for_subscribers=1, loop=True)
    assert recorder.spin_until(lambda: len(hands) >= 20, START_S)
    assert not any(message.hands or message.windows for message in hands)
    assert node.end(signal.SIGTERM) == 0


@pytest.mark.slow
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_while_it_loads_ends_a_node_quietly(number: signal.Signals, start: Start) -> None:
    node = start("hmp_node")
    node.wait_for("loading")
    assert node.end(number) == 0
    assert "Traceback" not in node.output


@pytest.mark.parametrize(
    ("parameters", "told"),
    [
        ({"iterations": 0}, "parameter iterations must be int from 1 to 50"),
        ({"mano_path": "nowhere/MANO_RIGHT.pkl"}, "no hand model at nowhere/MANO_RIGHT.pkl"),
    ],
)
def test_what_cannot_be_used_ends_the_process_with_one_line(
    parameters: dict[str, object], told: str, start: Start
) -> None:
    node = start("hmp_node", **parameters)
    assert node.wait(START_S) == 1
    assert node.output.count(told) == 1
    assert "Traceback" not in node.output


@pytest.mark.parametrize(
    ("node", "parameters", "told"),
    [
        (InitializerNode, {"fallback_fov_deg": 0.0}, "parameter fallback_fov_deg must be float from 1.0 to 170.0"),
        (InitializerNode, {"min_presence": 1.5}, "parameter min_presence must be float from 0.05 to 0.99"),
        (WindowNode, {"infill_timeout_s": -1.0}, "parameter infill_timeout_s must be float from 0.05 to 3600.0"),
        (WindowNode, {"smoothing_lag_s": 1.5}, "parameter smoothing_lag_s must be float from 0.0 to 1.0"),
        (
            WindowNode,
            {"prediction_horizon_s": 0.2},
            "parameter prediction_horizon_s must be float from 0.0 to 0.15",
        ),
        (WindowNode, {"hand_length_m": 0.01}, "hand_length_m is 0.01"),
        (WindowNode, {"depth_topic": "aligned depth"}, "depth_topic 'aligned depth' is no topic's name"),
        (WindowNode, {"iterations": "many"}, "parameter iterations must be int from 1 to 50"),
    ],
)
def test_bad_parameters_are_refused_at_the_start(
    node: type[InitializerNode | WindowNode], parameters: dict[str, object], told: str, context: rclpy.Context
) -> None:
    overrides = [Parameter(name, value=value) for name, value in parameters.items()]
    with pytest.raises(HmpError, match=told):
        node(context=context, parameter_overrides=overrides)


@pytest.mark.parametrize("kind", [InitializerParameters, WindowParameters])
def test_the_parameter_file_holds_every_parameter_with_its_default(kind: type[Any]) -> None:
    values = yaml.safe_load((ROOT / "config" / "hmp.yaml").read_text())["/**"]["ros__parameters"]
    assert {item.name: values[item.name] for item in fields(kind)} == {
        item.name: item.default for item in fields(kind)
    }
    assert set(values) == {item.name for kind in (InitializerParameters, WindowParameters) for item in fields(kind)}


def test_the_ranges_are_those_of_the_core() -> None:
    """Every bound that a node admits is admitted by the configuration it becomes."""
    for kind, config in ((InitializerParameters, PerceptionConfig), (WindowParameters, FitterConfig)):
        names = {item.name for item in fields(config)}
        for item in fields(kind):
            for bound in item.metadata["range"]:
                if bound is not None and item.name in names:
                    config(**{item.name: bound})
