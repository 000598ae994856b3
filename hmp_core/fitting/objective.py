# SPDX-FileCopyrightText: 2026 The hmp_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The window's objective: evidence at each step, motion between steps, the latent and shape priors."""

from typing import Final

import torch
from torch import Tensor

from hmp_core.fitting.arrow import ArrowSystem
from hmp_core.fitting.config import FitterConfig
from hmp_core.fitting.evidence import WindowEvidence
from hmp_core.fitting.shape_prior import ShapePrior
from hmp_core.fitting.step_quadratic import BETAS, FINGERS, PLACE, WRIST, StepQuadratic, condense, step_costs
from hmp_core.fitting.terms.chain import chain_factors, linear_chain, rotation_chain
from hmp_core.fitting.terms.limits import joint_limits
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
from hmp_core.hand.skeleton import NUM_BETAS, NUM_FINGER_ROTATIONS

_BODY: Final = ((ROTATION, WRIST), (POSITION, PLACE))
"""Unknowns of a step that are the hand's own coordinates."""


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
        self._latent_information = config.latent_stddev**-2

    def cost(self, trajectory: Trajectory) -> tuple[float, DecodedSteps]:
        """Half the sum of squared whitened residuals, robust ones saturated; and the joints."""
        decoded = self._model.decode(trajectory)
        evidence_cost = step_costs(decoded, self._evidence, self._config.outlier_sigmas).sum()
        wall, _ = self._limits(decoded.R_finger)
        turn, _, _ = rotation_chain(trajectory.R_camera_wrist, trajectory.rotation_rate, self._turn)
        move = linear_chain(trajectory.p_camera_wrist, trajectory.velocity, self._move)
        flex = linear_chain(trajectory.residual, trajectory.residual_rate, self._flex)
        start = self._start_information.sqrt() * _first_state(trajectory)
        squares = sum(part.square().sum() for part in (wall, turn, move, flex, start))
        return float(evidence_cost + squares / 2 + self._shared_cost(trajectory)), decoded

    def linearise(
        self, trajectory: Trajectory, latent_jacobian: Tensor
    ) -> tuple[ArrowSystem, DecodedSteps, StepJacobians]:
        """Normal equations at ``trajectory``, given the latent's derivative [K, 45, D]."""
        decoded, jacobians = self._model.linearise(trajectory, latent_jacobian)
        hand = condense(decoded, jacobians, self._evidence, self._config.outlier_sigmas)
        cost = hand.cost + self._add_limits(decoded.R_finger, hand)
        diagonal, border, step_gradient = self._of_steps(hand, jacobians)
        corner, shared_gradient = self._of_shared(hand, jacobians, trajectory)
        lower = torch.zeros(len(diagonal) - 1, STEP_DIM, STEP_DIM, dtype=torch.float64)
        cost += self._add_chain(trajectory, diagonal, lower, step_gradient)
        cost += float(self._shared_cost(trajectory))
        system = ArrowSystem(
            diagonal.numpy(), lower.numpy(), border.numpy(), corner.numpy(),
            step_gradient.numpy(), shared_gradient.numpy(), cost,
        )  # fmt: skip
        return system, decoded, jacobians

    def _of_steps(self, hand: StepQuadratic, jacobians: StepJacobians) -> tuple[Tensor, Tensor, Tensor]:
        """Blocks of the steps' own unknowns, their border towards the shared ones, and their gradient."""
        by_residual, by_latent = jacobians.finger_by_residual, jacobians.finger_by_latent
        steps, _, latent_dim = by_latent.shape
        information, gradient = hand.information, hand.gradient
        towards_residual = information[:, :, FINGERS] @ by_residual
        towards_latent = information[:, :, FINGERS] @ by_latent
        diagonal = torch.zeros(steps, STEP_DIM, STEP_DIM, dtype=torch.float64)
        border = torch.zeros(steps, STEP_DIM, latent_dim + NUM_BETAS, dtype=torch.float64)
        step_gradient = torch.zeros(steps, STEP_DIM, dtype=torch.float64)
        for own, part in _BODY:
            for other, other_part in _BODY:
                diagonal[:, own, other] = information[:, part, other_part]
            diagonal[:, own, RESIDUAL] = towards_residual[:, part]
            diagonal[:, RESIDUAL, own] = towards_residual[:, part].mT
            border[:, own, :latent_dim] = towards_latent[:, part]
            border[:, own, latent_dim:] = information[:, part, BETAS]
            step_gradient[:, own] = gradient[:, part]
        diagonal[:, RESIDUAL, RESIDUAL] = by_residual.mT @ towards_residual[:, FINGERS]
        border[:, RESIDUAL, :latent_dim] = by_residual.mT @ towards_latent[:, FINGERS]
        border[:, RESIDUAL, latent_dim:] = towards_residual[:, BETAS].mT
        step_gradient[:, RESIDUAL] = (by_residual.mT @ gradient[:, FINGERS, None])[..., 0]
        return diagonal, border, step_gradient

    def _of_shared(
        self, hand: StepQuadratic, jacobians: StepJacobians, trajectory: Trajectory
    ) -> tuple[Tensor, Tensor]:
        """Block and gradient of latent and β, with their priors."""
        by_latent = jacobians.finger_by_latent
        latent_dim = by_latent.shape[2]
        flat = by_latent.flatten(0, 1)
        latent, shape = slice(0, latent_dim), slice(latent_dim, latent_dim + NUM_BETAS)
        corner = torch.zeros(latent_dim + NUM_BETAS, latent_dim + NUM_BETAS, dtype=torch.float64)
        corner[latent, latent].diagonal().fill_(self._latent_information)
        corner[latent, latent] += flat.T @ (hand.information[:, FINGERS, FINGERS] @ by_latent).flatten(0, 1)
        corner[shape, latent] = (hand.information[:, BETAS, FINGERS] @ by_latent).sum(0)
        corner[latent, shape] = corner[shape, latent].T
        corner[shape, shape] = hand.information[:, BETAS, BETAS].sum(0) + self._shape.information
        latent_pull = flat.T @ hand.gradient[:, FINGERS].flatten()
        latent_pull += self._latent_information * (trajectory.z - trajectory.z_mean)
        shape_pull = self._shape.information @ (trajectory.betas - self._shape.mean)
        return corner, torch.cat([latent_pull, hand.gradient[:, BETAS].sum(0) + shape_pull])

    def _limits(self, R_finger: Tensor) -> tuple[Tensor, Tensor]:
        return joint_limits(R_finger, self._model.joint_axes, self._model.limits, self._config.limit_stddev_rad)

    def _add_limits(self, R_finger: Tensor, hand: StepQuadratic) -> float:
        """Add the joint limits to the steps' quadratics in place; returns their cost."""
        wall, by_finger = self._limits(R_finger)
        block = by_finger.mT @ by_finger
        fingers = hand.information[:, FINGERS, FINGERS]
        for joint in range(NUM_FINGER_ROTATIONS):
            own = slice(3 * joint, 3 * joint + 3)
            fingers[:, own, own] += block[:, joint]
        hand.gradient[:, FINGERS] += (by_finger.mT @ wall[..., None]).flatten(1)
        return float(wall.square().sum()) / 2

    def _shared_cost(self, trajectory: Trajectory) -> Tensor:
        off = trajectory.betas - self._shape.mean
        latent = (trajectory.z - trajectory.z_mean).square().sum()
        return (self._latent_information * latent + off @ self._shape.information @ off) / 2

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
