# SPDX-FileCopyrightText: 2026 The hmp_ros authors
# SPDX-License-Identifier: Apache-2.0
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from rendered_hand import CAMERA, Placed, pose

from hmp_core.observation import Roi
from hmp_core.perception.roi import crop_image, image_from_crop, interpolate_roi, overlap, roi_from_landmarks

angles = st.floats(-np.pi, np.pi - 1e-9)
rois = st.builds(
    lambda x, y, size, angle: Roi(np.array([x, y]), size, angle),
    st.floats(-200, 800), st.floats(-200, 800), st.floats(20, 600), angles,
)  # fmt: skip
HAND = CAMERA.project(pose(Placed())[2])


def same_angle(first, second):
    return abs((first - second + np.pi) % (2 * np.pi) - np.pi) < 1e-6


@given(roll=angles, scale=st.floats(0.2, 5.0), x=st.floats(-500, 500), y=st.floats(-500, 500))
def test_the_region_turns_moves_and_grows_with_the_hand(roll, scale, x, y):
    base = roi_from_landmarks(HAND)
    turn = np.array([[np.cos(roll), -np.sin(roll)], [np.sin(roll), np.cos(roll)]]) * scale
    moved = roi_from_landmarks(HAND @ turn.T + (x, y))
    np.testing.assert_allclose(moved.center_px, turn @ base.center_px + (x, y), atol=1e-6 * scale)
    assert moved.size_px == pytest.approx(base.size_px * scale)
    assert same_angle(moved.rotation_rad, base.rotation_rad + roll)


def test_an_upright_hand_has_an_upright_region_around_it():
    roi = roi_from_landmarks(HAND)
    assert abs(roi.rotation_rad) < 0.1
    assert np.abs(HAND - roi.center_px).max() < roi.size_px / 2


@given(first=rois, second=rois)
def test_interpolation_meets_both_ends_and_takes_the_short_way(first, second):
    for fraction, end in ((0.0, first), (1.0, second)):
        met = interpolate_roi(first, second, fraction)
        np.testing.assert_allclose(met.center_px, end.center_px, atol=1e-9)
        assert met.size_px == pytest.approx(end.size_px)
        assert same_angle(met.rotation_rad, end.rotation_rad)
    middle = interpolate_roi(first, second, 0.5)
    assert middle.size_px == pytest.approx(np.sqrt(first.size_px * second.size_px))
    step = (middle.rotation_rad - first.rotation_rad + np.pi) % (2 * np.pi) - np.pi
    assert abs(step) <= np.pi / 2 + 1e-9


def test_rotation_goes_through_pi_not_through_zero():
    first, second = Roi(np.zeros(2), 100.0, 3.0), Roi(np.zeros(2), 100.0, -3.0)
    assert abs(interpolate_roi(first, second, 0.5).rotation_rad) == pytest.approx(np.pi)


@given(first=rois, second=rois)
def test_overlap_is_symmetric_and_one_only_for_the_same_square(first, second):
    assert overlap(first, second) == pytest.approx(overlap(second, first))
    assert 0.0 <= overlap(first, second) <= 1.0 + 1e-12
    assert overlap(first, first) == pytest.approx(1.0)


def test_overlap_of_shifted_squares():
    first, second = Roi(np.zeros(2), 100.0, 0.0), Roi(np.array([50.0, 0.0]), 100.0, 1.0)
    assert overlap(first, second) == pytest.approx(1 / 3)
    assert overlap(first, Roi(np.array([101.0, 0.0]), 100.0, 0.0)) == 0.0


@given(roi=st.builds(lambda a, s: Roi(np.array([300.0, 200.0]), s, a), angles, st.floats(50, 300)))
def test_a_crop_samples_the_image_where_its_map_says(roi):
    # Brightness grows along x and y, so that a bilinear sample tells where it was taken.
    y, x = np.mgrid[0:400, 0:600]
    image = np.stack([x * 0.4, y * 0.4, x * 0], axis=-1).round().astype(np.uint8)
    crop = crop_image(image, roi, 64)[..., :2].astype(float) / 0.4
    rows, columns = np.mgrid[0:64, 0:64]
    matrix = image_from_crop(roi, 64)
    expected = np.stack([columns, rows], axis=-1) @ matrix[:, :2].T + matrix[:, 2]
    inside = ((expected > 1) & (expected < (598, 398))).all(axis=-1)
    assert np.abs(crop - expected)[inside].max() < 2.6


def test_outside_the_image_the_border_repeats():
    image = np.full((100, 100, 3), 200, np.uint8)
    assert (crop_image(image, Roi(np.array([0.0, 0.0]), 90.0, 0.4), 32) == 200).all()
