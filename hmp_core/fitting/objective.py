# SPDX-FileCopyrightText: 2026 The hmp_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The window's objective: evidence at each step, motion between steps, the latent and shape priors.

Evidence is first condensed, step by step, into a quadratic in the hand's own coordinates (wrist rotation, finger
rotations, betas, wrist position), 61 numbers; only then is it carried to the unknowns through the prior's
derivative. This keeps the cost of many keypoints and of a long latent apart.
"""

from dataclasses import dataclass

import torch
from torch import Tensor

from hmp_core.fitting.arrow import ArrowSystem
from hmp_core.fitting.config import FitterConfig
from hmp_core.fitting.evidence import WindowEvidence
from hmp_core.fitting.terms.chain import chain_factors, linear_chain, rotation_chain
from hmp_core.fitting.terms.landmarks import landmarks
from hmp_core.fitting.terms.limits import joint_limits
from hmp_core.fitting.terms.reprojection import reprojection
from hmp_core.fitting.terms.robust import geman_mcclure
from hmp_core.fitting.trajectory import (
    POSITION,
    RESIDUAL,
    RESIDUAL_DIM,
    RESIDUAL_RATE,
    ROTATION,
    ROTATION_RATE,
    STEP_DIM,
    VELOCITY,
    Trajectory,
)
from hmp_core.fitting.window_model import DecodedSteps, StepJacobians, WindowModel

_WRIST, _FINGERS, _BETAS, _PLACE = slice(0, 3), slice(3, 48), slice(48, 58), slice(58, 61)
_RELATIVE = slice(0, 58)


@dataclass(frozen=True)
class ShapePrior:
    """What is believed of β before this window's evidence.

    Attributes:
        mean: [10].
        information: [10, 10].
    """

    mean: Tensor
    information: Tensor


class Objective:
    """Cost and normal equations of one window.

    Args:
        times_s: [K] of its steps [s].
        evidence: of its steps.
        shape: belief about β.
    """

    def __init__(
        self, model: WindowModel, config: FitterConfig, times_s: Tensor, evidence: WindowEvidence, shape: ShapePrior
    ) -> None:
        self._model = model
        self._config = config
        self._evidence = evidence
        self._shape = shape
        h = times_s.diff()
        self._turn = chain_factors(config.wrist_rotation, h)
        self._move = chain_factors(config.wrist_translation, h)
        self._flex = chain_factors(config.finger_residual, h)
        self._start_information = _start_information(config)

    def cost(self, trajectory: Trajectory) -> float:
        """The objective's value: half the sum of squared whitened residuals, robust ones saturated."""
        decoded = self._model.decode(trajectory)
        evidence_cost = step_costs(decoded, self._evidence, self._config.outlier_sigmas).sum()
        wall, _ = self._limits(decoded.R_finger)
        turn, _, _ = rotation_chain(trajectory.R_camera_wrist, trajectory.rotation_rate, self._turn)
        move = linear_chain(trajectory.p_camera_wrist, trajectory.velocity, self._move)
        flex = linear_chain(trajectory.residual, trajectory.residual_rate, self._flex)
        start = self._start_information.sqrt() * _first_state(trajectory)
        squares = sum(part.square().sum() for part in (wall, turn, move, flex, start))
        return float(evidence_cost + squares / 2 + self._shared_cost(trajectory))

    def linearise(
        self, trajectory: Trajectory, latent_jacobian: Tensor
    ) -> tuple[ArrowSystem, DecodedSteps, StepJacobians]:
        """Normal equations at ``trajectory``, with the latent's derivative [K, 45, D]."""
        decoded, jacobians = self._model.linearise(trajectory, latent_jacobian)
        information, gradient, cost = self._condense(decoded, jacobians)

        steps, latent_dim = len(trajectory.times_s), len(trajectory.z)
        by_step, by_shared = step_derivatives(jacobians)
        diagonal = by_step.mT @ (information @ by_step)
        weighted = information @ by_shared
        border = by_step.mT @ weighted
        corner = by_shared.flatten(0, 1).T @ weighted.flatten(0, 1)
        step_gradient = (by_step.mT @ gradient[..., None])[..., 0]
        shared_gradient = by_shared.flatten(0, 1).T @ gradient.flatten()

        lower = torch.zeros(steps - 1, STEP_DIM, STEP_DIM, dtype=torch.float64)
        cost += self._add_chain(trajectory, diagonal, lower, step_gradient)
        corner[:latent_dim, :latent_dim] += torch.eye(latent_dim, dtype=torch.float64)
        corner[latent_dim:, latent_dim:] += self._shape.information
        shared_gradient[:latent_dim] += trajectory.z
        shared_gradient[latent_dim:] += self._shape.information @ (trajectory.betas - self._shape.mean)
        cost += float(self._shared_cost(trajectory))
        system = ArrowSystem(
            diagonal.numpy(), lower.numpy(), border.numpy(), corner.numpy(),
            step_gradient.numpy(), shared_gradient.numpy(), cost,
        )  # fmt: skip
        return system, decoded, jacobians

    def _condense(self, decoded: DecodedSteps, jacobians: StepJacobians) -> tuple[Tensor, Tensor, float]:
        """Information [K, 61, 61] and gradient [K, 61] in the hand's own coordinates, and the cost."""
        seen, scale = self._evidence, self._config.outlier_sigmas
        steps = len(decoded.R_finger)
        pixel, by_joint = reprojection(decoded.joints_camera, seen.rays, seen.ray_information)
        pixel_cost, pixel_weight = geman_mcclure(pixel.square().sum(-1), scale)
        metric = landmarks(decoded.joints_wrist_relative, seen.landmarks_m, seen.landmark_information)
        metric_cost, metric_weight = geman_mcclure(metric.square().sum(-1), scale)

        # What the evidence says about each joint: information [K, 21, 3, 3] and pull [K, 21, 3].
        projected = pixel_weight[..., None, None] * by_joint.mT
        pixel_information = projected @ by_joint
        pixel_pull = (projected @ pixel[..., None])[..., 0]
        metric_scale = metric_weight * seen.landmark_information
        joint_information = pixel_information + torch.diag_embed(
            (metric_scale * seen.landmark_information)[..., None].expand(-1, -1, 3)
        )
        joint_pull = pixel_pull + metric_scale[..., None] * metric

        by_hand = jacobians.joints.flatten(1, 2)
        information = by_hand.new_zeros(steps, 61, 61)
        information[:, _RELATIVE, _RELATIVE] = by_hand.mT @ (joint_information @ jacobians.joints).flatten(1, 2)
        across = (pixel_information @ jacobians.joints).sum(1)
        information[:, _PLACE, _RELATIVE], information[:, _RELATIVE, _PLACE] = across, across.mT
        information[:, _PLACE, _PLACE] = pixel_information.sum(1)
        gradient = torch.cat([(by_hand.mT @ joint_pull.flatten(1)[..., None])[..., 0], pixel_pull.sum(1)], dim=1)

        wall, by_finger = self._limits(decoded.R_finger)
        block = by_finger.mT @ by_finger
        fingers = information[:, _FINGERS, _FINGERS]
        for joint in range(15):
            own = slice(3 * joint, 3 * joint + 3)
            fingers[:, own, own] += block[:, joint]
        gradient[:, _FINGERS] += (by_finger.mT @ wall[..., None]).flatten(1)
        cost = pixel_cost.sum() + metric_cost.sum() + wall.square().sum() / 2
        return information, gradient, float(cost)

    def _limits(self, R_finger: Tensor) -> tuple[Tensor, Tensor]:
        return joint_limits(R_finger, self._model.joint_axes, self._model.limits, self._config.limit_stddev_rad)

    def _shared_cost(self, trajectory: Trajectory) -> Tensor:
        off = trajectory.betas - self._shape.mean
        return (trajectory.z.square().sum() + off @ self._shape.information @ off) / 2

    def _add_chain(self, trajectory: Trajectory, diagonal: Tensor, lower: Tensor, gradient: Tensor) -> float:
        """Add transitions and first-step priors in place; returns their cost."""
        first = _first_state(trajectory)
        diagonal[0].diagonal().add_(self._start_information)
        gradient[0] += self._start_information * first
        cost = (self._start_information * first.square()).sum()

        turn, earlier, later = rotation_chain(trajectory.R_camera_wrist, trajectory.rotation_rate, self._turn)
        pose = slice(ROTATION.start, ROTATION_RATE.stop)
        diagonal[:-1, pose, pose] += earlier.mT @ earlier
        diagonal[1:, pose, pose] += later.mT @ later
        lower[:, pose, pose] += later.mT @ earlier
        gradient[:-1, pose] += (earlier.mT @ turn[..., None])[..., 0]
        gradient[1:, pose] += (later.mT @ turn[..., None])[..., 0]
        cost += turn.square().sum()

        for parts, states, factors in (
            ((POSITION, VELOCITY), (trajectory.p_camera_wrist, trajectory.velocity), self._move),
            ((RESIDUAL, RESIDUAL_RATE), (trajectory.residual, trajectory.residual_rate), self._flex),
        ):
            error = linear_chain(*states, factors)
            before, after = factors.earlier.mT @ factors.earlier, factors.later.mT @ factors.later
            across = factors.later.mT @ factors.earlier
            pull_before, pull_after = factors.earlier.mT @ error, factors.later.mT @ error
            for i, row in enumerate(parts):
                gradient[:-1, row] += pull_before[:, i]
                gradient[1:, row] += pull_after[:, i]
                for j, column in enumerate(parts):
                    diagonal[:-1, row, column].diagonal(dim1=1, dim2=2).add_(before[:, i, j, None])
                    diagonal[1:, row, column].diagonal(dim1=1, dim2=2).add_(after[:, i, j, None])
                    lower[:, row, column].diagonal(dim1=1, dim2=2).add_(across[:, i, j, None])
            cost += error.square().sum()
        return float(cost) / 2


