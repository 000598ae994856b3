# SPDX-FileCopyrightText: 2026 The hmp_ros authors
# SPDX-License-Identifier: Apache-2.0
"""``make demo`` after the set-up: the command as a user runs it, its processes included."""

import os
import subprocess
import sys
from itertools import islice
from pathlib import Path

import numpy as np
import pytest

from hmp_core.assets import asset_path
from hmp_core.media.intrinsics import Intrinsics
from hmp_core.media.sources import open_source
from hmp_core.media.video_writer import VideoWriter

COUNT = 90
TIMEOUT_S = 300.0


def run_demo(out: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "hmp_ros.demo", *arguments, "--out", str(out)],
        cwd=Path(__file__).parents[2],
        env={**os.environ, "COLUMNS": "200"},
        capture_output=True,
        text=True,
        timeout=TIMEOUT_S,
    )


@pytest.fixture(scope="module")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The first seconds of the clip that is shipped."""
    path = tmp_path_factory.mktemp("clip") / "video.mp4"
    with VideoWriter(path) as writer:
        for frame in islice(open_source(str(asset_path("demo/video.mp4")), Intrinsics()), COUNT):
            writer.write(frame.image, frame.stamp_ns)
    return path


def test_a_video_goes_through_the_nodes_and_its_results_are_written(clip: Path, tmp_path: Path) -> None:
    result = run_demo(tmp_path, str(clip))
    assert result.returncode == 0, result.stdout + result.stderr
    assert "Traceback" not in result.stderr
    assert f"{COUNT} at" in result.stdout
    with np.load(tmp_path / "hands.npz") as arrays:
        assert len(arrays["stamps_ns"]) <= COUNT
        known = np.isfinite(arrays["joints_camera"]).all((2, 3))
        assert (known == np.isfinite(arrays["joints_camera"]).any((2, 3))).all(), "whole hands or none"
        assert known.any()  # in how many images depends on the machine, and `hmp bench` tells
    for name in ("overlay.mp4", "hands.mcap"):
        assert (tmp_path / name).stat().st_size > 1000
        assert str(tmp_path / name) in result.stdout


def test_a_video_without_images_is_an_error_that_names_it(tmp_path: Path) -> None:
    broken = tmp_path / "broken.mp4"
    broken.write_bytes(b"no video")
    result = run_demo(tmp_path / "out", str(broken))
    assert result.returncode == 2
    assert "broken.mp4" in result.stderr
    assert "Traceback" not in result.stderr
