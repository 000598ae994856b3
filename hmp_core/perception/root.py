# SPDX-FileCopyrightText: 2026 The hmp_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Where the wrist stands in the camera frame, from wrist-relative points and the rays they are seen on.

A point p, known relative to the wrist, seen on the ray (u, v, 1), gives two equations that are linear in the
wrist's position t: ``t_x - u t_z = u p_z - p_x`` and the same for y. Their own error favours a hand that is too
near, so they are solved as weighted least squares a few times over: each round scales them to the ray error at the
last place, and gives wrong points less weight (Geman-McClure). The result is as metric
as the points: their scale is its depth.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

_MIN_POINTS: Final = 3
_MIN_DEPTH_M: Final = 0.02
_NEAREST_M: Final = 0.05
_MAX_RELATIVE_DEPTH_SIGMA: Final = 1.0
_MAX_MISFIT: Final = 1.0
"""Median ray error, in units of the rays' own spread, beyond which rays and points are not the same hand."""
_MAX_CHANGE: Final = 3.0
"""The same for the factor between the final depth and that of the spreads alone."""
_KERNEL_WIDTH: Final = 3.0
_RAYLEIGH_MEDIAN: Final = 1.1774
_ROUNDS: Final = 8
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
        points, all on one ray, rays that contradict the points, or a depth whose sigma exceeds the depth itself.
    """
    points, seen = np.asarray(points_m, dtype=np.float64), np.asarray(rays, dtype=np.float64)
    sigma = np.asarray(ray_sigma, dtype=np.float64)
    usable = np.isfinite(points).all(axis=1) & np.isfinite(seen).all(axis=1) & np.isfinite(sigma) & (sigma > 0)
    if np.count_nonzero(usable) < _MIN_POINTS:
        return None
    with np.errstate(all="ignore"):  # absurd numbers overflow; what comes of them is checked, not warned about
        points, seen, sigma = points[usable], seen[usable], sigma[usable]
        return _refine(_start(points, seen), points, seen, sigma)


def _start(points: NDArray[np.float64], rays: NDArray[np.float64]) -> NDArray[np.float64]:
    """A place in front of the camera that up to a third of wrong points hardly move: medians of differences."""
    first, second = np.triu_indices(len(points), 1)
    metric = np.abs(points[first, :2] - points[second, :2]).sum(axis=1)
    seen = np.abs(rays[first] - rays[second]).sum(axis=1)
    depth = _median(metric) / _median(seen)
    placed_z = points[:, 2] - _median(points[:, 2]) + depth
    across = _median(rays * placed_z[:, None] - points[:, :2])
    return np.array([*across, depth - _median(points[:, 2])])


def _refine(
    start: NDArray[np.float64],
    points: NDArray[np.float64],
    rays: NDArray[np.float64],
    sigma: NDArray[np.float64],
) -> WristPosition | None:
    """Iteratively re-weighted Gauss-Newton on the ray error."""
    position = start
    for _ in range(_ROUNDS):
        # A round may overshoot; no point of a seen hand is behind the camera.
        placed = points + position + (0.0, 0.0, max(0.0, _NEAREST_M - position[2] - points[:, 2].min()))
        predicted = placed[:, :2] / placed[:, 2:]
        residual = (rays - predicted) / sigma[:, None]
        distance = np.hypot(residual[:, 0], residual[:, 1])
        # The points' own errors are not in the ray sigmas: let the residuals widen the kernel, never narrow it.
        scale = np.maximum(1.0, _median(distance) / _RAYLEIGH_MEDIAN)
        kernel = np.repeat((1.0 + (distance / (_KERNEL_WIDTH * scale)) ** 2) ** -2, 2)
        jacobian = _rows(predicted) / np.repeat(placed[:, 2] * sigma, 2)[:, None]
        precision, right = _normal_equations(jacobian, residual.ravel(), kernel)
        step = _solve(precision, right)
        if step is None:
            return None
        position = np.asarray(placed[0] - points[0] + step, dtype=np.float64)
        if np.abs(step).max() < _CONVERGED_RELATIVE * abs(position[2]):
            break
    covariance = np.asarray(np.linalg.inv(precision) * scale**2, dtype=np.float64)
    misfit = _median(distance * sigma) / _median(np.hypot(*(rays - _median(rays)).T))
    agrees = misfit < _MAX_MISFIT and 1 / _MAX_CHANGE < position[2] / start[2] < _MAX_CHANGE
    known = np.isfinite(covariance).all() and np.sqrt(covariance[2, 2]) < _MAX_RELATIVE_DEPTH_SIGMA * position[2]
    ahead = min(points[:, 2].min(), 0.0) + position[2] >= _MIN_DEPTH_M
    return WristPosition(position, covariance) if agrees and known and ahead else None


def _median(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """The upper median over the rows: ten times as fast as NumPy's on a handful of numbers."""
    return np.asarray(np.sort(values, axis=0)[len(values) // 2])


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
