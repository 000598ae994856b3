# SPDX-FileCopyrightText: 2026 The hmp_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Camera infos as drivers publish them: every model, padded, cropped, binned, rectified, wrong."""

from types import SimpleNamespace

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hmp_core.camera import Camera
from hmp_core.errors import CameraError
from hmp_core.lens import Distortion
from hmp_core.media.intrinsics import Intrinsics
from hmp_core.media.ros_camera import camera_from_info, is_rectified_topic, rectification_complaint

POINTS = np.array([[0.1, -0.05, 0.6], [-0.2, 0.1, 0.5], [0.0, 0.0, 1.0]])
LENSES = [
    ("plumb_bob", [-0.2, 0.05, 0.001, 0.002, 0.0]),
    ("plumb_bob", [-0.2, 0.05, 0.001, 0.002]),
    ("rational_polynomial", [0.4, -0.5, 0.0001, 0.0002, 0.1, 0.7, -0.4, 0.05]),
    ("equidistant", [-0.02, 0.01, -0.005, 0.001]),
    ("fisheye", [-0.02, 0.01, -0.005, 0.001]),
]


def info(model="plumb_bob", d=(), **changes):
    fields = {
        "width": 1280, "height": 720, "distortion_model": model, "d": np.array(d),
        "k": np.array([700.0, 0, 639.5, 0, 710, 359.5, 0, 0, 1]),
        "p": np.array([650.0, 0, 630, 0, 0, 660, 350, 0, 0, 0, 1, 0]),
        "binning_x": 0, "binning_y": 0, "roi": roi(),
    }  # fmt: skip
    return SimpleNamespace(**{**fields, **changes})


def roi(x=0, y=0, width=0, height=0):
    return SimpleNamespace(x_offset=x, y_offset=y, width=width, height=height)


@pytest.mark.parametrize(("model", "d"), LENSES)
def test_every_model_projects_as_opencv_does(model, d):
    message = info(model, d)
    project = cv2.projectPoints if len(d) != 4 or model == "plumb_bob" else cv2.fisheye.projectPoints
    expected = project(POINTS.reshape(-1, 1, 3), np.zeros(3), np.zeros(3), message.k.reshape(3, 3), np.array(d))[
        0
    ].reshape(-1, 2)
    camera = camera_from_info(message)
    np.testing.assert_allclose(camera.project(POINTS), expected, atol=1e-6)
    np.testing.assert_allclose(camera.rays(expected), POINTS[:, :2] / POINTS[:, 2:], atol=1e-7)


@pytest.mark.parametrize(("model", "d"), LENSES)
def test_a_rectified_image_is_never_undistorted_again(model, d):
    camera = camera_from_info(info(model, d), rectified=True)
    assert camera.distortion is Distortion.NONE
    assert (camera.fx, camera.fy, camera.cx, camera.cy) == (650, 660, 630, 350)
    # The pixel that image_proc would have put it at.
    np.testing.assert_allclose(camera.project(POINTS[0]), [650 * 0.1 / 0.6 + 630, 660 * -0.05 / 0.6 + 350])


