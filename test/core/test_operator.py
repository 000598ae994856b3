# SPDX-FileCopyrightText: 2026 The hmp_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Whose hands are followed: the rule by itself, and the real detector on pictures of several people's hands."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rendered_hand import CAMERA, Placed, render

from hmp_core.errors import ConfigError
from hmp_core.frame import Frame
from hmp_core.hand.skeleton import Side
from hmp_core.perception.config import PerceptionConfig
from hmp_core.perception.operator import Hands, Operator, SeenHand, choose
from hmp_core.perception.pipeline import HandPerception

STEP_NS = 33_333_334
SETTLED = 12
"""Images until the sides are decided and bystanders set aside."""
SIDES = st.sampled_from([Side.LEFT, Side.RIGHT, None])


def hand(track_id, side, x=0.0, scale=800.0):
    return SeenHand(track_id, side, np.array([x, 0.0]), scale)


@settings(max_examples=200, deadline=None)
@given(
    st.lists(st.tuples(SIDES, st.floats(-3000, 3000), st.floats(50, 3000)), max_size=6),
    st.sampled_from(Hands),
    st.sampled_from(Operator),
)
def test_whoever_is_chosen_is_wanted_and_one_person(drawn, hands, operator):
    seen = [hand(index, *values) for index, values in enumerate(drawn)]
    chosen = [seen[index] for index in choose(seen, hands, operator)]
    assert all(hands.include(one.side) for one in chosen)
    wanted = [one for one in seen if hands.include(one.side)]
    if operator is Operator.ANYONE:
        assert chosen == wanted
        return
    decided = [one.side for one in chosen if one.side is not None]
    assert len(decided) == len(set(decided))
    # Whoever was there first stays, and the order in which hands are named does not matter.
    assert not wanted or wanted[0] in chosen
    assert choose(seen[::-1], hands, operator) == {one.track_id for one in chosen}


@pytest.mark.parametrize(
    ("other", "together"),
    [
        (hand(1, Side.LEFT, 400.0), True),
        (hand(1, Side.LEFT, 400.0, 400.0), True),
        (hand(1, None, 400.0), True),
        (hand(1, Side.RIGHT, 400.0), False),
        (hand(1, Side.LEFT, 400.0, 300.0), False),
        (hand(1, Side.LEFT, 1700.0), False),
    ],
    ids=["beside", "arm stretched", "side open", "same side", "far behind", "three metres away"],
)
def test_two_hands_of_one_person(other, together):
    first = hand(0, Side.RIGHT)
    assert choose([first, other], Hands.BOTH, Operator.NEAREST) == ({0, 1} if together else {0})
    assert choose([first, other], Hands.BOTH, Operator.ANYONE) == {0, 1}


def test_they_are_named_by_words_and_other_words_are_refused():
    assert (Hands("left"), Operator("nearest")) == (Hands.LEFT, Operator.NEAREST)
    with pytest.raises(ConfigError, match="left, right or both"):
        Hands("feet")
    with pytest.raises(ConfigError, match="nearest or anyone"):
        Operator("tallest")


OPERATOR_RIGHT = Placed(Side.RIGHT, position=(-0.12, 0.10, 0.45))
OPERATOR_LEFT = Placed(Side.LEFT, position=(0.12, 0.10, 0.45))
BYSTANDER_RIGHT = Placed(Side.RIGHT, position=(-0.02, -0.17, 0.75), tone=2)
NEAR_BYSTANDER = Placed(Side.RIGHT, position=(0.10, 0.08, 0.36), tone=2)
FAR_LEFT = Placed(Side.LEFT, position=(0.27, -0.26, 1.25), tone=2)


@pytest.fixture(scope="module")
def pictures():
    scenes = {
        "operator": [OPERATOR_RIGHT, OPERATOR_LEFT],
        "bystander": [BYSTANDER_RIGHT],
        "all": [OPERATOR_RIGHT, OPERATOR_LEFT, BYSTANDER_RIGHT],
        "right": [OPERATOR_RIGHT],
        "two rights": [OPERATOR_RIGHT, NEAR_BYSTANDER],
        "far": [OPERATOR_RIGHT, FAR_LEFT],
        "none": [],
    }
    return {name: render(placed)[0] for name, placed in scenes.items()}


class Stream:
    """Feeds pictures at 30 Hz."""

    def __init__(self, **settings):
        self.perception = HandPerception(PerceptionConfig(search_interval_s=0.2, **settings))
        self.stamp_ns = 0

    def feed(self, picture, times=SETTLED):
        """Show a picture some times; the observed hands of the last."""
        for _ in range(times):
            self.stamp_ns += STEP_NS
            hands = self.perception.process(Frame(picture, self.stamp_ns, CAMERA)).hands
        return hands


def places(hands):
    """Side and horizontal place [px] of each hand."""
    return {hand.side: float(hand.keypoints_px[:, 0].mean()) for hand in hands}


@pytest.mark.parametrize("wanted", [Hands.LEFT, Hands.RIGHT])
def test_only_the_wanted_side_is_observed(pictures, wanted):
    stream = Stream(hands=wanted, max_hands=1)
    seen = stream.feed(pictures["operator"], 2 * SETTLED)
    assert [hand.side.value for hand in seen] == [wanted.value]
    assert stream.perception.counters.bystanders <= 1
    # The other hand takes no place, no time but for the search, and is known again.
    assert {hand.track_id for hand in stream.feed(pictures["operator"], 30)} == {seen[0].track_id}


def test_with_both_sides_wanted_both_hands_are_observed(pictures):
    for operator in Operator:
        assert set(places(Stream(operator=operator).feed(pictures["operator"]))) == set(Side)


def test_the_nearest_hands_are_the_operators(pictures):
    seen = Stream().feed(pictures["all"])
    assert set(places(seen)) == set(Side)
    assert all(hand.keypoints_px[:, 1].mean() > 200 for hand in seen), "the bystander's hand is in the upper half"


def test_a_bystander_who_comes_nearer_does_not_take_over_and_follows_when_the_operator_has_left(pictures):
    stream = Stream()
    before = stream.feed(pictures["right"])
    during = stream.feed(pictures["two rights"], 40)
    assert [hand.track_id for hand in during] == [before[0].track_id]
    assert abs(places(during)[Side.RIGHT] - places(before)[Side.RIGHT]) < 10
    assert stream.perception.counters.bystanders >= 1
    stream.feed(pictures["none"], 60)
    (after,) = stream.feed(pictures["bystander"])
    assert after.track_id not in {hand.track_id for hand in before + during}


def test_anyone_may_have_two_right_hands(pictures):
    seen = Stream(operator=Operator.ANYONE).feed(pictures["two rights"], 2 * SETTLED)
    assert [hand.side for hand in seen] == [Side.RIGHT, Side.RIGHT]


def test_a_hand_that_is_too_far_away_to_be_the_operators_is_set_aside(pictures):
    stream = Stream()
    seen = stream.feed(pictures["far"], 2 * SETTLED)
    assert set(places(seen)) == {Side.RIGHT}
    assert stream.perception.counters.bystanders >= 1
    assert len(Stream(operator=Operator.ANYONE).feed(pictures["far"], 2 * SETTLED)) == 2


def test_reset_chooses_anew(pictures):
    stream = Stream()
    stream.feed(pictures["right"])
    stream.feed(pictures["two rights"])
    stream.perception.reset()
    (seen,) = [hand for hand in stream.feed(pictures["two rights"]) if hand.side is Side.RIGHT]
    assert places([seen])[Side.RIGHT] > CAMERA.cx, "the nearer one"
