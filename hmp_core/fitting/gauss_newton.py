# SPDX-FileCopyrightText: 2026 The hmp_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Damped Gauss-Newton on one window."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import torch

from hmp_core.fitting.arrow import ArrowSolution, ArrowSystem, solve_arrow
from hmp_core.fitting.objective import Objective
from hmp_core.fitting.trajectory import Trajectory
from hmp_core.fitting.window_model import DecodedSteps, StepJacobians

_LEAST_DAMPING: Final = 1e-6
_MOST_DAMPING: Final = 1e6
_NEGLIGIBLE_DECREASE: Final = 1e-4


@dataclass(frozen=True)
class GaussNewtonResult:
    """Where the iterations ended.

    Attributes:
        trajectory: the best found; never worse than the start.
        decoded: joints along it.
        jacobians: at the last linearisation.
        solution: of the last solved system, with the covariance; None when none could be solved.
        iterations: linear systems that led to a step.
        converged: the last accepted step lowered the cost by less than the tolerance, or none lowered it.
        initial_cost, final_cost: of the objective.
    """

    trajectory: Trajectory
    decoded: DecodedSteps
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
    tolerance: float,
) -> GaussNewtonResult:
    """At most ``iterations`` steps; each is accepted only if it lowers the cost, else retried with more damping.

    Args:
        latent_jacobian: gives [K, 45, D] at a trajectory; may reuse older values.
        iterations: most of them.
        tolerance: a step that lowers the cost by a smaller share of it is the last one.
    """
    damping = _LEAST_DAMPING
    initial_cost = cost = float("nan")
    solution: ArrowSolution | None = None
    converged = False
    done = 0
    for iteration in range(iterations):
        system, decoded, jacobians = objective.linearise(trajectory, latent_jacobian(trajectory))
        cost = system.cost
        if iteration == 0:
            initial_cost = cost
        step = solve_arrow(system, damping)
        solution = step or solution  # its covariance is that of the least damped system
        moved, moved_cost = None, cost
        while damping <= _MOST_DAMPING:
            if step is not None:
                if promised_decrease(system, step) <= _NEGLIGIBLE_DECREASE * max(cost, 1.0):
                    break
                moved = objective.moved(trajectory, step)
                tensor, moved_decoded = objective.cost(moved)
                moved_cost = float(tensor)
                if moved_cost <= cost:
                    break
                moved = None
            damping *= 100
            step = solve_arrow(system, damping)
        if moved is None:
            converged = True
            break
        done += 1
        converged = cost - moved_cost <= tolerance * max(cost, 1.0)
        trajectory, cost, decoded = moved, moved_cost, moved_decoded
        damping = max(damping / 10, _LEAST_DAMPING)
        if converged:
            break
    return GaussNewtonResult(trajectory, decoded, jacobians, solution, done, converged, initial_cost, cost)


def promised_decrease(system: ArrowSystem, solution: ArrowSolution) -> float:
    """By how much the quadratic model's minimum lies below its present value."""
    slope = (system.step_gradient * solution.step).sum() + system.shared_gradient @ solution.shared
    return float(-slope / 2)
