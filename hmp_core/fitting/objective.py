# SPDX-FileCopyrightText: 2026 The hmp_ros authors
# SPDX-License-Identifier: Apache-2.0
"""A window's objective: the sum of its terms, over the unknowns that are free."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from hmp_core.fitting.arrow import ArrowSolution, ArrowSystem
from hmp_core.fitting.normal_equations import NormalEquations
from hmp_core.fitting.terms.term import Term
from hmp_core.fitting.trajectory import (
    POSITION,
    RESIDUAL,
    RESIDUAL_RATE,
    ROTATION,
    ROTATION_RATE,
    STEP_DIM,
    VELOCITY,
    Trajectory,
)
from hmp_core.fitting.window_model import DecodedSteps, StepJacobians, WindowModel
from hmp_core.hand.skeleton import NUM_BETAS

UNKNOWNS: Final = {
    "orientation": ROTATION,
    "orientation_rate": ROTATION_RATE,
    "translation": POSITION,
    "velocity": VELOCITY,
    "residual": RESIDUAL,
    "residual_rate": RESIDUAL_RATE,
}
"""Where a step's unknowns stand; ``latent`` and ``shape`` are shared."""
ALL_UNKNOWNS: Final = frozenset({*UNKNOWNS, "latent", "shape"})


@dataclass(frozen=True)
class FreeUnknowns:
    """Which unknowns may move: ``steps`` [STEP_DIM] of every step, ``shared`` [D + 10] of latent and β.

    D is the model's ``latent_dim``; the latent itself may be longer.
    """

    steps: NDArray[np.bool_]
    shared: NDArray[np.bool_]

    @classmethod
    def of(cls, names: frozenset[str], latent_dim: int) -> "FreeUnknowns":
        """Those of ``names``, out of ``ALL_UNKNOWNS``."""
        steps = np.zeros(STEP_DIM, dtype=bool)
        for name, own in UNKNOWNS.items():
            steps[own] = name in names
        shared = np.array([*["latent" in names] * latent_dim, *["shape" in names] * NUM_BETAS])
        return cls(steps, shared)

    def spread_covariance(self, covariance: NDArray[np.float64]) -> NDArray[np.float64]:
        """Of a step's and the shared unknowns, zero for what may not move, given that of what may."""
        moves = np.concatenate([self.steps, self.shared])
        full = np.zeros((len(moves), len(moves)))
        full[np.ix_(moves, moves)] = covariance
        return full


class Objective:
    """Cost and normal equations of one window.

    Args:
        model: the hand under its prior.
        terms: what is to be small.
        free: the unknowns that may move; None for all.
    """

    def __init__(self, model: WindowModel, terms: Sequence[Term], free: FreeUnknowns | None = None) -> None:
        self._model = model
        self._terms = terms
        self._free = free

    def cost(self, trajectory: Trajectory) -> tuple[Tensor, DecodedSteps]:
        """The cost [], differentiable in the trajectory, and the joints."""
        decoded = self._model.decode(trajectory)
        cost = sum(term.cost(trajectory, decoded) for term in self._terms)
        return torch.as_tensor(cost, dtype=torch.float64), decoded

    def linearise(
        self, trajectory: Trajectory, latent_jacobian: Tensor
    ) -> tuple[ArrowSystem, DecodedSteps, StepJacobians]:
        """Normal equations of what may move at ``trajectory``, given the latent's derivative.

        The derivative is [K, 45, D], or [K, 45, 0] where the latent may not move.
        """
        decoded, jacobians = self._model.linearise(trajectory, latent_jacobian)
        equations = NormalEquations.zeros(len(trajectory.times_s), len(trajectory.z))
        for term in self._terms:
            term.add(trajectory, decoded, jacobians, equations)
        system = equations.assemble(jacobians)
        return (system if self._free is None else _restricted(system, self._free)), decoded, jacobians

    def moved(self, trajectory: Trajectory, solution: ArrowSolution) -> Trajectory:
        """The trajectory after the step that solves :meth:`linearise`'s equations."""
        step, shared = solution.step, solution.shared
        if self._free is not None:
            step, shared = np.zeros((len(step), STEP_DIM)), np.zeros(len(self._free.shared))
            step[:, self._free.steps], shared[self._free.shared] = solution.step, solution.shared
        return trajectory.retract(torch.from_numpy(step), torch.from_numpy(shared))


def _restricted(system: ArrowSystem, free: FreeUnknowns) -> ArrowSystem:
    """Only the rows and columns of what is free."""
    keep = np.flatnonzero(free.steps)
    keep_shared = np.flatnonzero(free.shared[-len(system.shared_gradient) :])
    return replace(
        system,
        diagonal=system.diagonal[:, keep[:, None], keep],
        lower=system.lower[:, keep[:, None], keep],
        border=system.border[:, keep[:, None], keep_shared],
        corner=system.corner[keep_shared[:, None], keep_shared],
        step_gradient=system.step_gradient[:, keep],
        shared_gradient=system.shared_gradient[keep_shared],
    )
