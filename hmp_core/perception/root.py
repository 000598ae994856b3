# SPDX-FileCopyrightText: 2026 The hmp_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Where the wrist stands in the camera frame, from wrist-relative points and the rays they are seen on.

A point p, known relative to the wrist, seen on the ray (u, v, 1), gives two equations that are linear in the
wrist's position t: ``t_x - u t_z = u p_z - p_x`` and the same for y. Their own error favours a hand that is too
near, so they are solved as weighted least squares a few times over: each round scales them to the ray error at the
last place, and gives wrong points less weight (Geman-McClure). The result is as metric
as the points: their scale is its depth.

Twice for every hand in every image, on 21 points: as array operations most of the initializer's time, so compiled.
"""

import math
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from hmp_core.compiled import compiled

Array = NDArray[np.float64]

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
    # Loops are compiled anew for any other layout in memory.
    used = (np.ascontiguousarray(values[usable]) for values in (points, seen, sigma))
    placed, position, covariance = _refined(*used)
    return WristPosition(position, covariance) if placed else None


@compiled
def _median(values: Array) -> float:
    """The upper median."""
    return float(np.sort(values)[len(values) // 2])


@compiled
def _start(points: Array, rays: Array) -> Array:
    """A place in front of the camera that up to a third of wrong points hardly move: medians of differences."""
    count = len(points)
    metric, seen = np.empty(count * (count - 1) // 2), np.empty(count * (count - 1) // 2)
    pair = 0
    for first in range(count):
        for second in range(first + 1, count):
            metric[pair] = abs(points[first, 0] - points[second, 0]) + abs(points[first, 1] - points[second, 1])
            seen[pair] = abs(rays[first, 0] - rays[second, 0]) + abs(rays[first, 1] - rays[second, 1])
            pair += 1
    place, across = np.empty(3), np.empty(count)
    place[2] = _median(metric) / _median(seen) - _median(points[:, 2])
    for axis in range(2):
        for n in range(count):
            across[n] = rays[n, axis] * (points[n, 2] + place[2]) - points[n, axis]
        place[axis] = _median(across)
    return place


@compiled
def _extent(rays: Array) -> float:
    """Median distance of rays from their median."""
    u, v = _median(rays[:, 0]), _median(rays[:, 1])
    distance = np.empty(len(rays))
    for n in range(len(rays)):
        distance[n] = math.hypot(rays[n, 0] - u, rays[n, 1] - v)
    return _median(distance)


@compiled
def _refined(points: Array, rays: Array, sigma: Array) -> tuple[bool, Array, Array]:
    """Iteratively re-weighted Gauss-Newton on the ray error: whether there is a place, position and covariance."""
    count, start, nearest_z = len(points), _start(points, rays), np.min(points[:, 2])
    position, covariance = start.copy(), np.zeros((3, 3))
    predicted, residual, error = np.empty((count, 2)), np.empty((count, 2)), np.empty(count)
    weight, force = np.empty(count), np.empty((count, 2))
    lever, push = np.ones(3), np.zeros(3)
    for _ in range(_ROUNDS):
        # A round may overshoot; no point of a seen hand is behind the camera.
        position[2] = max(position[2], _NEAREST_M - nearest_z)
        for n in range(count):
            for axis in range(2):
                predicted[n, axis] = (points[n, axis] + position[axis]) / (points[n, 2] + position[2])
                residual[n, axis] = (rays[n, axis] - predicted[n, axis]) / sigma[n]
            error[n] = math.hypot(residual[n, 0], residual[n, 1])
        # The points' own errors are not in the ray sigmas: let the residuals widen the kernel, never narrow it.
        scale = max(1.0, _median(error) / _RAYLEIGH_MEDIAN)
        # Normal equations of the rows (1, 0, -u) and (0, 1, -v), over sigma and depth. With x and y eliminated, the
        # rays' weighted mean is how far these follow z.
        total = lever[0] = lever[1] = push[0] = push[1] = 0.0
        for n in range(count):
            slope = 1 / (sigma[n] * (points[n, 2] + position[2]))
            kernel = 1 / (1 + (error[n] / (_KERNEL_WIDTH * scale)) ** 2) ** 2
            weight[n] = kernel * slope**2
            total += weight[n]
            for axis in range(2):
                force[n, axis] = kernel * slope * residual[n, axis]
                push[axis] += force[n, axis]
                lever[axis] += weight[n] * predicted[n, axis]
        lever[0] /= total
        lever[1] /= total
        spread = pull = 0.0
        for n in range(count):
            for axis in range(2):
                centred = predicted[n, axis] - lever[axis]
                spread += weight[n] * centred**2
                pull -= force[n, axis] * centred
        largest = 0.0
        for axis in range(3):
            step = push[axis] / total + lever[axis] * pull / spread
            position[axis] += step
            largest = max(largest, abs(step))
        if largest < _CONVERGED_RELATIVE * abs(position[2]):
            break
    for row in range(3):
        for column in range(3):
            own = 1 / total if row == column < 2 else 0.0
            covariance[row, column] = scale**2 * (lever[row] * lever[column] / spread + own)
    for n in range(count):
        error[n] *= sigma[n]
    misfit = _median(error) / _extent(rays)
    agrees = misfit < _MAX_MISFIT and 1 / _MAX_CHANGE < position[2] / start[2] < _MAX_CHANGE
    finite = math.isfinite(position.sum() + covariance.sum())
    known = finite and math.sqrt(covariance[2, 2]) < _MAX_RELATIVE_DEPTH_SIGMA * position[2]
    ahead = min(nearest_z, 0.0) + position[2] >= _MIN_DEPTH_M
    return bool(agrees and known and ahead), position, covariance
