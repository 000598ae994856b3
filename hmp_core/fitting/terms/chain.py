# SPDX-FileCopyrightText: 2026 The hmp_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Motion between consecutive steps: wrist pose under a coasting process, finger residual under a stationary one.

These stand for the paper's two smoothness terms, which penalise velocities and so bias long gaps towards standing
still; a Gauss-Markov process in continuous time does not.
"""

from dataclasses import dataclass

import roma
import torch
from torch import Tensor

from hmp_core.fitting.normal_equations import NormalEquations
from hmp_core.fitting.process import IntegratedOrnsteinUhlenbeck, Matern32, whitener
from hmp_core.fitting.trajectory import (
    POSITION,
    RESIDUAL,
    RESIDUAL_RATE,
    ROTATION,
    ROTATION_RATE,
    VELOCITY,
    Trajectory,
)
from hmp_core.fitting.window_model import DecodedSteps, StepJacobians
from hmp_core.hand.so3 import right_jacobian_inverse


@dataclass(frozen=True)
class ChainFactors:
    """A process over given steps, whitened: ``residual = earlier @ x_k + later @ x_(k+1)``.

    Attributes:
        phi: [K-1, 2, 2] transition.
        earlier, later: [K-1, 2, 2] factors of the (position, rate) of the earlier and the later step.
    """

    phi: Tensor
    earlier: Tensor
    later: Tensor


def chain_factors(
    process: IntegratedOrnsteinUhlenbeck | Matern32, h: Tensor, jump_variance: Tensor | None = None
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
    return factors.earlier @ state[:-1] + factors.later @ state[1:]


def rotation_chain(R_camera_wrist: Tensor, rate: Tensor, factors: ChainFactors) -> tuple[Tensor, Tensor, Tensor]:
    """Whitened transitions of orientations with body rates; tangents are right-multiplied.

    Args:
        R_camera_wrist: [K, 3, 3].
        rate: [K, 3] body angular rate [rad/s].

    Returns:
        Residuals [K-1, 6] (pose part, then rate part) and Jacobians [K-1, 6, 6] with respect to (rotation, rate)
        of the earlier and of the later step.
    """
    relative, turned, error = _transitions(R_camera_wrist, rate, factors)
    coast, fade = factors.phi[:, 0, 1, None], factors.phi[:, 1, 1, None]
    inverse = right_jacobian_inverse(turned)
    # Log(Exp(-a) R Exp(b)): a enters through the transposed relative rotation.
    back = -inverse @ relative.mT
    eye = torch.eye(3, dtype=rate.dtype)
    earlier = rate.new_zeros(len(turned), 2, 3, 2, 3)
    later = rate.new_zeros(len(turned), 2, 3, 2, 3)
    for row in range(2):
        # The whitener mixes the pose row (turned by the Jacobians) with the rate row, on which both are identities.
        root = factors.later[:, row, 0, None, None], factors.later[:, row, 1, None, None]
        earlier[:, row, :, 0] = root[0] * back
        earlier[:, row, :, 1] = -(root[0] * coast[..., None] + root[1] * fade[..., None]) * eye
        later[:, row, :, 0] = root[0] * inverse
        later[:, row, :, 1] = root[1] * eye
    shape = (len(turned), 6, 6)
    return (factors.later @ error).flatten(1), earlier.reshape(shape), later.reshape(shape)


def _transitions(R_camera_wrist: Tensor, rate: Tensor, factors: ChainFactors) -> tuple[Tensor, Tensor, Tensor]:
    """Relative rotations [K-1, 3, 3], their vectors [K-1, 3], and errors of (pose, rate) [K-1, 2, 3]."""
    relative = R_camera_wrist[:-1].mT @ R_camera_wrist[1:]
    turned = roma.rotmat_to_rotvec(relative)
    coast, fade = factors.phi[:, 0, 1, None], factors.phi[:, 1, 1, None]
    return relative, turned, torch.stack([turned - coast * rate[:-1], rate[1:] - fade * rate[:-1]], dim=1)


@dataclass(frozen=True)
class RotationChainTerm:
    """The wrist's orientation under a process; its rate at the first step is stationary."""

    factors: ChainFactors
    rate_information: float

    @classmethod
    def of(
        cls, process: IntegratedOrnsteinUhlenbeck, h: Tensor, turn_variance: Tensor | None = None
    ) -> "RotationChainTerm":
        """The process over steps ``h`` [K-1] [s]; variance of sudden turns on top of it [K-1] [rad^2]."""
        return cls(chain_factors(process, h, turn_variance), process.start_information()[1])

    def cost(self, trajectory: Trajectory, decoded: DecodedSteps) -> Tensor:
        """See :class:`~hmp_core.fitting.terms.term.Term`."""
        _, _, error = _transitions(trajectory.R_camera_wrist, trajectory.rotation_rate, self.factors)
        turn = self.factors.later @ error
        return (turn.square().sum() + self.rate_information * trajectory.rotation_rate[0].square().sum()) / 2

    def add(
        self, trajectory: Trajectory, decoded: DecodedSteps, jacobians: StepJacobians, equations: NormalEquations
    ) -> None:
        """See :class:`~hmp_core.fitting.terms.term.Term`."""
        rate = trajectory.rotation_rate
        turn, earlier, later = rotation_chain(trajectory.R_camera_wrist, rate, self.factors)
        pose = slice(ROTATION.start, ROTATION_RATE.stop)
        equations.diagonal[:-1, pose, pose] += earlier.mT @ earlier
        equations.diagonal[1:, pose, pose] += later.mT @ later
        equations.lower[:, pose, pose] += later.mT @ earlier
        equations.step_gradient[:-1, pose] += (earlier.mT @ turn[..., None])[..., 0]
        equations.step_gradient[1:, pose] += (later.mT @ turn[..., None])[..., 0]
        equations.diagonal[0, ROTATION_RATE, ROTATION_RATE].diagonal().add_(self.rate_information)
        equations.step_gradient[0, ROTATION_RATE] += self.rate_information * rate[0]
        equations.cost.add_((turn.square().sum() + self.rate_information * rate[0].square().sum()) / 2)


