# SPDX-FileCopyrightText: 2026 The hmp_ros authors
# SPDX-License-Identifier: Apache-2.0
import pytest
import roma
import torch

from hmp_core.hand.loading import load_hand_model
from hmp_core.prior.chain import FingerBones
from hmp_core.prior.config import PriorConfig
from hmp_core.prior.features import bridge_gaps, clip_features
from hmp_core.prior.vae import MotionVae

CONFIG = PriorConfig(latent_dim=8, grid_size=16, code_dim=8, field_width=16, encoder_width=32)


@pytest.fixture(scope="module")
def bones() -> FingerBones:
    return FingerBones.of(load_hand_model())


@pytest.fixture(scope="module")
def vae(bones) -> MotionVae:
    torch.manual_seed(0)
    return MotionVae(CONFIG, bones).eval()


def _turning(count: int, rate: float) -> torch.Tensor:
    """Clips whose joints flex at a constant rate [rad/s], on the grid."""
    times = torch.linspace(0.0, CONFIG.window_s, CONFIG.grid_size)
    angle = torch.zeros(count, CONFIG.grid_size, 15, 3)
    angle[..., 2] = rate * times[None, :, None]
    return roma.rotvec_to_rotmat(angle)


def test_gaps_are_bridged_from_what_is_seen():
    vectors = torch.arange(8.0).view(1, 8, 1, 1).expand(1, 8, 15, 3).clone()
    seen = torch.ones(1, 8, 15)
    seen[:, 2:5, 0] = 0.0  # inside
    seen[:, :3, 1] = 0.0  # at the start
    seen[:, 6:, 2] = 0.0  # at the end
    seen[:, :, 3] = 0.0  # always
    vectors[seen == 0] = 99.0
    bridged = bridge_gaps(vectors, seen)[0, :, :, 0]
    torch.testing.assert_close(bridged[:, 0], torch.arange(8.0))
    assert bridged[:4, 1].tolist() == [3.0, 3.0, 3.0, 3.0]
    assert bridged[5:, 2].tolist() == [5.0, 5.0, 5.0]
    assert bridged[:, 3].abs().max() == 0.0


def test_hidden_values_have_no_influence(vae):
    torch.manual_seed(1)
    R = roma.rotvec_to_rotmat(0.3 * torch.randn(3, 16, 15, 3))
    visible = (torch.rand(3, 16, 15) > 0.4).float()
    other = torch.where(visible.bool()[..., None, None], R, roma.rotvec_to_rotmat(torch.randn(3, 16, 15, 3)))
    torch.testing.assert_close(vae.posterior(R, visible)[0], vae.posterior(other, visible)[0])


def test_hiding_something_changes_the_latent(vae):
    R = _turning(1, 0.3)
    visible = torch.ones(1, 16, 15)
    hidden = visible.clone()
    hidden[:, 4:9, 3:6] = 0.0
    assert not torch.allclose(vae.posterior(R, visible)[0], vae.posterior(R, hidden)[0])


def test_velocities_are_in_seconds_also_across_gaps(bones):
    visible = torch.ones(1, 16, 15)
    visible[:, 6:8] = 0.0
    slow, fast = (
        clip_features(_turning(1, 0.2), visible, CONFIG.window_s / 15 / factor, bones)[0, 0, 15:18]
        for factor in (1.0, 3.0)
    )
    torch.testing.assert_close(slow[2], slow[2, :1].expand(16), rtol=1e-3, atol=0.0)
    torch.testing.assert_close(fast, 3.0 * slow)


def test_bool_and_float_visibility_agree(vae):
    R = _turning(2, 0.1)
    visible = torch.rand(2, 16, 15) > 0.5
    torch.testing.assert_close(vae.posterior(R, visible)[0], vae.posterior(R, visible.float())[0])
