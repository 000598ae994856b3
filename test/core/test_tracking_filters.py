# SPDX-FileCopyrightText: 2026 The hmp_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Kalman filter and smoother against the batch solution; One-Euro against a scalar one written from the paper."""

import math

import numpy as np
import pytest

from hmp_core.evaluation.kalman import kalman_filter, rts_smooth
from hmp_core.evaluation.one_euro import OneEuroParameters, one_euro


def batch_posterior(times, values, sigma, push, fading, first_velocity):
    """Means of value and velocity given everything, by one Gaussian over the whole course."""
    count = len(times)
    covariance, mean = np.zeros((2 * count, 2 * count)), np.zeros(2 * count)
    block = np.diag([1e6, first_velocity**2])
    blocks, transitions = [block], [np.eye(2)]
    for index in range(1, count):
        step = times[index] - times[index - 1]
        kept = math.exp(-step / fading) if math.isfinite(fading) else 1.0
        reach = fading * (1 - kept) if math.isfinite(fading) else step
        F = np.array([[1.0, reach], [0.0, kept]])
        Q = push**2 * np.array([[step**3 / 3, step**2 / 2], [step**2 / 2, step]])
        blocks.append(F @ blocks[-1] @ F.T + Q)
        transitions.append(F)
    for row in range(count):
        carried = blocks[row]
        for column in range(row, count):
            if column > row:
                carried = carried @ transitions[column].T
            covariance[2 * row : 2 * row + 2, 2 * column : 2 * column + 2] = carried
            covariance[2 * column : 2 * column + 2, 2 * row : 2 * row + 2] = carried.T
    seen = np.flatnonzero(np.isfinite(sigma))
    H = np.zeros((len(seen), 2 * count))
    H[np.arange(len(seen)), 2 * seen] = 1.0
    gain = covariance @ H.T @ np.linalg.inv(H @ covariance @ H.T + np.diag(sigma[seen] ** 2))
    return (mean + gain @ (values[seen] - H @ mean)).reshape(count, 2)


@pytest.mark.parametrize("fading", [np.inf, 0.3])
def test_filter_and_smoother_are_the_posterior_of_the_whole_course(fading):
    rng = np.random.default_rng(3)
    times = np.cumsum(rng.uniform(0.02, 0.06, 12))
    values, sigma = rng.normal(size=12), rng.uniform(0.1, 0.5, 12)
    sigma[5:8] = np.inf
    course = kalman_filter(times, values[:, None], sigma[:, None], np.array([2.0]), fading, np.array([1.5]))
    whole = batch_posterior(times, values, sigma, 2.0, fading, 1.5)
    assert rts_smooth(course)[:, 0] == pytest.approx(whole, abs=1e-4)
    for index in (0, 4, 7, 11):
        upto = slice(0, index + 1)
        prefix = batch_posterior(times[upto], values[upto], sigma[upto], 2.0, fading, 1.5)
        assert course.mean[index, 0] == pytest.approx(prefix[-1], abs=1e-4)


def test_a_channel_that_is_first_seen_late_starts_there():
    times, sigma = np.arange(4) / 30, np.array([np.inf, np.inf, 0.1, 0.1])
    course = kalman_filter(times, np.full((4, 1), 2.0), sigma[:, None], np.ones(1), np.inf, np.ones(1))
    assert course.mean[2:, 0, 0] == pytest.approx(2.0)
    assert np.isfinite(rts_smooth(course)).all()


def test_one_euro_is_that_of_the_paper():
    rng = np.random.default_rng(0)
    times, values = np.cumsum(rng.uniform(0.02, 0.05, 30)), np.cumsum(rng.normal(size=30))
    parameters = OneEuroParameters(1.2, 0.4, 0.9)

    def share(cutoff, step):
        r = 2 * math.pi * cutoff * step
        return r / (r + 1)

    expected, now, speed = [values[0]], values[0], 0.0
    for index in range(1, len(values)):
        step = times[index] - times[index - 1]
        a = share(parameters.derivative_cutoff_hz, step)
        speed = a * (values[index] - now) / step + (1 - a) * speed
        a = share(parameters.min_cutoff_hz + parameters.beta * abs(speed), step)
        now = a * values[index] + (1 - a) * now
        expected.append(now)
    filtered = one_euro(times, values[:, None], np.ones((30, 1), bool), parameters)
    assert filtered[:, 0] == pytest.approx(expected)


def test_one_euro_holds_what_is_not_seen():
    seen = np.array([False, True, False, False, True])[:, None]
    filtered = one_euro(np.arange(5) / 30, np.arange(5.0)[:, None], seen, OneEuroParameters(1.0, 0.0))
    assert np.isnan(filtered[0, 0])
    assert filtered[1:4, 0].tolist() == [1.0, 1.0, 1.0]
    assert 1.0 < filtered[4, 0] < 4.0
