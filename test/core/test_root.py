# SPDX-FileCopyrightText: 2026 The hmp_ros authors
# SPDX-License-Identifier: Apache-2.0
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from hmp_core.perception.root import solve_wrist_position

HALF_VIEW = np.tan(np.radians(35.0))


def _hand(seed: int, size_m: float) -> np.ndarray:
    points = np.random.default_rng(seed).uniform(-size_m / 2, size_m / 2, (21, 3))
    return points - points[0]


def _rays(points: np.ndarray, wrist: np.ndarray) -> np.ndarray:
    placed = points + wrist
    return placed[:, :2] / placed[:, 2:]


in_view = st.tuples(st.floats(-HALF_VIEW, HALF_VIEW), st.floats(-HALF_VIEW, HALF_VIEW), st.floats(0.25, 3.0)).map(
    lambda place: np.array([place[0] * place[2], place[1] * place[2], place[2]])
)


@settings(deadline=None, max_examples=150)
@given(wrist=in_view, seed=st.integers(0, 10_000), size_m=st.floats(0.1, 0.2))
def test_exact_data_give_the_exact_place_anywhere_in_a_wide_view(wrist, seed, size_m):
    points = _hand(seed, size_m)
    solved = solve_wrist_position(points, _rays(points, wrist), np.full(21, 2e-3))
    assert solved is not None
    np.testing.assert_allclose(solved.position, wrist, atol=1e-8)
    assert np.linalg.eigvalsh(solved.covariance).min() > 0


@settings(deadline=None, max_examples=60)
@given(wrist=in_view, seed=st.integers(0, 10_000), wrong=st.integers(1, 6))
def test_wrong_points_do_not_pull(wrist, seed, wrong):
    rng = np.random.default_rng(seed)
    points = _hand(seed, 0.18)
    rays = _rays(points, wrist)
    chosen = rng.permutation(21)[:wrong]
    rays[chosen] += rng.choice([-1, 1], (wrong, 2)) * rng.uniform(0.3, 1.0, (wrong, 2)) * 0.1 / wrist[2]
    solved = solve_wrist_position(points, rays, np.full(21, 1e-3))
    assert solved is not None
    assert np.linalg.norm(solved.position - wrist) < 0.02 * np.linalg.norm(wrist)


@settings(deadline=None, max_examples=60)
@given(wrist=in_view, seed=st.integers(0, 10_000))
def test_points_without_evidence_have_no_weight(wrist, seed):
    points = _hand(seed, 0.18)
    rays = _rays(points, wrist)
    sigma = np.full(21, 1e-3)
    sigma[5:13] = np.inf
    rays[5:9] += 1.0
    rays[9:13] = np.nan
    solved = solve_wrist_position(points, rays, sigma)
    assert solved is not None
    np.testing.assert_allclose(solved.position, wrist, atol=1e-8)


@settings(deadline=None, max_examples=200)
@given(
    points=arrays(np.float64, (21, 3), elements=st.floats(width=64)),
    rays=arrays(np.float64, (21, 2), elements=st.floats(width=64)),
    sigma=arrays(np.float64, 21, elements=st.floats(width=64)),
)
def test_any_numbers_give_a_place_in_front_of_the_camera_or_none(points, rays, sigma):
    solved = solve_wrist_position(points, rays, sigma)
    if solved is not None:
        assert np.isfinite(solved.position).all()
        assert np.isfinite(solved.covariance).all()
        assert solved.position[2] > 0


@pytest.mark.parametrize("case", ["no evidence", "two points", "one ray", "behind", "nan"])
def test_degenerate_input_gives_none(case):
    points, wrist = _hand(3, 0.18), np.array([0.1, 0.0, 0.6])
    rays, sigma = _rays(points, wrist), np.full(21, 1e-3)
    if case == "no evidence":
        sigma[:] = np.inf
    elif case == "two points":
        sigma[2:] = np.inf
    elif case == "one ray":
        points, rays = np.zeros((21, 3)), np.zeros((21, 2))
    elif case == "behind":
        rays = -rays  # a hand seen mirrored through the centre solves to a negative depth
    else:
        points[:] = np.nan
    assert solve_wrist_position(points, rays, sigma) is None


def test_covariance_matches_the_scatter_of_noisy_solutions():
    rng = np.random.default_rng(7)
    points, wrist, sigma = _hand(7, 0.18), np.array([0.15, -0.1, 0.7]), 1e-3
    clean = _rays(points, wrist)
    solutions = [
        solve_wrist_position(points, clean + rng.normal(0, sigma, clean.shape), np.full(21, sigma))
        for _ in range(300)
    ]
    errors = np.array([solved.position - wrist for solved in solutions])
    stated = np.mean([solved.covariance for solved in solutions], axis=0)
    assert np.abs(errors.mean(axis=0)).max() < 0.2 * np.sqrt(stated[2, 2])
    ratio = np.diag(np.cov(errors.T)) / np.diag(stated)
    assert ((ratio > 0.5) & (ratio < 1.5)).all()
