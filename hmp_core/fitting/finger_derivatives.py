# SPDX-FileCopyrightText: 2026 The hmp_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Finger rotations composed of latent and residual, and their derivatives, as compiled loops."""

import numpy as np
from numpy.typing import NDArray

from hmp_core.compiled import compiled
from hmp_core.hand.so3_loops import fill_exponential, fill_right_jacobian

Array = NDArray[np.float64]


@compiled
def finger_derivatives(
    R_latent: Array, latent_jacobian: Array, residual: Array, basis: Array
) -> tuple[Array, Array, Array]:
    """Compose ``R_latent Exp(basis residual)`` and derive; all tangents are right-multiplied.

    Args:
        R_latent: [K, 15, 3, 3] decoded from the latent.
        latent_jacobian: [K, 45, D] their tangents by the latent.
        residual: [K, E] [rad].
        basis: [45, E] its axes; each belongs to one joint.

    Returns:
        Rotations [K, 15, 3, 3], and their tangents' derivatives by residual [K, 45, E] and latent [K, 45, D].
    """
    steps, size = residual.shape
    latent_dim = latent_jacobian.shape[2]
    R_finger = np.empty((steps, 15, 3, 3))
    by_residual = np.zeros((steps, 45, size))
    by_latent = np.zeros((steps, 45, latent_dim))
    vector, turn, jacobian = np.empty(3), np.empty((3, 3)), np.empty((3, 3))
    for k in range(steps):
        for joint in range(15):
            first = 3 * joint
            vector[:] = 0.0
            for row in range(3):
                for e in range(size):
                    vector[row] += basis[first + row, e] * residual[k, e]
            fill_exponential(vector, turn)
            fill_right_jacobian(vector, jacobian)
            for row in range(3):
                for column in range(3):
                    total = 0.0
                    for i in range(3):
                        total += R_latent[k, joint, row, i] * turn[i, column]
                    R_finger[k, joint, row, column] = total
                    for e in range(size):
                        by_residual[k, first + row, e] += jacobian[row, column] * basis[first + column, e]
                    for d in range(latent_dim):
                        by_latent[k, first + row, d] += turn[column, row] * latent_jacobian[k, first + column, d]
    return R_finger, by_residual, by_latent
