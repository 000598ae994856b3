# SPDX-FileCopyrightText: 2026 The hmp_ros authors
# SPDX-License-Identifier: Apache-2.0
import pickle

import pytest
import roma
import torch
from safetensors.torch import save_file

from hmp_core.errors import AssetError
from hmp_core.hand.loading import load_hand_model
from hmp_core.prior.chain import FingerBones
from hmp_core.prior.checkpoint import PriorCheckpoint, Whitening, load_checkpoint, save_checkpoint
from hmp_core.prior.config import PriorConfig
from hmp_core.prior.prior import MotionPrior, load_prior
from hmp_core.prior.vae import MotionVae


@pytest.fixture(scope="module")
def checkpoint() -> PriorCheckpoint:
    torch.manual_seed(0)
    config = PriorConfig(
        latent_dim=6, completion_dim=8, grid_size=16, code_dim=8, field_width=16, encoder_width=24, encoder_heads=3
    )
    means = torch.randn(500, 6) @ torch.randn(6, 6) + torch.randn(6)
    vae = MotionVae(config, FingerBones.of(load_hand_model()))
    return PriorCheckpoint(vae.eval(), Whitening.fit(means), {"why": "a test"})


@pytest.fixture(scope="module")
def shipped() -> MotionPrior:
    return load_prior()


def test_whitened_training_means_are_standard_normal():
    torch.manual_seed(1)
    means = torch.randn(4000, 5) * torch.tensor([3.0, 0.1, 1.0, 7.0, 0.5]) + 2.0
    whitening = Whitening.fit(means)
    white = (means - whitening.mean) @ whitening.to_white.T
    torch.testing.assert_close(torch.cov(white.T), torch.eye(5), rtol=0.0, atol=1e-3)
    torch.testing.assert_close(white.mean(0), torch.zeros(5), rtol=0.0, atol=1e-4)
    torch.testing.assert_close(whitening.from_white @ whitening.to_white, torch.eye(5), rtol=0.0, atol=1e-4)
    spread = whitening.from_white.norm(dim=0)
    assert (spread.diff() <= 0).all()


def test_unused_directions_of_the_latent_do_not_break_the_whitening():
    means = torch.randn(1000, 4) * torch.tensor([1.0, 1.0, 0.0, 0.5])
    whitening = Whitening.fit(means)
    assert whitening.to_white.isfinite().all()
    assert whitening.to_white.abs().max() < 1e4


def test_a_checkpoint_survives_the_disk(checkpoint, tmp_path):
    save_checkpoint(tmp_path / "prior.safetensors", checkpoint)
    loaded = load_checkpoint(tmp_path / "prior.safetensors")
    assert loaded.metadata == {"why": "a test"}
    assert loaded.vae.config == checkpoint.vae.config
    z, times = torch.randn(3, 6), torch.rand(3, 5) * 2.0
    torch.testing.assert_close(loaded.vae.field(z, times), checkpoint.vae.field(z, times), rtol=0.0, atol=5e-3)
    assert torch.equal(loaded.vae.bones.bones, checkpoint.vae.bones.bones)
    assert [path.name for path in tmp_path.iterdir()] == ["prior.safetensors"]


def test_files_that_are_no_prior_are_refused_by_name(checkpoint, tmp_path):
    hostile = tmp_path / "hostile.safetensors"
    hostile.write_bytes(pickle.dumps({"state": 1}))
    with pytest.raises(AssetError, match="hostile"):
        load_prior(hostile)
    other = tmp_path / "other.safetensors"
    save_file({"weight": torch.zeros(2)}, other)
    with pytest.raises(AssetError, match="not a motion prior"):
        load_prior(other)
    with pytest.raises(AssetError, match="nowhere"):
        load_prior(tmp_path / "nowhere.safetensors")
    whole = tmp_path / "whole.safetensors"
    save_checkpoint(whole, checkpoint)
    cut = tmp_path / "cut.safetensors"
    cut.write_bytes(whole.read_bytes()[:-1000])
    with pytest.raises(AssetError, match="cut"):
        load_prior(cut)


def test_shipped_prior_decodes_at_any_times(shipped):
    torch.manual_seed(0)
    z = torch.randn(2, shipped.latent_dim)
    times = torch.rand(2, 9) * shipped.window_s
    R = shipped.decode(z, times)
    assert R.shape == (2, 9, 15, 3, 3)
    torch.testing.assert_close(R @ R.mT, torch.eye(3).expand_as(R), rtol=0.0, atol=1e-5)
    one_by_one = torch.cat([shipped.decode(z, times[:, i : i + 1]) for i in range(9)], dim=1)
    torch.testing.assert_close(R, one_by_one, rtol=0.0, atol=1e-5)


def test_shipped_jacobian_equals_autograd():
    prior = load_prior().double()
    torch.manual_seed(0)
    z = torch.randn(prior.latent_dim).double()
    times = torch.tensor([0.0, 0.711, 2.0]).double()
    R, J = prior.decode_with_jacobian(z, times)
    torch.testing.assert_close(R, prior.decode(z[None], times[None])[0])

    def tangent(x: torch.Tensor) -> torch.Tensor:
        return roma.rotmat_to_rotvec(R.mT @ prior.decode((z + x)[None], times[None])[0]).flatten(1)

    expected = torch.autograd.functional.jacobian(tangent, torch.zeros_like(z), vectorize=True)
    assert (J - expected).abs().max() < 1e-8


def test_shipped_prior_moves_smoothly(shipped):
    """Nothing that a camera would call a jump: steps at 120 Hz are small and change little."""
    torch.manual_seed(0)
    times = torch.arange(0.0, shipped.window_s, 1.0 / 120.0)
    R = shipped.decode(torch.randn(16, shipped.latent_dim), times.expand(16, -1))
    step = roma.rotmat_geodesic_distance(R[:, 1:], R[:, :-1])
    assert step.max() < 0.5
    assert step.diff(dim=1).abs().max() < 0.1


def test_encode_and_decode_reproduce_a_motion_of_the_prior(shipped):
    torch.manual_seed(0)
    z = 0.7 * torch.randn(8, shipped.latent_dim)
    grid = shipped.grid_times().expand(8, -1)
    R = shipped.decode(z, grid)
    again = shipped.decode(shipped.encode(R, torch.ones(8, grid.shape[1], 15)), grid)
    error = roma.rotmat_geodesic_distance(R, again)
    still = roma.rotmat_geodesic_distance(R, R[torch.randperm(8)])
    assert error.mean() < 0.5 * still.mean()


def test_shipped_prior_declares_its_training(shipped):
    assert {"files", "held_out", "run", "minutes"} <= set(shipped.metadata)
