# SPDX-FileCopyrightText: 2026 The hmp_ros authors
# SPDX-License-Identifier: Apache-2.0
from contextlib import nullcontext
from dataclasses import replace

import numpy as np
import pytest
import roma
import torch

from hmp_core.hand.kinematics import HandKinematics
from hmp_core.hand.loading import load_hand_model
from hmp_core.hand.mesh import HandMesh
from hmp_core.hand.mirror import mirror_points, mirror_rotation_vector
from hmp_core.hand.skeleton import TIPS

BATCH = 4


def with_correctives(model):
    """MANO has pose correctives and blends its fingertips from several joints; the open hand does neither."""
    rng = np.random.default_rng(3)
    weights = model.weights.copy()
    for tip in model.tip_vertices:
        weights[tip] = rng.dirichlet(np.ones(16))
    return replace(model, posedirs=2e-3 * rng.standard_normal(model.posedirs.shape), weights=weights)


@pytest.fixture(scope="module", params=["open right", "open left", "correctives right", "correctives left"])
def model(request):
    model = load_hand_model()
    if "correctives" in request.param:
        model = with_correctives(model)
    return model.mirrored() if "left" in request.param else model


@pytest.fixture(scope="module")
def state():
    generator = torch.Generator().manual_seed(0)
    vectors = torch.randn(BATCH, 16, 3, generator=generator, dtype=torch.float64)
    betas = torch.randn(BATCH, 10, generator=generator, dtype=torch.float64)
    translation = torch.randn(BATCH, 3, generator=generator, dtype=torch.float64)
    return vectors, betas, translation


def linear_exp(tangent):
    """Exp to first order, exact for derivatives at zero."""
    x, y, z = tangent.unbind(-1)
    zero = torch.zeros_like(x)
    skew = torch.stack([zero, -z, y, z, zero, -x, -y, x, zero], dim=-1).reshape(*tangent.shape, 3)
    return torch.eye(3, dtype=tangent.dtype) + skew


@pytest.mark.parametrize("form", [nullcontext, torch.inference_mode], ids=["tensors", "loops"])
@pytest.mark.parametrize(("dtype", "tolerance"), [(torch.float64, 1e-8), (torch.float32, 1e-5)])
def test_equals_smplx(model, state, dtype, tolerance, form):
    vectors, betas, translation = state
    rotations = roma.rotvec_to_rotmat(vectors)
    kinematics = HandKinematics(model, dtype)
    with form():
        joints = kinematics.joints(rotations.to(dtype), betas.to(dtype), translation.to(dtype)).double()
    vertices = HandMesh(model).vertices(vectors, betas, translation)
    assert (joints[:, list(TIPS)] - vertices[:, model.tip_vertices]).norm(dim=-1).max() < tolerance
    # The other joints are MANO's own: the kinematic chain over regressed rest joints.
    shaped = torch.as_tensor(model.v_template) + torch.einsum(
        "vak,bk->bva", torch.as_tensor(model.shapedirs), betas
    )
    rest = torch.as_tensor(model.J_regressor) @ shaped
    wrist = rest[:, 0] + translation
    assert (joints[:, 0] - wrist).norm(dim=-1).max() < tolerance
    assert (kinematics.rest_wrist(betas.to(dtype)).double() - rest[:, 0]).norm(dim=-1).max() < tolerance
    index = wrist + torch.einsum("bij,bj->bi", rotations[:, 0], rest[:, 1] - rest[:, 0])
    assert (joints[:, 5] - index).norm(dim=-1).max() < tolerance
    turned = rotations[:, 0] @ rotations[:, 1] @ rotations[:, 2]
    bone = torch.einsum("bij,bj->bi", turned, rest[:, 3] - rest[:, 2])
    assert (joints[:, 7] - joints[:, 6] - bone).norm(dim=-1).max() < tolerance


def test_jacobians_equal_autograd(model, state):
    vectors, betas, translation = state
    kinematics = HandKinematics(model, torch.float64)
    rotations = roma.rotvec_to_rotmat(vectors)
    joints, d_rotations, d_betas = kinematics.joints_and_jacobian(rotations, betas, translation)
    torch.testing.assert_close(joints, kinematics.joints(rotations, betas, translation), atol=1e-15, rtol=1e-14)

    def single(tangent, beta, rotation, shift):
        turned = rotation @ linear_exp(tangent.reshape(16, 3))
        return kinematics.joints(turned[None], beta[None], shift[None])[0]

    jacobian = torch.func.vmap(torch.func.jacfwd(single, argnums=(0, 1)))
    by_tangent, by_beta = jacobian(torch.zeros(BATCH, 48, dtype=torch.float64), betas, rotations, translation)
    assert (d_rotations - by_tangent).abs().max() < 1e-8
    assert (d_betas - by_beta).abs().max() < 1e-8


def test_one_shape_for_all_steps(model, state):
    vectors, betas, translation = state
    kinematics = HandKinematics(model, torch.float64)
    rotations = roma.rotvec_to_rotmat(vectors)
    shared = kinematics.joints_and_jacobian(rotations, betas[0], translation)
    repeated = kinematics.joints_and_jacobian(rotations, betas[:1].expand(BATCH, 10), translation)
    for one, other in zip(shared, repeated, strict=True):
        torch.testing.assert_close(one, other)


def test_left_hand_is_the_mirror_image(state):
    vectors, betas, translation = (tensor.numpy() for tensor in state)
    right = load_hand_model()
    mirrored = [mirror_rotation_vector(vectors), betas, mirror_points(translation)]
    rotations, left_betas, left_translation = (torch.as_tensor(array) for array in mirrored)
    left = HandKinematics(right.mirrored(), torch.float64)
    left_joints = left.joints(roma.rotvec_to_rotmat(rotations), left_betas, left_translation).numpy()
    joints = HandKinematics(right, torch.float64).joints(roma.rotvec_to_rotmat(state[0]), state[1], state[2])
    np.testing.assert_allclose(left_joints, mirror_points(joints.numpy()), atol=1e-12)


def test_mesh_takes_one_shape_and_keeps_the_type(state):
    vectors, betas, translation = (tensor.float() for tensor in state)
    vertices = HandMesh(load_hand_model()).vertices(vectors, betas[0], translation)
    assert vertices.dtype == torch.float32
    assert vertices.shape == (BATCH, 1650, 3)


def test_no_steps_give_no_joints():
    kinematics = HandKinematics(load_hand_model())
    empty = torch.zeros(0, 16, 3, 3), torch.zeros(10), torch.zeros(0, 3)
    joints, d_rotations, d_betas = kinematics.joints_and_jacobian(*empty)
    assert joints.shape == (0, 21, 3)
    with torch.inference_mode():
        assert kinematics.joints(*empty).shape == (0, 21, 3)
    assert d_rotations.shape == (0, 21, 3, 48)
    assert d_betas.shape == (0, 21, 3, 10)
