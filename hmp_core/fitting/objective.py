# SPDX-FileCopyrightText: 2026 The hmp_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The window's objective: evidence at each step, motion between steps, the latent and shape priors.

Evidence is first condensed, step by step, into a quadratic in the hand's own coordinates (wrist rotation, wrist
position, finger rotations, betas), 61 numbers; only then is it carried to the unknowns through the prior's
derivative. This keeps the cost of many keypoints and of a long latent apart.
"""

from dataclasses import dataclass

import torch
from torch import Tensor

from hmp_core.fitting.arrow import ArrowSystem
from hmp_core.fitting.config import FitterConfig
from hmp_core.fitting.evidence import WindowEvidence
from hmp_core.fitting.terms.chain import linear_chain, rotation_chain
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

_WRIST, _PLACE, _FINGERS, _BETAS = slice(0, 3), slice(3, 6), slice(6, 51), slice(51, 61)


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
    """Cost and normal equations of one window."""

    def __init__(self, model: WindowModel, config: FitterConfig) -> None:
        self.model = model
        self.config = config

    def cost(self, trajectory: Trajectory, evidence: WindowEvidence, shape: ShapePrior) -> float:
        """The objective's value: half the sum of squared whitened residuals, robust ones saturated."""
        decoded = self.model.decode(trajectory)
        return float(
            self.evidence_cost(decoded, evidence).sum()
            + self._limits(decoded.R_finger)[0].square().sum() / 2
            + sum(residual.square().sum() for residual in self._chain(trajectory)) / 2
            + self._shared_cost(trajectory, shape)
        )

    def evidence_cost(self, decoded: DecodedSteps, evidence: WindowEvidence) -> Tensor:
        """Robust cost [K] of the keypoints and landmarks of each step."""
        scale = self.config.outlier_sigmas
        pixel, _ = reprojection(decoded.joints_camera, evidence.rays, evidence.ray_information)
        metric = landmarks(decoded.joints_wrist_relative, evidence.landmarks_m, evidence.landmark_information)
        pixel_cost, _ = geman_mcclure(pixel.square().sum(-1), scale)
        metric_cost, _ = geman_mcclure(metric.square().sum(-1), scale)
        return (pixel_cost + metric_cost).sum(-1)

    def linearise(
        self, trajectory: Trajectory, evidence: WindowEvidence, shape: ShapePrior, latent_jacobian: Tensor
    ) -> tuple[ArrowSystem, DecodedSteps, StepJacobians]:
        """Normal equations at ``trajectory``."""
        decoded, jacobians = self.model.linearise(trajectory, latent_jacobian)
        information, gradient, cost = self._condense(decoded, jacobians, evidence)

        steps, latent_dim = len(trajectory.times_s), len(trajectory.z)
        by_step, by_shared = step_derivatives(jacobians)
        diagonal = by_step.mT @ information @ by_step
        weighted = information @ by_shared
        border = by_step.mT @ weighted
        corner = torch.einsum("kqi,kqj->ij", by_shared, weighted)
        step_gradient = (by_step.mT @ gradient[..., None])[..., 0]
        shared_gradient = torch.einsum("kqi,kq->i", by_shared, gradient)

        lower = torch.zeros(steps - 1, STEP_DIM, STEP_DIM, dtype=torch.float64)
        cost += self._add_chain(trajectory, diagonal, lower, step_gradient)
        corner[:latent_dim, :latent_dim] += torch.eye(latent_dim, dtype=torch.float64)
        corner[latent_dim:, latent_dim:] += shape.information
        shared_gradient[:latent_dim] += trajectory.z
        shared_gradient[latent_dim:] += shape.information @ (trajectory.betas - shape.mean)
        cost += float(self._shared_cost(trajectory, shape))
        system = ArrowSystem(
            diagonal.numpy(), lower.numpy(), border.numpy(), corner.numpy(),
            step_gradient.numpy(), shared_gradient.numpy(), cost,
        )  # fmt: skip
        return system, decoded, jacobians

    def _condense(
        self, decoded: DecodedSteps, jacobians: StepJacobians, evidence: WindowEvidence
    ) -> tuple[Tensor, Tensor, float]:
        """Information [K, 61, 61] and gradient [K, 61] in the hand's own coordinates, and the cost."""
        steps = len(decoded.R_finger)
        relative = jacobians.joints
        scale = self.config.outlier_sigmas

        pixel, by_joint = reprojection(decoded.joints_camera, evidence.rays, evidence.ray_information)
        pixel_cost, pixel_weight = geman_mcclure(pixel.square().sum(-1), scale)
        root = pixel_weight.sqrt()[..., None]
        pixel_rows = relative.new_zeros(steps, 21, 2, 61)
        pixel_rows[..., _PLACE] = by_joint
        moved = by_joint @ relative
        pixel_rows[..., _WRIST], pixel_rows[..., 6:] = moved[..., :3], moved[..., 3:]

        metric = landmarks(decoded.joints_wrist_relative, evidence.landmarks_m, evidence.landmark_information)
        metric_cost, metric_weight = geman_mcclure(metric.square().sum(-1), scale)
        metric_root = metric_weight.sqrt()[..., None]
        metric_rows = relative.new_zeros(steps, 21, 3, 61)
        moved = evidence.landmark_information[..., None, None] * relative
        metric_rows[..., _WRIST], metric_rows[..., 6:] = moved[..., :3], moved[..., 3:]

        rows = torch.cat(
            [
                (root[..., None] * pixel_rows).reshape(steps, 42, 61),
                (metric_root[..., None] * metric_rows).reshape(steps, 63, 61),
            ],
            dim=1,
        )
        residuals = torch.cat([(root * pixel).reshape(steps, 42), (metric_root * metric).reshape(steps, 63)], dim=1)
        information = rows.mT @ rows
        gradient = (rows.mT @ residuals[..., None])[..., 0]

        wall, by_finger = self._limits(decoded.R_finger)
        block = (by_finger.mT @ by_finger).reshape(steps, 15, 3, 3)
        fingers = information[:, _FINGERS, _FINGERS]
        for joint in range(15):
            own = slice(3 * joint, 3 * joint + 3)
            fingers[:, own, own] += block[:, joint]
        gradient[:, _FINGERS] += (by_finger.mT @ wall[..., None]).reshape(steps, 45)
        cost = pixel_cost.sum() + metric_cost.sum() + wall.square().sum() / 2
        return information, gradient, float(cost)

    def _limits(self, R_finger: Tensor) -> tuple[Tensor, Tensor]:
        return joint_limits(R_finger, *self.model.limits, self.config.limit_stddev_rad)

    def _shared_cost(self, trajectory: Trajectory, shape: ShapePrior) -> Tensor:
        off = trajectory.betas - shape.mean
        return (trajectory.z.square().sum() + off @ shape.information @ off) / 2

    def _chain(self, trajectory: Trajectory) -> list[Tensor]:
        """Residuals of the transitions and of the first step's own priors."""
        config, h = self.config, torch.as_tensor(trajectory.times_s).diff()
        turn, _, _ = rotation_chain(trajectory.R_camera_wrist, trajectory.rotation_rate, h, config.wrist_rotation)
        move, _, _ = linear_chain(trajectory.p_camera_wrist, trajectory.velocity, h, config.wrist_translation)
        flex, _, _ = linear_chain(trajectory.residual, trajectory.residual_rate, h, config.finger_residual)
        information = torch.as_tensor(self._start_information())
        return [turn, move, flex, information.sqrt() * _first_state(trajectory)]

    def _start_information(self) -> list[float]:
        _, turn_rate = self.config.wrist_rotation.start_information()
        _, move_rate = self.config.wrist_translation.start_information()
        flex, flex_rate = self.config.finger_residual.start_information()
        return (
            [0.0] * 3 + [turn_rate] * 3 + [0.0] * 3 + [move_rate] * 3
            + [flex] * RESIDUAL_DIM + [flex_rate] * RESIDUAL_DIM
        )  # fmt: skip

    def _add_chain(self, trajectory: Trajectory, diagonal: Tensor, lower: Tensor, gradient: Tensor) -> float:
        """Add transitions and first-step priors in place; returns their cost."""
        config, h = self.config, torch.as_tensor(trajectory.times_s).diff()
        information = torch.as_tensor(self._start_information(), dtype=torch.float64)
        first = _first_state(trajectory)
        diagonal[0].diagonal().add_(information)
        gradient[0] += information * first
        cost = (information * first.square()).sum()

        turn, earlier, later = rotation_chain(
            trajectory.R_camera_wrist, trajectory.rotation_rate, h, config.wrist_rotation
        )
        pose = slice(ROTATION.start, ROTATION_RATE.stop)
        diagonal[:-1, pose, pose] += earlier.mT @ earlier
        diagonal[1:, pose, pose] += later.mT @ later
        lower[:, pose, pose] += later.mT @ earlier
        gradient[:-1, pose] += (earlier.mT @ turn[..., None])[..., 0]
        gradient[1:, pose] += (later.mT @ turn[..., None])[..., 0]
        cost += turn.square().sum()

        for position, rate, states, process in (
            (POSITION, VELOCITY, (trajectory.p_camera_wrist, trajectory.velocity), config.wrist_translation),
            (RESIDUAL, RESIDUAL_RATE, (trajectory.residual, trajectory.residual_rate), config.finger_residual),
        ):
            error, earlier, later = linear_chain(*states, h, process)
            parts = (position, rate)
            before, after, across = earlier.mT @ earlier, later.mT @ later, later.mT @ earlier
            pull_before, pull_after = earlier.mT @ error, later.mT @ error
            for i, row in enumerate(parts):
                gradient[:-1, row] += pull_before[:, i]
                gradient[1:, row] += pull_after[:, i]
                for j, column in enumerate(parts):
                    diagonal[:-1, row, column].diagonal(dim1=1, dim2=2).add_(before[:, i, j, None])
                    diagonal[1:, row, column].diagonal(dim1=1, dim2=2).add_(after[:, i, j, None])
                    lower[:, row, column].diagonal(dim1=1, dim2=2).add_(across[:, i, j, None])
            cost += error.square().sum()
        return float(cost) / 2


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


def _first_state(trajectory: Trajectory) -> Tensor:
    free = torch.zeros(3, dtype=torch.float64)
    return torch.cat(
        [
            free, trajectory.rotation_rate[0], free, trajectory.velocity[0],
            trajectory.residual[0], trajectory.residual_rate[0],
        ]
    )  # fmt: skip
