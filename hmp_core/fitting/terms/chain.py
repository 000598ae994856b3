# SPDX-FileCopyrightText: 2026 The hmp_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Motion between consecutive steps: wrist pose under a coasting process, finger residual under a stationary one.

These stand for the paper's two smoothness terms, which penalise velocities and so bias long gaps towards standing
still; a Gauss-Markov process in continuous time does not.
"""

from dataclasses import dataclass

import torch
from torch import Tensor

from hmp_core.fitting.normal_equations import NormalEquations
from hmp_core.fitting.process import Array, IntegratedOrnsteinUhlenbeck, Matern32, whitener
from hmp_core.fitting.terms.chain_derivatives import add_linear_chain, add_rotation_chain
from hmp_core.fitting.trajectory import POSITION, RESIDUAL, ROTATION, Trajectory
from hmp_core.fitting.window_model import DecodedSteps, StepJacobians
from hmp_core.hand.so3 import logarithm


@dataclass(frozen=True)
class ChainFactors:
    """A process over given steps, whitened: ``residual = earlier @ x_k + later @ x_(k+1)``.

    Attributes:
        phi: [K-1, 2, 2] transition.
        earlier, later: [K-1, 2, 2] factors of the (position, rate) of the earlier and the later step.
    """

    phi: Array
    earlier: Array
    later: Array


def chain_factors(
    process: IntegratedOrnsteinUhlenbeck | Matern32, h: Array, jump_variance: Array | None = None
) -> ChainFactors:
    """Factors of ``process`` over steps ``h`` [K-1] [s], positive.

    ``jump_variance`` [K-1] [unit^2] is that of jumps of the position on top of the process.
    """
    phi, q = process.transition(h)
    if jump_variance is not None:
        q[:, 0, 0] += jump_variance
    later = whitener(q)
    return ChainFactors(phi, -later @ phi, later)


def linear_chain(position: Tensor, rate: Tensor, factors: ChainFactors) -> Tensor:
    """Whitened transitions [K-1, 2, n] of vector states [K, n]; the factors are their Jacobians."""
    state = torch.stack([position, rate], dim=1)
    return torch.from_numpy(factors.earlier) @ state[:-1] + torch.from_numpy(factors.later) @ state[1:]


def rotation_chain(R_camera_wrist: Tensor, rate: Tensor, factors: ChainFactors) -> Tensor:
    """Whitened transitions [K-1, 2, 3] (pose, rate) of orientations [K, 3, 3] with body rates [K, 3] [rad/s]."""
    turned = logarithm(R_camera_wrist[:-1].mT @ R_camera_wrist[1:])
    coast, fade = torch.from_numpy(factors.phi[:, :, 1, None]).unbind(1)
    error = torch.stack([turned - coast * rate[:-1], rate[1:] - fade * rate[:-1]], dim=1)
    return torch.from_numpy(factors.later) @ error


@dataclass(frozen=True)
class RotationChainTerm:
    """The wrist's orientation under a process; its rate at the first step is stationary."""

    factors: ChainFactors
    rate_information: float

    @classmethod
    def of(
        cls, process: IntegratedOrnsteinUhlenbeck, h: Array, turn_variance: Array | None = None
    ) -> "RotationChainTerm":
        """The process over steps ``h`` [K-1] [s]; variance of sudden turns on top of it [K-1] [rad^2]."""
        return cls(chain_factors(process, h, turn_variance), process.start_information()[1])

    def cost(self, trajectory: Trajectory, decoded: DecodedSteps) -> Tensor:
        """See :class:`~hmp_core.fitting.terms.term.Term`."""
        rate = trajectory.rotation_rate
        turn = rotation_chain(trajectory.R_camera_wrist, rate, self.factors)
        return (turn.square().sum() + self.rate_information * rate[0].square().sum()) / 2

    def add(
        self, trajectory: Trajectory, decoded: DecodedSteps, jacobians: StepJacobians, equations: NormalEquations
    ) -> None:
        """See :class:`~hmp_core.fitting.terms.term.Term`."""
        cost = add_rotation_chain(
            trajectory.R_camera_wrist.numpy(), trajectory.rotation_rate.numpy(),
            self.factors.phi, self.factors.later, self.rate_information, ROTATION.start,
            equations.diagonal.numpy(), equations.lower.numpy(), equations.step_gradient.numpy(),
        )  # fmt: skip
        equations.cost.add_(cost)


@dataclass(frozen=True)
class LinearChainTerm:
    """A vector state (position, rate) of the trajectory under a process, stationary at the first step.

    Attributes:
        factors: of the process.
        start_information: of position and rate at the first step.
        first: where they begin, one behind the other, among a step's unknowns.
        names: the two, as the trajectory calls them.
    """

    factors: ChainFactors
    start_information: tuple[float, float]
    first: int
    names: tuple[str, str]

    @classmethod
    def of_wrist(cls, process: IntegratedOrnsteinUhlenbeck, h: Array) -> "LinearChainTerm":
        """The wrist's position over steps ``h`` [K-1] [s]."""
        names = ("p_camera_wrist", "velocity")
        return cls(chain_factors(process, h), process.start_information(), POSITION.start, names)

    @classmethod
    def of_residual(cls, process: Matern32, h: Array) -> "LinearChainTerm":
        """The finger residual over steps ``h`` [K-1] [s]."""
        names = ("residual", "residual_rate")
        return cls(chain_factors(process, h), process.start_information(), RESIDUAL.start, names)

    def cost(self, trajectory: Trajectory, decoded: DecodedSteps) -> Tensor:
        """See :class:`~hmp_core.fitting.terms.term.Term`."""
        states = self._states(trajectory)
        start = sum(
            information * state[0].square().sum()
            for information, state in zip(self.start_information, states, strict=True)
        )
        return (linear_chain(*states, self.factors).square().sum() + start) / 2

    def add(
        self, trajectory: Trajectory, decoded: DecodedSteps, jacobians: StepJacobians, equations: NormalEquations
    ) -> None:
        """See :class:`~hmp_core.fitting.terms.term.Term`."""
        position, rate = self._states(trajectory)
        cost = add_linear_chain(
            position.numpy(), rate.numpy(),
            self.factors.earlier, self.factors.later, self.start_information, self.first,
            equations.diagonal.numpy(), equations.lower.numpy(), equations.step_gradient.numpy(),
        )  # fmt: skip
        equations.cost.add_(cost)

    def _states(self, trajectory: Trajectory) -> tuple[Tensor, Tensor]:
        position, rate = self.names
        return getattr(trajectory, position), getattr(trajectory, rate)
