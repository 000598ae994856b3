# SPDX-FileCopyrightText: 2026 The hmp_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Slow wrists: the paper's orientation and translation smoothness, angular and linear velocities squared."""

from dataclasses import dataclass

from torch import Tensor

from hmp_core.fitting.normal_equations import NormalEquations
from hmp_core.fitting.trajectory import POSITION, ROTATION, Trajectory
from hmp_core.fitting.window_model import DecodedSteps, StepJacobians
from hmp_core.hand.so3 import logarithm, right_jacobian_inverse


@dataclass(frozen=True)
class OrientationSmoothness:
    """Angular velocity between consecutive steps.

    Attributes:
        h: [K-1] time between them [s].
        weight: [K-1] of half its square [(rad/s)²].
    """

    h: Tensor
    weight: Tensor

    def cost(self, trajectory: Trajectory, decoded: DecodedSteps) -> Tensor:
        """See :class:`~hmp_core.fitting.terms.term.Term`."""
        _, turned = self._turned(trajectory)
        return (self._information * turned.square().sum(-1)).sum() / 2

    def add(
        self, trajectory: Trajectory, decoded: DecodedSteps, jacobians: StepJacobians, equations: NormalEquations
    ) -> None:
        """See :class:`~hmp_core.fitting.terms.term.Term`."""
        relative, turned = self._turned(trajectory)
        later = right_jacobian_inverse(turned)
        # Log(Exp(-a) R Exp(b)): a enters through the transposed relative rotation.
        earlier = -later @ relative.mT
        information = self._information[:, None, None]
        for steps, factor in ((slice(0, -1), earlier), (slice(1, None), later)):
            weighted = information * factor.mT
            equations.diagonal[steps, ROTATION, ROTATION] += weighted @ factor
            equations.step_gradient[steps, ROTATION] += (weighted @ turned[..., None])[..., 0]
        equations.lower[:, ROTATION, ROTATION] += information * later.mT @ earlier
        equations.cost.add_(self.cost(trajectory, decoded))

    @property
    def _information(self) -> Tensor:
        return self.weight / self.h.square()

    @staticmethod
    def _turned(trajectory: Trajectory) -> tuple[Tensor, Tensor]:
        relative = trajectory.R_camera_wrist[:-1].mT @ trajectory.R_camera_wrist[1:]
        return relative, logarithm(relative)


@dataclass(frozen=True)
class TranslationSmoothness:
    """Velocity of the wrist between consecutive steps.

    Attributes:
        h: [K-1] time between them [s].
        weight: [K-1] of half its square [(m/s)²].
    """

    h: Tensor
    weight: Tensor

    def cost(self, trajectory: Trajectory, decoded: DecodedSteps) -> Tensor:
        """See :class:`~hmp_core.fitting.terms.term.Term`."""
        return (self._information * trajectory.p_camera_wrist.diff(dim=0).square()).sum() / 2

    def add(
        self, trajectory: Trajectory, decoded: DecodedSteps, jacobians: StepJacobians, equations: NormalEquations
    ) -> None:
        """See :class:`~hmp_core.fitting.terms.term.Term`."""
        pull = self._information * trajectory.p_camera_wrist.diff(dim=0)
        for steps, sign in ((slice(0, -1), -1.0), (slice(1, None), 1.0)):
            equations.diagonal[steps, POSITION, POSITION].diagonal(dim1=1, dim2=2).add_(self._information)
            equations.step_gradient[steps, POSITION] += sign * pull
        equations.lower[:, POSITION, POSITION].diagonal(dim1=1, dim2=2).sub_(self._information)
        equations.cost.add_(self.cost(trajectory, decoded))

    @property
    def _information(self) -> Tensor:
        return (self.weight / self.h.square())[:, None]
