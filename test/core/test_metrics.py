# SPDX-FileCopyrightText: 2026 The hmp_ros authors
# SPDX-License-Identifier: Apache-2.0
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import minimize
from scipy.spatial.transform import Rotation

from hmp_core.evaluation.metrics import (
    acceleration,
    acceleration_error,
    camera_mpjpe,
    pa_mpjpe,
    procrustes_aligned,
    ra_mpjpe,
)

seeds = st.integers(0, 2**32 - 1)


def hand(rng, frames=4):
    return rng.normal(0, 0.05, (frames, 21, 3)) + np.array([0, 0, 0.5])


def test_root_aligned_error_of_hand_worked_case():
    truth = np.zeros((2, 21, 3))
    moved = truth + np.array([0.1, 0.2, 0.3])  # a shift of everything is no root-aligned error
    moved[1, 8] += [0.003, 0.004, 0]  # one joint 5 mm off
    np.testing.assert_allclose(ra_mpjpe(moved, truth), [0, 5 / 21], atol=1e-9)
    # The wrist itself 5 mm off: every other joint is.
    moved = truth.copy()
    moved[1, 0] += [0, 0.003, 0.004]
    np.testing.assert_allclose(ra_mpjpe(moved, truth), [0, 5 * 20 / 21], atol=1e-9)
    np.testing.assert_allclose(camera_mpjpe(moved, truth), [0, 5 / 21], atol=1e-9)


@given(seeds)
@settings(max_examples=30, deadline=None)
def test_procrustes_undoes_any_similarity(seed):
    rng = np.random.default_rng(seed)
    truth = hand(rng)
    R = Rotation.from_rotvec(rng.normal(size=(4, 3))).as_matrix()
    moved = rng.uniform(0.3, 3) * truth @ np.swapaxes(R, 1, 2) + rng.normal(size=(4, 1, 3))
    np.testing.assert_allclose(procrustes_aligned(moved, truth), truth, atol=1e-9)
    assert pa_mpjpe(moved, truth).max() < 1e-6


def test_procrustes_is_the_least_squares_minimum_found_by_a_general_optimiser():
    rng = np.random.default_rng(0)
    truth, joints = hand(rng, 1)[0], hand(rng, 1)[0]

    def cost(x):
        moved = np.exp(x[6]) * joints @ Rotation.from_rotvec(x[:3]).as_matrix().T + x[3:6]
        return ((moved - truth) ** 2).sum()

    best = min(
        minimize(cost, np.append(start, [0, 0, 0, -1]), tol=1e-14).fun for start in rng.normal(0, 2, (12, 3))
    )
    assert ((procrustes_aligned(joints, truth) - truth) ** 2).sum() == pytest.approx(best, rel=1e-5)


def test_procrustes_does_not_mirror():
    rng = np.random.default_rng(1)
    truth = hand(rng, 1)
    assert pa_mpjpe(truth * [-1, 1, 1], truth)[0] > 10


def test_acceleration_of_hand_worked_motion():
    # Joint 4 falls with 2 mm/frame²; the others rest; everything drifts along.
    frames = np.arange(6.0)
    joints = np.zeros((6, 21, 3)) + 0.01 * frames[:, None, None] ** 2
    joints[:, 4, 1] += 0.001 * frames**2
    np.testing.assert_allclose(acceleration(joints), np.full(4, 2 / 21), atol=1e-9)
    truth = np.zeros((6, 21, 3))
    np.testing.assert_allclose(acceleration_error(joints, truth), np.full(4, 2 / 21), atol=1e-9)
    np.testing.assert_allclose(acceleration_error(joints, joints + 0.3), np.zeros(4), atol=1e-9)


def test_missing_frames_give_nan_only_where_they_matter():
    rng = np.random.default_rng(2)
    truth = hand(rng, 8)
    joints = truth + rng.normal(0, 0.001, truth.shape)
    joints[3] = np.nan
    for metric in (ra_mpjpe, pa_mpjpe, camera_mpjpe):
        np.testing.assert_array_equal(np.isnan(metric(joints, truth)), np.arange(8) == 3)
    expected = [False, True, True, True, False, False]
    np.testing.assert_array_equal(np.isnan(acceleration_error(joints, truth)), expected)
    np.testing.assert_array_equal(np.isnan(acceleration(joints)), expected)
