# SPDX-FileCopyrightText: 2026 The hmp_ros authors
# SPDX-License-Identifier: Apache-2.0
from pathlib import Path

import numpy as np
import pytest
import roma
import torch

from hmp_core.hand.inverse_kinematics import InverseKinematics
from hmp_core.hand.limits import ANATOMICAL_LIMITS, JOINT_AXES, limit_violation
from hmp_core.hand.loading import load_hand_model

DATA = Path(__file__).resolve().parents[3] / "shared/data"
FRAMES = 64


@pytest.fixture(scope="module")
def solver():
    return InverseKinematics(load_hand_model())


@pytest.fixture(scope="module")
def truth(solver):
    """Poses all over the joints' range, in any orientation, of two hands."""
    generator = torch.Generator().manual_seed(2)
    lower, upper = torch.as_tensor(ANATOMICAL_LIMITS)
    angles = lower + (upper - lower) * torch.rand(FRAMES, 15, 3, generator=generator, dtype=torch.float64)
    angles[..., 0] *= 0.2  # points hardly see twist
    vectors = (torch.as_tensor(JOINT_AXES).mT @ angles[..., None])[..., 0]
    roots = roma.random_rotmat((FRAMES, 1), dtype=torch.float64, generator=generator)
    rotations = torch.cat([roots, roma.rotvec_to_rotmat(vectors)], dim=1)
    sequence = torch.arange(FRAMES) % 2
    betas = torch.randn(2, 10, generator=generator, dtype=torch.float64)
    translation = torch.randn(FRAMES, 3, generator=generator, dtype=torch.float64)
    joints = solver.kinematics.joints(rotations, betas[sequence], translation)
    return rotations, betas, sequence, translation, joints


def test_finds_the_pose_of_a_known_shape(solver, truth):
    rotations, betas, sequence, translation, joints = truth
    fitted = solver.fit(joints, sequence, betas)
    assert fitted.residual_m.max() < 1.5e-3
    assert fitted.residual_m.mean() < 2e-4
    root_error = roma.rotmat_geodesic_distance(fitted.rotations[:, 0], rotations[:, 0])
    assert torch.rad2deg(root_error).max() < 1.5
    assert (fitted.translation - translation).norm(dim=-1).max() < 2e-3
    again = solver.kinematics.joints(fitted.rotations, betas[sequence], fitted.translation)
    torch.testing.assert_close((again - joints).norm(dim=-1), fitted.residual_m)


def test_finds_one_shape_per_sequence(solver, truth):
    _, betas, sequence, _, joints = truth
    fitted = solver.fit(joints, sequence)
    assert fitted.betas.shape == (2, 10)
    assert (fitted.betas[:, 0] - betas[:, 0]).abs().max() < 0.15  # size shows in every bone
    assert fitted.residual_m.mean() < 1.5e-3


def test_frames_are_independent(solver, truth):
    _, betas, sequence, _, joints = truth
    together = solver.fit(joints, sequence, betas)
    alone = solver.fit(joints[5:6], None, betas[sequence[5]])
    torch.testing.assert_close(alone.rotations[0], together.rotations[5])


def test_unusable_frames_give_nan_and_harm_no_other(solver, truth):
    _, betas, sequence, _, joints = truth
    damaged = joints.clone()
    damaged[3] = torch.nan
    damaged[4, 7, 1] = torch.inf
    fitted, clean = solver.fit(damaged, sequence, betas), solver.fit(joints, sequence, betas)
    for field in ("rotations", "translation", "residual_m"):
        got, wanted = getattr(fitted, field), getattr(clean, field)
        assert got[3:5].isnan().all()
        rest = torch.ones(FRAMES, dtype=torch.bool)
        rest[3:5] = False
        torch.testing.assert_close(got[rest], wanted[rest])
    assert solver.fit(damaged[3:4]).rotations.isnan().all()


def test_joints_without_weight_do_not_count(solver, truth):
    _, betas, sequence, _, joints = truth
    weights = torch.ones(21)
    weights[8] = 0.0
    damaged = joints.clone()
    damaged[:, 8] = torch.nan
    fitted = solver.fit(damaged, sequence, betas, weights)
    seen = weights > 0
    assert fitted.residual_m[:, seen].max() < 2e-3
    assert fitted.residual_m[:, 8].isnan().all()


def test_collapsed_points_stay_finite(solver):
    fitted = solver.fit(torch.zeros(2, 21, 3))
    assert fitted.rotations.isfinite().all()
    torch.testing.assert_close(torch.linalg.det(fitted.rotations), torch.ones(2, 16, dtype=torch.float64))


def test_takes_right_hands_only():
    with pytest.raises(ValueError, match="right"):
        InverseKinematics(load_hand_model().mirrored())


@pytest.mark.skipif(not (DATA / "hand_motion").exists(), reason="needs the shared hand motion data")
def test_recorded_motion(solver):
    """Leap Motion's skeleton has its knuckles deeper than ours: millimetres stay, and poses stay possible."""
    data = np.load(DATA / "hand_motion/leap_motion_60hz.npz")
    starts = np.r_[0, np.cumsum(data["lengths"])]
    joints, sequence = [], []
    for number, take in enumerate(np.flatnonzero(data["side"] == "right")[::200]):
        points = data["joints_q"][starts[take] : starts[take + 1] : 20] * float(data["unit_m"])
        joints.append(points)
        sequence += [number] * len(points)
    fitted = solver.fit(torch.as_tensor(np.concatenate(joints)), torch.tensor(sequence))
    assert 1e3 * fitted.residual_m.mean() < 5.5
    assert 1e3 * fitted.residual_m.quantile(0.99) < 15
    outside = limit_violation(roma.rotmat_to_rotvec(fitted.rotations[:, 1:]))
    assert torch.rad2deg(outside.abs().max()) < 12
