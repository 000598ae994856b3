# SPDX-FileCopyrightText: 2026 The hmp_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The wrist stays near the initialisation: the paper's global orientation and global translation terms.

An initializer's pose is no evidence of its own, it was made from the same keypoints; outside the paper's settings
these terms have no place.
"""

from dataclasses import dataclass

from torch import Tensor

from hmp_core.fitting.hand_coordinates import PLACE, WRIST
from hmp_core.fitting.normal_equations import NormalEquations
from hmp_core.fitting.terms.robust import Kernel
from hmp_core.fitting.trajectory import Trajectory
from hmp_core.fitting.window_model import DecodedSteps, StepJacobians
from hmp_core.hand.so3 import logarithm, right_jacobian_inverse


@dataclass(frozen=True)
class OrientationAnchor:
    """Rotation vectors from the initial to the present orientations.

    Attributes:
        R_camera_wrist: [K, 3, 3] initial.
        weight: of the cost.
        kernel: on the angle [rad].
    """

    R_camera_wrist: Tensor
    weight: float
    kernel: Kernel

    def cost(self, trajectory: Trajectory, decoded: DecodedSteps) -> Tensor:
        """See :class:`~hmp_core.fitting.terms.term.Term`."""
        return self.weight * self.kernel(self._turned(trajectory).square().sum(-1))[0].sum()

    def add(
        self, trajectory: Trajectory, decoded: DecodedSteps, jacobians: StepJacobians, equations: NormalEquations
    ) -> None:
        """See :class:`~hmp_core.fitting.terms.term.Term`."""
        turned = self._turned(trajectory)
        costs, factors = self.kernel(turned.square().sum(-1))
        inverse = right_jacobian_inverse(turned)
        weighted = self.weight * factors[:, None, None] * inverse.mT
        equations.hand_information[:, WRIST, WRIST] += weighted @ inverse
        equations.hand_gradient[:, WRIST] += (weighted @ turned[..., None])[..., 0]
        equations.cost.add_(self.weight * costs.sum())

    def _turned(self, trajectory: Trajectory) -> Tensor:
        turned: Tensor = logarithm(self.R_camera_wrist.mT @ trajectory.R_camera_wrist)
        return turned


@dataclass(frozen=True)
class TranslationAnchor:
    """Differences of the wrist's place from the initial one, axis by axis.

    Attributes:
        p_camera_wrist: [K, 3] initial [m].
        weight: of the cost.
        kernel: on each axis [m].
    """

    p_camera_wrist: Tensor
    weight: float
    kernel: Kernel

    def cost(self, trajectory: Trajectory, decoded: DecodedSteps) -> Tensor:
        """See :class:`~hmp_core.fitting.terms.term.Term`."""
        return self.weight * self.kernel((trajectory.p_camera_wrist - self.p_camera_wrist).square())[0].sum()

    def add(
        self, trajectory: Trajectory, decoded: DecodedSteps, jacobians: StepJacobians, equations: NormalEquations
    ) -> None:
        """See :class:`~hmp_core.fitting.terms.term.Term`."""
        off = trajectory.p_camera_wrist - self.p_camera_wrist
        costs, factors = self.kernel(off.square())
        equations.hand_information[:, PLACE, PLACE].diagonal(dim1=1, dim2=2).add_(self.weight * factors)
        equations.hand_gradient[:, PLACE] += self.weight * factors * off
        equations.cost.add_(self.weight * costs.sum())