@pytest.mark.parametrize(("model", "d"), LENSES)
@settings(max_examples=15, deadline=None)
@given(
    x=st.integers(0, 300), y=st.integers(0, 200), width=st.integers(200, 900), height=st.integers(200, 500),
    binning_x=st.integers(0, 4), binning_y=st.integers(0, 4),
)  # fmt: skip
def test_region_and_binning_show_the_same_rays(model, d, x, y, width, height, binning_x, binning_y):
    full = camera_from_info(info(model, d))
    part = camera_from_info(info(model, d, roi=roi(x, y, width, height), binning_x=binning_x, binning_y=binning_y))
    binning = np.maximum([binning_x, binning_y], 1)
    assert (part.width, part.height) == (width // binning[0], height // binning[1])
    pixels = (full.project(POINTS) - (x, y) + 0.5) / binning - 0.5
    np.testing.assert_allclose(part.project(POINTS), pixels, atol=1e-6)
    np.testing.assert_allclose(part.rays(pixels), POINTS[:, :2] / POINTS[:, 2:], atol=1e-6)


@pytest.mark.parametrize(("model", "count"), [("equidistant", 4), ("plumb_bob", 5), ("rational_polynomial", 8)])
def test_zeros_beyond_the_model_are_dropped(model, count):
    d = [0.01, -0.02, 0.001, 0.002, 0.003, 0.004, 0.005, 0.006][:count]
    padded, plain = camera_from_info(info(model, [*d, *[0.0] * (9 - count)])), camera_from_info(info(model, d))
    np.testing.assert_allclose(padded.project(POINTS), plain.project(POINTS))


@pytest.mark.parametrize("d", [[0.1], [0.1] * 3, [0.1] * 6, [0.1] * 9, [np.nan] * 5, [np.inf] * 4])
@pytest.mark.parametrize("model", ["plumb_bob", "rational_polynomial", "equidistant"])
def test_coefficients_that_no_lens_has_are_refused(model, d):
    with pytest.raises(CameraError):
        camera_from_info(info(model, d))
    assert camera_from_info(info(model, d), rectified=True).distortion is Distortion.NONE


@settings(max_examples=80, deadline=None)
@given(
    model=st.sampled_from(["", "plumb_bob", "rational_polynomial", "equidistant", "thin_prism"]),
    d=st.lists(st.floats(allow_nan=True), max_size=15),
    k=st.lists(st.floats(allow_nan=True), min_size=9, max_size=9),
    width=st.integers(0, 5000), height=st.integers(0, 5000), offset=st.integers(0, 2**32 - 1),
    binning=st.integers(0, 2**32 - 1), rectified=st.booleans(),
)  # fmt: skip
def test_any_numbers_give_a_camera_or_say_why_not(model, d, k, width, height, offset, binning, rectified):
    message = info(model, d, k=np.array(k), width=width, height=height, roi=roi(offset, offset), binning_x=binning)
    try:
        camera = camera_from_info(message, rectified)
    except CameraError:
        pass
    else:
        assert np.isfinite(camera.matrix).all()
        assert camera.width > 0
        assert camera.height > 0


def test_an_image_of_another_size_gets_the_rescaled_calibration_with_its_distortion():
    calibrated = camera_from_info(info(*LENSES[0]))
    half = Intrinsics(calibrated).camera_for(640, 360)
    np.testing.assert_allclose(half.project(POINTS), (calibrated.project(POINTS) + 0.5) / 2 - 0.5)
    assert half.coefficients == calibrated.coefficients
    assert not Intrinsics(calibrated).camera_for(640, 480).calibrated, "a cropped image is another camera"


@pytest.mark.parametrize(
    ("topic", "rectified"),
    [("/cam/image_rect", True), ("/cam/image_rect_color", True), ("/infra1/image_rect_raw", True),
     ("/rect/image", True), ("/cam/rectified/image", True), ("/camera/image_raw", False), ("/direct/image", False),
     ("/rectangle/image", False), ("/cam/correct_image", False)],
)  # fmt: skip
def test_rectified_topics_are_known_by_their_names(topic, rectified):
    assert is_rectified_topic(topic) is rectified


def test_a_doubtful_treatment_of_distortion_is_complained_about():
    distorted = Camera(64, 48, 70, 71, 30, 22, Distortion.PLUMB_BOB, (0.1, 0.0, 0.0, 0.0))
    straight = Camera(64, 48, 70, 71, 30, 22)
    assert "set rectified to true" in (rectification_complaint("/cam/image_rect", distorted, False) or "")
    assert rectification_complaint("/cam/image_rect", straight, False) is None, "RealSense: nothing to undistort"
    assert rectification_complaint("/cam/image_rect", straight, True) is None
    assert rectification_complaint("/cam/image_raw", distorted, False) is None
    assert "set rectified to false" in (rectification_complaint("/cam/image_raw", straight, True) or "")
