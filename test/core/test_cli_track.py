# SPDX-FileCopyrightText: 2026 The hmp_ros authors
# SPDX-License-Identifier: Apache-2.0
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import cv2
import numpy as np
import pytest
from rosbags.highlevel import AnyReader

from hmp_core.camera import Camera
from hmp_core.cli.main import main
from hmp_core.evaluation.summary import summarize
from hmp_core.media.sources import open_source

ROOT = Path(__file__).resolve().parents[2]
ENTRY = [sys.executable, "-c", "from hmp_core.cli.main import main; main()"]


ENVIRONMENT = {**os.environ, "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"}


@pytest.fixture
def hmp(monkeypatch, capsys):
    """Run the command in this process; returns exit code, stdout, stderr."""

    def run(*arguments):
        monkeypatch.setattr(sys, "argv", ["hmp", *map(str, arguments)])
        with pytest.raises(SystemExit) as ended:
            main()
        return ended.value.code, *capsys.readouterr()

    return run


@pytest.fixture(scope="module")
def tracked(clip, tmp_path_factory):
    """One run over the synthetic clip."""
    out = tmp_path_factory.mktemp("tracked")
    arguments = ["track", clip.video, "--camera", clip.camera, "--out", str(out), "--json"]
    done = subprocess.run([*ENTRY, *arguments], capture_output=True, text=True, env=ENVIRONMENT, timeout=250)
    assert done.returncode == 0, done.stderr
    return out, done


def test_json_is_one_complete_object_alone_on_stdout(tracked):
    out, done = tracked
    summary = json.loads(done.stdout)
    assert done.stdout.count("\n") == 1
    assert set(summary) == {
        "frames", "tracked_fraction", "sides", "status", "ms",
        "reprojection_px", "acceleration_mm_per_frame2", "files",
    }  # fmt: skip
    assert set(summary["sides"]) == {"left", "right"}
    assert set(summary["status"]) == {"observed", "partial", "infilled", "predicted", "lost"}
    assert set(summary["ms"]) == {"detect", "initialize", "optimize"}
    assert all(set(spread) == {"median", "p95"} for spread in summary["ms"].values())
    assert set(summary["acceleration_mm_per_frame2"]) == {"initializer", "output"}
    assert summary["files"] == {name: str(out / name) for name in ("hands.npz", "hands.mcap", "overlay.mp4")}
    assert summary["frames"] == 60
    assert summary["tracked_fraction"] > 0.8
    assert min(summary["sides"].values()) > 20
    assert summary["reprojection_px"]["median"] < 10


def test_arrays_hold_what_the_summary_says_and_lie_near_the_truth(tracked, clip):
    out, done = tracked
    with np.load(out / "hands.npz", allow_pickle=False) as arrays:
        arrays = dict(arrays)
    summary = json.loads(done.stdout)
    del summary["files"]
    assert summarize(arrays) == summary
    np.testing.assert_allclose(arrays["stamps_ns"], clip.truth["stamps_ns"], atol=12_000)
    assert arrays["joints_camera"].shape == (60, 2, 21, 3)
    present = arrays["status"] > 0
    np.testing.assert_array_equal(np.isfinite(arrays["joints_camera"]).all((-2, -1)), present)
    np.testing.assert_array_equal(np.isfinite(arrays["R_camera_wrist"]).all((-2, -1)), present)
    truth = {1: clip.truth["joints_camera"][:, 1], 2: clip.truth["joints_camera"][:, 0]}
    errors = [
        np.linalg.norm(relative(arrays["joints_camera"][t, s]) - relative(truth[arrays["side"][t, s]][t]), axis=-1)
        for t, s in zip(*np.nonzero(arrays["status"] == 1), strict=True)
    ]
    assert np.median(errors) < 0.03
    fx, fy, cx, cy = arrays["intrinsics"][0]
    projected = Camera(480, 360, fx, fy, cx, cy).project(arrays["joints_camera"][present])
    np.testing.assert_allclose(projected, arrays["joints_px"][present], atol=1e-6)


def relative(joints):
    return joints - joints[:1]


