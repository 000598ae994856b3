# SPDX-FileCopyrightText: 2026 The hmp_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Everything under test/ros needs rclpy and the built messages; without them it is left out, and said so."""

import importlib.util
import os
from pathlib import Path

import pytest

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
    """Keep the tests on this machine, and apart from every other graph on it."""
    os.environ["ROS_AUTOMATIC_DISCOVERY_RANGE"] = "LOCALHOST"
    os.environ["ROS_DOMAIN_ID"] = str(1 + os.getpid() % 100)


@pytest.fixture
def dexr_clip() -> Path:
    """The real clip."""
    clip = Path(__file__).parents[3] / "shared" / "data" / "video" / "dexr_hand.mp4"
    if not clip.is_file():
        pytest.skip(f"the real clip is not there: {clip}")
    return clip
