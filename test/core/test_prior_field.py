# SPDX-FileCopyrightText: 2026 The hmp_ros authors
# SPDX-License-Identifier: Apache-2.0
import pytest
import roma
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from hmp_core.errors import ConfigError
from hmp_core.hand.loading import load_hand_model
from hmp_core.hand.skeleton import BONE_ENDS
from hmp_core.hand.so3 import right_jacobian
from hmp_core.prior.chain import FingerBones, local_rotations, rotations_in_wrist
from hmp_core.prior.config import PriorConfig
from hmp_core.prior.field import MotionField

SMALL = PriorConfig(latent_dim=9, code_dim=12, field_width=32, harmonics=4)


def _field(config: PriorConfig) -> MotionField:
    torch.manual_seed(3)
    field = MotionField(config).double().eval()
    with torch.no_grad():
        for parameter in field.parameters():
            parameter.add_(0.15 * torch.randn_like(parameter))
    return field


def _random_rotations(*shape: int) -> torch.Tensor:
    return roma.rotvec_to_rotmat(torch.randn(*shape, 3, dtype=torch.float64))


def test_local_and_wrist_rotations_are_inverse():
    R = _random_rotations(4, 15)
    torch.testing.assert_close(local_rotations(rotations_in_wrist(R)), R)


def test_bone_ends_agree_with_the_hand_model():
    from hmp_core.hand.kinematics import HandKinematics

    model = load_hand_model()
    bones = FingerBones.of(model)
    R = roma.rotvec_to_rotmat(0.5 * torch.randn(6, 15, 3))
    rotations = torch.cat((torch.eye(3).expand(6, 1, 3, 3), R), dim=1)
    kinematics = HandKinematics(model)
    joints = kinematics.joints(rotations, torch.zeros(10), torch.zeros(6, 3))
    joints = joints - joints[:, :1]
    ends = bones(rotations_in_wrist(R))
    # MANO chains (index, middle, pinky, ring, thumb) and the public joints where their bones end.
    gap = (ends - joints[:, BONE_ENDS]).norm(dim=-1)
    inner = [i for i in range(15) if i % 3 != 2]
    assert gap[:, inner].max() < 1e-5
    assert gap.max() < 6e-3  # tips: the skin's pose-dependent bulge


def test_bone_ends_of_vectors_are_those_of_their_rotations():
    bones = FingerBones.of(load_hand_model()).double()
    torch.manual_seed(0)
    vectors = torch.randn(7, 3, 15, 3) * torch.tensor([0.0, 1e-9, 1e-3, 0.3, 1.0, 2.0, 3.0])[:, None, None, None]
    vectors = vectors.double().requires_grad_()
    expected = bones(rotations_in_wrist(roma.rotvec_to_rotmat(vectors)))
    torch.testing.assert_close(bones.from_vectors(vectors), expected, rtol=0.0, atol=1e-9)
    (slope,) = torch.autograd.grad(bones.from_vectors(vectors).square().sum(), vectors)
    assert slope.isfinite().all()


@settings(max_examples=12, deadline=None)
@given(st.integers(0, 2**31 - 1), st.integers(1, 9), st.integers(1, 4))
def test_jacobian_equals_autograd(seed, num_times, layers):
    config = PriorConfig(latent_dim=9, code_dim=12, field_width=32, harmonics=4, field_layers=layers)
    field = _field(config)
    torch.manual_seed(seed)
    z = torch.randn(9).double()
    times = torch.rand(num_times).double() * config.window_s
    seed_matrix = torch.randn(9, 9).double()
    R, J = field.local_with_jacobian(z, times, seed_matrix)
    torch.testing.assert_close(R, roma.rotvec_to_rotmat(field(z[None], times[None])[0]))

    def tangent(x: torch.Tensor) -> torch.Tensor:
        moved = roma.rotvec_to_rotmat(field((z + seed_matrix @ x)[None], times[None])[0])
        return roma.rotmat_to_rotvec(R.mT @ moved).flatten(1)

    expected = torch.autograd.functional.jacobian(tangent, torch.zeros(9).double())
    assert (J - expected).abs().max() < 1e-8 * max(1.0, float(expected.abs().max()))


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("layers", [1, 3])
def test_one_window_decodes_alike_with_tensors_and_in_loops(layers, dtype):
    config = PriorConfig(latent_dim=9, code_dim=12, field_width=32, harmonics=4, field_layers=layers)
    field = _field(config).to(dtype)
    z, times = 3.0 * torch.randn(1, 9, dtype=dtype), torch.rand(1, 7, dtype=dtype) * config.window_s
    with torch.no_grad():
        expected = field(z, times)
    with torch.inference_mode():
        torch.testing.assert_close(field(z, times), expected)
        rotations, _ = field.local_with_jacobian(z[0], times[0], torch.eye(9, dtype=dtype))
    torch.testing.assert_close(rotations, roma.rotvec_to_rotmat(expected[0]))


def test_window_ends_move_independently():
    """The first and the last instant are different points of the encoding, with free velocities there."""
    field = MotionField(SMALL)
    times = torch.tensor([0.0, SMALL.window_s])
    waves = field.waves(times)
    assert (waves[0] - waves[1]).norm() > 0.5
    step = (field.waves(times + 1e-3) - waves)[:, 2:] / 1e-3
    assert (step.norm(dim=-1) > 1.0).all()


def test_time_encoding_is_band_limited():
    highest_hz = float(MotionField(PriorConfig()).frequencies.max()) / (2.0 * torch.pi)
    assert highest_hz == pytest.approx(6.0, rel=1e-5)


@pytest.mark.parametrize("angle", [0.0, 1e-9, 1e-3, 0.049, 0.051, 1.0, 3.0])
def test_right_jacobian_at_any_angle(angle):
    torch.manual_seed(0)
    v = angle * torch.nn.functional.normalize(torch.randn(3, dtype=torch.float64), dim=0)

    def tangent(x: torch.Tensor) -> torch.Tensor:
        return roma.rotmat_to_rotvec(roma.rotvec_to_rotmat(v).T @ roma.rotvec_to_rotmat(v + x))

    expected = torch.autograd.functional.jacobian(tangent, torch.zeros(3, dtype=torch.float64))
    torch.testing.assert_close(right_jacobian(v), expected, rtol=0.0, atol=1e-8)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("window_s", 0.0),
        ("grid_size", 4),
        ("encoder_heads", 7),
        ("period_windows", 1.0),
        ("field_layers", 0),
        ("latent_dim", 0),
    ],
)
def test_impossible_sizes_are_refused(name, value):
    with pytest.raises(ConfigError, match=name):
        PriorConfig(**{name: value})
