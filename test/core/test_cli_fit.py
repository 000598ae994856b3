# SPDX-FileCopyrightText: 2026 The hmp_ros authors
# SPDX-License-Identifier: Apache-2.0
"""`hmp fit` as a user runs it, a kill in the middle included."""

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

from hmp_core.cli.main import main
from hmp_core.media.observation_bag import ObservationBag

ROOT = Path(__file__).resolve().parents[2]
ENTRY = [sys.executable, "-c", "from hmp_core.cli.main import main; main()"]
ENVIRONMENT = {**os.environ, "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"}
TIMEOUT_S = 250


@pytest.fixture(scope="module")
def fitted(clip, tmp_path_factory):
    """One run over the synthetic clip, its surface included."""
    out = tmp_path_factory.mktemp("fitted")
    arguments = ["fit", clip.video, "--camera", clip.camera, "--out", str(out), "--mesh", "--json"]
    done = subprocess.run([*ENTRY, *arguments], capture_output=True, text=True, env=ENVIRONMENT, timeout=TIMEOUT_S)
    assert done.returncode == 0, done.stderr
    return out, json.loads(done.stdout), arguments


def test_the_files_belong_together(clip, fitted):
    out, summary, _ = fitted
    assert set(summary["files"]) == {"hands.npz", "hands.mcap", "overlay.mp4", "meshes.npz"}
    assert {path.name for path in out.iterdir()} == set(summary["files"]), "nothing unfinished is left"
    with np.load(out / "hands.npz") as hands, np.load(out / "meshes.npz") as meshes:
        assert len(hands["stamps_ns"]) == summary["frames"]
        np.testing.assert_array_equal(hands["stamps_ns"], meshes["stamps_ns"])
        for slot in range(2):
            for code, side in ((1, "left"), (2, "right")):
                there = (hands["side"][:, slot] == code) & (hands["status"][:, slot] > 0)
                wrist = hands["joints_camera"][there, slot, 0]
                near = np.linalg.norm(meshes[side][there] - wrist[:, None], axis=-1).min(1)
                assert (near < 0.05).all()
                assert meshes[f"faces_{side}"].max() < meshes[side].shape[1]
    stamps = [observation.stamp_ns for observation in ObservationBag(out / "hands.mcap")]
    assert len(stamps) == summary["frames"]
    video = cv2.VideoCapture(str(out / "overlay.mp4"))
    assert int(video.get(cv2.CAP_PROP_FRAME_COUNT)) == summary["frames"]


def test_a_killed_fit_goes_on_and_ends_with_the_same_hands(clip, fitted, tmp_path):
    whole, _, arguments = fitted
    arguments = [str(tmp_path) if argument == str(whole) else argument for argument in arguments]
    process = subprocess.Popen(
        [*ENTRY, *arguments], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env=ENVIRONMENT
    )
    deadline = time.monotonic() + TIMEOUT_S
    while not list(tmp_path.glob(".unfinished-*/observations.mcap")) and time.monotonic() < deadline:
        time.sleep(0.02)
    process.send_signal(signal.SIGKILL)
    process.wait()
    assert not (tmp_path / "hands.npz").exists()
    done = subprocess.run([*ENTRY, *arguments], capture_output=True, text=True, env=ENVIRONMENT, timeout=TIMEOUT_S)
    assert done.returncode == 0, done.stderr
    assert "looking" not in done.stderr, "images were not looked at again"
    with np.load(whole / "hands.npz") as first, np.load(tmp_path / "hands.npz") as second:
        for name in ("joints_camera", "betas", "joint_stddev_m"):
            np.testing.assert_array_equal(first[name], second[name])


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        (["0"], "hmp track"),
        (["missing.mp4"], "missing.mp4"),
        (["x.mp4", "--solver", "magic"], "gn and adam"),
        (["x.mp4", "--table", "nowhere.yaml"], "neither a shipped stage table"),
    ],
)
def test_wrong_arguments_are_one_line(monkeypatch, capsys, tmp_path, arguments, reason):
    monkeypatch.setattr(sys, "argv", ["hmp", "fit", *arguments, "--out", str(tmp_path)])
    with pytest.raises(SystemExit) as ended:
        main()
    assert ended.value.code == 2
    error = capsys.readouterr().err
    assert reason in error.replace("\n", " ")
    assert "Traceback" not in error
