# SPDX-FileCopyrightText: 2026 The hmp_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What a process between consecutive steps adds to their normal equations, as compiled loops.

``earlier`` and ``later`` [K-1, 2, 2] are the whitened factors of a
:class:`~hmp_core.fitting.terms.chain.ChainFactors`. The blocks ``diagonal`` [K, N, N] and ``lower`` [K-1, N, N] and
the ``gradient`` [K, N] are added to in place, at the state's own unknowns: position, then rate, from ``first`` on.
"""

import numpy as np
from numpy.typing import NDArray

from hmp_core.compiled import compiled
from hmp_core.hand.so3_loops import fill_logarithm, fill_right_jacobian_inverse

Array = NDArray[np.float64]


@compiled
def add_linear_chain(
    position: Array,
    rate: Array,
    earlier: Array,
    later: Array,
    start: tuple[float, float],
    first: int,
    diagonal: Array,
    lower: Array,
    gradient: Array,
) -> float:
    """A vector state [K, n] (position, rate) whose first step has the information ``start``; its cost."""
    steps, size = position.shape
    cost = 0.0
    for i in range(size):
        row, rate_row = first + i, first + size + i
        rows = (row, rate_row)
        here = (position[0, i], rate[0, i])
        for part in range(2):
            diagonal[0, rows[part], rows[part]] += start[part]
            gradient[0, rows[part]] += start[part] * here[part]
            cost += 0.5 * start[part] * here[part] ** 2
        for k in range(steps - 1):
            for line in range(2):
                before, after = earlier[k, line], later[k, line]
                error = before[0] * position[k, i] + before[1] * rate[k, i]
                error += after[0] * position[k + 1, i] + after[1] * rate[k + 1, i]
                cost += 0.5 * error**2
                for p in range(2):
                    gradient[k, rows[p]] += before[p] * error
                    gradient[k + 1, rows[p]] += after[p] * error
                    for q in range(2):
                        diagonal[k, rows[p], rows[q]] += before[p] * before[q]
                        diagonal[k + 1, rows[p], rows[q]] += after[p] * after[q]
                        lower[k, rows[p], rows[q]] += after[p] * before[q]
    return cost


@compiled
def add_rotation_chain(
    rotation: Array,
    rate: Array,
    phi: Array,
    later: Array,
    rate_information: float,
    first: int,
    diagonal: Array,
    lower: Array,
    gradient: Array,
) -> float:
    """Orientations [K, 3, 3] with body rates [K, 3] under the transition ``phi`` [K-1, 2, 2]; its cost.

    Tangents are right-multiplied; the rate of the first step has ``rate_information``.
    """
    relative, inverse = np.empty((3, 3)), np.empty((3, 3))
    turned, residual = np.empty(3), np.empty(6)
    by_earlier, by_later = np.empty((6, 6)), np.empty((6, 6))
    cost = 0.0
    for axis in range(3):
        row = first + 3 + axis
        diagonal[0, row, row] += rate_information
        gradient[0, row] += rate_information * rate[0, axis]
        cost += 0.5 * rate_information * rate[0, axis] ** 2
    for k in range(len(rotation) - 1):
        _turn_between(rotation[k], rotation[k + 1], relative)
        fill_logarithm(relative, turned)
        fill_right_jacobian_inverse(turned, inverse)
        coast, fade = phi[k, 0, 1], phi[k, 1, 1]
        for line in range(2):
            by_turn, by_rate = later[k, line, 0], later[k, line, 1]
            for i in range(3):
                own = 3 * line + i
                residual[own] = by_turn * (turned[i] - coast * rate[k, i])
                residual[own] += by_rate * (rate[k + 1, i] - fade * rate[k, i])
                for j in range(3):
                    # Log(Exp(-a) R Exp(b)): a enters through the transposed relative rotation.
                    back = 0.0
                    for m in range(3):
                        back -= inverse[i, m] * relative[j, m]
                    by_earlier[own, j] = by_turn * back
                    by_later[own, j] = by_turn * inverse[i, j]
                    by_earlier[own, 3 + j] = -(by_turn * coast + by_rate * fade) if i == j else 0.0
                    by_later[own, 3 + j] = by_rate if i == j else 0.0
        for line in range(6):
            cost += 0.5 * residual[line] ** 2
            for p in range(6):
                gradient[k, first + p] += by_earlier[line, p] * residual[line]
                gradient[k + 1, first + p] += by_later[line, p] * residual[line]
                for q in range(6):
                    diagonal[k, first + p, first + q] += by_earlier[line, p] * by_earlier[line, q]
                    diagonal[k + 1, first + p, first + q] += by_later[line, p] * by_later[line, q]
                    lower[k, first + p, first + q] += by_later[line, p] * by_earlier[line, q]
    return cost


@compiled
def _turn_between(before: Array, after: Array, relative: Array) -> None:
    for row in range(3):
        for column in range(3):
            relative[row, column] = 0.0
            for i in range(3):
                relative[row, column] += before[i, row] * after[i, column]
