# SPDX-FileCopyrightText: 2026 The hmp_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The maps of :mod:`~hmp_core.hand.so3` of one rotation vector at a time, for compiled loops."""

import math

import numpy as np
from numpy.typing import NDArray

from hmp_core.compiled import compiled

Array = NDArray[np.float64]

_SERIES_BELOW_RAD = 0.05
_SMALL_SINE = 1e-8


@compiled
def fill_exponential(vector: Array, rotation: Array) -> None:
    """Write the rotation of ``vector`` [3] [rad] into ``rotation`` [3, 3]."""
    square = vector[0] ** 2 + vector[1] ** 2 + vector[2] ** 2
    angle = math.sqrt(square)
    if angle < _SERIES_BELOW_RAD:
        first = 1 - square / 6 + square**2 / 120 - square**3 / 5040
        second = 0.5 - square / 24 + square**2 / 720
    else:
        first = math.sin(angle) / angle
        second = (1 - math.cos(angle)) / square
    _combine(vector, square, first, second, rotation)


@compiled
def fill_right_jacobian(vector: Array, jacobian: Array) -> None:
    """Write the right Jacobian of ``vector`` [3] [rad] into ``jacobian`` [3, 3]."""
    square = vector[0] ** 2 + vector[1] ** 2 + vector[2] ** 2
    angle = math.sqrt(square)
    if angle < _SERIES_BELOW_RAD:
        first = 0.5 - square / 24 + square**2 / 720
        second = 1 / 6 - square / 120 + square**2 / 5040
    else:
        first = (1 - math.cos(angle)) / square
        second = (angle - math.sin(angle)) / (square * angle)
    _combine(vector, square, -first, second, jacobian)


@compiled
def _combine(vector: Array, square: float, first: float, second: float, matrix: Array) -> None:
    """``I + first hat(v) + second hat(v)^2``."""
    for row in range(3):
        for column in range(3):
            matrix[row, column] = second * vector[row] * vector[column]
        matrix[row, row] += 1 - second * square
        ahead, behind = (row + 1) % 3, (row + 2) % 3
        matrix[row, ahead] -= first * vector[behind]
        matrix[row, behind] += first * vector[ahead]


@compiled
def fill_right_jacobian_inverse(vector: Array, jacobian: Array) -> None:
    """Write the inverse of the right Jacobian of ``vector`` [3], within pi, into ``jacobian`` [3, 3]."""
    square = vector[0] ** 2 + vector[1] ** 2 + vector[2] ** 2
    second = 1 / 12 + square / 720
    if square > _SERIES_BELOW_RAD**4:
        half = 0.5 * math.sqrt(square)
        second = (1 - half * math.cos(half) / math.sin(half)) / square
    _combine(vector, square, 0.5, second, jacobian)


@compiled
def fill_logarithm(rotation: Array, vector: Array) -> None:
    """Write the rotation vector of ``rotation`` [3, 3], no longer than pi, into ``vector`` [3].

    Through the quaternion, its largest component first (Shepperd, *Quaternion from Rotation Matrix*, 1978), so that
    half a turn is no special case.
    """
    trace = rotation[0, 0] + rotation[1, 1] + rotation[2, 2]
    largest = 0
    for axis in range(1, 3):
        if rotation[axis, axis] > rotation[largest, largest]:
            largest = axis
    a, b, c = largest, (largest + 1) % 3, (largest + 2) % 3
    # Four times the products of the largest component with all.
    if trace > rotation[a, a]:
        real = 1 + trace
        vector[a] = rotation[c, b] - rotation[b, c]
        vector[b] = rotation[a, c] - rotation[c, a]
        vector[c] = rotation[b, a] - rotation[a, b]
    else:
        real = rotation[c, b] - rotation[b, c]
        vector[a] = 1 + rotation[a, a] - rotation[b, b] - rotation[c, c]
        vector[b] = rotation[a, b] + rotation[b, a]
        vector[c] = rotation[a, c] + rotation[c, a]
        if real < 0:
            real = -real
            vector[:] = -vector
    sine = math.sqrt(vector[0] ** 2 + vector[1] ** 2 + vector[2] ** 2)
    if sine < _SMALL_SINE * real:
        vector *= 2 / real
    else:
        vector *= 2 * math.atan2(sine, real) / sine


@compiled
def exponentials(vectors: Array) -> Array:
    """Rotations [N, 3, 3] of rotation vectors [N, 3] [rad]."""
    rotations = np.empty((len(vectors), 3, 3), dtype=vectors.dtype)
    for n in range(len(vectors)):
        fill_exponential(vectors[n], rotations[n])
    return rotations


@compiled
def logarithms(rotations: Array) -> Array:
    """Rotation vectors [N, 3] [rad] of rotations [N, 3, 3]."""
    vectors = np.empty((len(rotations), 3), dtype=rotations.dtype)
    for n in range(len(rotations)):
        fill_logarithm(rotations[n], vectors[n])
    return vectors


@compiled
def right_jacobians(vectors: Array) -> Array:
    """Right Jacobians [N, 3, 3] of rotation vectors [N, 3] [rad]."""
    jacobians = np.empty((len(vectors), 3, 3), dtype=vectors.dtype)
    for n in range(len(vectors)):
        fill_right_jacobian(vectors[n], jacobians[n])
    return jacobians


@compiled
def right_jacobian_inverses(vectors: Array) -> Array:
    """Their inverses [N, 3, 3], for rotation vectors [N, 3] within pi [rad]."""
    jacobians = np.empty((len(vectors), 3, 3), dtype=vectors.dtype)
    for n in range(len(vectors)):
        fill_right_jacobian_inverse(vectors[n], jacobians[n])
    return jacobians
