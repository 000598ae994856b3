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
from functools import cache
from math import isfinite
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
        points, seen = np.ascontiguousarray(points[usable].T), np.ascontiguousarray(seen[usable].T)
        return _refine(_start(points, seen), points, seen, sigma[usable])


# Below, points [3, N] and rays [2, N] lie in columns: on so few numbers NumPy's time is that of its calls, and
# those over rows of 21 are the quick ones.


def _start(points: NDArray[np.float64], rays: NDArray[np.float64]) -> NDArray[np.float64]:
    """A place in front of the camera that up to a third of wrong points hardly move: medians of differences."""
    first, second = _pairs(rays.shape[1])
    metric = np.abs(points[:2, first] - points[:2, second]).sum(axis=0)
    seen = np.abs(rays[:, first] - rays[:, second]).sum(axis=0)
    depth = _median(metric) / _median(seen)
    along = _median(points[2])
    across = _median(rays * (points[2] - along + depth) - points[:2])
    return np.array([*across, depth - along])


@cache
def _pairs(count: int) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Every pair of so many points, once."""
    first, second = np.triu_indices(count, 1)
    return first, second


def _refine(
    start: NDArray[np.float64],
    points: NDArray[np.float64],
    rays: NDArray[np.float64],
    sigma: NDArray[np.float64],
) -> WristPosition | None:
    """Iteratively re-weighted Gauss-Newton on the ray error."""
    first_z = points[2].min()
    position = start.copy()
    for _ in range(_ROUNDS):
        # A round may overshoot; no point of a seen hand is behind the camera.
        position[2] = max(position[2], _NEAREST_M - first_z)
        depth = points[2] + position[2]
        predicted = (points[:2] + position[:2, None]) / depth
        residual = (rays - predicted) / sigma
        distance = np.hypot(residual[0], residual[1])
        # The points' own errors are not in the ray sigmas: let the residuals widen the kernel, never narrow it.
        scale = max(1.0, float(_median(distance)) / _RAYLEIGH_MEDIAN)
        kernel = 1.0 / (1.0 + (distance / (_KERNEL_WIDTH * scale)) ** 2) ** 2
        # Normal equations of rows (1, 0, -u) and (0, 1, -v) over depth * sigma, the sideways part eliminated.
        slope = 1.0 / (depth * sigma)
        weight, force = kernel * slope**2, kernel * slope * residual
        total = weight.sum()
        mean = predicted @ weight / total
        centred = predicted - mean[:, None]
        spread = np.vdot(centred * weight, centred)
        step_z = -np.vdot(force, centred) / spread
        step = (*(force.sum(axis=1) / total + mean * step_z).tolist(), float(step_z))
        if not all(map(isfinite, step)):
            return None
        position += step
        if max(map(abs, step)) < _CONVERGED_RELATIVE * abs(position[2]):
            break
    lever = np.array([*mean, 1.0])
    covariance = (np.outer(lever, lever) / spread + np.diag([1 / total, 1 / total, 0.0])) * scale**2
    misfit = _median(distance * sigma) / _median(np.hypot(*(rays - _median(rays)[:, None])))
    agrees = misfit < _MAX_MISFIT and 1 / _MAX_CHANGE < position[2] / start[2] < _MAX_CHANGE
    known = np.isfinite(covariance).all() and np.sqrt(covariance[2, 2]) < _MAX_RELATIVE_DEPTH_SIGMA * position[2]
    ahead = min(first_z, 0.0) + position[2] >= _MIN_DEPTH_M
    return WristPosition(position, covariance) if agrees and known and ahead else None


def _median(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """The upper median along the last axis: ten times as fast as NumPy's on a handful of numbers."""
    ordered = values.copy()
    ordered.sort()
    return np.asarray(ordered[..., values.shape[-1] // 2])
