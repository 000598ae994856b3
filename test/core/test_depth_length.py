# SPDX-FileCopyrightText: 2026 The hmp_ros authors
# SPDX-License-Identifier: Apache-2.0
"""A hand's length from aligned depth: depth messages, and the whole way from rendered pictures to centimetres."""

import array
from types import SimpleNamespace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rendered_hand import CAMERA, LIGHTS, Placed, _model, pose

from hmp_core.errors import DataError, ImageError
from hmp_core.fitting.depth_length import hand_length_from_depth, settle_length
from hmp_core.frame import Frame
from hmp_core.hand.skeleton import MIDDLE_MCP, WRIST, Side
from hmp_core.media.background import make_background
from hmp_core.media.rendering import Renderer, composite
from hmp_core.media.ros_depth import depth_to_metres
from hmp_core.media.skin import SKIN_TONES, skin_colours
from hmp_core.pipeline import open_pipeline

STEP_NS = 33_333_334
IMAGES = 24
WALL_M = 1.6


def message(encoding, values, step=None, big_endian=False):
    rows = np.ascontiguousarray(values.byteswap() if big_endian else values).view(np.uint8).reshape(len(values), -1)
    step = step or rows.shape[1]
    padded = np.pad(rows, ((0, 0), (0, step - rows.shape[1])), constant_values=255)
    return SimpleNamespace(
        encoding=encoding, height=values.shape[0], width=values.shape[1], step=step, is_bigendian=int(big_endian),
        data=array.array("B", padded.tobytes()),
    )  # fmt: skip


@settings(max_examples=60, deadline=None)
@given(
    width=st.integers(1, 9), height=st.integers(1, 9), padding=st.integers(0, 5), big_endian=st.booleans(),
    seed=st.integers(0, 1000),
)  # fmt: skip
def test_both_encodings_are_metres_with_holes(width, height, padding, big_endian, seed):
    rng = np.random.default_rng(seed)
    millimetres = rng.integers(0, 2000, (height, width)).astype(np.uint16)
    millimetres[rng.random((height, width)) < 0.3] = 0
    metres = np.where(millimetres > 0, millimetres * 1e-3, [0.0, np.nan, np.inf, -1.0][seed % 4]).astype(np.float32)
    expected = np.where(millimetres > 0, millimetres * 1e-3, np.nan)
    for encoding, values in (("16UC1", millimetres), ("32FC1", metres)):
        step = width * values.itemsize + padding
        depth = depth_to_metres(message(encoding, values, step, big_endian))
        np.testing.assert_allclose(depth, expected, rtol=1e-6)


def test_other_images_are_no_depth():
    grey = message("mono8", np.zeros((4, 4), np.uint8))
    for wrong in (grey, SimpleNamespace(format="png", data=b"")):
        with pytest.raises(ImageError, match="16UC1"):
            depth_to_metres(wrong)
    with pytest.raises(ImageError, match="short"):
        depth_to_metres(SimpleNamespace(**{**vars(message("16UC1", np.zeros((4, 4), np.uint16))), "height": 40}))


def hands_with_depth(placed):
    """Pictures of hands in a room, depth before a wall, the estimates, and the true length."""
    background = make_background(CAMERA.width, CAMERA.height, np.random.default_rng(0))
    model, _, _, sleeve = _model(placed[0].side)
    pipeline = open_pipeline()
    found = []
    with Renderer(CAMERA, LIGHTS) as renderer:
        renderer.add("hand", model.faces, skin_colours(model, SKIN_TONES[1]))
        renderer.add("sleeve", sleeve.faces, np.full((len(sleeve.vertices), 3), 90, np.uint8), 0.0)
        for index, hand in enumerate(placed):
            vertices, sleeve_vertices, joints = pose(hand)
            picture = composite(renderer.draw({"hand": vertices, "sleeve": sleeve_vertices}), background)
            depth = renderer.depth()
            frame = Frame(picture, (index + 1) * STEP_NS, CAMERA)
            found.append((np.where(np.isnan(depth), WALL_M, depth), pipeline.process(frame)[1].hands))
    return found, float(np.linalg.norm(joints[MIDDLE_MCP] - joints[WRIST]))