def test_bag_and_overlay_have_every_frame(tracked):
    out, _ = tracked
    with AnyReader([out / "hands.mcap"]) as reader:
        counts = {topic: info.msgcount for topic, info in reader.topics.items()}
        stamps = [stamp for _, stamp, _ in reader.messages()]
    assert counts == {"/hand/observations": 60, "/hand/mano": 60}
    assert stamps == sorted(stamps)
    frames = [frame.image for frame in open_source(str(out / "overlay.mp4"))]
    assert len(frames) == 60
    assert frames[0].shape == (360, 480, 3)


def test_no_hand_at_all_is_a_result_and_no_error(tmp_path, hmp, caplog):
    for index in range(4):
        cv2.imwrite(str(tmp_path / f"{index}.png"), np.full((120, 160, 3), 90, np.uint8))
    code, stdout, _ = hmp("track", tmp_path, "--out", tmp_path / "out", "--json", "--no-overlay", "--fov", 70)
    assert code == 0
    summary = json.loads(stdout)
    assert summary["frames"] == 4
    assert summary["tracked_fraction"] == 0
    assert summary["sides"] == {"left": 0, "right": 0}
    assert summary["reprojection_px"] == {"median": None, "p95": None}
    assert summary["acceleration_mm_per_frame2"] == {"initializer": None, "output": None}
    assert set(summary["files"]) == {"hands.npz", "hands.mcap"}
    assert "calibrate the camera" in caplog.text
    with np.load(tmp_path / "out" / "hands.npz") as arrays:
        assert (arrays["track_id"] == -1).all()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["track", "missing.mp4"], "missing.mp4 does not exist"),
        (["track", "broken.mp4"], "cannot read video"),
        (["track", ".", "--fov", "0"], "field of view"),
        (["track", ".", "--fps", "-1"], "fps"),
        (["track", ".", "--camera", "broken.mp4"], "camera file broken.mp4 is not usable"),
        (["track", ".", "--max-hands", "3"], "max_hands"),
        (["track", ".", "--mano", "missing"], "no hand model at missing"),
        (["synth", "--seconds", "0"], "seconds must lie between"),
        (["synth", "--occluder", "elephant"], "elephant"),
    ],
)
def test_bad_input_ends_with_one_line_and_code_2(tmp_path, monkeypatch, hmp, arguments, message):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "broken.mp4").write_bytes(b"no video")
    cv2.imwrite(str(tmp_path / "a.png"), np.zeros((48, 64, 3), np.uint8))
    code, stdout, stderr = hmp(*arguments, "--out", "out")
    assert code == 2
    assert stdout == ""
    errors = [line for line in stderr.splitlines() if line.startswith("error:")]
    assert len(errors) == 1
    assert message in errors[0]


def test_interrupt_finishes_the_files(clip, tmp_path):
    frames = tmp_path / "frames"
    frames.mkdir()
    images = [frame.image for frame in open_source(clip.video)]
    for index in range(600):
        cv2.imwrite(str(frames / f"{index}.jpg"), images[index % 60])
    arguments = ["track", str(frames), "--out", str(tmp_path / "out"), "--json"]
    run = subprocess.Popen([*ENTRY, *arguments], env=ENVIRONMENT, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    deadline = time.monotonic() + 100
    while not list((tmp_path / "out").glob("overlay.mp4")) and time.monotonic() < deadline:
        time.sleep(0.2)
    time.sleep(2)
    run.send_signal(signal.SIGINT)
    stdout, stderr = run.communicate(timeout=60)
    assert run.returncode == 0, stderr
    assert b"interrupted" in stderr
    summary = json.loads(stdout)
    assert 0 < summary["frames"] < 600
    assert len(list(open_source(summary["files"]["overlay.mp4"]))) == summary["frames"]
    with AnyReader([Path(summary["files"]["hands.mcap"])]) as reader:
        assert reader.topics["/hand/mano"].msgcount == summary["frames"]
    with np.load(summary["files"]["hands.npz"]) as arrays:
        assert len(arrays["stamps_ns"]) == summary["frames"]
