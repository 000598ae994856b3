# SPDX-FileCopyrightText: 2026 The hmp_ros authors
# SPDX-License-Identifier: Apache-2.0
from hypothesis import given
from hypothesis import strategies as st

from hmp_core.hand.skeleton import Side
from hmp_core.perception.side_vote import SideVote

probabilities = st.floats(0.0, 1.0)


@given(st.lists(probabilities, min_size=1, max_size=80))
def test_a_side_once_decided_stays_and_needs_five_votes(votes):
    vote, decided = SideVote(), None
    for index, right in enumerate(votes):
        vote.add(right)
        assert index >= 4 or vote.side is None
        assert index < 44 or vote.side is not None
        assert decided is None or vote.side is decided
        assert 0.5 <= vote.score <= 1.0
        decided = vote.side


@given(st.lists(st.floats(0.0, 0.2), min_size=8, max_size=40), st.integers(0, 39), st.integers(0, 39))
def test_two_certain_but_wrong_images_do_not_decide(votes, first, second):
    for index in (first, second):
        votes[index % len(votes)] = 1.0
    vote = SideVote()
    for right in (*votes, *[0.05] * 8):
        vote.add(right)
    assert vote.side is Side.LEFT


def test_the_score_is_the_mean_probability_of_the_side():
    vote = SideVote()
    for right in (0.9, 0.8, 1.0, 0.7, 0.9, 0.95):
        vote.add(right)
    assert vote.side is Side.RIGHT
    assert abs(vote.score - 0.875) < 1e-5
    assert vote.contradiction(0.1) > 0.3
    assert vote.contradiction(0.6) == 0.0
