# SPDX-FileCopyrightText: 2026 The hmp_ros authors
# SPDX-License-Identifier: Apache-2.0
from dataclasses import replace

import numpy as np
import pytest
import roma
import torch

from hmp_core.errors import HandModelError
from hmp_core.hand.kinematics import HandKinematics
from hmp_core.hand.loading import load_hand_model
from hmp_core.hand.skeleton import FINGERS, MANO_PARENTS, Side


@pytest.fixture(scope="module")
def model():
    return load_hand_model()


def rest_joints(model, betas=None):
    betas = torch.zeros(10, dtype=torch.float64) if betas is None else betas
    flat = torch.eye(3, dtype=torch.float64).expand(1, 16, 3, 3)
    kinematics = HandKinematics(model, torch.float64)
    return kinematics.joints(flat, betas, torch.zeros(1, 3, dtype=torch.float64))[0].numpy()


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("v_template", np.zeros(12)),
        ("shapedirs", np.zeros((4, 3, 9))),
        ("posedirs", np.zeros((4, 3, 9))),
        ("weights", np.zeros((4, 15))),
        ("tip_vertices", np.zeros(4, dtype=np.int64)),
    ],
)
def test_wrong_shapes_are_named(model, field, value):
    with pytest.raises(HandModelError, match=field):
        replace(model, **{field: value})


def test_values_are_checked(model):
    with pytest.raises(HandModelError, match=r"v_template.*finite"):
        replace(model, v_template=np.full_like(model.v_template, np.nan))
    with pytest.raises(HandModelError, match="faces"):
        replace(model, faces=model.faces + len(model.v_template))
    with pytest.raises(HandModelError, match="sum to 1"):
        replace(model, weights=model.weights * 0.5)


def test_open_hand_stands_in_mano_axes(model):
    joints = rest_joints(model)
    for finger in FINGERS[1:]:
        along = joints[finger[3]] - joints[finger[0]]
        assert along[0] < -0.8 * np.linalg.norm(along)  # fingers along -x
        assert abs(along[1]) < 0.2 * np.linalg.norm(along)  # flat
    assert joints[4, 2] - joints[0, 2] > 0.05  # thumb towards +z
    assert joints[5, 2] > joints[9, 2] > joints[13, 2] > joints[17, 2]
    # Flexing about +z bends the fingers to the palm, which faces -y.
    vectors = torch.zeros(1, 16, 3, dtype=torch.float64)
    vectors[:, 1:13, 2] = 0.5
    kinematics = HandKinematics(model, torch.float64)
    bent = kinematics.joints(roma.rotvec_to_rotmat(vectors), torch.zeros(10).double(), torch.zeros(1, 3).double())
    assert (bent[0, [8, 12, 16, 20], 1].numpy() < joints[[8, 12, 16, 20], 1] - 0.02).all()


def test_open_hand_has_adult_size(model):
    joints = rest_joints(model)
    assert 0.090 < np.linalg.norm(joints[9] - joints[0]) < 0.095
    assert 0.165 < np.linalg.norm(joints[12] - joints[0]) < 0.185


def test_open_hand_surface_is_closed_and_faces_outwards(model):
    a, b, c = (model.v_template[model.faces[:, corner]] for corner in range(3))
    volume = np.einsum("fi,fi->", a, np.cross(b, c)) / 6
    assert 1e-4 < volume < 4e-4
    edges = np.sort(model.faces[:, [0, 1, 1, 2, 2, 0]].reshape(-1, 2), axis=1)
    assert (np.unique(edges, axis=0, return_counts=True)[1] == 2).all()


def test_open_hand_shape_directions(model):
    flat = model.shapedirs.reshape(-1, 10)
    norms = np.linalg.norm(flat, axis=0)
    cosines = flat.T @ flat / np.outer(norms, norms)
    assert np.abs(cosines - np.eye(10)).max() < 0.02
    assert (np.diff(norms) < 1e-3).all()  # most important first
    one = torch.zeros(10, dtype=torch.float64)
    one[0] = 1.0
    lengths = [np.linalg.norm(j[9] - j[0]) for j in (rest_joints(model), rest_joints(model, one))]
    assert lengths[1] / lengths[0] == pytest.approx(1.07, abs=0.005)


def test_open_hand_joints_stay_inside_for_extreme_shapes(model):
    generator = torch.Generator().manual_seed(0)
    for _ in range(5):
        betas = 2 * torch.randn(10, generator=generator, dtype=torch.float64).clamp(-1.5, 1.5)
        joints = rest_joints(model, betas)
        vertices = model.v_template + model.shapedirs @ betas.numpy()
        for joint in joints[[0, 1, 2, 3, 5, 6, 7, 9, 10, 11, 13, 14, 15, 17, 18, 19]]:
            near = vertices[np.argsort(np.linalg.norm(vertices - joint, axis=1))[:60]]
            assert np.linalg.norm(near.mean(axis=0) - joint) < 0.015


def test_tips_are_the_ends_of_their_fingers(model):
    joints = rest_joints(model)
    order = [13, 1, 4, 10, 7]  # thumb to pinky in MANO order
    for tip, first in zip(model.tip_vertices, order, strict=True):
        last = first + 2
        assert MANO_PARENTS[last] == first + 1
        assert model.weights[tip, last] > 0.9
    for finger in FINGERS:
        assert 0.015 < np.linalg.norm(joints[finger[3]] - joints[finger[2]]) < 0.035


def test_mirroring_twice_gives_the_same_hand(model):
    rng = np.random.default_rng(0)
    model = replace(model, posedirs=rng.standard_normal(model.posedirs.shape))
    left = model.mirrored()
    assert left.side is Side.LEFT
    back = left.mirrored()
    for field in ("v_template", "shapedirs", "posedirs", "J_regressor", "weights", "faces", "tip_vertices"):
        np.testing.assert_array_equal(getattr(back, field), getattr(model, field))
    np.testing.assert_array_equal(left.v_template[:, 0], -model.v_template[:, 0])
