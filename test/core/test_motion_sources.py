# SPDX-FileCopyrightText: 2026 The hmp_ros authors
# SPDX-License-Identifier: Apache-2.0
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from leap_files import write_leap_recording
from prior_motion import RATE_HZ, waving_motion, write_joint_file

from hmp_core.cli.main import main
from hmp_core.errors import DataError
from hmp_core.hand.loading import load_hand_model
from hmp_core.training import leap
from hmp_core.training.motion_sources import find_motion_sources
from hmp_core.training.sources import read_joint_motion
from hmp_core.training.tasks import prepare_task

CONFIG = """
prior: {latent_dim: 8, grid_size: 16, completion_dim: 9, encoder_width: 24, encoder_heads: 3, code_dim: 8}
generator: {share: 0.0}
split: split.json
"""


def _silent(done: int, total: int) -> None:
    pass


def _write_amass(path: Path, frames: int = 240, **changes: object) -> Path:
    """Hands that flex all fingers, the left one half as much, at 60 Hz."""
    poses = np.zeros((frames, 156))
    wave = 0.5 + 0.4 * np.sin(np.arange(frames) / 12.0)
    poses[:, 111 + 2 :: 3] = wave[:, None]
    poses[:, 66 + 2 : 111 : 3] = -0.5 * wave[:, None]
    fields = {"poses": poses, "mocap_framerate": np.array(60.0)} | changes
    path.parent.mkdir(parents=True, exist_ok=True)
    np.savez(path, **{name: value for name, value in fields.items() if value is not None})
    return path


def _write_arctic(path: Path, frames: int = 60) -> Path:
    wave = np.sin(np.arange(frames) / 8.0)[:, None]
    widths = {"global_orient": 3, "body_pose": 63, "left_hand_pose": 45, "right_hand_pose": 45}
    path.parent.mkdir(parents=True, exist_ok=True)
    np.save(path, {name: wave * np.full(width, 0.3) for name, width in widths.items()}, allow_pickle=True)
    return path


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Every form that is known, side by side."""
    folder = tmp_path_factory.mktemp("motion")
    (folder / "joints").mkdir()
    write_joint_file(folder / "joints" / "waving.npz", waving_motion(1, 40))
    joints = read_joint_motion(folder / "joints" / "waving.npz").joints
    for sign in ("good luck", "seven"):
        write_leap_recording(folder / "thai" / "record" / sign / "json_0.txt", joints, RATE_HZ)
    _write_amass(folder / "GRAB" / "s1" / "cup_lift_poses.npz")
    _write_arctic(folder / "ARCTIC" / "raw_seqs" / "s01" / "box.smplx.npy")
    return folder


def test_a_folder_gives_a_source_for_each_form(folder, tmp_path):
    names = [source.name for source in find_motion_sources([folder], tmp_path)]
    assert names == ["waving.npz", *[folder.name] * 3]
    places = [folder / name for name in ("joints", "thai", "GRAB", "ARCTIC")]
    sources = find_motion_sources(places, tmp_path)
    assert [source.name for source in sources] == ["waving.npz", "thai", "GRAB", "ARCTIC"]
    read = [source.read(load_hand_model(), tmp_path / "cache", _silent) for source in sources]
    assert [result.motion.labels for result in read] == [
        ("sign 0",),
        ("good_luck", "seven"),
        ("GRAB/s1/cup_lift_poses",) * 2,
        ("s01/box",) * 2,
    ]
    for result in read:
        assert result.motion.rate_hz == RATE_HZ
        assert result.rejected == 0.0
    assert [len(result.residual_m) > 0 for result in read] == [True, True, False, False]
    # Nine tenths of four seconds, of each hand; the left one is mirrored and flexes to the same side.
    grab = read[2].motion
    assert grab.lengths.tolist() == [108, 108]
    torch.testing.assert_close(grab.rotation_vectors[:108], 0.5 * grab.rotation_vectors[108:], atol=2e-3, rtol=0.0)


def test_leap_originals_are_converted_once_and_apart_from_others(folder, tmp_path, monkeypatch):
    (source,) = find_motion_sources([folder / "thai"], tmp_path)
    first = source.read(load_hand_model(), tmp_path, _silent)
    assert len(list(tmp_path.glob("leap_*.npz"))) == 1
    with monkeypatch.context() as patch:
        patch.setattr(leap, "read_leap", None)
        again = source.read(load_hand_model(), tmp_path, _silent)
    torch.testing.assert_close(again.motion.rotation_vectors, first.motion.rotation_vectors, rtol=0.0, atol=0.0)
    assert leap.converted_leap(folder / "thai" / "record", tmp_path) != leap.converted_leap(
        folder / "thai", tmp_path
    )


def test_a_cache_inside_a_place_is_no_motion(folder, tmp_path):
    write_leap_recording(tmp_path / "seven" / "json_0.txt", np.zeros((60, 21, 3)), RATE_HZ)
    leap.converted_leap(tmp_path, tmp_path / "cache")
    assert len(find_motion_sources([tmp_path], tmp_path / "cache")) == 1
    assert len(find_motion_sources([tmp_path], tmp_path / "other")) == 2


def test_the_real_time_configuration_takes_them_and_leaves_held_out_labels(folder, tmp_path):
    (tmp_path / "run.yaml").write_text(CONFIG)
    (tmp_path / "split.json").write_text('{"held_out": ["seven"]}')
    places = [folder / "thai", folder / "GRAB"]
    task = prepare_task(tmp_path / "run.yaml", places, None, tmp_path / "cache", lambda *_: None)
    described = task._description["files"]
    assert [(entry["file"], entry["recordings"]) for entry in described] == [("thai", 1), ("GRAB", 2)]
    assert described[0]["residual_mm"] < 1.0
    assert "residual_mm" not in described[1]


@pytest.mark.parametrize(
    ("name", "changes", "named"),
    [
        ("cup_poses.npz", {"poses": None}, ("cup_poses.npz", "root_orient")),
        ("cup_poses.npz", {"mocap_framerate": None}, ("cup_poses.npz", "mocap_framerate")),
        ("cup_poses.npz", {"poses": np.zeros((200, 156))}, ("cup_poses", "variance")),
        ("other.npz", {"poses": None}, ("other.npz", "joints_q")),
        ("cup.npz", {"poses": np.zeros((200, 150))}, ("cup.npz", "poses")),
    ],
)
def test_the_command_names_file_and_field(tmp_path, monkeypatch, capsys, name, changes, named):
    file = _write_amass(tmp_path / name, **changes)
    (tmp_path / "run.yaml").write_text(CONFIG)
    (tmp_path / "split.json").write_text('{"held_out": []}')
    call = [str(tmp_path / "run.yaml"), "--data", str(file), "--out", str(tmp_path / "out")]
    monkeypatch.setattr(sys, "argv", ["hmp", "train", *call, "--cache", str(tmp_path / "cache")])
    with pytest.raises(SystemExit) as ended:
        main()
    assert ended.value.code == 2
    said = "".join(capsys.readouterr().err.split())
    for text in named:
        assert text in said


def test_a_leap_recording_without_a_field_is_named(tmp_path):
    path = tmp_path / "hi" / "json_0.txt"
    path.parent.mkdir()
    path.write_text('[{"timestamp": 1}]')
    (source,) = find_motion_sources([tmp_path], tmp_path / "cache")
    with pytest.raises(DataError, match=r"json_0\.txt, frame 0 lacks.*hands"):
        source.read(load_hand_model(), tmp_path / "cache", _silent)
