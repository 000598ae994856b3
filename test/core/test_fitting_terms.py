# SPDX-FileCopyrightText: 2026 The hmp_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Analytic derivatives of the terms against autograd in float64, and the arrow solver against a dense one."""

import numpy as np
import pytest
import roma
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from hmp_core.fitting.arrow import ArrowSystem, solve_arrow, step_covariances
from hmp_core.fitting.process import IntegratedOrnsteinUhlenbeck, Matern32
from hmp_core.fitting.terms.chain import chain_factors, linear_chain, rotation_chain
from hmp_core.fitting.terms.chain_derivatives import add_rotation_chain
from hmp_core.fitting.terms.limits import joint_limits
from hmp_core.fitting.terms.reprojection import reprojection
from hmp_core.fitting.terms.robust import geman_mcclure
from hmp_core.hand.limits import JOINT_AXES
from hmp_core.hand.so3 import exponential, right_jacobian, right_jacobian_inverse

DTYPE = torch.float64
PROCESSES = [IntegratedOrnsteinUhlenbeck(0.7, 0.3), Matern32(0.12, 0.35)]


def seeded(*shape: int, seed: int = 0) -> torch.Tensor:
    return torch.randn(*shape, dtype=DTYPE, generator=torch.Generator().manual_seed(seed))


@settings(deadline=None, max_examples=50)
@given(st.floats(0, 3.1), st.integers(0, 1000))
def test_right_jacobians_match_autograd_and_invert_each_other(angle: float, seed: int) -> None:
    axis = seeded(3, seed=seed)
    vector = axis / axis.norm() * angle
    numeric = torch.func.jacfwd(
        lambda d: roma.rotmat_to_rotvec(roma.rotvec_to_rotmat(vector).mT @ roma.rotvec_to_rotmat(vector + d))
    )(torch.full((3,), 1e-9, dtype=DTYPE))
    torch.testing.assert_close(right_jacobian(vector), numeric, atol=1e-6, rtol=0)
    product = right_jacobian(vector) @ right_jacobian_inverse(vector)
    torch.testing.assert_close(product, torch.eye(3, dtype=DTYPE), atol=1e-9, rtol=0)


@pytest.mark.parametrize("process", PROCESSES)
@settings(deadline=None, max_examples=30)
@given(st.floats(0.005, 2.0), st.floats(0.005, 2.0))
def test_two_transitions_compose_to_one(process: Matern32, first: float, second: float) -> None:
    phi, q = process.transition(np.array([first, second, first + second]))
    np.testing.assert_allclose(phi[1] @ phi[0], phi[2], atol=1e-12, rtol=1e-9)
    np.testing.assert_allclose(phi[1] @ q[0] @ phi[1].T + q[1], q[2], atol=1e-12, rtol=1e-7)
    assert (np.linalg.eigvalsh(q) > 0).all()


@pytest.mark.parametrize("process", PROCESSES)
def test_linear_chain_is_what_its_factors_say(process: Matern32) -> None:
    position, rate = seeded(5, 4), seeded(5, 4, seed=1)
    h = np.array([0.03, 0.1, 0.033, 1.2])
    factors = chain_factors(process, h)
    error = linear_chain(position, rate, factors).numpy()
    state = torch.stack([position, rate], dim=1).numpy()
    np.testing.assert_allclose(error, factors.earlier @ state[:-1] + factors.later @ state[1:])
    phi, q = process.transition(h)
    expected = state[1:] - phi @ state[:-1]
    mahalanobis = np.einsum("kin,kij,kjn->k", expected, np.linalg.inv(q), expected)
    np.testing.assert_allclose((error**2).sum(axis=(1, 2)), mahalanobis)


def test_what_chains_add_is_the_gauss_newton_form_of_their_residuals() -> None:
    process, steps = PROCESSES[0], 4
    R, rate = roma.rotvec_to_rotmat(0.8 * seeded(steps, 3)), seeded(steps, 3, seed=1)
    factors = chain_factors(process, np.array([0.03, 0.2, 0.5]))
    own = slice(4, 10)

    def residuals(tangent: torch.Tensor) -> torch.Tensor:
        turned = R @ exponential(tangent[:, :3])
        moved = rate + tangent[:, 3:]
        return torch.cat([rotation_chain(turned, moved, factors).flatten(), 3.0 * moved[0]])

    still = torch.zeros(steps, 6, dtype=DTYPE)
    jacobian = torch.func.jacrev(residuals)(still).flatten(1).numpy()
    expected, pull = jacobian.T @ jacobian, jacobian.T @ residuals(still).numpy()
    diagonal, lower = np.zeros((steps, 12, 12)), np.zeros((steps - 1, 12, 12))
    gradient = np.zeros((steps, 12))
    cost = add_rotation_chain(
        R.numpy(), rate.numpy(), factors.phi, factors.later, 9.0, own.start, diagonal, lower, gradient
    )
    assert cost == pytest.approx(float(residuals(still).square().sum() / 2), rel=1e-12)
    np.testing.assert_allclose(gradient[:, own].ravel(), pull, atol=1e-9 * np.abs(pull).max())
    gradient[:, own] = 0.0
    assert not gradient.any()
    for k in range(steps):
        block = slice(6 * k, 6 * k + 6)
        scale = np.abs(expected[block, block]).max()
        np.testing.assert_allclose(diagonal[k][own, own], expected[block, block], atol=1e-9 * scale)
        if k + 1 < steps:
            after = slice(block.stop, block.stop + 6)
            np.testing.assert_allclose(lower[k][own, own], expected[after, block], atol=1e-9 * scale)


