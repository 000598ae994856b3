# SPDX-FileCopyrightText: 2026 The hmp_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What every term of a window's objective can do."""

from typing import Protocol

from torch import Tensor

from hmp_core.fitting.normal_equations import NormalEquations
from hmp_core.fitting.trajectory import Trajectory
from hmp_core.fitting.window_model import DecodedSteps, StepJacobians


class Term(Protocol):
    """One residual family of one window, with its weight and its kernel."""

    def cost(self, trajectory: Trajectory, decoded: DecodedSteps) -> Tensor:
        """Cost [], differentiable in the trajectory and what was decoded from it."""
        ...

    def add(
        self, trajectory: Trajectory, decoded: DecodedSteps, jacobians: StepJacobians, equations: NormalEquations
    ) -> None:
        """Add cost, gradient and Gauss-Newton information in place."""
        ...
