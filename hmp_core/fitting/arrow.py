# SPDX-FileCopyrightText: 2026 The hmp_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Arrow-shaped normal equations: a block-tridiagonal chain of steps and a dense border of what they share.

Eliminating the chain from the oldest step to the newest costs O(K) small factorisations; the newest step comes
last, so that its marginal covariance falls out of the factors; those of older steps follow one by one.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.linalg.lapack import dpotrf, dtrtrs

Array = NDArray[np.float64]


@dataclass(frozen=True)
class ArrowSystem:
    """``H = [[A, B], [B^T, C]]`` and gradient ``g``.

    Attributes:
        diagonal: [K, n, n] blocks of A.
        lower: [K-1, n, n] blocks A[k+1, k].
        border: [K, n, m] B.
        corner: [m, m] C.
        step_gradient: [K, n].
        shared_gradient: [m].
        cost: value of the objective at the linearisation point.
    """

    diagonal: Array
    lower: Array
    border: Array
    corner: Array
    step_gradient: Array
    shared_gradient: Array
    cost: float


@dataclass(frozen=True)
class ArrowSolution:
    """The Newton step and the marginal of the newest step and the shared unknowns.

    Attributes:
        step: [K, n].
        shared: [m].
        newest_covariance: [n + m, n + m] joint covariance of (newest step, shared).
    """

    step: Array
    shared: Array
    newest_covariance: Array


@dataclass(frozen=True)
class _Factors:
    """Of the damped matrix: Cholesky factors of the chain from the oldest step on, and of the shared rest.

    Attributes:
        diagonal: K lower triangles [n, n].
        couplings: K-1 blocks [n, n] towards the later step.
        halves: K blocks [n, m + 1]: border and gradient, forward substituted.
        shared_covariance: [m, m] inverse of the Schur complement.
    """

    diagonal: list[Array]
    couplings: list[Array]
    halves: list[Array]
    shared_covariance: Array


def solve_arrow(system: ArrowSystem, damping: float) -> ArrowSolution | None:
    """Solve ``(H + damping I) x = -g``.

    Returns:
        None when the damped matrix is not positive definite; the caller raises the damping.
    """
    factors = _factorise(system, damping)
    if factors is None:
        return None
    m = len(system.shared_gradient)
    stacked = np.concatenate(factors.halves)
    shared = -factors.shared_covariance @ (system.shared_gradient - stacked[:, :m].T @ stacked[:, m])
    step = np.empty_like(system.step_gradient)
    for k in reversed(range(len(step))):
        rest = -factors.halves[k][:, m] - factors.halves[k][:, :m] @ shared
        if k + 1 < len(step):
            rest -= factors.couplings[k] @ step[k + 1]
        step[k] = _solve(factors.diagonal[k], rest, transposed=True)
    if not (np.isfinite(step).all() and np.isfinite(shared).all()):
        return None
    return ArrowSolution(step, shared, next(_covariances(factors, m)))


def step_covariances(system: ArrowSystem) -> list[Array] | None:
    """Joint covariance [n + m, n + m] of (step, shared) of every step; None without a positive definite matrix."""
    factors = _factorise(system, 0.0)
    return None if factors is None else list(_covariances(factors, len(system.shared_gradient)))[::-1]


def _factorise(system: ArrowSystem, damping: float) -> _Factors | None:
    steps, n = system.step_gradient.shape
    m = len(system.shared_gradient)
    ridge = damping * np.eye(n)
    right = np.concatenate([system.border, system.step_gradient[..., None]], axis=-1)
    factors, couplings, halves = [], [], []
    block, half = system.diagonal[0] + ridge, right[0]
    for k in range(steps):
        factor = _cholesky(block)
        if factor is None:
            return None
        factors.append(factor)
        if k + 1 < steps:
            # One triangular solve for the coupling and the border together.
            both = _solve(factor, np.concatenate([system.lower[k].T, half], axis=1))
            coupling, half = both[:, :n], both[:, n:]
            block = system.diagonal[k + 1] + ridge - coupling.T @ coupling
            couplings.append(coupling)
            halves.append(half)
            half = right[k + 1] - coupling.T @ half
        else:
            halves.append(_solve(factor, half))
    stacked = np.concatenate(halves)[:, :m]
    schur_factor = _cholesky(system.corner + damping * np.eye(m) - stacked.T @ stacked)
    if schur_factor is None:
        return None
    inverse_factor = _solve(schur_factor, np.eye(m))
    return _Factors(factors, couplings, halves, inverse_factor.T @ inverse_factor)


def _covariances(factors: _Factors, m: int) -> Iterator[Array]:
    """Of (step, shared), from the newest step to the oldest.

    The chain's own diagonal blocks of the inverse follow from the factors backwards in time, and so do the gains
    ``A^-1 B`` by which the shared unknowns move the steps.
    """
    shared = factors.shared_covariance
    own, gain = np.empty(0), np.empty(0)
    for k in reversed(range(len(factors.diagonal))):
        factor, half = factors.diagonal[k], factors.halves[k][:, :m]
        spread = np.eye(len(factor))
        if k + 1 < len(factors.diagonal):
            coupling = factors.couplings[k]
            half = half - coupling @ gain
            spread += coupling @ own @ coupling.T
        gain = _solve(factor, half, transposed=True)
        inverse = _solve(factor, np.eye(len(factor)))
        own = inverse.T @ spread @ inverse
        cross = -gain @ shared
        yield np.block([[own - cross @ gain.T, cross], [cross.T, shared]])


# LAPACK without SciPy's argument checks, which cost as much as these small factorisations.
def _cholesky(matrix: Array) -> Array | None:
    factor, failed = dpotrf(matrix, lower=1)
    return None if failed else factor


def _solve(factor: Array, right: Array, transposed: bool = False) -> Array:
    if not factor.size:
        return right  # LAPACK calls an empty system an error
    solution: Array
    solution, _ = dtrtrs(factor, right, lower=1, trans=int(transposed))
    return solution
