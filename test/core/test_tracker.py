# SPDX-FileCopyrightText: 2026 The hmp_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Tracks over rendered pictures that are moved, covered and taken away."""

import dataclasses

import cv2
import numpy as np
import pytest
from rendered_hand import CAMERA, Placed, render

from hmp_core.frame import Frame
from hmp_core.hand.skeleton import Side
from hmp_core.perception.config import PerceptionConfig
from hmp_core.perception.landmark_network import LandmarkNetwork
from hmp_core.perception.pipeline import HandPerception

STEP_NS = 33_333_334
LEFT_HAND = Placed(Side.LEFT, position=(0.13, 0.08, 0.55))
RIGHT_HAND = Placed(Side.RIGHT, position=(-0.13, 0.08, 0.55))


@pytest.fixture(scope="module")
def pictures():
    hands = {"right": [Placed()], "none": [], "two": [LEFT_HAND, RIGHT_HAND], "one of two": [RIGHT_HAND]}
    hands["middle"] = [Placed(Side.RIGHT, position=(-0.02, 0.08, 0.55))]
    hands["near"] = [
        Placed(Side.RIGHT, position=(-0.10, 0.08, 0.55)),
        Placed(Side.LEFT, position=(0.06, 0.08, 0.55)),
    ]
    small = [(-0.25, -0.02, 0.7), (0.0, 0.05, 0.7), (0.25, -0.02, 0.7)]
    hands["three"] = [Placed(Side.RIGHT, position=position) for position in small]
    return {name: render(placed)[0] for name, placed in hands.items()}


class Stream:
    """Feeds pictures at 30 Hz."""

    def __init__(self, **settings):
        self.perception = HandPerception(PerceptionConfig(**settings))
        self.counters = self.perception.counters
        self.stamp_ns = 0

    def feed(self, picture, times=1):
        """Show a picture some times; the observed hands of each."""
        return [self.show(picture) for _ in range(times)]

    def show(self, picture):
        self.stamp_ns += STEP_NS
        return self.perception.process(Frame(picture, self.stamp_ns, CAMERA)).hands


def moved(picture, x, y=0):
    matrix = np.float32([[1, 0, x], [0, 1, y]])
    return cv2.warpAffine(picture, matrix, picture.shape[1::-1], borderMode=cv2.BORDER_REPLICATE)


def ids(observed):
    return [tuple(hand.track_id for hand in hands) for hands in observed]


def test_a_moving_hand_keeps_its_track_and_its_palm_is_not_searched_again(pictures):
    stream = Stream(max_hands=1)
    observed = [stream.show(moved(pictures["right"], 4 * step, 2 * step)) for step in range(20)]
    assert ids(observed) == [(0,)] * 20
    assert stream.counters.palm_searches == 1
    centers = np.array([hands[0].keypoints_px.mean(axis=0) for hands in observed])
    np.testing.assert_allclose(centers[-1] - centers[0], [76, 38], atol=4)


def test_with_room_for_a_second_hand_it_is_searched_for_at_the_set_interval(pictures):
    stream = Stream(search_interval_s=0.5)
    stream.feed(pictures["one of two"], 46)
    assert stream.counters.palm_searches == 4
    observed = stream.feed(pictures["two"], 16)
    assert len(observed[-1]) == 2
    assert {hand.track_id for hand in observed[-1]} == {0, 1}


@pytest.mark.parametrize(("gap", "same"), [(1, True), (12, True), (35, True), (48, False)])
def test_a_hand_that_comes_back_soon_keeps_id_and_side_and_later_is_a_new_one(pictures, gap, same):
    stream = Stream()
    before = stream.feed(pictures["right"], 6)
    assert before[-1][0].side is Side.RIGHT
    assert ids(stream.feed(pictures["none"], gap)) == [()] * gap
    after = stream.feed(moved(pictures["right"], -60, 20), 2)
    assert ids(after) == [(0 if same else 1,)] * 2
    assert after[0][0].side is (Side.RIGHT if same else None)


def test_of_two_hands_one_is_covered_and_comes_back_as_itself(pictures):
    stream = Stream()
    before = stream.feed(pictures["two"], 8)
    sides = {hand.track_id: hand.side for hand in before[-1]}
    assert sorted(sides.values(), key=str) == sorted(Side, key=str)
    (right_id,) = (track for track, side in sides.items() if side is Side.RIGHT)
    assert ids(stream.feed(pictures["one of two"], 15)) == [(right_id,)] * 15
    after = stream.feed(pictures["two"], 6)
    assert {hand.track_id: hand.side for hand in after[-1]} == sides


def test_a_third_hand_is_left_out_and_counted(pictures):
    stream = Stream()
    observed = stream.feed(pictures["three"], 3)
    assert [len(hands) for hands in observed] == [2, 2, 2]
    assert stream.counters.extra_hands >= 1


def test_two_tracks_on_one_hand_become_one(pictures):
    stream = Stream()
    assert len(stream.feed(pictures["near"], 7)[-1]) == 2
    # In the first picture both regions still see the hand in different places.
    observed = stream.feed(pictures["middle"], 4)
    assert [len(hands) for hands in observed[1:]] == [1, 1, 1]
    assert stream.counters.duplicates >= 1


def test_a_nan_from_the_network_is_no_hand_and_the_track_survives(pictures, monkeypatch):
    stream = Stream()
    stream.feed(pictures["right"], 6)
    sound = LandmarkNetwork.run

    def broken(self, image, roi):
        landmarks = sound(self, image, roi)
        return dataclasses.replace(landmarks, keypoints_px=landmarks.keypoints_px * np.nan)

    with monkeypatch.context() as patch:
        patch.setattr(LandmarkNetwork, "run", broken)
        assert ids(stream.feed(pictures["right"], 2)) == [(), ()]
    assert stream.counters.invalid_outputs >= 2
    after = stream.feed(pictures["right"], 1)
    assert ids(after) == [(0,)]
    assert after[0][0].side is Side.RIGHT


def test_a_hand_that_leaves_the_image_is_given_up(pictures):
    stream = Stream()
    observed = [stream.show(moved(pictures["right"], -14 * step)) for step in range(40)]
    assert ids(observed)[:15] == [(0,)] * 15
    assert ids(observed)[-5:] == [()] * 5
    for (hand,) in filter(None, observed):
        outside = ~CAMERA.contains(hand.keypoints_px)
        np.testing.assert_array_equal(np.isinf(hand.keypoint_sigma_px), outside)
        np.testing.assert_array_equal(np.isinf(hand.landmark_sigma_m), outside)
    assert any(np.isinf(hand.keypoint_sigma_px).any() for (hand,) in filter(None, observed))
