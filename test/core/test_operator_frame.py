# SPDX-FileCopyrightText: 2026 The hmp_ros authors
# SPDX-License-Identifier: Apache-2.0
from pathlib import Path

import numpy as np
import pytest
import roma
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from hmp_core.hand.kinematics import HandKinematics
from hmp_core.hand.loading import load_hand_model
from hmp_core.hand.mirror import mirror_points
from hmp_core.hand.operator_frame import operator_frame
from hmp_core.hand.skeleton import Side

CLIP = Path(__file__).resolve().parents[3] / "shared/data/video/dexr_hand_joints.npz"
# dex-retargeting's constant for right hands, and the one that is right for MANO's mirrored left template.
OPERATOR2MANO = {
    Side.RIGHT: np.array([[0.0, 0, -1], [-1, 0, 0], [0, 1, 0]]),
    Side.LEFT: np.array([[0.0, 0, 1], [-1, 0, 0], [0, -1, 0]]),
}


@pytest.fixture(scope="module")
def hands():
    right = load_hand_model()
    return {Side.RIGHT: right, Side.LEFT: right.mirrored()}


def posed(model, rotation):
    rotations = torch.eye(3, dtype=torch.float64).repeat(1, 16, 1, 1)
    rotations[0, 0] = rotation
    kinematics = HandKinematics(model, torch.float64)
    return kinematics.joints(rotations, torch.zeros(10).double(), torch.zeros(1, 3).double())[0].numpy()


@pytest.mark.parametrize("side", list(Side))
def test_agrees_with_the_global_orientation(hands, side):
    """Both ways to the frame: from points, and from MANO's orientation, up to the palm's own tilt at rest."""
    generator = torch.Generator().manual_seed(1)
    for _ in range(5):
        rotation = roma.random_rotmat(dtype=torch.float64, generator=generator)
        from_points = operator_frame(posed(hands[side], rotation), side)
        from_orientation = rotation.numpy() @ OPERATOR2MANO[side]
        assert np.degrees(np.arccos((np.trace(from_points.T @ from_orientation) - 1) / 2)) < 12


@pytest.mark.parametrize("side", list(Side))
def test_axes_mean_what_they_say(hands, side):
    joints = posed(hands[side], torch.eye(3, dtype=torch.float64))
    x, y, z = operator_frame(joints, side).T
    assert x @ [0, -1, 0] > 0.95  # out of the palm
    thumb_side = joints[5] - joints[17]
    assert np.sign(y @ thumb_side) == (1 if side is Side.RIGHT else -1)
    assert z @ (joints[12] - joints[0]) > 0.15


@pytest.mark.parametrize("side", list(Side))
@settings(max_examples=30, deadline=None)
@given(seed=st.integers(0, 2**31))
def test_turns_with_the_hand(side, seed):
    rng = np.random.default_rng(seed)
    joints = rng.normal(size=(3, 21, 3))
    rotation = roma.random_rotmat(dtype=torch.float64, generator=torch.Generator().manual_seed(seed)).numpy()
    frame = operator_frame(joints, side)
    np.testing.assert_allclose(np.linalg.det(frame), 1.0)
    np.testing.assert_allclose(frame.swapaxes(-1, -2) @ frame, np.broadcast_to(np.eye(3), (3, 3, 3)), atol=1e-12)
    turned = operator_frame(0.1 * joints @ rotation.T + rng.normal(size=3), side)
    np.testing.assert_allclose(turned, rotation @ frame, atol=1e-9)


def test_sides_mirror_each_other():
    rng = np.random.default_rng(0)
    joints = rng.normal(size=(21, 3))
    right, left = operator_frame(joints, Side.RIGHT), operator_frame(mirror_points(joints), Side.LEFT)
    np.testing.assert_allclose(left, mirror_points(right.T).T * [1, -1, 1], atol=1e-12)


def test_degenerate_points_still_give_rotations():
    rng = np.random.default_rng(0)
    joints = np.stack([rng.normal(size=(21, 3)) for _ in range(4)])
    joints[0, 5] = 2 * joints[0, 9] - joints[0, 0]  # index on the line of wrist and middle
    joints[1] = np.outer(np.arange(21), [0.0, 0.0, 1.0])  # all on a line
    joints[2] = 0.0
    joints[3, 9] = np.nan
    frames = operator_frame(joints, Side.RIGHT)
    np.testing.assert_allclose(np.linalg.det(frames[:3]), 1.0)
    np.testing.assert_array_equal(frames[2], np.eye(3))
    assert np.isnan(frames[3]).all()
    pinky_side = joints[0, 9] - joints[0, 17]
    assert frames[0, :, 1] @ pinky_side > 0


@pytest.mark.skipif(not CLIP.exists(), reason=f"needs {CLIP.name} of the shared data")
def test_recorded_hand_is_already_in_the_frame():
    joints = np.load(CLIP)["joints"].astype(np.float64)
    frames = operator_frame(joints, Side.RIGHT)
    np.testing.assert_allclose(frames, np.broadcast_to(np.eye(3), frames.shape), atol=2e-3)
