# SPDX-FileCopyrightText: 2026 The hmp_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Estimates in a robot's frame: every field says there what it said in the camera's."""

import numpy as np
import pytest
import roma
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.spatial.transform import Rotation

from hmp_core.errors import ConfigError
from hmp_core.estimate import FrameEstimate, HandEstimate, HandStatus
from hmp_core.extrinsic import Extrinsic
from hmp_core.hand.kinematics import HandKinematics
from hmp_core.hand.loading import load_hand_model
from hmp_core.hand.operator_frame import operator_frame
from hmp_core.hand.skeleton import NUM_JOINTS, Side
from hmp_core.observation import ManoPose


@pytest.fixture(scope="module")
def kinematics():
    right = load_hand_model()
    return {
        side: HandKinematics(model, dtype=torch.float64)
        for side, model in ((Side.RIGHT, right), (Side.LEFT, right.mirrored()))
    }


def joints_of(pose, kinematics):
    rotations = roma.rotvec_to_rotmat(torch.from_numpy(pose.rotation_vectors))[None]
    return kinematics.joints(rotations, torch.from_numpy(pose.betas), torch.from_numpy(pose.translation)[None])[
        0
    ].numpy()


def hand(side, kinematics, seed, status=HandStatus.OBSERVED):
    rng = np.random.default_rng(seed)
    pose = ManoPose(rng.normal(0, 0.5, (16, 3)), rng.normal(size=10), rng.normal((0, 0, 0.6), 0.2))
    joints = joints_of(pose, kinematics)
    root = rng.normal(size=(6, 6))
    lost = status is HandStatus.LOST
    return HandEstimate(
        track_id=3, side=side, side_score=0.9, status=status, score=0.8, since_observed_ns=0,
        joints_camera=joints, joint_stddev_m=np.full(NUM_JOINTS, 0.01), joint_observed=np.ones(NUM_JOINTS, bool),
        mano=pose, R_camera_wrist=operator_frame(joints, side),
        wrist_covariance=np.diag(np.full(6, -1.0)) if lost else root @ root.T,
    )  # fmt: skip


def extrinsic(seed):
    rng = np.random.default_rng(seed)
    return Extrinsic(Rotation.random(random_state=seed).as_matrix(), rng.normal(size=3))


@pytest.mark.parametrize("side", Side)
@settings(max_examples=15, deadline=None)
@given(seed=st.integers(0, 10**6))
def test_mano_parameters_and_wrist_go_where_the_joints_go(side, kinematics, seed):
    camera, before = extrinsic(seed), hand(side, kinematics[side], seed)
    (after,) = camera.apply(FrameEstimate(5, (before,))).hands
    expected = before.joints_camera @ camera.R_target_camera.T + camera.p_target_camera
    np.testing.assert_allclose(after.joints_camera, expected)
    np.testing.assert_allclose(joints_of(after.mano, kinematics[side]), expected, atol=1e-9)
    np.testing.assert_allclose(after.R_camera_wrist, operator_frame(expected, side), atol=1e-9)
    np.testing.assert_array_equal(after.mano.rotation_vectors[1:], before.mano.rotation_vectors[1:])


def test_the_covariance_turns_with_the_axes_and_keeps_its_meaning(kinematics):
    camera, before = extrinsic(4), hand(Side.RIGHT, kinematics[Side.RIGHT], 4)
    (after,) = camera.apply(FrameEstimate(5, (before,))).hands
    direction = np.array([0.2, -0.5, 0.7])
    for block in (slice(0, 3), slice(3, 6)):
        turned = camera.R_target_camera @ direction
        np.testing.assert_allclose(
            turned @ after.wrist_covariance[block, block] @ turned,
            direction @ before.wrist_covariance[block, block] @ direction,
        )
    np.testing.assert_allclose(
        np.linalg.eigvalsh(after.wrist_covariance), np.linalg.eigvalsh(before.wrist_covariance)
    )


def test_a_lost_hand_keeps_its_unknown_covariance(kinematics):
    before = hand(Side.LEFT, kinematics[Side.LEFT], 1, HandStatus.LOST)
    (after,) = extrinsic(1).apply(FrameEstimate(5, (before,))).hands
    np.testing.assert_array_equal(np.diag(after.wrist_covariance), -1)
    assert after.status is HandStatus.LOST


def test_the_camera_before_the_robot_that_looks_back_at_it():
    # Optical axes (x right, y down, z forward) of a camera one metre ahead that looks along -x of the base.
    camera = Extrinsic.parse("1.0 0 0.5  -0.5 -0.5 0.5 0.5")
    ahead_of_camera, right_in_image = np.array([0, 0, 0.4]), np.array([0.1, 0, 0])
    np.testing.assert_allclose(camera.R_target_camera @ ahead_of_camera + camera.p_target_camera, [0.6, 0, 0.5])
    np.testing.assert_allclose(camera.R_target_camera @ right_in_image, [0, 0.1, 0], atol=1e-12)


@pytest.mark.parametrize("text", ["1,2,3,0,0,0,1", "1 2 3 0 0 0 1", " 1, 2, 3,  0 0 0 1.005 "])
def test_seven_numbers_are_a_pose(text):
    camera = Extrinsic.parse(text)
    np.testing.assert_allclose(camera.p_target_camera, [1, 2, 3])
    np.testing.assert_allclose(camera.R_target_camera, np.eye(3))


@pytest.mark.parametrize(
    "text", ["", "1 2 3", "1 2 3 0 0 0 0", "1 2 3 0 0 0 2", "1 2 3 0 0 0 1 4", "a b c d e f g", "nan 0 0 0 0 0 1",
             "0 0 inf 0 0 0 1"],
)  # fmt: skip
def test_anything_else_is_refused(text):
    with pytest.raises(ConfigError, match="qx qy qz qw"):
        Extrinsic.parse(text)


def test_the_inverse_is_the_way_back(kinematics):
    there = Extrinsic.parse("0.4 -0.2 1.1 0.5 -0.5 0.5 -0.5")
    before = hand(Side.RIGHT, kinematics[Side.RIGHT], 3)
    (after,) = there.inverse().apply(there.apply(FrameEstimate(0, (before,)))).hands
    np.testing.assert_allclose(after.joints_camera, before.joints_camera, atol=1e-12)
    np.testing.assert_allclose(after.wrist_covariance, before.wrist_covariance, atol=1e-12)
    np.testing.assert_allclose(after.mano.translation, before.mano.translation, atol=1e-12)
