# SPDX-FileCopyrightText: 2026 The hmp_ros authors
# SPDX-License-Identifier: Apache-2.0
from itertools import pairwise

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
    f_score,
    pa_mpjpe,
    pck_auc,
    procrustes_aligned,
    ra_mpjpe,
    v2v,
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


def official_auc(errors_mm):
    """The scripts' own way: a curve and its area for each joint, then the mean."""
    thresholds = np.linspace(0, 50, 100)
    areas = []
    for joint in errors_mm.T:
        curve = [np.mean(joint <= threshold) for threshold in thresholds]
        areas.append(sum((a + b) / 2 for a, b in pairwise(curve)) / 99)
    return np.mean(areas)


def test_auc_of_hand_worked_cases():
    truth = np.zeros((5, 21, 3))
    joints = truth + np.array([[0, 0, 0], [0.05, 0, 0], [0.051, 0, 0], [0.025, 0, 0], [np.nan, 0, 0]])[:, None]
    # 0 mm is within all thresholds, 50 mm within the last alone (half a trapezoid of 99), 51 mm within none.
    # 25 mm is under the 51st threshold of 100 (25.25 mm): 49 whole trapezoids and a half.
    np.testing.assert_allclose(pck_auc(joints, truth), [1, 0.5 / 99, 0, 49.5 / 99, np.nan], atol=1e-12)


@given(seeds)
@settings(max_examples=10, deadline=None)
def test_auc_is_that_of_the_evaluation_scripts(seed):
    rng = np.random.default_rng(seed)
    truth = hand(rng, 12)
    joints = truth + rng.normal(0, 0.02, truth.shape)
    errors_mm = 1000 * np.linalg.norm(joints - truth, axis=-1)
    assert pck_auc(joints, truth).mean() == pytest.approx(official_auc(errors_mm), abs=1e-9)


def test_f_score_of_hand_worked_case():
    truth = np.zeros((1, 4, 3))
    truth[0, :, 0] = [0, 0.1, 0.2, 0.3]
    points = truth.copy()
    points[0, 2:, 1] = 0.004, 0.02  # 4 mm and 20 mm off
    assert f_score(points, truth, 0.005)[0] == pytest.approx(0.75)
    assert f_score(points, truth, 0.003)[0] == pytest.approx(0.5)
    # The precision of three points that all lie on one true point is 1, its recall a quarter.
    assert f_score(np.zeros((1, 3, 3)), truth, 0.005)[0] == pytest.approx(2 * 0.25 / 1.25)
    assert f_score(truth + 1, truth, 0.005)[0] == 0
    assert np.isnan(f_score(np.full((1, 4, 3), np.nan), truth, 0.005)[0])


@given(seeds)
@settings(max_examples=10, deadline=None)
def test_f_score_is_that_of_all_distances(seed):
    rng = np.random.default_rng(seed)
    truth = rng.normal(0, 0.04, (2, 60, 3))
    points = truth + rng.normal(0, 0.004, truth.shape)
    for threshold in (0.005, 0.015):
        for score, a, b in zip(f_score(points, truth, threshold), points, truth, strict=True):
            near = np.linalg.norm(a[:, None] - b[None], axis=-1) < threshold
            precision, recall = near.any(axis=1).mean(), near.any(axis=0).mean()
            assert score == pytest.approx(2 * precision * recall / (precision + recall))


def test_vertex_error_counts_each_vertex_with_its_own():
    rng = np.random.default_rng(1)
    truth = rng.normal(0, 0.05, (2, 778, 3))
    moved = truth.copy()
    moved[1, :389] += [0, 0.006, 0.008]
    np.testing.assert_allclose(v2v(moved, truth), [0, 5], atol=1e-9)
    R = Rotation.from_rotvec([0.1, 0.7, -0.4]).as_matrix()
    assert v2v(procrustes_aligned(0.8 * truth @ R.T + 0.3, truth), truth).max() < 1e-6
