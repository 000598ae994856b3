# SPDX-FileCopyrightText: 2026 The hmp_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The part of ``hmp bench`` that goes through DDS, as a process with its own; nothing about times."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from hmp_core.assets import asset_path
from hmp_ros.node_processes import NodeProcesses

TIMEOUT_S = 300.0


def run_bench(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "hmp_ros.bench", *arguments],
        cwd=Path(__file__).parents[2],
        capture_output=True,
        text=True,
        timeout=TIMEOUT_S,
    )


@pytest.mark.parametrize("profile", ["--profile", "--no-profile"])
def test_images_go_in_and_rate_latency_and_drops_come_out(profile: str) -> None:
    clip, camera = str(asset_path("demo/video.mp4")), str(asset_path("demo/camera.json"))
    result = run_bench(clip, "--camera", camera, "--seconds", "2", profile)
    assert result.returncode == 0, result.stderr
    figures = json.loads(result.stdout)
    assert list(figures) == ["hz", "latency_ms", "dropped"]
    assert figures["dropped"] >= 0
    assert set(figures["latency_ms"]) == {"median", "p95"}
    if profile == "--profile":  # with the defaults of DDS it may well be that nothing arrives
        assert figures["hz"] > 0
        assert 0 < figures["latency_ms"]["median"] <= figures["latency_ms"]["p95"]


def test_a_clip_that_cannot_be_read_is_an_error_of_one_line(tmp_path: Path) -> None:
    broken = tmp_path / "broken.mp4"
    broken.write_bytes(b"no video")
    result = run_bench(str(broken), "--seconds", "1")
    assert result.returncode == 2
    assert "video_publisher ended by itself" in result.stderr.replace("\n", " ")
    assert "Traceback" not in result.stderr


def test_processes_end_with_their_context(tmp_path: Path) -> None:
    with NodeProcesses(tmp_path) as nodes:
        process = nodes.start("window_node")
        nodes.check_alive()
    assert process.poll() is not None
    assert (tmp_path / "window_node.log").is_file()
