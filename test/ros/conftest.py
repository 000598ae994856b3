# SPDX-FileCopyrightText: 2026 The hmp_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Everything under test/ros needs rclpy and the built messages; without them it is left out, and said so."""

import importlib.util
import os
from collections.abc import Callable, Iterator
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    import rclpy
    from graph import Process, Recorder

_ADVICE = (
    "test/ros is left out: hmp_ros.msg cannot be imported. Run `make test`, or `make setup` once and then "
    "`source install/setup.bash` in every shell"
)


def _messages_are_built() -> bool:
    return importlib.util.find_spec("rclpy") is not None and importlib.util.find_spec("hmp_ros.msg") is not None


collect_ignore_glob = [] if _messages_are_built() else ["test_*.py"]


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    if collect_ignore_glob:
        terminalreporter.write_line(_ADVICE, yellow=True, bold=True)


@pytest.fixture(scope="session", autouse=True)
def _private_graph() -> None:
    """Keep the tests on this machine, and apart from every other graph on it; they publish large images."""
    from hmp_ros import fastdds

    os.environ["ROS_AUTOMATIC_DISCOVERY_RANGE"] = "LOCALHOST"
    os.environ["ROS_DOMAIN_ID"] = str(1 + os.getpid() % 100)
    fastdds.use_profile()


@pytest.fixture
def context() -> "Iterator[rclpy.Context]":
    """A ROS context for nodes in the test's own process."""
    import rclpy

    context = rclpy.Context()
    rclpy.init(context=context)
    yield context
    context.try_shutdown()


@pytest.fixture
def recorder() -> "Iterator[Recorder]":
    """A node that keeps what it hears."""
    from graph import Recorder

    recorder = Recorder()
    yield recorder
    recorder.close()


@pytest.fixture
def start(tmp_path: Path) -> "Iterator[Callable[..., Process]]":
    """Start an executable as a process, parameters by name, ``remappings``; killed at the end if it still runs."""
    from graph import Process

    started: list[Process] = []

    def start_one(executable: str, remappings: dict[str, str] | None = None, **parameters: object) -> Process:
        log = tmp_path / f"{executable}_{len(started)}.log"
        started.append(Process(executable, log, parameters, remappings))
        return started[-1]

    yield start_one
    for process in started:
        process.kill()


@pytest.fixture(scope="session")
def short_clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The first 90 images of the real clip."""
    from hmp_core.media.intrinsics import Intrinsics
    from hmp_core.media.video_source import VideoSource
    from hmp_core.media.video_writer import VideoWriter

    path = tmp_path_factory.mktemp("clip") / "short.mp4"
    with VideoWriter(path) as writer:
        for stamp_ns, image in islice(VideoSource(_dexr_clip(), Intrinsics()).images(), 90):
            writer.write(image, stamp_ns)
    return path


@pytest.fixture
def dexr_clip() -> Path:
    """The real clip, all 621 images."""
    return _dexr_clip()


def _dexr_clip() -> Path:
    clip = Path(__file__).parents[3] / "shared" / "data" / "video" / "dexr_hand.mp4"
    if not clip.is_file():
        pytest.skip(f"the real clip is not there: {clip}")
    return clip
