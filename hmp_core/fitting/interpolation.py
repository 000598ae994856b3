# SPDX-FileCopyrightText: 2026 The hmp_ros authors
# SPDX-License-Identifier: Apache-2.0
"""A trajectory between its steps: the posterior mean of the motion processes, given the two steps around a time.

For a Gauss-Markov process this depends on nothing else (Barfoot, *State Estimation for Robotics*, 2017,
section 3.4): ``x(t) = Lambda x_k + Psi x_(k+1)``.
"""

from dataclasses import replace
from typing import Final

import numpy as np
import torch
from torch import Tensor

from hmp_core.fitting.config import FitterConfig
from hmp_core.fitting.process import IntegratedOrnsteinUhlenbeck, Matern32
from hmp_core.fitting.trajectory import Trajectory
from hmp_core.hand.so3 import exponential, logarithm, right_jacobian, right_jacobian_inverse

_LONG_GAP_S: Final = 0.2


def interpolate(trajectory: Trajectory, time_s: float, config: FitterConfig) -> Trajectory:
    """A trajectory of one step at ``time_s``; times outside the trajectory take its nearest end.

    Rotations are interpolated in the tangent space of the earlier step. Across a long gap the wrist goes straight
    from end to end: its rates there, estimated from half the evidence, overshoot (on the real clip with 1 s gaps,
    they add 5 to 8 mm to the joints' error).
    """
    times = trajectory.times_s
    after = int(np.searchsorted(times, time_s))
    if after == 0 or after == len(times) or times[after] == time_s:
        return trajectory.select([min(after, len(times) - 1)])
    first, second = trajectory.select([after - 1]), trajectory.select([after])
    h, part = float(times[after] - times[after - 1]), float(time_s - times[after - 1])

    flex = _between(
        torch.cat([first.residual, first.residual_rate]),
        torch.cat([second.residual, second.residual_rate]),
        part, h, config.finger_residual,
    )  # fmt: skip
    turned = logarithm(first.R_camera_wrist.mT @ second.R_camera_wrist)
    if h > _LONG_GAP_S:
        moved = second.p_camera_wrist - first.p_camera_wrist
        move = torch.cat([first.p_camera_wrist + moved * part / h, moved / h])
        turn = torch.cat([turned * part / h, turned / h])
    else:
        move = _between(
            torch.cat([first.p_camera_wrist, first.velocity]),
            torch.cat([second.p_camera_wrist, second.velocity]),
            part, h, config.wrist_translation,
        )  # fmt: skip
        # Body rates become rates of the tangent vector through the inverse right Jacobian, and back below.
        turn = _between(
            torch.cat([torch.zeros_like(turned), first.rotation_rate]),
            torch.cat([turned, (right_jacobian_inverse(turned) @ second.rotation_rate[..., None])[..., 0]]),
            part, h, config.wrist_rotation,
        )  # fmt: skip
    return replace(
        first,
        times_s=np.array([time_s]),
        R_camera_wrist=first.R_camera_wrist @ exponential(turn[:1]),
        rotation_rate=(right_jacobian(turn[:1]) @ turn[1:, :, None])[..., 0],
        p_camera_wrist=move[:1],
        velocity=move[1:],
        residual=flex[:1],
        residual_rate=flex[1:],
    )


def _between(
    first: Tensor, second: Tensor, part: float, h: float, process: IntegratedOrnsteinUhlenbeck | Matern32
) -> Tensor:
    """States [2, n] (position row, rate row) ``part`` seconds behind ``first``, of ``h`` to ``second``."""
    phi, q = process.transition(np.array([part, h - part, h]))
    psi = q[0] @ phi[1].T @ np.linalg.inv(q[2])
    state: Tensor = torch.from_numpy(phi[0] - psi @ phi[2]) @ first + torch.from_numpy(psi) @ second
    return state
