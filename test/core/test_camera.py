# SPDX-FileCopyrightText: 2026 The hmp_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Lens models against formulas written down a second time, in torch, and against their own inverse."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from hmp_core.camera import Camera
from hmp_core.errors import CameraError
from hmp_core.lens import Distortion, distort, undistort

LENSES = {
    "narrow": (Distortion.PLUMB_BOB, (-0.05, 0.1, 0.001, -0.0005, 0.0)),
    "wide": (Distortion.PLUMB_BOB, (-0.3, 0.09, 0.001, -0.0005, -0.012)),
    "four": (Distortion.PLUMB_BOB, (-0.2, 0.05, 0.002, 0.001)),
    "rational": (Distortion.RATIONAL, (0.4, -0.5, 0.0001, 0.0002, 0.1, 0.7, -0.4, 0.05)),
    "fisheye": (Distortion.EQUIDISTANT, (-0.02, 0.01, -0.005, 0.001)),
    "ideal fisheye": (Distortion.EQUIDISTANT, (0.0, 0.0, 0.0, 0.0)),
}
REACH_DEG = {"narrow": 40.0, "wide": 55.0, "four": 45.0, "rational": 44.0, "fisheye": 84.0, "ideal fisheye": 84.0}
FOCAL = 400.0


def camera(name):
    return Camera(1280, 720, FOCAL, FOCAL + 10, 639.5, 359.5, *LENSES[name])


def formula(model, coefficients, ray):
    """The image of a ray [2], from the papers: Brown-Conrady with a denominator, Kannala-Brandt."""
    x, y = ray
    r2 = x * x + y * y
    k = torch.zeros(8, dtype=torch.float64)
    k[: len(coefficients)] = torch.tensor(coefficients, dtype=torch.float64)
    if model is Distortion.EQUIDISTANT:
        r = r2.sqrt()
        theta = torch.atan(r)
        bent = theta * (1 + k[0] * theta**2 + k[1] * theta**4 + k[2] * theta**6 + k[3] * theta**8)
        return torch.stack([x, y]) * bent / r
    k1, k2, p1, p2, k3, k4, k5, k6 = k
    radial = (1 + k1 * r2 + k2 * r2**2 + k3 * r2**3) / (1 + k4 * r2 + k5 * r2**2 + k6 * r2**3)
    return torch.stack(
        [
            x * radial + 2 * p1 * x * y + p2 * (r2 + 2 * x * x),
            y * radial + p1 * (r2 + 2 * y * y) + 2 * p2 * x * y,
        ]
    )


def rays_within(degrees, count, seed):
    rng = np.random.default_rng(seed)
    angle = np.radians(rng.uniform(0.1, degrees, count))
    turn = rng.uniform(0, 2 * np.pi, count)
    return np.tan(angle)[:, None] * np.column_stack([np.cos(turn), np.sin(turn)])


@pytest.mark.parametrize("name", LENSES)
def test_projection_and_its_derivative_are_those_of_the_formula(name):
    model, coefficients = LENSES[name]
    rays = rays_within(REACH_DEG[name], 40, 1)
    images, jacobian = distort(model, coefficients, rays)
    for index, ray in enumerate(torch.from_numpy(rays)):
        expected = formula(model, coefficients, ray)
        derivative = torch.autograd.functional.jacobian(lambda r: formula(model, coefficients, r), ray)
        np.testing.assert_allclose(images[index], expected.numpy(), rtol=1e-9)
        np.testing.assert_allclose(jacobian[index], derivative.numpy(), rtol=1e-7, atol=1e-9)


@pytest.mark.parametrize("name", LENSES)
@settings(max_examples=15, deadline=None)
@given(seed=st.integers(0, 10**6), depth=st.floats(0.05, 20.0))
def test_rays_are_the_inverse_of_projection_up_to_the_rim(name, seed, depth):
    rays = rays_within(REACH_DEG[name], 15, seed)
    points = depth * np.column_stack([rays, np.ones(len(rays))])
    pixels = camera(name).project(points)
    assert np.isfinite(pixels).all()
    back, sigmas = camera(name).rays_and_sigmas(pixels, np.ones(len(rays)))
    np.testing.assert_allclose(back, rays, rtol=1e-5, atol=1e-9)
    assert np.isfinite(sigmas).all()


