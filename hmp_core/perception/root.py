# SPDX-FileCopyrightText: 2026 The hmp_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Where the wrist stands in the camera frame, from wrist-relative points and the rays they are seen on.

A point p, known relative to the wrist, seen on the ray (u, v, 1), gives two equations that are linear in the
wrist's position t: ``t_x - u t_z = u p_z - p_x`` and the same for y. Their weighted solution starts a few
linearised rounds on the ray error itself, because the equations' own error favours a hand that is too near; there
Geman-McClure weights take out wrong points. The result is as metric as the points: their scale is its depth.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

_MIN_POINTS: Final = 3
_MIN_DEPTH_M: Final = 0.02
_MAX_RELATIVE_DEPTH_SIGMA: Final = 1.0
_KERNEL_WIDTH: Final = 3.0
_RAYLEIGH_MEDIAN: Final = 1.1774
_LINEAR_ROUNDS: Final = 4
_LINEAR_FLOOR_M: Final = 1e-4
_ROUNDS: Final = 6
_CONVERGED_RELATIVE: Final = 1e-5


@dataclass(frozen=True)
class WristPosition:
    """A solved wrist position.

    Attributes:
        position: [3] in the camera frame [m].
        covariance: [3, 3] from the ray sigmas alone [m²], inflated where the residuals are larger than their
            sigmas; it does not hold the points' own scale error, which no ray can show.
    """

    position: NDArray[np.float64]
    covariance: NDArray[np.float64]


def solve_wrist_position(
    points_m: NDArray[np.floating], rays: NDArray[np.floating], ray_sigma: NDArray[np.floating]
) -> WristPosition | None:
    """Find the translation that carries wrist-relative points onto their viewing rays.

    Args:
        points_m: [N, 3] relative to the wrist, camera axes [m].
        rays: [N, 2] undistorted, normalised image coordinates (x/z, y/z).
        ray_sigma: [N] standard deviation per axis in ray units (pixels over focal length); inf or NaN leaves a
            point out.

    Returns:
        The position, or None where the data do not fix one in front of the camera: fewer than three usable
        points, all on one ray, or a depth whose sigma exceeds the depth itself.
    """
    points, seen = np.asarray(points_m, dtype=np.float64), np.asarray(rays, dtype=np.float64)
    sigma = np.asarray(ray_sigma, dtype=np.float64)
    usable = np.isfinite(points).all(axis=1) & np.isfinite(seen).all(axis=1) & np.isfinite(sigma) & (sigma > 0)
    if np.count_nonzero(usable) < _MIN_POINTS:
        return None
    with np.errstate(all="ignore"):  # absurd numbers overflow; what comes of them is checked, not warned about
        points, seen, sigma = points[usable], seen[usable], sigma[usable]
        start = _start(points, seen, sigma)
        return None if start is None else _refine(start, points, seen, sigma)


def _start(
    points: NDArray[np.float64], rays: NDArray[np.float64], sigma: NDArray[np.float64]
) -> NDArray[np.float64] | None:
    """Least absolute error of the linear equations, by re-weighting: convex, so wrong points do not trap it."""
    rows, right = _rows(rays), (rays * points[:, 2:] - points[:, :2]).ravel()
    base = np.repeat(sigma.min() / sigma, 2)
    weights = base**2
    position = None
    for _ in range(_LINEAR_ROUNDS):
        position = _solve(*_normal_equations(rows, right, weights))
        if position is None:
            return None
        error = np.abs(rows @ position - right)
        weights = base / np.maximum(error, _LINEAR_FLOOR_M)
    return position


def _refine(
    position: NDArray[np.float64],
    points: NDArray[np.float64],
    rays: NDArray[np.float64],
    sigma: NDArray[np.float64],
) -> WristPosition | None:
    """Iteratively re-weighted Gauss-Newton on the ray error."""
    for _ in range(_ROUNDS):
        placed = points + position
        if not placed[:, 2].min() >= _MIN_DEPTH_M:
            return None
        predicted = placed[:, :2] / placed[:, 2:]
        residual = (rays - predicted) / sigma[:, None]
        distance = np.hypot(residual[:, 0], residual[:, 1])
        # The points' own errors are not in the ray sigmas: let the residuals widen the kernel, never narrow it.
        scale = np.maximum(1.0, np.median(distance) / _RAYLEIGH_MEDIAN)
        kernel = np.repeat((1.0 + (distance / (_KERNEL_WIDTH * scale)) ** 2) ** -2, 2)
        jacobian = _rows(predicted) / np.repeat(placed[:, 2] * sigma, 2)[:, None]
        precision, right = _normal_equations(jacobian, residual.ravel(), kernel)
        step = _solve(precision, right)
        if step is None:
            return None
        position = np.asarray(position + step, dtype=np.float64)
        if np.abs(step).max() < _CONVERGED_RELATIVE * abs(position[2]):
            break
    covariance = np.asarray(np.linalg.inv(precision) * scale**2, dtype=np.float64)
    depth = float(min(points[:, 2].min(), 0.0) + position[2])
    known = np.isfinite(covariance).all() and np.sqrt(covariance[2, 2]) < _MAX_RELATIVE_DEPTH_SIGMA * position[2]
    return WristPosition(position, covariance) if known and depth >= _MIN_DEPTH_M else None


def _rows(rays: NDArray[np.float64]) -> NDArray[np.float64]:
    """The equations' left sides [2N, 3]: (1, 0, -u) and (0, 1, -v) for every ray."""
    rows = np.zeros((len(rays), 2, 3))
    rows[:, 0, 0] = rows[:, 1, 1] = 1.0
    rows[:, :, 2] = -rays
    return rows.reshape(-1, 3)


def _normal_equations(
    rows: NDArray[np.float64], right: NDArray[np.float64], weights: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    weighted = rows.T * weights
    return weighted @ rows, weighted @ right


def _solve(normal: NDArray[np.float64], right: NDArray[np.float64]) -> NDArray[np.float64] | None:
    """Solve a 3x3 system; None where it is singular or overflowed."""
    try:
        solution = np.asarray(np.linalg.solve(normal, right), dtype=np.float64)
    except np.linalg.LinAlgError:
        return None
    return solution if np.isfinite(solution).all() else None
