# SPDX-FileCopyrightText: 2026 The hmp_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Damped Gauss-Newton on one window."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import torch

from hmp_core.fitting.arrow import ArrowSolution, solve_arrow
from hmp_core.fitting.objective import Objective
from hmp_core.fitting.trajectory import Trajectory
from hmp_core.fitting.window_model import StepJacobians

_LEAST_DAMPING: Final = 1e-6
_MOST_DAMPING: Final = 1e6
_COST_TOLERANCE: Final = 1e-2


@dataclass(frozen=True)
class GaussNewtonResult:
    """Where the iterations ended.

    Attributes:
        trajectory: the best found; never worse than the start.
        jacobians: at the last linearisation.
        solution: of the last solved system, with the covariance; None when none could be solved.
        iterations: linear systems that led to a step.
        converged: the last accepted step lowered the cost by less than a hundredth, or none lowered it.
        initial_cost, final_cost: of the objective.
    """

    trajectory: Trajectory
    jacobians: StepJacobians
    solution: ArrowSolution | None
    iterations: int
    converged: bool
    initial_cost: float
    final_cost: float


def minimise(
    objective: Objective,
    trajectory: Trajectory,
    latent_jacobian: Callable[[Trajectory], torch.Tensor],
    iterations: int,
) -> GaussNewtonResult:
    """At most ``iterations`` steps; each is accepted only if it lowers the cost, else retried with more damping.

    Args:
        latent_jacobian: gives [K, 45, D] at a trajectory; may reuse older values.
    """
    damping = _LEAST_DAMPING
    initial_cost = cost = float("nan")
    solution: ArrowSolution | None = None
    converged = False
    done = 0
    for iteration in range(iterations):
        system, jacobians = objective.linearise(trajectory, latent_jacobian(trajectory))
        cost = system.cost
        if iteration == 0:
            initial_cost = cost
        lowered = False
        while not lowered and damping <= _MOST_DAMPING:
            attempt = solve_arrow(system, damping)
            if attempt is not None:
                solution = attempt
                moved = trajectory.retract(torch.from_numpy(attempt.step), torch.from_numpy(attempt.shared))
                moved_cost = objective.cost(moved)
                lowered = moved_cost <= cost
            if not lowered:
                damping *= 100
        if not lowered:
            converged = True
            break
        done += 1
        converged = cost - moved_cost <= _COST_TOLERANCE * max(cost, 1.0)
        trajectory, cost = moved, moved_cost
        damping = max(damping / 10, _LEAST_DAMPING)
        if converged:
            break
    return GaussNewtonResult(trajectory, jacobians, solution, done, converged, initial_cost, cost)
