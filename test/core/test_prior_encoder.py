# SPDX-FileCopyrightText: 2026 The hmp_ros authors
# SPDX-License-Identifier: Apache-2.0
import pytest
import roma
import torch

from hmp_core.hand.loading import load_hand_model
from hmp_core.prior.chain import FingerBones
from hmp_core.prior.config import PriorConfig
from hmp_core.prior.gaps import bridge_gaps, tie_to_seen
from hmp_core.prior.vae import MotionVae

CONFIG = PriorConfig(
    latent_dim=8, completion_dim=12, grid_size=16, code_dim=8, field_width=16, encoder_width=32, encoder_heads=4
)


@pytest.fixture(scope="module")
def vae() -> MotionVae:
    torch.manual_seed(0)
    return MotionVae(CONFIG, FingerBones.of(load_hand_model())).eval()


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


def test_a_filled_clip_keeps_what_was_seen(vae):
    torch.manual_seed(2)
    vectors = 0.4 * torch.randn(3, 16, 15, 3)
    seen = (torch.rand(3, 16, 15) > 0.3).float()
    filled = vae.encoder(vectors, seen).filled
    torch.testing.assert_close(filled[seen > 0], vectors[seen > 0])


def test_decoded_motion_is_tied_to_both_ends_of_a_gap():
    times = torch.linspace(0.0, 1.0, 11)
    decoded = (times**2).view(1, -1, 1, 1).expand(1, -1, 15, 3)
    vectors = decoded + 0.3 + 0.5 * times.view(1, -1, 1, 1)
    seen = torch.ones(1, 11, 15)
    seen[:, 3:8, 0] = 0.0  # inside
    seen[:, 6:, 1] = 0.0  # to the end
    tied = tie_to_seen(decoded, torch.where(seen[..., None] > 0, vectors, 99.0), seen)
    # The miss is a straight line here: inside the gap nothing of the truth is lost, behind the end it stays.
    torch.testing.assert_close(tied[:, :, [0, 2]], vectors[:, :, [0, 2]])
    torch.testing.assert_close(tied[0, 6:, 1], (decoded + 0.3 + 0.25)[0, 6:, 1])


def test_bool_and_float_visibility_agree(vae):
    R = _turning(2, 0.1)
    visible = torch.rand(2, 16, 15) > 0.5
    torch.testing.assert_close(vae.posterior(R, visible)[0], vae.posterior(R, visible.float())[0])
