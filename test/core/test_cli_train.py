# SPDX-FileCopyrightText: 2026 The hmp_ros authors
# SPDX-License-Identifier: Apache-2.0
import csv
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
import roma
import torch
from small_training import waving_fingers

from hmp_core.cli.main import main
from hmp_core.hand.kinematics import HandKinematics
from hmp_core.hand.loading import load_hand_model
from hmp_core.prior.prior import load_prior

COMMAND = (str(Path(sys.executable).with_name("hmp")), "train")
REALTIME = """
prior: {latent_dim: 8, completion_dim: 9, grid_size: 16, encoder_width: 24, encoder_heads: 3, code_dim: 8}
generator: {share: 0.0}
split: split.json
start_clips: 512
steps: STEPS
batch: 8
free_times: 4
machine: {accelerator: cpu, devices: DEVICES, strategy: auto}
"""
HMP = """
kind: hmp
network:
  {frames: 64, latent_dim: 8, global_dim: 4, channels: [4, 4, 4, 4], global_channels: [8, 8, 8, 8], field_width: 16}
generator: {share: 0.0}
split: split.json
epochs: 60
batch: 4
machine: {accelerator: cpu, devices: DEVICES}
"""


@pytest.fixture(scope="module")
def data(tmp_path_factory) -> Path:
    """A folder with a motion file two floors down, and another file."""
    folder = tmp_path_factory.mktemp("data")
    (folder / "a" / "b").mkdir(parents=True)
    np.savez(folder / "a" / "other.npz", numbers=np.arange(3))
    vectors = torch.from_numpy(waving_fingers()[:600:2])
    R = torch.cat((torch.eye(3).expand(300, 1, 3, 3), roma.rotvec_to_rotmat(vectors)), dim=1)
    joints = HandKinematics(load_hand_model()).joints(R, torch.zeros(10), torch.zeros(300, 3)).numpy()
    np.savez(
        folder / "a" / "b" / "waving.npz",
        joints_q=np.round(joints / 1e-4).astype(np.int16),
        unit_m=1e-4,
        lengths=np.array([150, 150]),
        side=np.array(["right", "right"]),
        sign=np.array(["wave", "wave"]),
        rate_hz=30.0,
    )
    return folder


def arguments(folder: Path, data: Path, steps: int, devices: int = 1, text: str = REALTIME) -> list[str]:
    (folder / "split.json").write_text('{"held_out": []}')
    config = folder / "run.yaml"
    config.write_text(text.replace("STEPS", str(steps)).replace("DEVICES", str(devices)))
    return [str(config), "--data", str(data), "--out", str(folder / "out"), "--cache", str(data / "cache")]


def log(folder: Path) -> list[dict[str, str]]:
    path = folder / "out" / "log.csv"
    if not path.exists():
        return []
    with path.open(encoding="utf-8") as stream:
        return list(csv.DictReader(stream))


@pytest.mark.slow
def test_an_interrupt_leaves_a_state_and_the_command_goes_on(data, tmp_path, monkeypatch, capsys):
    call = arguments(tmp_path, data, steps=250)
    process = subprocess.Popen([*COMMAND, *call], stderr=subprocess.PIPE, text=True)
    try:
        deadline = time.monotonic() + 200.0
        while not log(tmp_path):
            assert process.poll() is None
            assert time.monotonic() < deadline
            time.sleep(0.02)
        process.send_signal(signal.SIGINT)
        said = process.communicate(timeout=60.0)[1]
    finally:
        process.kill()
    assert process.returncode == 130, said
    assert "the same command goes on" in said
    assert not (tmp_path / "out" / "prior.safetensors").exists()
    monkeypatch.setattr(sys, "argv", ["hmp", "train", *call])
    with pytest.raises(SystemExit) as ended:
        main()
    assert ended.value.code == 0, capsys.readouterr().err
    assert [int(row["step"]) for row in log(tmp_path)] == list(range(50, 251, 50))
    prior = load_prior(tmp_path / "out" / "prior.safetensors")
    assert prior.metadata["files"][0]["file"] == "waving.npz"
    assert "CPU" in prior.metadata["machine"]
    assert (tmp_path / "out" / "encoder.onnx").exists()


def test_the_paper_s_configuration_trains_from_the_same_command(data, tmp_path, monkeypatch):
    monkeypatch.setattr(sys, "argv", ["hmp", "train", *arguments(tmp_path, data, steps=0, text=HMP)])
    with pytest.raises(SystemExit) as ended:
        main()
    assert ended.value.code == 0
    rows = log(tmp_path)
    assert [row["step"] for row in rows] == ["50", "60"]
    assert float(rows[1]["total"]) < float(rows[0]["total"])
    assert (tmp_path / "out" / "prior.safetensors").exists()


@pytest.mark.slow
def test_two_processes_train_one_prior(data, tmp_path):
    call = arguments(tmp_path, data, steps=100, devices=2)
    ended = subprocess.run([*COMMAND, *call], stderr=subprocess.PIPE, text=True, timeout=250.0)
    assert ended.returncode == 0, ended.stderr
    assert ended.stderr.count("prior written to") == 1
    assert [row["step"] for row in log(tmp_path)] == ["50", "100"]
    assert load_prior(tmp_path / "out" / "prior.safetensors").metadata["machine"].startswith("2 x CPU")


def test_a_missing_package_is_named_with_the_extra_that_brings_it(tmp_path, monkeypatch, capsys):
    for name in list(sys.modules):
        if name.partition(".")[0] == "lightning" or name == "hmp_core.training.trainer":
            monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "lightning", None)
    monkeypatch.delattr("hmp_core.training.trainer", raising=False)
    monkeypatch.setattr(sys, "argv", ["hmp", "train", "run.yaml", "--out", str(tmp_path)])
    with pytest.raises(SystemExit) as ended:
        main()
    assert ended.value.code == 2
    said = capsys.readouterr().err
    assert "lightning" in said
    assert "hmp_ros[train]" in said


def test_a_place_without_motion_is_an_error(tmp_path, monkeypatch, capsys):
    (tmp_path / "empty").mkdir()
    for place, message in (("empty", "no motion file below"), ("nowhere", "no motion file or folder")):
        monkeypatch.setattr(sys, "argv", ["hmp", "train", *arguments(tmp_path, tmp_path / place, steps=1)])
        with pytest.raises(SystemExit) as ended:
            main()
        assert ended.value.code == 2
        assert message in " ".join(capsys.readouterr().err.split())
