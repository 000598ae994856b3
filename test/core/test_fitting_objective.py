# SPDX-FileCopyrightText: 2026 The hmp_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The window's normal equations against its own cost, with the shipped prior and hand in float64."""

from dataclasses import replace

import numpy as np
import pytest
import roma
import torch

from hmp_core.fitting.arrow import ArrowSystem, solve_arrow
from hmp_core.fitting.config import FitterConfig
from hmp_core.fitting.evidence import WindowEvidence
from hmp_core.fitting.objective import FreeUnknowns, Objective
from hmp_core.fitting.online_terms import online_terms
from hmp_core.fitting.shape_prior import ShapePrior
from hmp_core.fitting.stage_terms import WindowProblem, build_terms
from hmp_core.fitting.stages import SHIPPED_TABLES, read_stage_table
from hmp_core.fitting.terms.landmarks import eliminate_nuisance
from hmp_core.fitting.trajectory import RESIDUAL_DIM, STEP_DIM, Trajectory
from hmp_core.fitting.window_model import WindowModel
from hmp_core.hand.loading import load_hand_model
from hmp_core.prior.prior import load_prior

STEPS = 6
TURNS = np.array([0.0, 0.02, 0.0, 0.3, 0.0])
SHAPE = ShapePrior(torch.zeros(10).double(), 2 * torch.eye(10).double())


@pytest.fixture(scope="module")
def model() -> WindowModel:
    return WindowModel(load_hand_model(None), load_prior().double())


def normal(*shape: int, seed: int, scale: float = 1.0) -> torch.Tensor:
    return scale * torch.randn(*shape, dtype=torch.float64, generator=torch.Generator().manual_seed(seed))


def trajectory(model: WindowModel) -> Trajectory:
    return Trajectory(
        times_s=np.array([0.0, 0.03, 0.07, 0.4, 1.2, 1.24]),
        origin_s=-0.2,
        R_camera_wrist=roma.rotvec_to_rotmat(normal(STEPS, 3, seed=1, scale=0.3)),
        rotation_rate=normal(STEPS, 3, seed=2),
        p_camera_wrist=normal(STEPS, 3, seed=3, scale=0.01) + torch.tensor([0.0, 0.0, 0.5], dtype=torch.float64),
        velocity=normal(STEPS, 3, seed=4, scale=0.1),
        residual=normal(STEPS, RESIDUAL_DIM, seed=5, scale=0.1),
        residual_rate=normal(STEPS, RESIDUAL_DIM, seed=6, scale=0.3),
        z=normal(model.prior.latent_dim, seed=7, scale=0.5),
        z_mean=normal(model.prior.latent_dim, seed=11, scale=0.5),
        betas=normal(10, seed=8),
    )


def evidence(model: WindowModel, truth: Trajectory, noise: float) -> WindowEvidence:
    decoded = model.decode(truth)
    rays = decoded.keypoints_camera[..., :2] / decoded.keypoints_camera[..., 2:]
    information = torch.ones(STEPS, 21, dtype=torch.float64)
    information[:, 15:] = 0
    landmarks = decoded.joints_wrist_relative + noise * normal(STEPS, 21, 3, seed=10, scale=0.005)
    return WindowEvidence(
        rays + noise * normal(STEPS, 21, 2, seed=9, scale=0.003),
        500 * information,
        landmarks,
        200 * information,
        eliminate_nuisance(landmarks, 200 * information, 0.2, 0.12),
    )


def objective(model: WindowModel, path: Trajectory, seen: WindowEvidence) -> Objective:
    return Objective(model, online_terms(model, FitterConfig(), path.times_s, seen, SHAPE, TURNS))


def along(system: ArrowSystem, step: torch.Tensor, shared: torch.Tensor) -> tuple[float, float]:
    """Slope and curvature of the quadratic model along a direction."""
    s, g = step.numpy(), shared.numpy()
    slope = float((system.step_gradient * s).sum() + system.shared_gradient @ g)
    curvature = np.einsum("ki,kij,kj->", s, system.diagonal, s)
    curvature += 2 * np.einsum("ki,kij,kj->", s[1:], system.lower, s[:-1])
    curvature += 2 * np.einsum("ki,kij,j->", s, system.border, g) + g @ system.corner @ g
    return slope, float(curvature)


def test_gradient_matches_finite_differences_of_the_cost(model) -> None:
    path = trajectory(model)
    seen = evidence(model, path, noise=3.0)
    target = objective(model, path, seen)
    jacobian = model.latent_jacobian(path.z, path.times_s, path.origin_s)
    system, _, _ = target.linearise(path, jacobian)
    assert system.cost == pytest.approx(float(target.cost(path)[0]), rel=1e-12)
    for seed in range(6):
        step = normal(STEPS, STEP_DIM, seed=seed) * (seed != 1)
        shared = normal(model.prior.latent_dim + 10, seed=seed + 50) * (seed != 0)
        e = 1e-6
        forward = float(target.cost(path.retract(e * step, e * shared))[0])
        backward = float(target.cost(path.retract(-e * step, -e * shared))[0])
        slope, _ = along(system, step, shared)
        assert (forward - backward) / (2 * e) == pytest.approx(slope, rel=1e-5, abs=1e-3)


