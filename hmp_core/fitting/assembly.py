# SPDX-FileCopyrightText: 2026 The hmp_ros authors
# SPDX-License-Identifier: Apache-2.0
"""From the hand's own coordinates to the unknowns of a window, as a compiled loop over its steps."""

import numpy as np
from numpy.typing import NDArray

from hmp_core.compiled import compiled
from hmp_core.fitting.hand_coordinates import BETAS, FINGERS, PLACE, WRIST
from hmp_core.fitting.trajectory import POSITION, RESIDUAL, ROTATION

Array = NDArray[np.float64]

_BODY = np.array([*range(WRIST.start, WRIST.stop), *range(PLACE.start, PLACE.stop)])
"""The hand's own coordinates that are unknowns of a step as well."""
_OWN = np.array([*range(ROTATION.start, ROTATION.stop), *range(POSITION.start, POSITION.stop)])
"""Where these stand among the step's unknowns."""
_FINGERS, _BETAS, _RESIDUAL = FINGERS.start, BETAS.start, RESIDUAL.start


@compiled
def carry_to_unknowns(
    information: Array,
    gradient: Array,
    by_residual: Array,
    by_latent: Array,
    diagonal: Array,
    border: Array,
    corner: Array,
    step_gradient: Array,
    shared_gradient: Array,
) -> None:
    """Add what is known about the hand at each step to the blocks of the unknowns, in place.

    Args:
        information: [K, 61, 61] in the hand's own coordinates.
        gradient: [K, 61].
        by_residual: [K, 45, E] finger tangents by the residual, each of which turns one joint only.
        by_latent: [K, 45, D] finger tangents by the latent.
        diagonal: [K, N, N] of the steps' unknowns.
        border: [K, N, D + 10] towards the shared ones, latent and betas.
        corner: [D + 10, D + 10] of these.
        step_gradient: [K, N].
        shared_gradient: [D + 10].
    """
    steps, size, latent_dim = len(information), by_residual.shape[2], by_latent.shape[2]
    hand = information.shape[1]
    num_betas = len(shared_gradient) - latent_dim
    joint_of = np.zeros(size, dtype=np.int64)
    towards_residual, towards_latent = np.empty((hand, size)), np.empty((hand, latent_dim))
    for k in range(steps):
        known, turn, flow = information[k], by_residual[k], by_latent[k]
        for e in range(size):
            for row in range(len(turn)):
                if turn[row, e] != 0.0:
                    joint_of[e] = row - row % 3
                    break
        for h in range(hand):
            towards_latent[h] = 0.0
            for row in range(len(flow)):
                share = known[h, _FINGERS + row]
                if share != 0.0:
                    for d in range(latent_dim):
                        towards_latent[h, d] += share * flow[row, d]
            for e in range(size):
                first = joint_of[e]
                towards_residual[h, e] = 0.0
                for row in range(first, first + 3):
                    towards_residual[h, e] += known[h, _FINGERS + row] * turn[row, e]

        for i in range(len(_OWN)):
            step_gradient[k, _OWN[i]] += gradient[k, _BODY[i]]
            for j in range(len(_OWN)):
                diagonal[k, _OWN[i], _OWN[j]] += known[_BODY[i], _BODY[j]]
            for e in range(size):
                diagonal[k, _OWN[i], _RESIDUAL + e] += towards_residual[_BODY[i], e]
                diagonal[k, _RESIDUAL + e, _OWN[i]] += towards_residual[_BODY[i], e]
            for d in range(latent_dim):
                border[k, _OWN[i], d] += towards_latent[_BODY[i], d]
            for b in range(num_betas):
                border[k, _OWN[i], latent_dim + b] += known[_BODY[i], _BETAS + b]
        for e in range(size):
            for row in range(joint_of[e], joint_of[e] + 3):
                share = turn[row, e]
                step_gradient[k, _RESIDUAL + e] += share * gradient[k, _FINGERS + row]
                for other in range(size):
                    diagonal[k, _RESIDUAL + e, _RESIDUAL + other] += share * towards_residual[_FINGERS + row, other]
                for d in range(latent_dim):
                    border[k, _RESIDUAL + e, d] += share * towards_latent[_FINGERS + row, d]
            for b in range(num_betas):
                border[k, _RESIDUAL + e, latent_dim + b] += towards_residual[_BETAS + b, e]
        for row in range(len(flow)):
            for d in range(latent_dim):
                share = flow[row, d]
                shared_gradient[d] += share * gradient[k, _FINGERS + row]
                for other in range(latent_dim):
                    corner[d, other] += share * towards_latent[_FINGERS + row, other]
        for b in range(num_betas):
            shared_gradient[latent_dim + b] += gradient[k, _BETAS + b]
            for d in range(latent_dim):
                corner[latent_dim + b, d] += towards_latent[_BETAS + b, d]
                corner[d, latent_dim + b] += towards_latent[_BETAS + b, d]
            for other in range(num_betas):
                corner[latent_dim + b, latent_dim + other] += known[_BETAS + b, _BETAS + other]
