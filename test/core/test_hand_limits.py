# SPDX-FileCopyrightText: 2026 The hmp_ros authors
# SPDX-License-Identifier: Apache-2.0
import numpy as np
import torch

from hmp_core.hand.limits import (
    ANATOMICAL_LIMITS,
    JOINT_AXES,
    anatomical_components,
    drawn_to_limits,
    limit_violation,
)


def vectors(angles):
    """Rotation vectors of twist, abduction and flexion."""
    return (torch.as_tensor(JOINT_AXES).mT @ torch.as_tensor(angles)[..., None])[..., 0]


def test_axes_are_right_handed_frames():
    np.testing.assert_allclose(JOINT_AXES @ JOINT_AXES.swapaxes(1, 2), np.tile(np.eye(3), (15, 1, 1)), atol=1e-12)
    np.testing.assert_allclose(np.linalg.det(JOINT_AXES), 1.0)
    # Long fingers: twist near x, abduction y, flexion near z.
    np.testing.assert_allclose(JOINT_AXES[3:6], np.tile(np.eye(3), (3, 1, 1)), atol=0.2)


def test_rest_and_a_fist_are_allowed():
    assert not limit_violation(torch.zeros(2, 15, 3)).any()
    fist = np.zeros((15, 3))
    fist[:12, 2] = np.tile(np.radians([80, 95, 60]), 4)
    assert not limit_violation(vectors(fist)).any()


def test_impossible_poses_are_not():
    angles = np.zeros((15, 3))
    angles[0, 2] = np.radians(-80)  # finger bent back
    angles[4, 2] = np.radians(150)
    outside = limit_violation(vectors(angles))
    assert outside[0, 2] < -0.5
    assert outside[4, 2] > 0.5
    assert (outside != 0).sum() == 2


def test_violation_is_the_distance_to_the_limits():
    rng = np.random.default_rng(0)
    angles = rng.normal(scale=1.5, size=(20, 15, 3))
    inside = np.clip(angles, *ANATOMICAL_LIMITS)
    np.testing.assert_allclose(limit_violation(vectors(angles)).numpy(), angles - inside, atol=1e-12)
    np.testing.assert_allclose(anatomical_components(vectors(angles)).numpy(), angles, atol=1e-12)


def test_poses_are_drawn_to_the_limits():
    torch.manual_seed(0)
    wild = vectors(1.5 * torch.randn(20, 15, 3, dtype=torch.float64).numpy())
    torch.testing.assert_close(limit_violation(drawn_to_limits(wild, 0.1)), 0.1 * limit_violation(wild))
    tame = vectors(0.1 * torch.rand(3, 15, 3, dtype=torch.float64).numpy())
    assert torch.equal(drawn_to_limits(tame, 0.1), tame)
