# SPDX-FileCopyrightText: 2026 The hmp_ros authors
# SPDX-License-Identifier: Apache-2.0
import numpy as np
import pytest

from hmp_core.evaluation.lag import LagMeter

RATE_HZ = 30.0


def swing(times_s):
    """Positions [T, 2, 3] of two points that move with several frequencies."""
    phase = np.array([0.0, 1.0, 2.0, 3.0, 4.0, 5.0])
    waves = np.sin(2 * np.pi * 1.1 * times_s[:, None] + phase) + 0.5 * np.sin(2 * np.pi * 2.3 * times_s[:, None])
    return waves.reshape(-1, 2, 3)


@pytest.mark.parametrize("late_ms", [-80.0, 0.0, 10.0, 33.333, 120.0])
def test_finds_the_delay_between_frames_too(late_ms):
    times = np.arange(200) / RATE_HZ
    meter = LagMeter(RATE_HZ)
    meter.add(swing(times - late_ms / 1000), swing(times))
    assert meter.lag_ms() == pytest.approx(late_ms, abs=1.5)


def test_stretches_are_one_measurement_and_missing_frames_do_not_count():
    times = np.arange(300) / RATE_HZ
    output, truth = swing(times - 0.05) + np.random.default_rng(0).normal(0, 0.05, (300, 2, 3)), swing(times)
    output[40:60] = np.nan
    truth[200:210, 1] = np.nan
    meter = LagMeter(RATE_HZ)
    for first in range(0, 300, 100):
        meter.add(output[first : first + 100], truth[first : first + 100])
    assert meter.lag_ms() == pytest.approx(50, abs=6)


def test_little_motion_and_motion_of_something_else_have_no_lag():
    times = np.arange(60) / RATE_HZ
    meter = LagMeter(RATE_HZ)
    meter.add(swing(times), swing(times))
    assert meter.lag_ms() is None  # 60 frames, fewer of which overlap at the largest lags
    meter.add(swing(times), swing(times))
    assert meter.lag_ms() == pytest.approx(0, abs=1.5)
    times = np.arange(300) / RATE_HZ
    meter = LagMeter(RATE_HZ)
    meter.add(swing(times - 0.4), swing(times))
    assert meter.lag_ms() is None or abs(meter.lag_ms()) < 250
    meter = LagMeter(RATE_HZ)
    for first in range(0, 300, 3):  # too short for most lags
        meter.add(swing(times[first : first + 3]), swing(times[first : first + 3]))
    assert meter.lag_ms() is None


def test_no_motion_has_no_lag():
    meter = LagMeter(RATE_HZ)
    assert meter.lag_ms() is None
    meter.add(np.zeros((50, 2, 3)), np.zeros((50, 2, 3)))
    assert meter.lag_ms() is None
    meter.add(np.full((50, 2, 3), np.nan), swing(np.arange(50) / RATE_HZ))
    assert meter.lag_ms() is None
