# SPDX-FileCopyrightText: 2026 The hmp_ros authors
# SPDX-License-Identifier: Apache-2.0

from hypothesis import given
from hypothesis import strategies as st

from hmp_core.media.recording import LOOP_NS
from hmp_ros.stamps import Arrival, StampGuard

stamps = st.integers(0, 4 * LOOP_NS)


def test_a_looping_bag_with_a_stuttering_driver() -> None:
    guard = StampGuard()
    second = 1_000_000_000
    arrivals = [guard.check(stamp) for stamp in (10 * second, 10 * second, 11 * second, 11 * second - 1, 0, 1)]
    assert arrivals == [
        Arrival.NEXT,
        Arrival.REPEATED,
        Arrival.NEXT,
        Arrival.LATE,
        Arrival.RESTART,
        Arrival.NEXT,
    ]


@given(st.lists(stamps))
def test_what_goes_on_increases_strictly_between_restarts(sequence: list[int]) -> None:
    guard, newest = StampGuard(), None
    for stamp in sequence:
        arrival = guard.check(stamp)
        if arrival is Arrival.RESTART:
            assert newest is not None
            assert newest - stamp >= LOOP_NS
            newest = stamp
        elif arrival is Arrival.NEXT:
            assert newest is None or stamp > newest
            newest = stamp
