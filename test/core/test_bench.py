# SPDX-FileCopyrightText: 2026 The hmp_ros authors
# SPDX-License-Identifier: Apache-2.0
"""`hmp bench` on a little video: what is measured, the shape of its object, and what is null; never times."""

import json
import shutil
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hand_scene import moving_hand

from hmp_core.cli.main import main
from hmp_core.evaluation import benchmark
from hmp_core.evaluation.benchmark_clips import HEIGHT, WIDTH, enlarged, shipped_clip
from hmp_core.evaluation.solver_race import SolverRace, hidden_stretches, ratios
from hmp_core.fitting.stages import read_stage_table
from hmp_core.hand.loading import load_hand_model
from hmp_core.prior.prior import load_prior

SPREAD = {"median", "p95"}


def brief(name: str):
    """A stage table with few Adam steps."""
    table = read_stage_table(name)
    return replace(table, stages=tuple(replace(stage, adam_iterations=3) for stage in table.stages))


@pytest.fixture
def cache(clip, tmp_path) -> Path:
    """With a small clip in the place of the one that would be rendered."""
    shutil.copytree(clip.folder, tmp_path / "cache" / "bench_two_hands")
    return tmp_path / "cache"


@pytest.fixture
def bench(cache, clip, monkeypatch, capsys):
    """Run the command; its JSON object and what it says on stderr."""

    def run(*arguments: str):
        command = ["hmp", "bench", "--json", "--seconds", "1", "--cache", str(cache), *arguments]
        monkeypatch.setattr(sys, "argv", [*command, "--video", clip.video, "--camera", clip.camera])
        with pytest.raises(SystemExit) as ended:
            main()
        output = capsys.readouterr()
        assert ended.value.code == 0, output.err
        return json.loads(output.out), output.err

    return run


def assert_shape(figures) -> None:
    assert list(figures) == [
        "stage_ms", "online_solve_ms", "fps", "offline", "online",
        "dds", "dds_two_hands", "dds_without_profile", "rss_mb",
    ]  # fmt: skip
    assert list(figures["stage_ms"]) == ["detect", "initialize", "optimize"]
    for spread in (*figures["stage_ms"].values(), figures["online_solve_ms"]):
        assert set(spread) == SPREAD
    assert set(figures["fps"]) == {"one_hand", "two_hands"}
    for name in ("offline", "online"):
        assert set(figures[name]) == {"compute_ratio_vs_paper", "hidden_error_ratio_vs_paper"}
    for name in ("dds", "dds_two_hands", "dds_without_profile"):
        assert set(figures[name]) == {"hz", "latency_ms", "dropped"}
        assert set(figures[name]["latency_ms"]) == SPREAD


def numbers(value) -> list[float | None]:
    return [leaf for item in value.values() for leaf in numbers(item)] if isinstance(value, dict) else [value]


def test_stages_alone_leave_the_rest_null(bench) -> None:
    figures, errors = bench("--only", "stages")
    assert_shape(figures)
    for name in ("stage_ms", "online_solve_ms", "fps", "rss_mb"):
        assert all(number > 0 for number in numbers(figures[name])), name
    for name in ("offline", "online", "dds", "dds_two_hands", "dds_without_profile"):
        assert set(numbers(figures[name])) == {None}, name
    assert "one hand" in errors
    assert "two hands" in errors


def test_offline_alone_compares_with_the_paper(bench, monkeypatch) -> None:
    monkeypatch.setattr(benchmark, "read_stage_table", brief)
    figures, _ = bench("--only", "offline")
    assert_shape(figures)
    for name in ("offline", "online"):
        assert all(np.isfinite(number) and number > 0 for number in numbers(figures[name]))
    assert set(numbers(figures["stage_ms"])) == {None}
    assert figures["rss_mb"] is None


def test_without_ros_the_way_through_dds_is_null_with_the_reason(bench, monkeypatch, tmp_path) -> None:
    monkeypatch.delenv("PYTHONPATH", raising=False)
    monkeypatch.chdir(tmp_path)
    figures, errors = bench("--only", "dds")
    assert_shape(figures)
    assert set(numbers(figures)) == {None}
    for name in ("dds", "dds_two_hands", "dds_without_profile"):
        assert f"{name} is left out" in errors
    assert "make setup" in errors
    assert "Traceback" not in errors


@pytest.mark.parametrize(
    ("arguments", "reason"), [(["--only", "speed"], "stages, offline, dds"), (["--seconds", "0"], "1 and more")]
)
def test_wrong_arguments_are_one_line(monkeypatch, capsys, arguments, reason) -> None:
    monkeypatch.setattr(sys, "argv", ["hmp", "bench", *arguments])
    with pytest.raises(SystemExit) as ended:
        main()
    assert ended.value.code == 2
    error = capsys.readouterr().err
    assert reason in error.replace("\n", " ")
    assert "Traceback" not in error


def test_all_methods_see_the_same_gaps_and_their_errors_count_there() -> None:
    scene = moving_hand(40)
    race = SolverRace(load_hand_model(), load_prior(), brief("default"), {"paper_lab": brief("paper_lab")})
    done: list[str] = []
    contenders = race.run([scene.frame(t) for t in range(40)], scene.joints_camera, done.append)
    assert list(contenders) == ["offline", "online", "paper_adam", "paper_lab"]
    assert len(done) == race.fits
    for name, contender in contenders.items():
        assert len(contender.wall_s) == len(contender.cpu_s) == done.count(name)
        assert 1.0 < contender.hidden_mm < 100.0, name
    own = ratios(contenders, "offline")
    paper = contenders["paper_adam"]
    assert own["hidden_error_ratio_vs_paper"] == pytest.approx(
        contenders["offline"].hidden_mm / paper.hidden_mm, abs=1e-4
    )
    # Few Adam steps stay at the start, which bridges gaps by SLERP.
    assert own["compute_ratio_vs_paper"] > 0


def test_stretches_are_hidden_again_and_again_between_seen_ends() -> None:
    times = np.arange(180) / 30
    hidden = hidden_stretches(times)
    edges = np.flatnonzero(np.diff(hidden.astype(int)))
    lengths = np.diff(times[edges])[::2]
    np.testing.assert_allclose(lengths[:3], [0.3, 1.0, 0.5], atol=0.04)
    assert not hidden[0]
    assert not hidden[-1]


def test_an_enlarged_image_shows_the_same_points_through_its_camera() -> None:
    frame = next(iter(shipped_clip().open()))
    image = np.zeros_like(frame.image)
    image[100:104, 200:204] = 255
    large, camera = enlarged(image, frame.camera)
    assert large.shape == (HEIGHT, WIDTH, 3)
    rays = frame.camera.rays(np.array([[201.5, 101.5]]))
    rows, columns = np.nonzero(large[..., 0] > 127)
    np.testing.assert_allclose(
        camera.rays(np.array([[columns.mean(), rows.mean()]])), rays, atol=1 / frame.camera.focal_px
    )
