# SPDX-FileCopyrightText: 2026 The hmp_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Poses from points: MANO rotations whose 21 joints lie on given ones, frame by frame, many at once.

Gauss-Newton with Levenberg-Marquardt damping on the analytic Jacobians of :class:`HandKinematics`. A frame never
sees its neighbours; only the shape is shared by the frames of a sequence, and that is settled first, from bone
lengths. What points cannot tell (twist, mostly) goes to a weak pull to rest and to the anatomical limits.

Skeletons differ between sources (where a knuckle is taken to be, how far a fingertip reaches, whether the wrist is
the joint or the crease) by up to some 10 mm, and ten betas do not follow all of that. The per-joint residual that
comes back says how much of it was left.
"""

from dataclasses import dataclass

import torch
from torch import Tensor

from hmp_core.hand.ik_start import betas_from_bone_lengths, rotations_from_bones
from hmp_core.hand.kinematics import HandKinematics
from hmp_core.hand.limits import JOINT_AXES, anatomical_components, limit_violation
from hmp_core.hand.model import HandModel
from hmp_core.hand.skeleton import NUM_BETAS, NUM_JOINTS, NUM_MANO_JOINTS, Side
from hmp_core.hand.so3 import exponential, logarithm, right_jacobian_inverse

_TANGENT = 3 * NUM_MANO_JOINTS
_CHUNK = 1024
"""Frames solved at once; bounds the memory of the Jacobians (25 kB a frame)."""


@dataclass(frozen=True)
class InverseKinematicsConfig:
    """Weights and effort.

    Attributes:
        point_sigma_m: standard deviation of a joint of weight 1, per axis [m].
        limit_sigma_rad: softness of the anatomical limits [rad].
        rest_sigma_rad: pull of twist, abduction and flexion to the flat hand [rad].
        bone_sigma_m: standard deviation of a bone length, when betas are estimated [m].
        max_iterations: Levenberg-Marquardt steps at most.
        tolerance_rad: a frame is done when its largest step falls below this [rad].
    """

    point_sigma_m: float = 0.003
    limit_sigma_rad: float = 0.05
    rest_sigma_rad: tuple[float, float, float] = (0.4, 0.8, 2.0)
    bone_sigma_m: float = 0.002
    max_iterations: int = 30
    tolerance_rad: float = 1e-3


@dataclass(frozen=True)
class FittedPoses:
    """Poses of N frames in S sequences; NaN in every field where a frame held no usable points.

    Attributes:
        rotations: [N, 16, 3, 3] local rotations, MANO order, the global one first, axes of the input.
        betas: [S, 10].
        translation: [N, 3] MANO's ``transl`` [m].
        residual_m: [N, 21] distance of model joint and given joint [m].
    """

    rotations: Tensor
    betas: Tensor
    translation: Tensor
    residual_m: Tensor


class InverseKinematics:
    """Fits poses of a right hand (mirror left points first).

    Args:
        model: a right hand.
        config: weights and effort.

    Raises:
        ValueError: the model is a left hand.
    """

    def __init__(self, model: HandModel, config: InverseKinematicsConfig | None = None) -> None:
        if model.side is not Side.RIGHT:
            raise ValueError("inverse kinematics takes a right hand; mirror left points and use the right model")
        self.config = config or InverseKinematicsConfig()
        self.kinematics = HandKinematics(model, torch.float64)
        self._axes = torch.as_tensor(JOINT_AXES)
        self._rest_sigma = torch.tensor(self.config.rest_sigma_rad, dtype=torch.float64)

    def fit(
        self,
        joints: Tensor,
        sequence: Tensor | None = None,
        betas: Tensor | None = None,
        weights: Tensor | None = None,
    ) -> FittedPoses:
        """Fit all frames.

        Args:
            joints: [N, 21, 3] public order, right hand, any origin and axes [m]; a frame with a joint that is
                not finite and has weight gives NaN.
            sequence: [N] which sequence each frame belongs to, 0 to S - 1; None: all are one.
            betas: [S, 10] fixed shapes; None: one estimated for each sequence.
            weights: [N, 21] or [21] relative precision of each joint, 0 to leave it out; None: all 1.
        """
        given = joints.detach().to(torch.float64)
        count = len(given)
        group = torch.zeros(count, dtype=torch.int64) if sequence is None else sequence
        weight = torch.ones(NUM_JOINTS) if weights is None else weights
        weight = weight.to(torch.float64).expand(count, NUM_JOINTS)
        usable = (torch.isfinite(given).all(dim=-1) | (weight == 0)).all(dim=-1) & (weight.sum(dim=-1) > 0)
        points = torch.where((weight > 0)[..., None], given, 0.0)
        if betas is None:
            betas = self._shapes(points, group, weight, usable)
        betas = betas.detach().to(torch.float64).reshape(-1, NUM_BETAS)
        rotations = torch.full((count, NUM_MANO_JOINTS, 3, 3), torch.nan, dtype=torch.float64)
        translation = torch.full((count, 3), torch.nan, dtype=torch.float64)
        residual = torch.full((count, NUM_JOINTS), torch.nan, dtype=torch.float64)
        with torch.no_grad():
            for frames in torch.split(torch.nonzero(usable)[:, 0], _CHUNK):
                if not len(frames):
                    continue
                shape, target, precision = betas[group[frames]], points[frames], weight[frames]
                fitted = self._solve(target, shape, precision)
                modelled = self.kinematics.joints(fitted, shape, torch.zeros_like(target[:, 0]))
                offset = _mean(target - modelled, precision)
                rotations[frames], translation[frames] = fitted, offset[:, 0]
                residual[frames] = (modelled + offset - given[frames]).norm(dim=-1)
        return FittedPoses(rotations, betas, translation, residual)

    def _shapes(self, points: Tensor, group: Tensor, weight: Tensor, usable: Tensor) -> Tensor:
        shapes = torch.zeros(int(group.max()) + 1 if len(group) else 1, NUM_BETAS, dtype=torch.float64)
        for index in torch.unique(group[usable]).tolist():
            frames = usable & (group == index)
            shapes[index] = betas_from_bone_lengths(
                self.kinematics, points[frames], weight[frames], self.config.bone_sigma_m
            )
        return shapes

    def _solve(self, points: Tensor, betas: Tensor, weight: Tensor) -> Tensor:
        rotations = rotations_from_bones(self.kinematics, points, betas, weight)
        result = rotations.clone()
        active = torch.arange(len(points))
        damping = torch.full((len(points),), 1e-3, dtype=torch.float64)
        cost, normal, gradient = self._linearize(rotations, points, betas, weight)
        for _ in range(self.config.max_iterations):
            diagonal = torch.diagonal(normal, dim1=-2, dim2=-1)
            factor, _ = torch.linalg.cholesky_ex(normal + torch.diag_embed(damping[:, None] * diagonal))
            step = -torch.cholesky_solve(gradient[..., None], factor)[..., 0]
            trial = rotations @ exponential(step.reshape(-1, NUM_MANO_JOINTS, 3))
            new_cost, new_normal, new_gradient = self._linearize(trial, points, betas, weight)
            better = new_cost <= cost
            rotations = torch.where(better[:, None, None, None], trial, rotations)
            normal = torch.where(better[:, None, None], new_normal, normal)
            gradient = torch.where(better[:, None], new_gradient, gradient)
            cost = torch.where(better, new_cost, cost)
            damping = torch.where(better, damping / 5, damping * 10).clamp(1e-9, 1e9)
            result[active] = rotations
            going = step.abs().amax(dim=-1) > self.config.tolerance_rad
            if not going.any():
                break
            active, rotations, points, betas, weight = (
                tensor[going] for tensor in (active, rotations, points, betas, weight)
            )
            cost, normal, gradient, damping = (tensor[going] for tensor in (cost, normal, gradient, damping))
        return result

    def _linearize(self, rotations: Tensor, points: Tensor, betas: Tensor, weight: Tensor) -> tuple[Tensor, ...]:
        """Cost [n], normal matrix [n, 48, 48] and gradient [n, 48]; the translation is eliminated."""
        modelled, by_rotation, _ = self.kinematics.joints_and_jacobian(
            rotations, betas, torch.zeros_like(points[:, 0])
        )
        difference = modelled - points
        scale = (weight.sqrt() / self.config.point_sigma_m)[..., None]
        residual = ((difference - _mean(difference, weight)) * scale).reshape(len(points), -1)
        by_rotation = by_rotation.flatten(2)
        jacobian = ((by_rotation - _mean(by_rotation, weight)) * scale).reshape(len(points), -1, _TANGENT)
        normal = jacobian.mT @ jacobian
        gradient = (jacobian.mT @ residual[..., None])[..., 0]

        vectors = logarithm(rotations[:, 1:])
        outside = limit_violation(vectors) / self.config.limit_sigma_rad
        pull = anatomical_components(vectors) / self._rest_sigma
        by_tangent = self._axes @ right_jacobian_inverse(vectors)
        pull_jacobian = by_tangent / self._rest_sigma[:, None]
        wall_jacobian = torch.where((outside != 0)[..., None], by_tangent / self.config.limit_sigma_rad, 0.0)
        blocks = pull_jacobian.mT @ pull_jacobian + wall_jacobian.mT @ wall_jacobian
        slopes = pull_jacobian.mT @ pull[..., None] + wall_jacobian.mT @ outside[..., None]
        gradient[:, 3:] += slopes.flatten(1)
        fingers = torch.unflatten(torch.unflatten(normal[:, 3:, 3:], 2, (-1, 3)), 1, (-1, 3))
        torch.diagonal(fingers, dim1=1, dim2=3).add_(blocks.permute(0, 2, 3, 1))  # a view: adds to normal
        cost = 0.5 * (residual.square().sum(-1) + outside.square().sum((-2, -1)) + pull.square().sum((-2, -1)))
        return cost, normal, gradient


def _mean(values: Tensor, weight: Tensor) -> Tensor:
    """Weighted mean [n, 1, k] over the joints of values [n, 21, k]."""
    share = weight / weight.sum(dim=1, keepdim=True)
    mean: Tensor = share[:, None] @ values
    return mean