def test_curvature_is_exact_where_residuals_vanish(model) -> None:
    still = replace(
        trajectory(model),
        rotation_rate=torch.zeros(STEPS, 3).double(),
        velocity=torch.zeros(STEPS, 3).double(),
        R_camera_wrist=torch.eye(3).double().expand(STEPS, 3, 3).contiguous(),
        p_camera_wrist=torch.tensor([[0.0, 0.0, 0.5]]).double().expand(STEPS, 3).contiguous(),
        residual=torch.zeros(STEPS, RESIDUAL_DIM).double(),
        residual_rate=torch.zeros(STEPS, RESIDUAL_DIM).double(),
    )
    target = objective(model, still, evidence(model, still, noise=0.0))
    jacobian = model.latent_jacobian(still.z, still.times_s, still.origin_s)
    system, _, _ = target.linearise(still, jacobian)
    for seed in range(4):
        step = normal(STEPS, STEP_DIM, seed=seed, scale=0.3)
        shared = normal(model.prior.latent_dim + 10, seed=seed + 50, scale=0.3)
        e = 1e-4  # small enough for the robust kernel to be quadratic
        costs = [float(target.cost(still.retract(k * e * step, k * e * shared))[0]) for k in (-1, 0, 1)]
        _, curvature = along(system, step, shared)
        assert (costs[0] - 2 * costs[1] + costs[2]) / e**2 == pytest.approx(curvature, rel=1e-3)


@pytest.mark.parametrize("table", SHIPPED_TABLES)
def test_every_stage_of_every_table_has_the_gradient_of_its_cost(model, table) -> None:
    path = trajectory(model)
    initial = replace(path, R_camera_wrist=path.R_camera_wrist @ roma.rotvec_to_rotmat(normal(STEPS, 3, seed=20)))
    initial = replace(initial, p_camera_wrist=path.p_camera_wrist + normal(STEPS, 3, seed=21, scale=0.02))
    overlap = initial.select([0, 1, 2])
    before = (overlap, roma.rotvec_to_rotmat(normal(3, 15, 3, seed=22, scale=0.3)))
    problem = WindowProblem(initial, evidence(model, path, noise=3.0), np.full(STEPS, 900.0), before)
    stages = read_stage_table(table)
    for stage in stages.stages:
        free = FreeUnknowns.of(stage.free, model.prior.latent_dim)
        terms = build_terms(model, FitterConfig(), stages, stage, problem)
        target = Objective(model, terms, free)
        system, _, _ = target.linearise(path, model.latent_jacobian(path.z, path.times_s, path.origin_s))
        step = torch.zeros(STEPS, STEP_DIM, dtype=torch.float64, requires_grad=True)
        shared = torch.zeros(model.prior.latent_dim + 10, dtype=torch.float64, requires_grad=True)
        cost, _ = target.cost(path.retract(step, shared))
        assert system.cost == pytest.approx(float(cost.detach()), rel=1e-9)
        by_step, by_shared = torch.autograd.grad(cost, (step, shared), allow_unused=True)
        largest = float(by_step.abs().max())
        np.testing.assert_allclose(system.step_gradient, by_step[:, free.steps], atol=1e-5 * largest)
        by_shared = torch.zeros_like(shared) if by_shared is None else by_shared
        largest = max(float(by_shared.abs().max()), 1e-9)
        np.testing.assert_allclose(system.shared_gradient, by_shared[free.shared], atol=1e-5 * largest)


@pytest.mark.parametrize(
    "names",
    [{"orientation", "translation", "shape"}, {"orientation", "translation"}, {"shape"}, {"residual", "latent"}],
)
def test_what_is_not_free_stays_and_the_rest_moves_as_if_it_were_the_whole_problem(model, names) -> None:
    path = trajectory(model)
    free = FreeUnknowns.of(frozenset(names), model.prior.latent_dim)
    seen = evidence(model, path, noise=3.0)
    terms = online_terms(model, FitterConfig(), path.times_s, seen, SHAPE, TURNS)
    restricted = Objective(model, terms, free)
    jacobian = model.latent_jacobian(path.z, path.times_s, path.origin_s)
    system, _, _ = restricted.linearise(path, jacobian)
    solution = solve_arrow(system, 1e-6)
    moved = restricted.moved(path, solution)
    assert float(restricted.cost(moved)[0]) < system.cost
    for name in ("rotation_rate", "velocity", "residual_rate"):
        assert (getattr(moved, name) == getattr(path, name)).all()
    assert bool((moved.betas == path.betas).all()) is ("shape" not in names)
    if "latent" not in names:
        assert (moved.z == path.z).all()
        # Neither the latent's derivative nor its decoding is needed then.
        held = Objective(model.holding(path), terms, free)
        same, _, _ = held.linearise(path, jacobian[..., :0])
        alike = held.moved(path, solve_arrow(same, 1e-6))
        assert float(held.cost(alike)[0]) == pytest.approx(float(restricted.cost(moved)[0]), rel=1e-9)
    covariance = free.spread_covariance(solution.newest_covariance)
    assert covariance.shape == (STEP_DIM + model.prior.latent_dim + 10,) * 2
    assert ((np.diag(covariance) > 0) == np.concatenate([free.steps, free.shared])).all()
