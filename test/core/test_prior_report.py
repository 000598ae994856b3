# SPDX-FileCopyrightText: 2026 The hmp_ros authors
# SPDX-License-Identifier: Apache-2.0
import json
import logging
from pathlib import Path

import numpy as np
import pytest
import torch
from prior_motion import waving_motion, write_joint_file
from typer.testing import CliRunner

from hmp_core.cli.main import app
from hmp_core.evaluation import baseline_models
from hmp_core.evaluation.baseline_models import BaselineParameters, fit_components, save_baselines
from hmp_core.evaluation.prior_gaps import HIDDEN
from hmp_core.evaluation.prior_methods import METHODS
from hmp_core.evaluation.prior_report import SECONDS
from hmp_core.hand.loading import load_hand_model
from hmp_core.prior.chain import FingerBones
from hmp_core.prior.checkpoint import PriorCheckpoint, Whitening, save_checkpoint
from hmp_core.prior.config import PriorConfig
from hmp_core.prior.vae import MotionVae

SCALARS = (
    "reconstruction_mm",
    "reconstruction_acceleration_ratio",
    "retarget_mm",
    "rejected",
    "diversity",
    "nearest_training_mm",
    "limit_violations",
    "latent_calibration",
)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two motion files, a small prior of 1.3 s, baselines of 2 s fitted on a third motion, a split."""
    folder = tmp_path_factory.mktemp("prior")
    torch.manual_seed(0)
    sizes = PriorConfig(
        window_s=1.3,
        grid_size=16,
        latent_dim=12,
        completion_dim=12,
        encoder_width=32,
        encoder_heads=4,
        code_dim=8,
        field_width=16,
        harmonics=4,
    )
    vae = MotionVae(sizes, FingerBones.of(load_hand_model()))
    save_checkpoint(
        folder / "prior.safetensors",
        PriorCheckpoint(vae, Whitening(torch.zeros(12), torch.eye(12), torch.eye(12)), {}),
    )
    write_joint_file(folder / "first.npz", waving_motion(26, 80))
    write_joint_file(folder / "second.npz", waving_motion(26, 40, seed=6))
    clips = waving_motion(300, 61, seed=7).rotation_vectors.view(300, 61, 45)[:, ::2]
    parameters = BaselineParameters(gmm_components=4)
    save_baselines(folder / "baselines.safetensors", fit_components(clips, 2.0, parameters))
    (folder / "split.json").write_text(json.dumps({"held_out": ["sign 1"]}))
    return folder


def _run(folder: Path, names: tuple[str, ...], windows: int, *arguments: str) -> str:
    files = [str(folder / name) for name in names]
    options = ["--prior", folder / "prior.safetensors", "--cache", folder / "cache", "--windows", windows]
    command = ["eval", "prior", *files, *map(str, options), *arguments]
    result = CliRunner().invoke(app, command, catch_exceptions=False)
    assert result.exit_code == 0
    return result.stdout


def _baselines(folder: Path) -> tuple[str, str]:
    return "--baselines", str(folder / "baselines.safetensors")


@pytest.fixture(scope="module")
def report(folder: Path) -> dict:
    return json.loads(_run(folder, ("first.npz", "second.npz"), 50, "--json", *_baselines(folder)))


def test_the_object_has_the_documented_keys_and_no_others(report):
    assert set(report) == {*SCALARS, "infill_mm", "forecast_mm", "windows", "references", "baselines"}
    for key in SCALARS:
        assert isinstance(report[key], float), key
    for table in ("infill_mm", "forecast_mm"):
        assert set(report[table]) == {"active", "quiet"}
        for by_hidden in report[table].values():
            assert set(by_hidden) == {"one", "two", "three", "thumb", "all"} == set(HIDDEN)
            for by_seconds in by_hidden.values():
                assert list(by_seconds) == ["0.2", "0.5", "1", "2"] == list(SECONDS)
                for by_method in by_seconds.values():
                    assert tuple(by_method) == METHODS
    assert set(report["windows"]) == {"active", "quiet"}


def test_cells_of_under_fifty_windows_and_gaps_that_do_not_fit_are_null(report):
    assert report["windows"]["active"]["0.5"] >= 50
    assert all(value is not None for value in report["infill_mm"]["active"]["all"]["0.5"].values())
    assert report["windows"]["quiet"]["1"] < 50
    for hidden in HIDDEN:
        assert set(report["infill_mm"]["quiet"][hidden]["1"].values()) == {None}
    # A gap of one second and its margins fits into a window of two seconds, but not into one of 1.3.
    longer = report["infill_mm"]["active"]["all"]["1"]
    assert {name for name, value in longer.items() if value is None} == {"prior", "encoder"}
    assert report["windows"]["active"]["2"] < 50
    assert set(report["forecast_mm"]["active"]["all"]["2"].values()) == {None}


def test_the_figures_are_sane(report):
    active = report["infill_mm"]["active"]["three"]["0.5"]
    assert active["slerp"] < active["hold"]
    # These curves lie in the span of what the baselines were fitted on.
    assert active["pca"] < active["slerp"]
    assert (
        report["forecast_mm"]["active"]["all"]["0.5"]["slerp"]
        == report["forecast_mm"]["active"]["all"]["0.5"]["hold"]
    )
    assert report["retarget_mm"] < 1.0
    assert report["rejected"] == 0.0
    assert report["baselines"]["fitted"]
    assert report["baselines"]["gmm_components"] == 4
    assert set(report["references"]["diversity"]) == {"data", "pca", "gmm"}


def test_tables_are_printed_for_people_and_a_split_is_kept(folder):
    text = _run(folder, ("first.npz",), 6, "--split", str(folder / "split.json"), *_baselines(folder))
    assert "infill, both sides seen [mm], active" in text
    assert "joint limits" in text
    with pytest.raises(ValueError, match=r"."):
        json.loads(text)


def test_a_missing_file_of_baselines_is_warned_of(folder, monkeypatch, caplog):
    monkeypatch.setattr(baseline_models, "SHIPPED_BASELINES", "not_there.safetensors")
    with caplog.at_level(logging.WARNING):
        report = json.loads(_run(folder, ("second.npz",), 2, "--json"))
    assert "fit_prior_baselines.py" in caplog.text
    assert report["nearest_training_mm"] is None
    assert report["baselines"]["fitted"] is False
    assert set(report["references"]["limit_violations"]) == {"data"}


def test_a_split_without_any_recording_of_a_file_is_an_error(folder, tmp_path):
    nothing = tmp_path / "split.json"
    nothing.write_text(json.dumps({"held_out": ["other"]}))
    arguments = [
        "eval",
        "prior",
        str(folder / "first.npz"),
        "--cache",
        str(folder / "cache"),
        "--split",
        str(nothing),
    ]
    result = CliRunner().invoke(app, arguments)
    assert "held-out" in str(result.exception)


@pytest.mark.parametrize("frames", [16, 24])
def test_recordings_that_are_too_short_leave_empty_cells(folder, tmp_path, frames):
    write_joint_file(tmp_path / "first.npz", waving_motion(3, frames))
    command = ["eval", "prior", str(tmp_path / "first.npz"), "--prior", str(folder / "prior.safetensors"), "--json"]
    result = CliRunner().invoke(app, [*command, "--cache", str(tmp_path)], catch_exceptions=False)
    report = json.loads(result.stdout)
    assert report["windows"]["active"]["2"] == report["windows"]["quiet"]["2"] == 0
    assert "data" not in report["references"]["diversity"]
    assert isinstance(report["limit_violations"], float)


def test_a_file_of_poses_needs_no_retargeting(folder, tmp_path):
    poses = np.zeros((900, 156))
    poses[:, 113::3] = 0.4 + 0.35 * np.sin(np.arange(900) / 20.0)[:, None]
    np.savez(tmp_path / "cup_lift_poses.npz", poses=poses, mocap_framerate=np.array(60.0))
    command = ["eval", "prior", str(tmp_path / "cup_lift_poses.npz"), "--prior", str(folder / "prior.safetensors")]
    result = CliRunner().invoke(
        app, [*command, "--json", "--windows", "4", "--cache", str(tmp_path)], catch_exceptions=False
    )
    report = json.loads(result.stdout)
    assert report["retarget_mm"] is None
    assert report["rejected"] is None
    assert report["reconstruction_mm"] > 0.0
    assert report["windows"]["active"]["0.5"] > 0


def test_torch_is_left_with_one_thread(report):
    assert torch.get_num_threads() == 1
