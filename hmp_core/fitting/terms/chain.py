# SPDX-FileCopyrightText: 2026 The hmp_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Motion between consecutive steps: wrist pose under a coasting process, finger residual under a stationary one.

These stand for the paper's two smoothness terms, which penalise velocities and so bias long gaps towards standing
still; a Gauss-Markov process in continuous time does not.
"""

from dataclasses import dataclass
from typing import Final

import torch
from torch import Tensor

from hmp_core.fitting.normal_equations import NormalEquations
from hmp_core.fitting.process import Array, IntegratedOrnsteinUhlenbeck, Matern32, whitener
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
from hmp_core.hand.so3 import logarithm, right_jacobian_inverse

_POSE: Final = slice(ROTATION.start, ROTATION_RATE.stop)


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
    process: IntegratedOrnsteinUhlenbeck | Matern32, h: Array, jump_variance: Array | None = None
) -> ChainFactors:
    """Factors of ``process`` over steps ``h`` [K-1] [s], positive.

    ``jump_variance`` [K-1] [unit^2] is that of jumps of the position on top of the process.
    """
    phi, q = process.transition(h)
    if jump_variance is not None:
        q[:, 0, 0] += jump_variance
    later = whitener(q)
    return ChainFactors(torch.from_numpy(phi), torch.from_numpy(-later @ phi), torch.from_numpy(later))


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
    inverse = right_jacobian_inverse(turned)
    eye = torch.eye(3, dtype=rate.dtype)
    # By (pose, rate) of either step, before whitening: the rate's rows and columns are multiples of the identity.
    earlier, later = rate.new_zeros(2, len(turned), 2, 3, 2, 3)
    earlier[:, :, :, 1] = -factors.phi[:, :, 1, None, None] * eye
    earlier[:, 0, :, 0] = -inverse @ relative.mT  # Log(Exp(-a) R Exp(b)): a enters through the transposed rotation
    later[:, 0, :, 0], later[:, 1, :, 1] = inverse, eye
    shape = (len(turned), 6, 6)
    by_earlier, by_later = (
        (factors.later @ derivative.flatten(2)).reshape(shape) for derivative in (earlier, later)
    )
    return (factors.later @ error).flatten(1), by_earlier, by_later


def _transitions(R_camera_wrist: Tensor, rate: Tensor, factors: ChainFactors) -> tuple[Tensor, Tensor, Tensor]:
    """Relative rotations [K-1, 3, 3], their vectors [K-1, 3], and errors of (pose, rate) [K-1, 2, 3]."""
    relative = R_camera_wrist[:-1].mT @ R_camera_wrist[1:]
    turned = logarithm(relative)
    coast, fade = factors.phi[:, 0, 1, None], factors.phi[:, 1, 1, None]
    return relative, turned, torch.stack([turned - coast * rate[:-1], rate[1:] - fade * rate[:-1]], dim=1)


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
        _, _, error = _transitions(trajectory.R_camera_wrist, trajectory.rotation_rate, self.factors)
        turn = self.factors.later @ error
        return (turn.square().sum() + self.rate_information * trajectory.rotation_rate[0].square().sum()) / 2

    def add(
        self, trajectory: Trajectory, decoded: DecodedSteps, jacobians: StepJacobians, equations: NormalEquations
    ) -> None:
        """See :class:`~hmp_core.fitting.terms.term.Term`."""
        rate = trajectory.rotation_rate
        turn, earlier, later = rotation_chain(trajectory.R_camera_wrist, rate, self.factors)
        diagonal, gradient = equations.diagonal[:, _POSE, _POSE], equations.step_gradient[:, _POSE]
        diagonal[:-1] += earlier.mT @ earlier
        diagonal[1:] += later.mT @ later
        equations.lower[:, _POSE, _POSE] += later.mT @ earlier
        gradient[:-1] += (earlier.mT @ turn[..., None])[..., 0]
        gradient[1:] += (later.mT @ turn[..., None])[..., 0]
        equations.diagonal[0, ROTATION_RATE, ROTATION_RATE].diagonal().add_(self.rate_information)
        equations.step_gradient[0, ROTATION_RATE] += self.rate_information * rate[0]
        equations.cost.add_((turn.square().sum() + self.rate_information * rate[0].square().sum()) / 2)


@dataclass(frozen=True)
class LinearChainTerm:
    """A vector state (position, rate) of the trajectory under a process, stationary at the first step.

    Attributes:
        factors: of the process.
        start_information: [2] of position and rate at the first step.
        unknowns: where position and rate stand, one behind the other, among a step's unknowns.
        names: the two, as the trajectory calls them.
    """

    factors: ChainFactors
    start_information: Tensor
    unknowns: slice
    names: tuple[str, str]

    @classmethod
    def of_wrist(cls, process: IntegratedOrnsteinUhlenbeck, h: Array) -> "LinearChainTerm":
        """The wrist's position over steps ``h`` [K-1] [s]."""
        unknowns = slice(POSITION.start, VELOCITY.stop)
        return cls(chain_factors(process, h), _start(process), unknowns, ("p_camera_wrist", "velocity"))

    @classmethod
    def of_residual(cls, process: Matern32, h: Array) -> "LinearChainTerm":
        """The finger residual over steps ``h`` [K-1] [s]."""
        unknowns = slice(RESIDUAL.start, RESIDUAL_RATE.stop)
        return cls(chain_factors(process, h), _start(process), unknowns, ("residual", "residual_rate"))

    def cost(self, trajectory: Trajectory, decoded: DecodedSteps) -> Tensor:
        """See :class:`~hmp_core.fitting.terms.term.Term`."""
        position, rate = self._states(trajectory)
        first = torch.stack([position[0], rate[0]])
        start = self.start_information @ first.square().sum(-1)
        return (linear_chain(position, rate, self.factors).square().sum() + start) / 2

    def add(
        self, trajectory: Trajectory, decoded: DecodedSteps, jacobians: StepJacobians, equations: NormalEquations
    ) -> None:
        """See :class:`~hmp_core.fitting.terms.term.Term`."""
        position, rate = self._states(trajectory)
        earlier, later = self.factors.earlier, self.factors.later
        error = linear_chain(position, rate, self.factors)
        diagonal = self._cells(equations.diagonal)
        diagonal[:-1] += (earlier.mT @ earlier)[..., None]
        diagonal[1:] += (later.mT @ later)[..., None]
        diagonal[0].diagonal().add_(self.start_information)
        self._cells(equations.lower).add_((later.mT @ earlier)[..., None])
        gradient = equations.step_gradient[:, self.unknowns]
        gradient[:-1] += (earlier.mT @ error).flatten(1)
        gradient[1:] += (later.mT @ error).flatten(1)
        first = torch.stack([position[0], rate[0]])
        pull = self.start_information[:, None] * first
        gradient[0] += pull.flatten()
        equations.cost.add_((error.square().sum() + (pull * first).sum()) / 2)

    def _cells(self, blocks: Tensor) -> Tensor:
        """A view [..., 2, 2, n] of where a coordinate meets itself, in position and rate, in blocks [..., N, N]."""
        own = blocks[:, self.unknowns, self.unknowns]
        return torch.unflatten(torch.unflatten(own, 2, (2, -1)), 1, (2, -1)).diagonal(dim1=2, dim2=4)

    def _states(self, trajectory: Trajectory) -> tuple[Tensor, Tensor]:
        position, rate = self.names
        return getattr(trajectory, position), getattr(trajectory, rate)


def _start(process: IntegratedOrnsteinUhlenbeck | Matern32) -> Tensor:
    return torch.tensor(process.start_information(), dtype=torch.float64)
