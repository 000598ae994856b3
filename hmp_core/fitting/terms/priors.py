# SPDX-FileCopyrightText: 2026 The hmp_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Gaussian beliefs about what a window's steps share: the latent of the motion prior, and the hand's shape."""

from dataclasses import dataclass

from torch import Tensor

from hmp_core.fitting.normal_equations import NormalEquations
from hmp_core.fitting.trajectory import Trajectory
from hmp_core.fitting.window_model import DecodedSteps, StepJacobians


@dataclass(frozen=True)
class LatentTerm:
    """The latent stays near a mean; whitened, so that its coordinates are alike.

    Attributes:
        information: reciprocal variance of every coordinate.
        mean: [D]; None for the encoder's reading that the trajectory carries.
    """

    information: float
    mean: Tensor | None = None

    def cost(self, trajectory: Trajectory, decoded: DecodedSteps) -> Tensor:
        """See :class:`~hmp_core.fitting.terms.term.Term`."""
        return self.information * self._off(trajectory).square().sum() / 2

    def add(
        self, trajectory: Trajectory, decoded: DecodedSteps, jacobians: StepJacobians, equations: NormalEquations
    ) -> None:
        """See :class:`~hmp_core.fitting.terms.term.Term`."""
        off = self._off(trajectory)
        equations.latent_information.diagonal().add_(self.information)
        equations.latent_gradient.add_(self.information * off)
        equations.cost.add_(self.information * off.square().sum() / 2)

    def _off(self, trajectory: Trajectory) -> Tensor:
        return trajectory.z - (trajectory.z_mean if self.mean is None else self.mean)


@dataclass(frozen=True)
class ShapeTerm:
    """β [10] stays near ``mean`` [10] with ``information`` [10, 10]."""

    mean: Tensor
    information: Tensor

    def cost(self, trajectory: Trajectory, decoded: DecodedSteps) -> Tensor:
        """See :class:`~hmp_core.fitting.terms.term.Term`."""
        off = trajectory.betas - self.mean
        return off @ self.information @ off / 2

    def add(
        self, trajectory: Trajectory, decoded: DecodedSteps, jacobians: StepJacobians, equations: NormalEquations
    ) -> None:
        """See :class:`~hmp_core.fitting.terms.term.Term`."""
        pull = self.information @ (trajectory.betas - self.mean)
        equations.shape_information.add_(self.information)
        equations.shape_gradient.add_(pull)
        equations.cost.add_((trajectory.betas - self.mean) @ pull / 2)