@dataclass(frozen=True)
class LinearChainTerm:
    """A vector state (position, rate) of the trajectory under a process, stationary at the first step.

    Attributes:
        factors: of the process.
        start_information: of position and rate at the first step.
        unknowns: where the two stand among a step's unknowns.
        names: the two, as the trajectory calls them.
    """

    factors: ChainFactors
    start_information: tuple[float, float]
    unknowns: tuple[slice, slice]
    names: tuple[str, str]

    @classmethod
    def of_wrist(cls, process: IntegratedOrnsteinUhlenbeck, h: Tensor) -> "LinearChainTerm":
        """The wrist's position over steps ``h`` [K-1] [s]."""
        names = ("p_camera_wrist", "velocity")
        return cls(chain_factors(process, h), process.start_information(), (POSITION, VELOCITY), names)

    @classmethod
    def of_residual(cls, process: Matern32, h: Tensor) -> "LinearChainTerm":
        """The finger residual over steps ``h`` [K-1] [s]."""
        names = ("residual", "residual_rate")
        return cls(chain_factors(process, h), process.start_information(), (RESIDUAL, RESIDUAL_RATE), names)

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
        states, factors = self._states(trajectory), self.factors
        error = linear_chain(*states, factors)
        before, after = factors.earlier.mT @ factors.earlier, factors.later.mT @ factors.later
        across = factors.later.mT @ factors.earlier
        pull_before, pull_after = factors.earlier.mT @ error, factors.later.mT @ error
        diagonal, lower, gradient = equations.diagonal, equations.lower, equations.step_gradient
        for i, row in enumerate(self.unknowns):
            gradient[:-1, row] += pull_before[:, i]
            gradient[1:, row] += pull_after[:, i]
            for j, column in enumerate(self.unknowns):
                diagonal[:-1, row, column].diagonal(dim1=1, dim2=2).add_(before[:, i, j, None])
                diagonal[1:, row, column].diagonal(dim1=1, dim2=2).add_(after[:, i, j, None])
                lower[:, row, column].diagonal(dim1=1, dim2=2).add_(across[:, i, j, None])
            information, first = self.start_information[i], states[i][0]
            diagonal[0, row, row].diagonal().add_(information)
            gradient[0, row] += information * first
            equations.cost.add_(information * first.square().sum() / 2)
        equations.cost.add_(error.square().sum() / 2)

    def _states(self, trajectory: Trajectory) -> tuple[Tensor, Tensor]:
        position, rate = self.names
        return getattr(trajectory, position), getattr(trajectory, rate)
