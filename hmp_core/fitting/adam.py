# SPDX-FileCopyrightText: 2026 The hmp_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The paper's optimiser on the same objective: a fixed number of Adam steps (Kingma & Ba, 2015)."""

from typing import Final

import numpy as np
import torch

from hmp_core.fitting.objective import FreeUnknowns, Objective
from hmp_core.fitting.stages import AdamSettings
from hmp_core.fitting.trajectory import STEP_DIM, Trajectory

_FIRST_MEMORY: Final = 0.9
_SECOND_MEMORY: Final = 0.999
_LEAST: Final = 1e-8


def minimise_by_adam(
    objective: Objective, trajectory: Trajectory, free: FreeUnknowns, iterations: int, settings: AdamSettings
) -> Trajectory:
    """Take ``iterations`` steps, whatever the cost does, and return where they end.

    The moments live in the tangent space of the present trajectory, in which rotations are right-multiplied. A cost
    that is not finite ends the iterations at the last trajectory that had one.
    """
    steps = len(trajectory.times_s)
    mask = torch.from_numpy(np.concatenate([np.tile(free.steps, steps), free.shared])).double()
    first, second = torch.zeros_like(mask), torch.zeros_like(mask)
    for iteration in range(iterations):
        tangent = torch.zeros_like(mask, requires_grad=True)
        step, shared = tangent[: steps * STEP_DIM].reshape(steps, -1), tangent[steps * STEP_DIM :]
        cost, _ = objective.cost(trajectory.retract(step, shared))
        if not torch.isfinite(cost):
            break
        (gradient,) = torch.autograd.grad(cost, tangent)
        gradient = gradient * mask
        gradient *= min(1.0, settings.largest_gradient / max(float(gradient.norm()), _LEAST))
        first = _FIRST_MEMORY * first + (1 - _FIRST_MEMORY) * gradient
        second = _SECOND_MEMORY * second + (1 - _SECOND_MEMORY) * gradient.square()
        unbiased = first / (1 - _FIRST_MEMORY ** (iteration + 1))
        spread = (second / (1 - _SECOND_MEMORY ** (iteration + 1))).sqrt()
        rate = settings.learning_rate * settings.decay ** (iteration // settings.decay_every)
        move = -rate * unbiased / (spread + _LEAST)
        trajectory = trajectory.retract(move[: steps * STEP_DIM].reshape(steps, -1), move[steps * STEP_DIM :])
    return trajectory
