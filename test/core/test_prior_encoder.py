# SPDX-FileCopyrightText: 2026 The hmp_ros authors
# SPDX-License-Identifier: Apache-2.0
import pytest
import roma
import torch

from hmp_core.hand.loading import load_hand_model
from hmp_core.prior.chain import FingerBones, seen_through_chain
from hmp_core.prior.config import PriorConfig
from hmp_core.prior.features import clip_features
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


def test_a_joint_behind_an_unseen_one_is_not_seen():
    visible = torch.ones(15)
    visible[4] = 0.0  # middle finger's middle joint
    seen = seen_through_chain(visible)
    assert seen[3] == 1.0
    assert seen[4:6].sum() == 0.0
    assert seen.sum() == 13.0


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


def test_velocities_are_in_seconds_also_beside_gaps(bones):
    rate = 0.2
    step_s = CONFIG.window_s / (CONFIG.grid_size - 1)
    visible = torch.ones(1, 16, 15)
    visible[:, 6:8] = 0.0
    features = clip_features(_turning(1, rate), visible, step_s, bones)
    spin = features[0, 0, 15:18]  # index base: its angular velocity, scaled
    shown = torch.ones(16, dtype=torch.bool)
    shown[6:8] = False
    torch.testing.assert_close(spin[2, shown] / spin[2, 0], torch.ones(14), rtol=1e-3, atol=0.0)
    assert features[0, :, :, 6:8].abs().max() == 0.0


def test_a_lone_seen_frame_has_no_velocity(bones):
    visible = torch.zeros(1, 16, 15)
    visible[:, 5] = 1.0
    features = clip_features(_turning(1, 0.5), visible, 0.1, bones)
    assert features[:, :, 12:18].abs().max() == 0.0
    assert features[:, :, :6, 5].abs().max() > 0.0


def test_bool_and_float_visibility_agree(vae):
    R = _turning(2, 0.1)
    visible = torch.rand(2, 16, 15) > 0.5
    torch.testing.assert_close(vae.posterior(R, visible)[0], vae.posterior(R, visible.float())[0])
