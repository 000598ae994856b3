# SPDX-FileCopyrightText: 2026 The hmp_ros authors
# SPDX-License-Identifier: Apache-2.0
import csv
from dataclasses import replace

import numpy as np
import pytest
import torch

from hmp_core.errors import DataError
from hmp_core.hand.loading import load_hand_model
from hmp_core.prior.chain import FingerBones
from hmp_core.prior.checkpoint import save_checkpoint
from hmp_core.prior.config import PriorConfig
from hmp_core.prior.prior import load_prior
from hmp_core.training.config import TrainingConfig
from hmp_core.training.dataset import ClipSampler
from hmp_core.training.motion import FingerMotion
from hmp_core.training.trainer import Progress, Trainer

SMALL = PriorConfig(
    latent_dim=8,
    grid_size=16,
    encoder_channels=(4, 6, 8),
    encoder_width=24,
    code_dim=8,
    field_width=24,
    harmonics=5,
)
CONFIG = TrainingConfig(
    prior=SMALL, start_clips=1024, steps=60, batch=16, free_times=6, save_minutes=1e-6, learning_rate=2e-3
)


@pytest.fixture(scope="module")
def bones() -> FingerBones:
    return FingerBones.of(load_hand_model())


@pytest.fixture(scope="module")
def sampler() -> ClipSampler:
    """Fingers that flex together, at one of a few rhythms."""
    rng = np.random.default_rng(0)
    times = np.arange(3000) / 60.0
    flexion = 0.6 + 0.5 * np.sin(2.0 * np.pi * (0.4 + 0.3 * np.sin(times / 7.0)) * times)
    vectors = np.zeros((3000, 15, 3), np.float32)
    vectors[..., 2] = flexion[:, None] * rng.uniform(0.4, 1.0, 15)
    motion = FingerMotion(torch.from_numpy(vectors), torch.tensor([3000]), 60.0, ("wave",))
    return ClipSampler([(motion, 1.0)], SMALL.window_s)


class _KilledError(Exception):
    pass


def _log(folder) -> list[dict[str, str]]:
    with (folder / "log.csv").open(encoding="utf-8") as stream:
        return list(csv.DictReader(stream))


def test_training_improves_and_its_checkpoint_is_a_prior(bones, sampler, tmp_path):
    lines: list[Progress] = []
    trainer = Trainer(replace(CONFIG, steps=100, save_minutes=5.0), bones, sampler, tmp_path)
    trainer.run(lines.append)
    assert lines[-1].step == 100
    assert lines[-1].loss < lines[0].loss
    save_checkpoint(tmp_path / "prior.safetensors", trainer.checkpoint({"note": "test"}))
    prior = load_prior(tmp_path / "prior.safetensors")
    grid = prior.grid_times()
    batch = sampler.draw(64, grid, 1, (1.0, 1.0001))
    z = prior.encode(batch.R_grid, torch.ones(64, len(grid), 15))
    decoded = prior.decode(z, grid.expand(64, -1))
    error = (decoded - batch.R_grid).flatten(3).norm(dim=-1).mean()
    spread = (batch.R_grid - batch.R_grid.mean((0, 1))).flatten(3).norm(dim=-1).mean()
    assert error < 0.4 * spread
    assert 0.2 < z.std() < 3.0


def test_a_killed_run_resumes_with_the_same_losses(bones, sampler, tmp_path):
    whole, broken = tmp_path / "whole", tmp_path / "broken"
    Trainer(CONFIG, bones, sampler, whole).run(lambda progress: None)

    def kill(progress: Progress) -> None:
        raise _KilledError

    with pytest.raises(_KilledError):
        Trainer(CONFIG, bones, sampler, broken).run(kill)
    resumed = Trainer(CONFIG, bones, sampler, broken)
    assert 0 < resumed.step < 60
    resumed.run(lambda progress: None)
    first = torch.cat([p.flatten() for p in resumed.vae.parameters()])
    second = Trainer(CONFIG, bones, sampler, whole)
    assert second.step == 60
    assert torch.equal(first, torch.cat([p.flatten() for p in second.vae.parameters()]))
    for row, expected in zip(_log(broken), _log(whole), strict=True):
        del row["clips_per_s"], expected["clips_per_s"]
        assert row == expected


def test_the_state_of_another_run_is_not_continued(bones, sampler, tmp_path):
    Trainer(replace(CONFIG, steps=2), bones, sampler, tmp_path).run(lambda progress: None)
    with pytest.raises(DataError, match="another configuration"):
        Trainer(replace(CONFIG, steps=2, batch=8), bones, sampler, tmp_path)