def test_reprojection_jacobian_matches_autograd_and_ignores_points_behind_the_camera() -> None:
    joints = seeded(2, 21, 3) * 0.05 + torch.tensor([0.1, -0.05, 0.5], dtype=DTYPE)
    joints[0, 3, 2] = -0.2
    rays, information = seeded(2, 21, 2, seed=1) * 0.1, seeded(2, 21, seed=2).abs() * 100
    residual, jacobian = reprojection(joints, rays, information)
    numeric = torch.func.jacrev(lambda x: reprojection(x, rays, information)[0])(joints)
    own = torch.einsum("kjckjd->kjcd", numeric)
    torch.testing.assert_close(jacobian, own, atol=1e-9, rtol=1e-9)
    assert residual[0, 3].abs().max() == 0
    assert jacobian[0, 3].abs().max() == 0


def test_joint_limits_act_only_outside_and_match_autograd() -> None:
    axes = torch.as_tensor(JOINT_AXES)
    limits = torch.stack([torch.full((15, 3), -0.4), torch.full((15, 3), 0.6)]).double()
    R = roma.rotvec_to_rotmat(0.5 * seeded(3, 15, 3))
    residual, jacobian = joint_limits(R, axes, limits, 0.1)
    angles = (axes @ roma.rotmat_to_rotvec(R)[..., None])[..., 0]
    inside = (angles > limits[0]) & (angles < limits[1])
    assert residual[inside].abs().max() == 0
    assert (residual[~inside].abs() > 0).all()

    def moved(tangent: torch.Tensor) -> torch.Tensor:
        return joint_limits(R @ roma.rotvec_to_rotmat(tangent), axes, limits, 0.1)[0]

    numeric = torch.func.jacrev(moved)(torch.full((3, 15, 3), 1e-9, dtype=DTYPE))
    own = torch.einsum("kjckjd->kjcd", numeric)
    torch.testing.assert_close(jacobian, own, atol=1e-6, rtol=1e-6)


def test_robust_kernel_saturates_and_its_weight_is_the_derivative() -> None:
    squared = torch.tensor([0.0, 1.0, 30.0, 1e9], dtype=DTYPE, requires_grad=True)
    cost, weight = geman_mcclure(squared, 5.0)
    (slope,) = torch.autograd.grad(cost.sum(), squared)
    torch.testing.assert_close(slope, weight / 2)
    assert float(cost.detach().max()) <= 12.5


@settings(deadline=None, max_examples=20)
@given(st.integers(1, 7), st.integers(2, 6), st.integers(1, 5), st.integers(0, 99))
def test_arrow_solution_and_covariance_match_a_dense_solve(steps: int, n: int, m: int, seed: int) -> None:
    rng = np.random.default_rng(seed)
    size = steps * n + m
    dense = np.zeros((size, size))
    for k in range(steps):
        columns = [*range(k * n, min((k + 2) * n, steps * n)), *range(steps * n, size)]
        rows = rng.normal(size=(2 * len(columns), len(columns)))
        dense[np.ix_(columns, columns)] += rows.T @ rows
    gradient = rng.normal(size=size)
    blocks = dense[: steps * n, : steps * n].reshape(steps, n, steps, n)
    system = ArrowSystem(
        diagonal=np.stack([blocks[k, :, k] for k in range(steps)]),
        lower=np.stack([blocks[k + 1, :, k] for k in range(steps - 1)]) if steps > 1 else np.zeros((0, n, n)),
        border=dense[: steps * n, steps * n :].reshape(steps, n, m),
        corner=dense[steps * n :, steps * n :],
        step_gradient=gradient[: steps * n].reshape(steps, n),
        shared_gradient=gradient[steps * n :],
        cost=0.0,
    )
    solution = solve_arrow(system, 0.0)
    assert solution is not None
    expected = -np.linalg.solve(dense, gradient)
    np.testing.assert_allclose(solution.step.ravel(), expected[: steps * n], rtol=1e-6, atol=1e-9)
    np.testing.assert_allclose(solution.shared, expected[steps * n :], rtol=1e-6, atol=1e-9)
    inverse, found = np.linalg.inv(dense), step_covariances(system)
    assert found is not None
    assert len(found) == steps
    for k, covariance in enumerate(found):
        keep = [*range(k * n, (k + 1) * n), *range(steps * n, size)]
        np.testing.assert_allclose(covariance, inverse[np.ix_(keep, keep)], rtol=1e-6, atol=1e-9)
    np.testing.assert_array_equal(solution.newest_covariance, found[-1])


def test_arrow_refuses_an_indefinite_system() -> None:
    system = ArrowSystem(
        -np.eye(2)[None], np.zeros((0, 2, 2)), np.zeros((1, 2, 1)), np.eye(1), np.ones((1, 2)), np.ones(1), 0.0
    )
    assert solve_arrow(system, 1e-6) is None
    assert solve_arrow(system, 10.0) is not None
