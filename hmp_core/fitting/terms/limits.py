# SPDX-FileCopyrightText: 2026 The hmp_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Anatomical limits of finger rotations, as a soft wall."""

from dataclasses import dataclass

import torch
from torch import Tensor

from hmp_core.fitting.hand_coordinates import FINGERS
from hmp_core.fitting.normal_equations import NormalEquations
from hmp_core.fitting.trajectory import Trajectory
from hmp_core.fitting.window_model import DecodedSteps, StepJacobians
from hmp_core.hand.so3 import logarithm, right_jacobian_inverse


def joint_limits(R_finger: Tensor, axes: Tensor, limits: Tensor, stddev_rad: float) -> tuple[Tensor, Tensor]:
    """How far twist, abduction and flexion stand outside their range.

    Args:
        R_finger: [K, 15, 3, 3] local finger rotations.
        axes: [15, 3, 3] rows: anatomical axes of each joint.
        limits: [2, 15, 3] lower and upper bounds along them [rad].
        stddev_rad: softness [rad].

    Returns:
        Residuals [K, 15, 3], zero inside, and their Jacobians [K, 15, 3, 3] with respect to the right tangent.
    """
    vectors, outside = _outside(R_finger, axes, limits)
    return outside / stddev_rad, _slopes(vectors, outside, axes) / stddev_rad


def _outside(R_finger: Tensor, axes: Tensor, limits: Tensor) -> tuple[Tensor, Tensor]:
    """Rotation vectors [K, 15, 3], and how far their components along the axes lie outside [K, 15, 3] [rad]."""
    vectors = logarithm(R_finger)
    angles = (axes @ vectors[..., None])[..., 0]
    return vectors, (angles - limits[1]).clamp_min(0) - (limits[0] - angles).clamp_min(0)


def _slopes(vectors: Tensor, outside: Tensor, axes: Tensor) -> Tensor:
    """Derivatives [K, 15, 3, 3] of what :func:`_outside` gives, by the right tangent."""
    active = (outside != 0).to(vectors.dtype)
    return active[..., None] * (axes @ right_jacobian_inverse(vectors))


@dataclass(frozen=True)
class LimitTerm:
    """Soft walls at the joint limits.

    Attributes:
        axes, limits, stddev_rad: see :func:`joint_limits`.
    """

    axes: Tensor
    limits: Tensor
    stddev_rad: float

    def cost(self, trajectory: Trajectory, decoded: DecodedSteps) -> Tensor:
        """See :class:`~hmp_core.fitting.terms.term.Term`."""
        _, outside = _outside(decoded.R_finger, self.axes, self.limits)
        return (outside / self.stddev_rad).square().sum() / 2

    def add(
        self, trajectory: Trajectory, decoded: DecodedSteps, jacobians: StepJacobians, equations: NormalEquations
    ) -> None:
        """See :class:`~hmp_core.fitting.terms.term.Term`."""
        vectors, outside = _outside(decoded.R_finger, self.axes, self.limits)
        if not bool(outside.any()):
            return  # as nearly always
        wall = outside / self.stddev_rad
        by_finger = _slopes(vectors, outside, self.axes) / self.stddev_rad
        block = by_finger.mT @ by_finger
        # A view of the joints' own blocks [K, 3, 3, 15].
        fingers = equations.hand_information[:, FINGERS, FINGERS]
        fingers = torch.unflatten(torch.unflatten(fingers, 2, (-1, 3)), 1, (-1, 3))
        fingers.diagonal(dim1=1, dim2=3).add_(block.permute(0, 2, 3, 1))
        equations.hand_gradient[:, FINGERS] += (by_finger.mT @ wall[..., None]).flatten(1)
        equations.cost.add_(wall.square().sum() / 2)
