# SPDX-FileCopyrightText: 2026 The hmp_ros authors
# SPDX-License-Identifier: Apache-2.0
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from prior_motion import RATE_HZ, waving_motion

from hmp_core.errors import AssetError, DataError
from hmp_core.evaluation.baseline_fill import ClipCompletion
from hmp_core.evaluation.baseline_mixture import Mixture
from hmp_core.evaluation.baseline_models import (
    BaselineModels,
    BaselineParameters,
    fit_components,
    load_baselines,
    save_baselines,
)
from hmp_core.evaluation.baseline_tuning import fit_baselines
from hmp_core.hand.loading import load_hand_model
from hmp_core.prior.chain import FingerBones
from hmp_core.prior.config import PriorConfig
from hmp_core.training.config import TrainingConfig

GRID, DIM = 32, 12
TIMES = torch.arange(61) / RATE_HZ


def _clips(count: int, seed: int = 0) -> torch.Tensor:
    """Smooth clips [count, GRID, 45] in a subspace of DIM dimensions."""
    generator = torch.Generator().manual_seed(seed)
    t = torch.linspace(0.0, 1.0, GRID)
    waves = torch.stack([torch.ones_like(t), t, (3.0 * t).sin(), (3.0 * t).cos()])
    axes = torch.randn(DIM, 4, 45, generator=torch.Generator().manual_seed(1)) * 0.1
    basis = torch.einsum("kn,dkj->dnj", waves, axes)
    return torch.einsum("bd,dnj->bnj", torch.randn(count, DIM, generator=generator), basis)


@pytest.fixture(scope="module")
def models() -> BaselineModels:
    parameters = BaselineParameters(pca_noise_rad=1e-3, gmm_noise_rad=1e-3, gmm_components=3)
    return fit_components(_clips(500), 2.0, parameters)


def test_completion_is_exact_inside_the_subspace(models):
    own = replace(models, components=models.components[:DIM], mixture=_leading(models.mixture, DIM - 2))
    coordinates = torch.randn(6, DIM, generator=torch.Generator().manual_seed(2))
    truth = own.curves(coordinates, TIMES)
    seen = torch.ones(6, 61, 15, dtype=torch.bool)
    seen[:3, 20:50, :6] = False
    seen[3:, 30:] = False
    hidden = torch.where(seen[..., None], truth, 7.0)
    for method, curves in ClipCompletion(own, TIMES).fill(hidden, seen).items():
        torch.testing.assert_close(curves[:3], truth[:3], atol=5e-3, rtol=0, msg=method)
        torch.testing.assert_close(curves[3:, :30], truth[3:, :30], atol=5e-3, rtol=0, msg=method)


def _leading(mixture: Mixture, dim: int) -> Mixture:
    return Mixture(mixture.weights, mixture.means[:, :dim], mixture.factors[:, :dim, :dim])


def test_nothing_seen_gives_the_mean(models):
    curves = ClipCompletion(models, TIMES).fill(torch.zeros(1, 61, 15, 3), torch.zeros(1, 61, 15, dtype=torch.bool))
    mean, _ = models.basis(TIMES)
    torch.testing.assert_close(curves["pca"][0].flatten(1), mean, atol=1e-5, rtol=0)


def test_one_gaussian_is_the_linear_model(models):
    whole = Mixture(torch.ones(1), torch.zeros(1, 8), torch.eye(8)[None])
    own = replace(models, mixture=whole)
    truth = waving_motion(4, 61).rotation_vectors.view(4, 61, 15, 3)
    seen = torch.rand(4, 61, 15, generator=torch.Generator().manual_seed(0)) < 0.5
    curves = ClipCompletion(own, TIMES).fill(truth, seen)
    torch.testing.assert_close(curves["gmm"], curves["pca"], atol=2e-3, rtol=0)


def test_the_mixture_finds_clusters_and_draws_from_them():
    generator = torch.Generator().manual_seed(0)
    centres = torch.tensor([[4.0, 0.0, 0.0], [-4.0, 0.0, 0.0], [0.0, 5.0, 0.0]])
    points = centres.repeat(200, 1) + 0.5 * torch.randn(600, 3, generator=generator)
    mixture = Mixture.fit(points, 3, 0.0, seed=2)
    torch.testing.assert_close(mixture.weights, torch.full((3,), 1 / 3), atol=0.02, rtol=0)
    assert float(torch.cdist(centres, mixture.means).amin(1).max()) < 0.2
    drawn = mixture.sample(500, generator)
    assert float(torch.cdist(drawn, centres).amin(1).mean()) < 1.2
    densities = mixture.log_densities(points)
    reference = torch.distributions.MultivariateNormal(mixture.means, scale_tril=mixture.factors)
    expected = reference.log_prob(points[:, None]) + mixture.weights.log()
    torch.testing.assert_close(densities, expected, atol=1e-3, rtol=1e-4)


def test_models_survive_their_file(models, tmp_path: Path):
    path = tmp_path / "baselines.safetensors"
    kept = replace(models, metadata={"clips": 500})
    save_baselines(path, kept)
    loaded = load_baselines(path)
    assert loaded.parameters == kept.parameters
    assert loaded.metadata == kept.metadata
    assert loaded.window_s == kept.window_s
    torch.testing.assert_close(loaded.components, kept.components, atol=2e-3, rtol=2e-3)
    torch.testing.assert_close(loaded.mixture.factors, kept.mixture.factors, atol=2e-3, rtol=2e-3)
    torch.testing.assert_close(loaded.clips[:, :DIM], kept.clips[:, :DIM].clamp(-6, 6), atol=0.03, rtol=0)


def test_other_files_are_refused(tmp_path: Path):
    path = tmp_path / "other.safetensors"
    with pytest.raises(AssetError, match="fit_prior_baselines"):
        load_baselines(path)
    path.write_bytes(b"not a model")
    with pytest.raises(AssetError, match="cannot be used"):
        load_baselines(path)


def test_parameters_are_tuned_on_signs_set_aside():
    config = TrainingConfig(prior=PriorConfig(window_s=1.0, grid_size=8))
    bones = FingerBones.of(load_hand_model())
    lines: list[str] = []
    models = fit_baselines(config, [(waving_motion(30, 45), 1.0)], bones, lines.append, clips=300)
    assert models.metadata["tuned_on"] == ["sign 2"]
    assert models.components.shape[1:] == (8, 45)
    assert any("gmm_shrinkage" in line for line in lines)
    # Slow smooth waves: their velocity is worth keeping for a while.
    assert models.parameters.interpolation.velocity_decay_s >= 0.2


def test_too_little_motion_is_an_error():
    config = TrainingConfig(prior=PriorConfig(window_s=4.0))
    with pytest.raises(DataError, match=r"set aside|clips"):
        fit_baselines(config, [(waving_motion(8, 60), 1.0)], FingerBones.of(load_hand_model()), print, clips=300)
