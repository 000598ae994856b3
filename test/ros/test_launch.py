# SPDX-FileCopyrightText: 2026 The hmp_ros authors
# SPDX-License-Identifier: Apache-2.0
"""``ros2 launch hmp_ros hmp.launch.py`` for real, wherever ``launch`` and ``launch_ros`` are installed."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from graph import START_S, Recorder, stamps_of
from rcl_interfaces.srv import GetParameters

from hmp_ros import qos
from hmp_ros.msg import ManoHandArray

pytest.importorskip(
    "launch_ros.actions",
    reason="launch files are not tested: launch_ros is not installed; it comes with ROS 2, not with the wheels",
)

LAUNCH_FILES = Path(__file__).parents[2] / "launch"
# What `ros2 launch` does, without the need for ros2cli.
RUN = """
import sys
from launch import LaunchService
from launch.actions import IncludeLaunchDescription
from launch import LaunchDescription
service = LaunchService()
arguments = [tuple(argument.split(":=", 1)) for argument in sys.argv[2:]]
service.include_launch_description(
    LaunchDescription([IncludeLaunchDescription(sys.argv[1], launch_arguments=arguments)]))
sys.exit(service.run())
"""


@pytest.mark.slow
@pytest.mark.parametrize("composed", ["true", "false"])
def test_the_launch_file_brings_hands(composed: str, short_clip: Path, recorder: Recorder, tmp_path: Path) -> None:
    hands = recorder.record(ManoHandArray, "left_arm/hand/mano", qos.HANDS)
    arguments = [f"video:={short_clip}", "loop:=true", f"composed:={composed}", "namespace:=left_arm"]
    with _launched(arguments, tmp_path) as log:
        seen = recorder.spin_until(lambda: sum(bool(message.hands) for message in hands) >= 5, 2 * START_S)
        assert seen, log.read_text()
        assert stamps_of(hands) == sorted(set(stamps_of(hands)))
    assert "Traceback" not in log.read_text()


@pytest.mark.slow
def test_two_robot_hands_have_topics_and_parameters_of_their_own(recorder: Recorder, tmp_path: Path) -> None:
    commands = {f"arms/hand/{side}/joint_command" for side in ("left", "right")}
    graph = recorder.node
    parameters = tmp_path / "two.yaml"
    parameters.write_text(
        "/**/retarget_node: {ros__parameters: {max_joint_velocity: 2.0}}\n"
        "/**/left/retarget_node: {ros__parameters: {max_joint_velocity: 1.0}}\n"
    )
    arguments = ["retarget:=both", "namespace:=arms", f"params_file:={parameters}", "display:=false"]
    with _launched(arguments, tmp_path) as log:
        joined = recorder.spin_until(
            lambda: all(map(graph.count_publishers, commands)) and graph.count_subscribers("arms/hand/mano") == 2,
            2 * START_S,
        )
        assert joined, log.read_text()
        for side, expected in (("left", 1.0), ("right", 2.0)):
            client = graph.create_client(GetParameters, f"/arms/{side}/retarget_node/get_parameters")
            recorder.find(client)
            answer = client.call_async(GetParameters.Request(names=["max_joint_velocity", "side"]))
            assert recorder.spin_until(answer.done, START_S)
            velocity, name = answer.result().values
            assert (velocity.double_value, name.string_value) == (expected, side)
    assert "Traceback" not in log.read_text()


@contextmanager
def _launched(arguments: list[str], folder: Path) -> Iterator[Path]:
    """``hmp.launch.py`` as a process until the block ends; its log."""
    log = folder / "launch.log"
    command = [sys.executable, "-c", RUN, str(LAUNCH_FILES / "hmp.launch.py"), *arguments]
    with log.open("wb") as output:
        process = subprocess.Popen(
            command,
            stdout=output,
            stderr=subprocess.STDOUT,
            env={**os.environ, "ROS_LOG_DIR": str(folder), "OMP_NUM_THREADS": "1"},
            start_new_session=True,
        )
    try:
        yield log
    finally:
        os.killpg(process.pid, signal.SIGINT)
        process.wait(START_S)


def test_every_argument_is_described() -> None:
    from launch.launch_description_sources import get_launch_description_from_python_launch_file

    for name in ("hmp.launch.py", "demo.launch.py"):
        description = get_launch_description_from_python_launch_file(str(LAUNCH_FILES / name))
        arguments = description.get_launch_arguments()
        assert arguments
        for argument in arguments:
            assert argument.description != "no description given", argument.name