@pytest.mark.parametrize("name", LENSES)
def test_ray_sigmas_are_those_of_scattered_pixels(name):
    rng = np.random.default_rng(3)
    for ray in rays_within(0.9 * REACH_DEG[name], 5, 2):
        pixel = camera(name).project(np.array([*ray, 1.0]))
        scattered = camera(name).rays(pixel + 0.05 * rng.normal(size=(4000, 2)))
        spread = np.linalg.det(np.cov(scattered.T)) ** 0.25
        _, sigma = camera(name).rays_and_sigmas(pixel[None], np.array([0.05]))
        np.testing.assert_allclose(spread, sigma[0], rtol=0.05)


def test_without_distortion_a_pixel_is_worth_the_same_everywhere():
    pinhole = Camera(640, 480, 500.0, 510.0, 319.5, 239.5)
    pixels = np.array([[0.0, 0.0], [319.5, 239.5], [-2000.0, 9000.0]])
    rays, sigmas = pinhole.rays_and_sigmas(pixels, np.array([1.0, 2.0, np.inf]))
    np.testing.assert_allclose(sigmas, np.array([1.0, 2.0, np.inf]) / pinhole.focal_px)
    np.testing.assert_array_equal(rays, pinhole.rays(pixels))


@pytest.mark.parametrize("name", LENSES)
def test_pixels_that_no_ray_reaches_have_a_direction_and_no_weight(name):
    far = np.array([[9000.0, 359.5], [-300.0, -9000.0], [639.5, 20000.0]])
    rays, sigmas = camera(name).rays_and_sigmas(far, np.ones(3))
    assert np.isfinite(rays).all()
    lost = np.isinf(sigmas)
    if name != "rational":  # its polynomial comes back far outside any image
        assert lost.all()
    offset = far - (639.5, 359.5)
    assert ((rays * offset).sum(axis=1) > 0).all()
    assert not np.isnan(sigmas).any()


@pytest.mark.parametrize("name", ["wide", "rational"])
def test_what_lies_behind_the_fold_is_not_drawn(name):
    behind = np.array([[np.tan(np.radians(angle)), 0.0, 1.0] for angle in (62.0, 66.0, 70.0)])
    pixels = camera(name).project(behind)
    inside = camera(name).contains(pixels)
    assert not inside.any()


@pytest.mark.parametrize("shape", [(0, 2), (2,), (3, 4, 2)])
def test_shapes_are_kept(shape):
    for name in LENSES:
        assert camera(name).rays(np.full(shape, 300.0)).shape == shape
        assert camera(name).project(np.ones((*shape[:-1], 3))).shape == shape


def test_nan_stays_nan_and_spoils_nothing_else():
    for name in LENSES:
        rays, sigmas = camera(name).rays_and_sigmas(np.array([[np.nan, 1.0], [600.0, 400.0]]), np.ones(2))
        assert np.isnan(rays[0]).any()
        assert not np.isfinite(sigmas[0]) or np.isnan(rays[0]).any()
        assert np.isfinite(rays[1]).all()
        assert np.isfinite(sigmas[1])


@pytest.mark.parametrize(
    ("model", "count"), [(Distortion.PLUMB_BOB, 3), (Distortion.RATIONAL, 7), (Distortion.EQUIDISTANT, 5),
                         (Distortion.NONE, 4)],
)  # fmt: skip
def test_a_wrong_number_of_coefficients_is_refused(model, count):
    with pytest.raises(CameraError, match=f"takes .* coefficients, got {count}"):
        Camera(640, 480, 500, 500, 320, 240, model, (0.0,) * count)


def test_nothing_is_done_to_an_undistorted_image():
    images, jacobian = distort(Distortion.NONE, (), np.ones((2, 2)))
    rays, areas = undistort(Distortion.NONE, (), images)
    np.testing.assert_array_equal(rays, np.ones((2, 2)))
    np.testing.assert_array_equal(jacobian, [np.eye(2)] * 2)
    np.testing.assert_array_equal(areas, 1.0)
