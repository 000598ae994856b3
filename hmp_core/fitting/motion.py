# SPDX-FileCopyrightText: 2026 The hmp_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Carrying a trajectory forward in time, starting one, and moving its latent to a new origin."""

from dataclasses import replace

import numpy as np
import torch
from torch import Tensor

from hmp_core.fitting.config import FitterConfig
from hmp_core.fitting.trajectory import (
    RESIDUAL_BASIS,
    RESIDUAL_DIM,
    Trajectory,
    residual_rotations,
)
from hmp_core.fitting.window import HandWindow
from hmp_core.fitting.window_model import WindowModel
from hmp_core.hand.so3 import exponential, logarithm
from hmp_core.observation import ManoPose


def predict(trajectory: Trajectory, time_s: float, config: FitterConfig) -> Trajectory:
    """The newest step carried to ``time_s`` by the motion processes; a trajectory of one step."""
    newest = trajectory.select([len(trajectory.times_s) - 1])
    h = time_s - newest.times_s
    turn, move, flex = (
        process.transition(h)[0][0].tolist()
        for process in (config.wrist_rotation, config.wrist_translation, config.finger_residual)
    )
    return replace(
        newest,
        times_s=np.array([time_s]),
        R_camera_wrist=newest.R_camera_wrist @ exponential(turn[0][1] * newest.rotation_rate),
        rotation_rate=turn[1][1] * newest.rotation_rate,
        p_camera_wrist=newest.p_camera_wrist + move[0][1] * newest.velocity,
        velocity=move[1][1] * newest.velocity,
        residual=flex[0][0] * newest.residual + flex[0][1] * newest.residual_rate,
        residual_rate=flex[1][0] * newest.residual + flex[1][1] * newest.residual_rate,
    )


def start(model: WindowModel, pose: ManoPose, time_s: float) -> Trajectory:
    """A trajectory of one step at the initializer's pose (right hand), with the latent of a still hand."""
    rotations = exponential(torch.as_tensor(pose.rotation_vectors, dtype=torch.float64))
    betas = torch.tensor(pose.betas, dtype=torch.float64)
    grid = len(model.prior.grid_times())
    z = encode(model, rotations[1:].expand(grid, -1, -1, -1), torch.ones(grid, 15, dtype=torch.bool))
    still = Trajectory(
        times_s=np.array([time_s]),
        origin_s=time_s,
        R_camera_wrist=rotations[:1],
        rotation_rate=torch.zeros(1, 3, dtype=torch.float64),
        p_camera_wrist=torch.as_tensor(pose.translation, dtype=torch.float64)[None]
        + model.kinematics.rest_wrist(betas).reshape(1, 3),
        velocity=torch.zeros(1, 3, dtype=torch.float64),
        residual=torch.zeros(1, RESIDUAL_DIM, dtype=torch.float64),
        residual_rate=torch.zeros(1, RESIDUAL_DIM, dtype=torch.float64),
        z=z,
        z_mean=z,
        betas=betas,
    )
    return replace(still, residual=residual_towards(model, still, rotations[None, 1:]))


def at_pose(model: WindowModel, predicted: Trajectory, pose: ManoPose) -> Trajectory:
    """The one-step trajectory ``predicted``, moved to the initializer's pose; latent and betas stay."""
    rotations = exponential(torch.as_tensor(pose.rotation_vectors, dtype=torch.float64))
    betas = torch.tensor(pose.betas, dtype=torch.float64)
    place = torch.as_tensor(pose.translation, dtype=torch.float64) + model.kinematics.rest_wrist(betas).reshape(3)
    return replace(
        predicted,
        R_camera_wrist=rotations[:1],
        p_camera_wrist=place[None],
        residual=residual_towards(model, predicted, rotations[None, 1:]),
    )


def reanchor(
    model: WindowModel, trajectory: Trajectory, origin_s: float, window: HandWindow, sigma_m: float
) -> Trajectory:
    """The same motion with its latent at a new origin.

    The encoder reads the present motion on its grid, where evidence supports it, and fills in the rest; what the
    new latent does not reproduce goes into the residual, so that the pose at every step stays (up to axes that the
    residual lacks) until the solver has looked at it.

    Args:
        model: the hand under its prior.
        trajectory: its motion.
        origin_s: the new origin.
        window: evidence of the trajectory's steps.
        sigma_m: what counts as observed.
    """
    grid = np.asarray(model.prior.grid_times(), dtype=np.float64) + origin_s
    times = trajectory.times_s
    residual = np.stack([np.interp(grid, times, column) for column in trajectory.residual.numpy().T], axis=1)
    decoded = model.prior_rotations(trajectory.z, grid, trajectory.origin_s)
    motion = decoded @ residual_rotations(torch.tensor(residual))[1]
    seen = window.observed_rotations(grid, trajectory.p_camera_wrist[:, 2].numpy(), sigma_m)
    present = model.decode(trajectory).R_finger
    z = encode(model, motion, torch.as_tensor(seen))
    moved = replace(trajectory, z=z, z_mean=z, origin_s=origin_s)
    return replace(moved, residual=residual_towards(model, moved, present))


def encode(model: WindowModel, R_finger: Tensor, visible: Tensor) -> Tensor:
    """Latent [D] of finger rotations [N, 15, 3, 3] on the prior's grid, of which ``visible`` [N, 15] are known."""
    dtype = next(model.prior.parameters()).dtype
    with torch.no_grad():
        return model.prior.encode(R_finger.to(dtype)[None], visible[None])[0].double()


def residual_towards(model: WindowModel, trajectory: Trajectory, R_finger: Tensor) -> Tensor:
    """Residuals [K, 25] that bring the decoded rotations to ``R_finger`` [K, 15, 3, 3] as far as its axes can."""
    decoded = model.prior_rotations(trajectory.z, trajectory.times_s, trajectory.origin_s)
    vectors: Tensor = logarithm(decoded.mT @ R_finger)
    return vectors.reshape(-1, 45) @ RESIDUAL_BASIS
