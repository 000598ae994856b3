# SPDX-FileCopyrightText: 2026 The hmp_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What points of a hand add to the normal equations in its own coordinates, as compiled loops.

A point depends on few of the coordinates (the wrist, its own finger, the betas): columns of zeros are passed over,
and so are points without evidence. ``information`` [K, 61, 61] and ``gradient`` [K, 61] are added to in place.
"""

import numpy as np
from numpy.typing import NDArray

from hmp_core.compiled import compiled

Array = NDArray[np.float64]


@compiled
def add_placed_points(
    by_hand: Array, point_information: Array, point_pull: Array, information: Array, gradient: Array
) -> None:
    """Points whose place counts.

    Args:
        by_hand: [K, P, 3, n] derivative of the points by the first n coordinates; the last three move all of them.
        point_information: [K, P, 3, 3] of each point.
        point_pull: [K, P, 3] gradient by each point.
    """
    steps, points, _, size = by_hand.shape
    moved = np.empty((3, size))
    for k in range(steps):
        place = information.shape[1] - 3
        for p in range(points):
            own = point_information[k, p]
            if not own.any():
                continue
            for row in range(3):
                gradient[k, place + row] += point_pull[k, p, row]
                for column in range(3):
                    information[k, place + row, place + column] += own[row, column]
                for i in range(size):
                    moved[row, i] = (
                        own[row, 0] * by_hand[k, p, 0, i]
                        + own[row, 1] * by_hand[k, p, 1, i]
                        + own[row, 2] * by_hand[k, p, 2, i]
                    )
                    information[k, place + row, i] += moved[row, i]
                    information[k, i, place + row] += moved[row, i]
            _add_product(by_hand[k, p], moved, information[k])
            for i in range(size):
                for row in range(3):
                    gradient[k, i] += by_hand[k, p, row, i] * point_pull[k, p, row]


@compiled
def add_relative_points(
    by_hand: Array,
    error: Array,
    weights: Array,
    effect: Array,
    estimate: Array,
    nuisance_information: Array,
    information: Array,
    gradient: Array,
) -> None:
    """Points up to a few common numbers n, which each step's errors tell by ``n = estimate @ error``.

    The residuals are ``error - effect @ n``, of which each point has a weight, and n itself.

    Args:
        by_hand: [K, P, 3, n] derivative of the points by the first n coordinates.
        error: [K, P, 3].
        weights: [K, P] of the points.
        effect: [K, 3P, N] of the common numbers on the points.
        estimate: [K, N, 3P].
        nuisance_information: [N] of the common numbers.
    """
    steps, points, _, size = by_hand.shape
    common = estimate.shape[1]
    n, n_pull = np.empty(common), np.empty(common)
    n_by_hand, across = np.empty((common, size)), np.empty((common, size))
    of_common = np.empty((common, common))
    moved = np.empty((3, size))
    rest = np.empty(3)
    for k in range(steps):
        if not weights[k].any():
            continue
        n[:] = 0.0
        n_by_hand[:], across[:] = 0.0, 0.0
        for p in range(points):
            for row in range(3):
                for c in range(common):
                    share = estimate[k, c, 3 * p + row]
                    n[c] += share * error[k, p, row]
                    if share != 0.0:
                        for i in range(size):
                            n_by_hand[c, i] += share * by_hand[k, p, row, i]
        of_common[:] = 0.0
        for c in range(common):
            of_common[c, c] = nuisance_information[c]
            n_pull[c] = nuisance_information[c] * n[c]
        for p in range(points):
            weight = weights[k, p]
            if weight == 0.0:
                continue
            for row in range(3):
                line = effect[k, 3 * p + row]
                rest[row] = error[k, p, row]
                for c in range(common):
                    rest[row] -= line[c] * n[c]
                for c in range(common):
                    n_pull[c] -= weight * line[c] * rest[row]
                    for d in range(common):
                        of_common[c, d] += weight * line[c] * line[d]
                    for i in range(size):
                        across[c, i] += weight * line[c] * by_hand[k, p, row, i]
                for i in range(size):
                    moved[row, i] = weight * by_hand[k, p, row, i]
                    gradient[k, i] += moved[row, i] * rest[row]
            _add_product(by_hand[k, p], moved, information[k])
        # (J - E M)' W (J - E M) + M' P M, with M the derivative of the common numbers.
        for c in range(common):
            for i in range(size):
                gradient[k, i] += n_by_hand[c, i] * n_pull[c]
                beside = -across[c, i]
                for d in range(common):
                    beside += of_common[c, d] * n_by_hand[d, i]
                for j in range(size):
                    information[k, j, i] += n_by_hand[c, j] * beside
                    information[k, i, j] -= across[c, i] * n_by_hand[c, j]


@compiled
def _add_product(rows: Array, others: Array, total: Array) -> None:
    """``total += rows' others`` of [3, n], where a symmetric matrix is the result."""
    size = rows.shape[1]
    for i in range(size):
        x, y, z = rows[0, i], rows[1, i], rows[2, i]
        if x == 0.0 and y == 0.0 and z == 0.0:
            continue
        for j in range(size):
            total[i, j] += x * others[0, j] + y * others[1, j] + z * others[2, j]
