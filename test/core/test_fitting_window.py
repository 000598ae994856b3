# SPDX-FileCopyrightText: 2026 The hmp_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Thinning of the window's steps."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hmp_core.fitting.evidence import StepEvidence
from hmp_core.fitting.window import HandWindow

SEEN = StepEvidence(np.zeros((21, 2)), np.ones(21), np.zeros((21, 3)), np.ones(21), 1.0, None)


def fill(times_s: list[float], seen: list[bool]) -> HandWindow:
    window = HandWindow()
    for k, time_s in enumerate(times_s):
        newest = k == len(times_s) - 1
        if seen[k] or newest:
            window = window.append(time_s, SEEN if seen[k] else None, 0.0)
            window = window.select(window.kept_steps(1.7, 0.3, 24))
    return window


@given(st.lists(st.floats(0.004, 0.3), min_size=1, max_size=200), st.randoms(use_true_random=False))
def test_any_frame_rate_keeps_the_window_small_and_its_newest_evidence(gaps, random) -> None:
    times = list(np.cumsum(gaps))
    seen = [random.random() < 0.8 for _ in times]
    window = fill(times, seen)
    assert len(window.steps) <= 24
    assert window.times_s[-1] == times[-1]
    assert list(window.times_s) == sorted(window.times_s)
    newest_seen = [t for t, s in zip(times, seen, strict=True) if s][-3:]
    assert set(newest_seen) <= set(window.times_s)
    assert all(step is not None for step in window.steps[:-1])


def test_thirty_hertz_keeps_the_newest_frames_dense_and_spans_the_window() -> None:
    times = [k / 30 for k in range(120)]
    window = fill(times, [True] * 120)
    ages = window.times_s[-1] - window.times
    assert (ages <= 0.31).sum() >= 9
    assert ages.max() > 1.4
    assert np.diff(ages[::-1]).max() < 0.25


def test_a_long_gap_does_not_empty_the_window() -> None:
    times = [k / 30 for k in range(60)] + [2.0 + 5.0]
    window = fill(times, [True] * 60 + [False])
    assert window.observed >= 6


def test_finger_rotations_are_supported_where_the_steps_around_show_their_bones_ends() -> None:
    without_index = replace(SEEN, ray_information=np.where(np.isin(np.arange(21), (6, 7, 8)), 0.0, 1.0))
    window = HandWindow((0.0, 0.2, 0.4, 0.6, 1.6, 1.65), (SEEN, SEEN, without_index, SEEN, SEEN, None), (0.0,) * 6)
    times = np.array([-0.1, 0.0, 0.1, 0.3, 0.4, 0.5, 1.0, 1.6, 1.62, 1.65])
    supported = window.observed_rotations(times, np.full(6, 0.5), 1.0)
    middle, index = supported[:, 3], supported[:, 0]
    # Not before the window, across a gap of a second, or at the newest step, which shows nothing.
    assert middle.tolist() == [False, True, True, True, True, True, False, True, False, False]
    assert index.tolist() == [False, True, True, False, False, False, False, True, False, False]
    assert not window.observed_rotations(times, np.full(6, 2.0), 1.0).any()  # too far for these rays


def test_sudden_turns_add_up_over_the_steps_that_leave() -> None:
    window = HandWindow()
    for k, turn in enumerate([0.5, 0.1, 0.2, 0.3, 0.4]):
        window = window.append(0.1 * k, SEEN, turn)
    assert window.select([0, 2, 4]).turns == pytest.approx((0.0, 0.3, 0.7))
    assert window.select([1, 2, 3]).select([0, 2]).turns == pytest.approx((0.0, 0.5))
    assert window.select([]).turns == ()
