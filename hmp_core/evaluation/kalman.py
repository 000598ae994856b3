# SPDX-FileCopyrightText: 2026 The hmp_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Kalman filter of independent channels with constant or fading velocity, and its Rauch-Tung-Striebel smoother.

Every channel is a number with a velocity that fades with a time constant and is pushed by white noise. Channels are
filtered side by side; a measurement with infinite sigma is none.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Course:
    """A filter's estimate of C channels at T times.

    Attributes:
        mean: [T, C, 2] value and velocity.
        covariance: [T, C, 2, 2].
        transition: [T, 2, 2] from the time before; the first is the identity.
        predicted_mean, predicted_covariance: the same before the measurement of their time.
    """

    mean: Array
    covariance: Array
    transition: Array
    predicted_mean: Array
    predicted_covariance: Array


def kalman_filter(
    times_s: Array, values: Array, sigma: Array, push: Array, fading_s: float, first_velocity: Array
) -> Course:
    """Filter.

    Args:
        times_s: [T] increasing.
        values: [T, C] measured.
        sigma: [T, C] of each measurement; inf where there is none.
        push: [C] spectral density of the velocity's noise, as its square root per root second.
        fading_s: time constant of the velocity; inf for constant velocity.
        first_velocity: [C] standard deviation of the velocity at the start.
    """
    count, channels = values.shape
    transition = np.tile(np.eye(2), (count, 1, 1))
    mean, covariance = np.zeros((count, channels, 2)), np.zeros((count, channels, 2, 2))
    before, before_covariance = np.zeros_like(mean), np.zeros_like(covariance)
    now = np.zeros((channels, 2))
    now_covariance = np.zeros((channels, 2, 2))
    now_covariance[:, 0, 0], now_covariance[:, 1, 1] = np.inf, first_velocity**2
    for index in range(count):
        if index:
            step = float(times_s[index] - times_s[index - 1])
            transition[index] = _transition(step, fading_s)
            now = now @ transition[index].T
            unknown = np.isinf(now_covariance[:, 0, 0])
            known = np.where(unknown[:, None, None], 0.0, now_covariance)
            moved = transition[index] @ known @ transition[index].T
            moved += push[:, None, None] ** 2 * np.array([[step**3 / 3, step**2 / 2], [step**2 / 2, step]])
            moved[unknown] = now_covariance[unknown]
            now_covariance = moved
        before[index], before_covariance[index] = now, now_covariance
        now, now_covariance = _update(now, now_covariance, values[index], sigma[index])
        mean[index], covariance[index] = now, now_covariance
    return Course(mean, covariance, transition, before, before_covariance)


def rts_smooth(course: Course) -> Array:
    """Means [T, C, 2] given all measurements, later ones too; channels without any stay as they are."""
    smooth = course.mean.copy()
    for index in range(len(smooth) - 2, -1, -1):
        filtered, predicted = course.covariance[index], course.predicted_covariance[index + 1]
        known = np.isfinite(filtered[:, 0, 0]) & (np.linalg.det(np.where(np.isfinite(predicted), predicted, 0)) > 0)
        gain = filtered[known] @ course.transition[index + 1].T @ np.linalg.inv(predicted[known])
        change = smooth[index + 1, known] - course.predicted_mean[index + 1, known]
        smooth[index, known] += (gain @ change[..., None])[..., 0]
    return smooth


def _transition(step_s: float, fading_s: float) -> Array:
    if np.isinf(fading_s):
        return np.array([[1.0, step_s], [0.0, 1.0]])
    kept = np.exp(-step_s / fading_s)
    return np.array([[1.0, fading_s * (1 - kept)], [0.0, kept]])


def _update(mean: Array, covariance: Array, value: Array, sigma: Array) -> tuple[Array, Array]:
    seen = np.isfinite(sigma) & np.isfinite(value)
    first = seen & np.isinf(covariance[:, 0, 0])
    again = seen & ~first
    mean, covariance = mean.copy(), covariance.copy()
    mean[first, 0] = value[first]
    covariance[first, 0, 0] = sigma[first] ** 2
    gain = covariance[again, :, 0] / (covariance[again, 0, 0] + sigma[again] ** 2)[:, None]
    mean[again] += gain * (value[again] - mean[again, 0])[:, None]
    covariance[again] -= gain[:, :, None] * covariance[again][:, None, 0, :]
    return mean, covariance
