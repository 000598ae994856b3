# SPDX-FileCopyrightText: 2026 The hmp_ros authors
# SPDX-License-Identifier: Apache-2.0
import csv
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import onnxruntime
import pytest
import roma
import torch
from small_training import CONFIG, small_task

from hmp_core.errors import DataError
from hmp_core.prior.prior import load_prior
from hmp_core.training.keeper import Progress
from hmp_core.training.trainer import Outcome, train


@pytest.fixture(autouse=True)
def _one_thread():
    torch.set_num_threads(1)


@pytest.fixture(scope="module")
def whole(tmp_path_factory) -> tuple[Outcome, list[Progress]]:
    """An uninterrupted run."""
    torch.set_num_threads(1)
    reports: list[Progress] = []
    return train(small_task(), tmp_path_factory.mktemp("whole"), reports.append), reports


def losses(folder: Path) -> list[dict[str, str]]:
    with (folder / "log.csv").open(encoding="utf-8") as stream:
        rows = list(csv.DictReader(stream))
    return [{name: row[name] for name in row if name not in ("steps_per_s", "seconds")} for row in rows]


class _UnfinishedTask:
    """The small task without the minutes' worth of writing its result."""

    def __init__(self, **changes):
        self._task = small_task(**changes)

    def __getattr__(self, name):
        return getattr(self._task, name)

    def finish(self, model, folder, run):
        self.parameters = torch.cat([p.flatten() for p in model.parameters()])
        return folder


def test_training_improves_and_its_checkpoint_is_a_prior(whole):
    outcome, reports = whole
    assert outcome.step == CONFIG.steps
    assert outcome.seconds > 0.0
    assert reports[-1].step == CONFIG.steps
    rows = losses(outcome.result.parent)
    assert [row["step"] for row in rows] == ["50", "100", "150", "180"]
    assert float(rows[-1]["total"]) < float(rows[0]["total"])
    prior = load_prior(outcome.result)
    assert prior.metadata["minutes"] == pytest.approx(outcome.seconds / 60.0)
    grid = prior.grid_times()
    motion = small_task()._sampler.draw(64, grid, 1, (1.0, 1.0001))
    R = roma.rotvec_to_rotmat(motion.vectors_grid)
    z = prior.encode(R, torch.ones(64, len(grid), 15))
    decoded = prior.decode(z, grid.expand(64, -1))
    error = (decoded - R).flatten(3).norm(dim=-1).mean()
    spread = (R - R.mean((0, 1))).flatten(3).norm(dim=-1).mean()
    assert error < 0.4 * spread
    assert 0.2 < z.std() < 3.0


def test_the_exported_encoder_agrees_with_torch(whole):
    path = whole[0].result
    prior = load_prior(path)
    session = onnxruntime.InferenceSession(path.with_name("encoder.onnx"))
    generator = torch.Generator().manual_seed(3)
    grid = len(prior.grid_times())
    for count in (1, 7):
        R = roma.rotvec_to_rotmat(0.6 * torch.randn(count, grid, 15, 3, generator=generator))
        visible = (torch.rand(count, grid, 15, generator=generator) > 0.5).float()
        visible[0, :, :4] = 0.0
        visible[-1, grid // 2 :] = 0.0
        (z,) = session.run(None, {"rotations": R.numpy(), "visible": visible.numpy()})
        torch.testing.assert_close(torch.from_numpy(z), prior.encode(R, visible), atol=1e-4, rtol=1e-4)


def test_a_killed_run_resumes_with_the_same_losses(whole, tmp_path):
    script = Path(__file__).with_name("small_training.py")
    process = subprocess.Popen([sys.executable, str(script), str(tmp_path)])
    try:
        deadline = time.monotonic() + 120.0
        while not (tmp_path / "log.csv").exists() or len(losses(tmp_path)) < 2:
            assert process.poll() is None, "training ended before it could be killed"
            assert time.monotonic() < deadline
            time.sleep(0.01)
    finally:
        process.send_signal(signal.SIGKILL)
        process.wait()
    logged = losses(tmp_path)
    reports: list[Progress] = []
    task = _UnfinishedTask()
    outcome = train(task, tmp_path, reports.append)
    assert 1 < reports[0].step < CONFIG.steps
    assert outcome.step == CONFIG.steps
    expected = losses(whole[0].result.parent)
    assert losses(tmp_path) == expected
    assert logged == expected[: len(logged)]


def test_a_run_that_is_stopped_says_so_and_goes_on(whole, tmp_path):
    steps = iter(range(1000))
    first = train(_UnfinishedTask(), tmp_path, stopped=lambda: next(steps) == 70)
    assert first.step == 71
    assert first.result is None
    task = _UnfinishedTask()
    second = train(task, tmp_path)
    assert second.step == CONFIG.steps
    assert second.seconds > first.seconds
    assert losses(tmp_path) == losses(whole[0].result.parent)
    again = _UnfinishedTask()
    assert train(again, tmp_path).step == CONFIG.steps
    assert torch.equal(again.parameters, task.parameters)


def test_workers_draw_the_same_clips(tmp_path):
    plain, shared = tmp_path / "plain", tmp_path / "shared"
    train(_UnfinishedTask(steps=12), plain)
    machine = replace(CONFIG.machine, workers=2)
    train(_UnfinishedTask(steps=12, machine=machine), shared)
    assert losses(plain) == losses(shared)


def test_the_state_of_another_run_is_not_continued(tmp_path):
    train(_UnfinishedTask(steps=2), tmp_path)
    with pytest.raises(DataError, match="another configuration"):
        train(_UnfinishedTask(steps=2, batch=8), tmp_path)


def test_the_losses_follow_the_model_to_another_device():
    task = small_task()
    batch = {name: value.to("meta") for name, value in task.draw(0).items()}
    task.model.to("meta")
    for mixed in (False, True):
        with torch.autocast("cpu", dtype=torch.bfloat16, enabled=mixed):
            made = task.loss(batch, step=1)
        made["total"].backward()
        assert {value.device.type for value in made.values()} == {"meta"}


def test_mixed_precision_trains(tmp_path):
    train(_UnfinishedTask(steps=3, machine=replace(CONFIG.machine, precision="bf16-mixed")), tmp_path)
    assert 0.0 < float(losses(tmp_path)[-1]["total"]) < 10.0
