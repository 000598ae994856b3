# SPDX-FileCopyrightText: 2026 The hmp_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Rotation maps: tensor form against SciPy and autograd, compiled form against tensor form."""

import math
from contextlib import nullcontext

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.spatial.transform import Rotation

from hmp_core.hand.so3 import (
    exponential,
    hat,
    logarithm,
    nearest_rotation,
    right_jacobian,
    right_jacobian_inverse,
)

FORMS = {"tensors": nullcontext, "loops": torch.inference_mode}
ANGLES = st.one_of(
    st.floats(0.0, math.pi), st.floats(0.0, 1e-6), st.floats(math.pi - 1e-6, math.pi), st.just(math.pi)
)


def vector_of(angle: float, seed: int, dtype: torch.dtype = torch.float64) -> torch.Tensor:
    axis = torch.randn(3, dtype=torch.float64, generator=torch.Generator().manual_seed(seed))
    return (axis / axis.norm() * angle).to(dtype)


@pytest.mark.parametrize("form", FORMS)
@settings(deadline=None, max_examples=100)
@given(ANGLES, st.integers(0, 1000))
def test_exponential_and_logarithm_are_scipys(form: str, angle: float, seed: int) -> None:
    vector = vector_of(angle, seed)
    with FORMS[form]():
        rotation = exponential(vector)
        back = logarithm(rotation)
    expected = Rotation.from_rotvec(vector.numpy())
    np.testing.assert_allclose(rotation.numpy(), expected.as_matrix(), atol=1e-14)
    assert back.norm() <= math.pi + 1e-12
    # Half a turn about an axis and about its opposite are one rotation.
    np.testing.assert_allclose(Rotation.from_rotvec(back.numpy()).as_matrix(), expected.as_matrix(), atol=1e-12)
    if angle < math.pi - 1e-5:
        np.testing.assert_allclose(back.numpy(), vector.numpy(), atol=1e-9)


@settings(deadline=None, max_examples=50)
@given(st.floats(0.0, 3.1), st.integers(0, 1000))
def test_right_jacobians_are_the_derivatives(angle: float, seed: int) -> None:
    vector = vector_of(angle, seed)
    jacobian, inverse = right_jacobian(vector), right_jacobian_inverse(vector)
    with torch.inference_mode():
        torch.testing.assert_close(right_jacobian(vector), jacobian, atol=1e-12, rtol=0)
        torch.testing.assert_close(right_jacobian_inverse(vector), inverse, atol=1e-9, rtol=0)
    by_vector = torch.func.jacrev(exponential)(vector)
    # R' dR is the hat of the tangent.
    tangents = exponential(vector).mT @ by_vector.permute(2, 0, 1)
    torch.testing.assert_close(tangents, hat(jacobian.mT), atol=1e-9, rtol=0)
    torch.testing.assert_close(jacobian @ inverse, torch.eye(3, dtype=torch.float64), atol=1e-9, rtol=0)
    by_tangent = torch.func.jacrev(lambda d: logarithm(exponential(vector) @ exponential(d)))(
        torch.zeros_like(vector)
    )
    torch.testing.assert_close(by_tangent, inverse, atol=1e-7, rtol=0)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("shape", [(), (5,), (2, 3), (0,), (4, 0)])
def test_loops_keep_shape_and_type(shape: tuple[int, ...], dtype: torch.dtype) -> None:
    vectors = torch.randn(*shape, 3, dtype=dtype, generator=torch.Generator().manual_seed(0))
    rotations = exponential(vectors)
    with torch.inference_mode():
        for function, given_ in ((exponential, vectors), (logarithm, rotations), (right_jacobian, vectors)):
            made = function(given_)
            assert made.dtype is dtype
            assert made.shape[: len(shape)] == shape
        torch.testing.assert_close(exponential(vectors), rotations)
        torch.testing.assert_close(logarithm(rotations), logarithm(rotations.clone()))
        assert logarithm(rotations.mT).shape == vectors.shape, "not contiguous"


def test_nearest_rotation_takes_rounding_away() -> None:
    rotation = exponential(torch.randn(50, 3, dtype=torch.float64, generator=torch.Generator().manual_seed(1)))
    noise = torch.randn(50, 3, 3, dtype=torch.float64, generator=torch.Generator().manual_seed(2))
    mended = nearest_rotation(rotation + 1e-6 * noise)
    torch.testing.assert_close(mended @ mended.mT, torch.eye(3).double().expand(50, 3, 3), atol=1e-10, rtol=0)
    torch.testing.assert_close(mended, rotation, atol=1e-5, rtol=0)