def sway(size, side=Side.RIGHT, back=False, depth_m=0.5):
    """A hand held still, as far as people do."""
    turn = np.pi if back else 0.0
    return [
        Placed(
            side, (0.01 * np.sin(0.3 * k), 0.08, depth_m), (0.02 * np.cos(0.2 * k), turn + 0.05, 0), 0.12, 1, size
        )
        for k in range(IMAGES)
    ]


@pytest.fixture(scope="module")
def large():
    return hands_with_depth(sway(2.5))


def lengths_of(found, spoil=lambda depth, hand: depth):
    measured = [hand_length_from_depth(spoil(depth, hands[0]), CAMERA, hands[0]) for depth, hands in found if hands]
    return [length for length in measured if length is not None]


@pytest.mark.parametrize(
    ("size", "side", "back"), [(-2.5, Side.RIGHT, False), (0.0, Side.LEFT, False), (1.0, Side.RIGHT, True)]
)
def test_the_length_of_a_rendered_hand_is_found(size, side, back):
    found, truth = hands_with_depth(sway(size, side, back))
    measured = settle_length(lengths_of(found))
    assert measured.views >= 10
    assert abs(measured.length_m / truth - 1) < 0.05
    assert abs(measured.length_m - truth) < 3 * measured.stddev_m


def test_holes_noise_quantisation_and_another_resolution_do_little(large):
    found, truth = large
    rng = np.random.default_rng(0)

    def spoil(depth, hand):
        noisy = depth + rng.normal(0, 0.004, depth.shape)
        noisy[rng.random(depth.shape) < 0.3] = np.nan
        return np.round(noisy, 3)[::2, ::2]

    clean = settle_length(lengths_of(found))
    assert abs(clean.length_m / truth - 1) < 0.05
    assert abs(settle_length(lengths_of(found, spoil)).length_m / clean.length_m - 1) < 0.02


def test_something_before_a_third_of_the_joints_does_not_count(large):
    found, _ = large

    def spoil(depth, hand):
        pixels = CAMERA.project(hand.joints_camera)
        covered = depth.copy()
        covered[:, : int(np.percentile(pixels[5:, 0], 30))] = 0.42
        return covered

    clean = settle_length(lengths_of(found)).length_m
    assert abs(settle_length(lengths_of(found, spoil)).length_m / clean - 1) < 0.03


@pytest.mark.parametrize("depth_m", [np.nan, WALL_M, 0.1, 0.0])
def test_depth_that_does_not_show_the_hand_gives_no_length(large, depth_m):
    assert lengths_of(large[0], lambda depth, hand: np.full_like(depth, depth_m)) == []


def test_a_hand_seen_edge_on_or_unseen_joints_give_no_length(large):
    depth, (hand, *_) = large[0][-1]
    unseen = SimpleNamespace(**{**vars(hand), "joint_observed": np.zeros(21, bool)})
    assert hand_length_from_depth(depth, CAMERA, unseen) is None
    edge_on = SimpleNamespace(**{**vars(hand), "R_camera_wrist": hand.R_camera_wrist[:, [1, 2, 0]]})
    assert hand_length_from_depth(depth, CAMERA, edge_on) is None
    outside = SimpleNamespace(**{**vars(hand), "joints_camera": hand.joints_camera + np.array([5.0, 0, 0])})
    assert hand_length_from_depth(depth, CAMERA, outside) is None


def test_too_few_images_and_images_that_disagree_are_refused():
    with pytest.raises(DataError, match="in 9 images, 10 are needed"):
        settle_length([0.09] * 9)
    with pytest.raises(DataError, match="varies by"):
        settle_length(np.linspace(0.07, 0.12, 20))
    measured = settle_length([0.09] * 8 + [0.13, 0.06])
    assert measured.length_m == pytest.approx(0.09)
    assert measured.stddev_m == pytest.approx(0.025 * 0.09)
