# SPDX-FileCopyrightText: 2026 The hmp_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Consistency of overlapping windows: where the window before has spoken, this one agrees as far as it can."""

from dataclasses import dataclass

import torch
from torch import Tensor

from hmp_core.fitting.hand_coordinates import FINGERS, PLACE, WRIST
from hmp_core.fitting.normal_equations import NormalEquations
from hmp_core.fitting.trajectory import Trajectory
from hmp_core.fitting.window_model import DecodedSteps, StepJacobians
from hmp_core.hand.so3 import logarithm, right_jacobian_inverse


@dataclass(frozen=True)
class SeamTerm:
    """The first S steps against what the window before made of them.

    Attributes:
        R_camera_wrist: [S, 3, 3] there.
        p_camera_wrist: [S, 3] there [m].
        R_finger: [S, 15, 3, 3] there.
        rotation_stddev_rad: what rotations may differ by [rad].
        position_stddev_m: what the wrist's place may differ by [m].
    """

    R_camera_wrist: Tensor
    p_camera_wrist: Tensor
    R_finger: Tensor
    rotation_stddev_rad: float
    position_stddev_m: float

    def cost(self, trajectory: Trajectory, decoded: DecodedSteps) -> Tensor:
        """See :class:`~hmp_core.fitting.terms.term.Term`."""
        turned, moved = self._differences(trajectory, decoded)
        return (turned.square().sum() + moved.square().sum()) / 2

    def add(
        self, trajectory: Trajectory, decoded: DecodedSteps, jacobians: StepJacobians, equations: NormalEquations
    ) -> None:
        """See :class:`~hmp_core.fitting.terms.term.Term`."""
        turned, moved = self._differences(trajectory, decoded)
        count = len(moved)
        inverse = right_jacobian_inverse(turned * self.rotation_stddev_rad) / self.rotation_stddev_rad
        block = inverse.mT @ inverse
        pull = (inverse.mT @ turned[..., None])[..., 0]
        information = equations.hand_information[:count]
        rotations = slice(WRIST.start, FINGERS.stop)
        for joint in range(turned.shape[1]):
            own = slice(3 * joint, 3 * joint + 3)
            information[:, own, own] += block[:, joint]
        information[:, PLACE, PLACE].diagonal(dim1=1, dim2=2).add_(self.position_stddev_m**-2)
        equations.hand_gradient[:count, rotations] += pull.flatten(1)
        equations.hand_gradient[:count, PLACE] += moved / self.position_stddev_m
        equations.cost.add_((turned.square().sum() + moved.square().sum()) / 2)

    def _differences(self, trajectory: Trajectory, decoded: DecodedSteps) -> tuple[Tensor, Tensor]:
        """Whitened rotation vectors [S, 16, 3], wrist first, and displacements [S, 3]."""
        count = len(self.p_camera_wrist)
        there = torch.cat([self.R_camera_wrist[:, None], self.R_finger], dim=1)
        here = torch.cat([trajectory.R_camera_wrist[:count, None], decoded.R_finger[:count]], dim=1)
        turned = logarithm(there.mT @ here) / self.rotation_stddev_rad
        return turned, (trajectory.p_camera_wrist[:count] - self.p_camera_wrist) / self.position_stddev_m
