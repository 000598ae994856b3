# SPDX-FileCopyrightText: 2026 The hmp_ros authors
# SPDX-License-Identifier: Apache-2.0
import pytest
import roma
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from hmp_core.errors import ConfigError
from hmp_core.hand.kinematics import HandKinematics
from hmp_core.hand.loading import load_hand_model
from hmp_core.prior.chain import FingerBones, local_rotations, rotations_in_wrist
from hmp_core.prior.hmp.config import HmpConfig
from hmp_core.prior.hmp.features import NUM_CHANNELS, joint_positions, local_features
from hmp_core.prior.hmp.local_encoder import SkeletonConv
from hmp_core.prior.hmp.rows import rotation_of_rows
from hmp_core.prior.hmp.vae import HmpVae

SMALL = HmpConfig(
    frames=32, latent_dim=7, global_dim=5, channels=(4, 4, 8, 8), global_channels=(4, 4, 8, 8), field_width=24
)


@pytest.fixture
def bones():
    return FingerBones.of(load_hand_model())


def _small(bones, config=SMALL):
    torch.manual_seed(5)
    return HmpVae(config, bones).double().eval()


def _clip(count, frames, spread=0.4):
    """Smooth random finger motion, local rotations [count, frames, 15, 3, 3]."""
    time = torch.linspace(0.0, 3.0, frames, dtype=torch.float64)[:, None, None]
    phase, size = torch.randn(2, count, 1, 15, 3, dtype=torch.float64)
    return roma.rotvec_to_rotmat(spread * size * torch.sin(time + phase))


def _count(module):
    return sum(parameter.numel() for parameter in module.parameters())


def test_sizes_are_the_papers(bones):
    with torch.device("meta"):
        vae = HmpVae(HmpConfig(), bones)
    assert (_count(vae.encoder), _count(vae.wrist_encoder), _count(vae.field)) == (
        31_753_208,
        4_234_240,
        23_151_766,
    )
    assert _count(vae) == 59_139_214
    assert HmpConfig().window_s == pytest.approx(128 / 30)
    assert [level.pool.shape for level in vae.encoder.levels] == [(11, 16), (6, 11), (6, 6), (6, 6)]
    convs = [module for module in vae.encoder.modules() if isinstance(module, SkeletonConv)]
    assert [conv.conv.weight.shape[2] for conv in convs] == [4, 1] * 4


def test_masked_encoder_has_as_many_live_weights_as_the_papers(bones):
    encoder = HmpVae(HmpConfig(latent_dim=1, global_dim=1, field_width=4), bones).encoder
    convs = [module for module in encoder.modules() if isinstance(module, SkeletonConv)]
    live = sum(int(conv.mask.sum()) * conv.conv.weight.shape[2] + conv.conv.bias.numel() for conv in convs)
    assert round((live + _count(encoder.levels) - sum(_count(conv) for conv in convs)) / 1e4) == 769  # 7.69 M


def test_positions_agree_with_the_hand_model(bones):
    kinematics = HandKinematics(load_hand_model())
    R = roma.rotvec_to_rotmat(0.5 * torch.randn(6, 15, 3))
    everything = torch.cat((torch.eye(3).expand(6, 1, 3, 3), R), dim=1)
    public = kinematics.joints(everything, torch.zeros(10), torch.zeros(6, 3))
    # MANO's wrist, index, middle, pinky, ring and thumb among the 21 public joints.
    expected = public[:, [0, 5, 6, 7, 9, 10, 11, 17, 18, 19, 13, 14, 15, 1, 2, 3]] - public[:, :1]
    torch.testing.assert_close(joint_positions(rotations_in_wrist(R), bones), expected, atol=1e-5, rtol=0.0)


def test_features_of_a_steady_turn(bones):
    """One knuckle turns at 2 rad/s: its spin is 2, the wrist's numbers are those of a hand at rest."""
    rate, frames = 30.0, 33
    angle = 2.0 * torch.arange(frames) / rate
    vectors = torch.zeros(1, frames, 15, 3)
    vectors[0, :, 0, 2] = angle
    features = local_features(roma.rotvec_to_rotmat(vectors), rate, bones)
    assert features.shape == (1, NUM_CHANNELS, frames)
    per_joint = features[0].unflatten(0, (16, 15))
    torch.testing.assert_close(per_joint[0, :, 3], torch.tensor([0.0] * 6 + [1.0, 0, 0, 0, 1, 0] + [0.0] * 3))
    spin = per_joint[1, 12:, 1:-1]
    torch.testing.assert_close(spin[2], torch.full((frames - 2,), 2.0), rtol=2e-3, atol=0.0)
    assert spin[:2].abs().max() < 1e-5
    assert per_joint[2:, 12:].abs().max() < 1e-5  # children ride along: their own rotation does not change
    rows = per_joint[1, 6:12, 5]
    R = roma.rotvec_to_rotmat(vectors[0, 5, 0])
    torch.testing.assert_close(rows, R[:2].flatten())
    arm = (per_joint[2, :3, 5] - per_joint[1, :3, 5]).norm()
    speed = (per_joint[2, 3:6, 5]).norm()
    assert 0.0 < float(speed) <= 2.0 * float(arm) * 1.001