def step_costs(decoded: DecodedSteps, evidence: WindowEvidence, outlier_sigmas: float) -> Tensor:
    """Robust cost [K] of the keypoints and landmarks of each step."""
    pixel, _ = reprojection(decoded.joints_camera, evidence.rays, evidence.ray_information)
    metric = landmarks(decoded.joints_wrist_relative, evidence.landmarks_m, evidence.landmark_information)
    pixel_cost, _ = geman_mcclure(pixel.square().sum(-1), outlier_sigmas)
    metric_cost, _ = geman_mcclure(metric.square().sum(-1), outlier_sigmas)
    return (pixel_cost + metric_cost).sum(-1)


def step_derivatives(jacobians: StepJacobians) -> tuple[Tensor, Tensor]:
    """Derivatives of a step's 61 coordinates by its own unknowns [K, 61, S] and the shared ones [K, 61, D + 10]."""
    steps, _, latent_dim = jacobians.finger_by_latent.shape
    by_step = jacobians.joints.new_zeros(steps, 61, STEP_DIM)
    eye = torch.eye(3, dtype=torch.float64)
    by_step[:, _WRIST, ROTATION] = eye
    by_step[:, _PLACE, POSITION] = eye
    by_step[:, _FINGERS, RESIDUAL] = jacobians.finger_by_residual
    by_shared = jacobians.joints.new_zeros(steps, 61, latent_dim + 10)
    by_shared[:, _FINGERS, :latent_dim] = jacobians.finger_by_latent
    by_shared[:, _BETAS, latent_dim:] = torch.eye(10, dtype=torch.float64)
    return by_step, by_shared


def _start_information(config: FitterConfig) -> Tensor:
    _, turn_rate = config.wrist_rotation.start_information()
    _, move_rate = config.wrist_translation.start_information()
    flex, flex_rate = config.finger_residual.start_information()
    blocks = [(0.0, 3), (turn_rate, 3), (0.0, 3), (move_rate, 3), (flex, RESIDUAL_DIM), (flex_rate, RESIDUAL_DIM)]
    return torch.cat([torch.full((size,), value, dtype=torch.float64) for value, size in blocks])


def _first_state(trajectory: Trajectory) -> Tensor:
    free = torch.zeros(3, dtype=torch.float64)
    return torch.cat(
        [
            free, trajectory.rotation_rate[0], free, trajectory.velocity[0],
            trajectory.residual[0], trajectory.residual_rate[0],
        ]
    )  # fmt: skip
