# SPDX-FileCopyrightText: 2026 The hmp_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Wrist-relative 3D landmarks against the model's joints, up to a rotation and a scale that they do not know well.

A single image says what a hand looks like far better than how it is tilted or how large it is: over renders, the
landmarks' common rotation errs by 7 to 12 degrees and their scale by 12 %, while the shape that remains errs by
5 mm per axis. Four nuisance numbers a step (rotation vector, log scale), with priors of that size, absorb the
common part; being linear, they are eliminated in closed form.
"""

from dataclasses import dataclass

import torch
from torch import Tensor

from hmp_core.fitting.normal_equations import NormalEquations
from hmp_core.fitting.terms.evidence_derivatives import add_relative_points
from hmp_core.fitting.terms.robust import Kernel
from hmp_core.fitting.trajectory import Trajectory
from hmp_core.fitting.window_model import DecodedSteps, StepJacobians
from hmp_core.hand.so3 import hat


@dataclass(frozen=True)
class LandmarkNuisance:
    """The eliminated rotation and scale: ``n = estimate @ residual``, ``residual - effect @ n`` remains.

    Attributes:
        effect: [K, 63, 4] change of the observed landmarks by the nuisance.
        estimate: [K, 4, 63] its weighted least-squares estimate from a residual.
        information: [4] prior precision.
    """

    effect: Tensor
    estimate: Tensor
    information: Tensor


def eliminate_nuisance(
    observed_m: Tensor, information: Tensor, rotation_stddev_rad: float, scale_stddev: float
) -> LandmarkNuisance:
    """Prepare the elimination.

    Args:
        observed_m: [K, 21, 3] wrist-relative landmarks [m].
        information: [K, 21] reciprocal sigmas [1/m].
        rotation_stddev_rad: common rotation error per axis [rad].
        scale_stddev: common relative scale error.
    """
    # A rotation n moves a point by n x p = -hat(p) n, a log scale by p.
    effect = torch.cat([-hat(observed_m), observed_m[..., None]], dim=-1).flatten(1, 2)
    prior = effect.new_tensor([rotation_stddev_rad] * 3 + [scale_stddev]).square().reciprocal()
    weighted = effect * information.square().repeat_interleave(3, dim=1)[..., None]
    normal = weighted.mT @ effect + torch.diag(prior)
    return LandmarkNuisance(effect, torch.linalg.solve(normal, weighted.mT), prior)


def landmarks(
    joints_wrist_relative: Tensor, observed_m: Tensor, information: Tensor, nuisance: LandmarkNuisance
) -> tuple[Tensor, Tensor]:
    """Whitened differences.

    Args:
        joints_wrist_relative: [K, 21, 3], camera axes [m].
        observed_m: [K, 21, 3] [m].
        information: [K, 21] reciprocal sigmas [1/m].

    Returns:
        What rotation and scale do not explain [K, 21, 3], and the whitened nuisance itself [K, 4].
    """
    error = (joints_wrist_relative - observed_m).flatten(1)[..., None]
    estimate = nuisance.estimate @ error
    shape = (error - nuisance.effect @ estimate).reshape(joints_wrist_relative.shape)
    return information[..., None] * shape, nuisance.information.sqrt() * estimate[..., 0]


@dataclass(frozen=True)
class LandmarkTerm:
    """The hand's joints relative to the wrist, against what was seen of them.

    Attributes:
        landmarks_m: [K, 21, 3] [m].
        information: [K, 21] reciprocal sigmas [1/m]; 0 where there is no evidence.
        nuisance: their common rotation and scale.
        weight: of the cost.
        kernel: on each landmark.
    """

    landmarks_m: Tensor
    information: Tensor
    nuisance: LandmarkNuisance
    weight: float
    kernel: Kernel

    def cost(self, trajectory: Trajectory, decoded: DecodedSteps) -> Tensor:
        """See :class:`~hmp_core.fitting.terms.term.Term`."""
        return self.costs(decoded).sum()

    def costs(self, decoded: DecodedSteps) -> Tensor:
        """Cost [K] of each step."""
        metric, common = self._residuals(decoded)
        costs, _ = self.kernel(metric.square().sum(-1))
        return self.weight * (costs.sum(-1) + common.square().sum(-1) / 2)

    def add(
        self, trajectory: Trajectory, decoded: DecodedSteps, jacobians: StepJacobians, equations: NormalEquations
    ) -> None:
        """See :class:`~hmp_core.fitting.terms.term.Term`."""
        metric, common = self._residuals(decoded)
        costs, factors = self.kernel(metric.square().sum(-1))
        seen = self.nuisance
        given = (
            jacobians.joints, decoded.joints_wrist_relative - self.landmarks_m,
            self.weight * factors * self.information.square(),
            seen.effect, seen.estimate, self.weight * seen.information,
        )  # fmt: skip
        filled = (equations.hand_information, equations.hand_gradient)
        add_relative_points(*(tensor.contiguous().numpy() for tensor in (*given, *filled)))
        equations.cost.add_(self.weight * (costs.sum() + common.square().sum() / 2))

    def _residuals(self, decoded: DecodedSteps) -> tuple[Tensor, Tensor]:
        return landmarks(decoded.joints_wrist_relative, self.landmarks_m, self.information, self.nuisance)