def test_split_products_equal_the_papers_concatenation(bones):
    field = _small(bones).field
    z, z_wrist = torch.randn(3, 7).double(), torch.randn(3, 5).double()
    times = torch.rand(3, 4).double() * SMALL.window_s
    rows, wrist_rows = field.motion(z, z_wrist, times)
    phase = (2.0 * times / SMALL.window_s - 1.0)[..., None] * 2.0 ** torch.arange(7)
    waves = torch.stack((phase.sin(), phase.cos()), -1).flatten(-2)
    start = torch.cat((waves, z[:, None].expand(-1, 4, -1)), -1)
    hidden = waves.new_zeros(3, 4, 0)
    for layer in field.local_layers:
        hidden = layer.norm(layer.linear(torch.cat((hidden, start), -1))).relu()
    expected = field.local_head(hidden)[..., 6:96].unflatten(-1, (15, 2, 3))
    torch.testing.assert_close(rows, expected)
    torch.testing.assert_close(field.fingers(z, times), expected)
    for layer in field.global_layers:
        hidden = layer.norm(layer.linear(torch.cat((hidden, start, z_wrist[:, None].expand(-1, 4, -1)), -1))).relu()
    torch.testing.assert_close(wrist_rows, field.global_head(hidden).unflatten(-1, (2, 3)))


def test_time_is_half_open_and_ends_before_one(bones):
    vae = _small(bones)
    waves = vae.field.waves(vae.grid_times().double())
    assert waves[0, :2].tolist() == pytest.approx([-0.841471, 0.540302], abs=1e-6)  # sine and cosine of -1
    assert float(vae.grid_times()[-1]) == pytest.approx(SMALL.window_s - 1 / 30)


@settings(max_examples=10, deadline=None)
@given(st.integers(0, 2**31 - 1), st.integers(1, 6), st.integers(1, 4))
def test_jacobian_equals_autograd(seed, num_times, layers):
    bones = FingerBones.of(load_hand_model())
    vae = _small(bones, HmpConfig(**(vars(SMALL) | {"local_layers": layers})))
    torch.manual_seed(seed)
    z, times = torch.randn(7).double(), torch.rand(num_times).double() * SMALL.window_s
    matrix = torch.randn(7, 6).double()
    R, J = vae.local_with_jacobian(z, times, matrix)
    torch.testing.assert_close(R, vae.decode_local(z[None], times[None])[0])

    def tangent(x):
        moved = vae.decode_local((z + matrix @ x)[None], times[None])[0]
        return roma.rotmat_to_rotvec(R.mT @ moved).flatten(1)

    expected = torch.autograd.functional.jacobian(tangent, torch.zeros(6).double())
    assert (J - expected).abs().max() < 1e-8 * max(1.0, float(expected.abs().max()))


def test_rows_make_rotations_of_the_right_convention():
    R = roma.random_rotmat(20).double()
    torch.testing.assert_close(rotation_of_rows(R[:, :2]), R)
    torch.testing.assert_close(rotation_of_rows(3.0 * R[:, :2]), R)


def test_unseen_steps_do_not_reach_the_encoder(bones):
    torch.manual_seed(0)
    vae = _small(bones)
    R = _clip(2, 32)
    visible = torch.ones(2, 32, 15, dtype=torch.bool)
    visible[:, 10:20, 3:6] = False
    other = R.clone()
    other[:, 10:20, 3:6] = roma.random_rotmat(60).double().view(2, 10, 3, 3, 3)
    torch.testing.assert_close(vae.posterior(R, visible), vae.posterior(other, visible))
    torch.testing.assert_close(vae.posterior(R, torch.ones_like(visible))[0], vae._encode(R)[0])
    assert (vae.posterior(R, visible)[0] - vae._encode(R)[0]).abs().max() > 1e-6


def test_normalised_features_have_unit_spread(bones):
    torch.manual_seed(0)
    vae = _small(bones)
    R = _clip(40, 32)
    R_wrist = roma.random_rotmat(40 * 32).double().view(40, 32, 3, 3)
    vae.fit_normalisation(roma.rotmat_to_rotvec(R), R_wrist)
    features = local_features(R, 30.0, bones.double())
    scaled = (features - vae.mean[:, None]) / vae.deviation[:, None]
    spread = scaled.std((0, 2), correction=0)
    moving = features.std((0, 2)) > 1e-6
    torch.testing.assert_close(spread[moving], torch.ones_like(spread[moving]), rtol=1e-4, atol=0.0)
    assert (vae.deviation[~moving] == 1.0).all()
    assert (vae.deviation[:15] == 1.0).all()  # the wrist
    assert vae.wrist_deviation.shape == (6,)
    assert "deviation" in vae.state_dict()


def test_a_pass_gives_rotations_and_samples_only_in_training(bones):
    torch.manual_seed(0)
    vae = _small(bones)
    R, R_wrist = _clip(2, 32), roma.random_rotmat(64).double().view(2, 32, 3, 3)
    first, second = vae(R, R_wrist), vae(R, R_wrist)
    assert first.R_wrist_fingers.shape == (2, 32, 15, 3, 3)
    assert first.R_world_wrist.shape == (2, 32, 3, 3)
    torch.testing.assert_close(first.R_world_wrist, second.R_world_wrist)
    torch.testing.assert_close(
        local_rotations(first.R_wrist_fingers),
        vae.decode_local(first.mean, vae.grid_times().double().expand(2, -1)),
    )
    vae.train()
    assert (vae(R, R_wrist).R_wrist_fingers - vae(R, R_wrist).R_wrist_fingers).abs().max() > 1e-6


@pytest.mark.parametrize(
    ("name", "value"),
    [("frames", 24), ("frames", 16), ("rate_hz", 0.0), ("latent_dim", 0), ("channels", (4, 4)), ("octaves", 0)],
)
def test_impossible_sizes_are_refused(name, value):
    with pytest.raises(ConfigError, match=name):
        HmpConfig(**{name: value})
