# SPDX-FileCopyrightText: 2026 The hmp_ros authors
# SPDX-License-Identifier: Apache-2.0
import numpy as np
import pytest
from scipy.spatial import Delaunay
from scipy.spatial.transform import Rotation

from hmp_core.camera import Camera
from hmp_core.errors import CameraError, ConfigError
from hmp_core.hand.loading import load_hand_model
from hmp_core.lens import Distortion
from hmp_core.media.background import make_background
from hmp_core.media.occluder import OCCLUDER_SHAPES, OcclusionPass, hidden_behind, make_occluder
from hmp_core.media.rendering import DirectionalLight, Renderer, composite
from hmp_core.media.skin import SKIN_TONES, skin_colours, sleeve_for

# Nothing in the middle and nothing square: every intrinsic shows.
CAMERA = Camera(320, 240, 310.0, 290.0, 140.3, 131.8)
LIGHTS = (DirectionalLight((-0.4, -0.6, -1.0), 0.9), DirectionalLight((0.8, 0.2, -0.6), 0.25))
R_CAMERA_REST = np.array([[0.0, 0, 1], [1, 0, 0], [0, 1, 0]])  # fingers up, palm to the camera


@pytest.fixture(scope="module", params=["right", "left"])
def model(request):
    right = load_hand_model()
    return right if request.param == "right" else right.mirrored()


def drawn(vertices, faces, colours=None):
    with Renderer(CAMERA, LIGHTS) as renderer:
        renderer.add("mesh", faces, np.full((len(vertices), 3), 200, np.uint8) if colours is None else colours)
        return renderer.draw({"mesh": vertices})


def placed(model, rotation_vector, translation):
    R = Rotation.from_rotvec(rotation_vector).as_matrix() @ R_CAMERA_REST
    return (model.v_template - model.J_regressor[0] @ model.v_template) @ R.T + translation


@pytest.mark.parametrize("seed", range(4))
def test_mask_is_the_projection_of_the_mesh_within_a_pixel(model, seed):
    rng = np.random.default_rng(seed)
    vertices = placed(model, rng.normal(0, 0.5, 3), [rng.uniform(-0.05, 0.05), 0.06, rng.uniform(0.35, 0.5)])
    mask = drawn(vertices, model.faces)[..., 3] > 127
    pixels = CAMERA.project(vertices)
    shown = pixels[CAMERA.contains(pixels)]
    rows, columns = np.nonzero(mask)
    extent = np.array([[columns.min(), rows.min()], [columns.max(), rows.max()]])
    np.testing.assert_allclose(extent, [shown.min(0), shown.max(0)], atol=1.0)
    # Every vertex projects onto the mask, and every mask pixel lies in some projected triangle's hull.
    grown = np.pad(mask, 1)
    neighbours = sum(np.roll(grown, shift, axis) for shift in (-1, 0, 1) for axis in (0, 1)) > 0
    nearest = np.rint(shown).astype(int)
    assert neighbours[nearest[:, 1] + 1, nearest[:, 0] + 1].all()
    assert (Delaunay(pixels).find_simplex(np.stack([columns, rows], 1)) >= 0).mean() > 0.99


def test_a_square_is_drawn_exactly_where_it_projects():
    left, top, right, bottom = 99.5, 49.5, 149.5, 79.5  # borders between pixels
    corners = np.array([[left, top], [right, top], [right, bottom], [left, bottom]])
    rays = np.hstack([CAMERA.rays(corners), np.ones((4, 1))])
    covered = drawn(0.7 * rays, np.array([[0, 2, 1], [0, 3, 2]]))[..., 3]
    expected = np.zeros((240, 320), np.uint8)
    expected[50:80, 100:150] = 255
    np.testing.assert_array_equal(covered, expected)


def test_the_nearer_mesh_hides_the_farther_and_absent_ones_are_not_drawn():
    square = np.array([[-1.0, -1, 0], [1, -1, 0], [1, 1, 0], [-1, 1, 0]])
    faces = np.array([[0, 2, 1], [0, 3, 2]])
    with Renderer(CAMERA, (DirectionalLight((0, 0, -1), 1.0),)) as renderer:
        renderer.add("blue", faces, np.tile(np.uint8([0, 0, 250]), (4, 1)), gloss=0.0)
        renderer.add("red", faces, np.tile(np.uint8([250, 0, 0]), (4, 1)), gloss=0.0)
        both = renderer.draw({"blue": 0.5 * square + [0, 0, 2.0], "red": 0.1 * square + [0, 0, 1.0]})
        swapped = renderer.draw({"blue": 0.5 * square + [0, 0, 1.0], "red": 0.1 * square + [0, 0, 2.0]})
        alone = renderer.draw({"red": 0.1 * square + [0, 0, 1.0]})
    assert both[130, 140, 2] > 200 > 50 > both[130, 140, 0]
    assert swapped[130, 140, 0] > 200 > 50 > swapped[130, 140, 2]
    assert alone[130, 190, 3] == 0


def test_composite_lays_the_drawing_over_the_background(model):
    vertices = placed(model, np.zeros(3), [0, 0.06, 0.4])
    picture = drawn(vertices, model.faces, skin_colours(model, SKIN_TONES[1]))
    background = make_background(320, 240, np.random.default_rng(0))
    result = composite(picture, background)
    outside, inside = picture[..., 3] == 0, picture[..., 3] == 255
    np.testing.assert_array_equal(result[outside], background[outside])
    np.testing.assert_array_equal(result[inside], picture[inside][:, :3])
    blue, _, red = result[inside].mean(axis=0)
    assert red > blue + 20  # skin
    assert result[inside].mean() > 60  # lit


def test_palm_is_paler_than_the_back_and_dark_skin_darker(model):
    light, dark = (skin_colours(model, SKIN_TONES[k]).astype(float) for k in (0, -1))
    assert light.mean() > dark.mean() + 60
    palm, back = model.v_template[:, 1] < -0.012, model.v_template[:, 1] > 0.008
    assert dark[palm].mean() > dark[back].mean()


def test_sleeve_covers_the_cut_and_leaves_the_hand_free(model):
    sleeve = sleeve_for(model)
    outward = np.sign(-model.v_template[model.tip_vertices].mean(0)[0])
    wrist = model.J_regressor[0] @ model.v_template
    end = (model.v_template[:, 0] * outward).max()
    assert (sleeve.vertices[:, 0] * outward).min() > wrist[0] * outward + 0.005
    assert (sleeve.vertices[:, 0] * outward).min() < end
    edges_1, edges_2 = (sleeve.vertices[sleeve.faces[:, k]] - sleeve.vertices[sleeve.faces[:, 0]] for k in (1, 2))
    centre = sleeve.vertices.mean(axis=0) * [0, 1, 1]
    outside = sleeve.vertices[sleeve.faces].mean(axis=1) - centre
    facing = (np.cross(edges_1, edges_2)[:, 1:] * outside[:, 1:]).sum(axis=1)
    assert (facing > 0).mean() > 0.9


@pytest.mark.parametrize("shape", OCCLUDER_SHAPES)
def test_hidden_points_are_those_the_depth_order_of_the_picture_hides(shape):
    rng = np.random.default_rng(3)
    thing = make_occluder(shape, 0.1, (200, 60, 50))
    vertices = thing.placed(Rotation.from_rotvec(rng.normal(size=3)).as_matrix(), np.array([0.01, 0.0, 0.3]))
    mask = drawn(vertices, thing.faces)[..., 3]
    pixels = np.stack(np.meshgrid(np.arange(20, 300, 3.0), np.arange(20, 230, 3.0)), -1).reshape(-1, 2)
    behind = 0.5 * np.hstack([CAMERA.rays(pixels), np.ones((len(pixels), 1))])
    coverage = mask[pixels[:, 1].astype(int), pixels[:, 0].astype(int)]
    clear = (coverage == 0) | (coverage == 255)
    np.testing.assert_array_equal(hidden_behind(behind, vertices, thing.faces)[clear], (coverage == 255)[clear])
    assert 0.05 < (coverage == 255).mean() < 0.9
    assert not hidden_behind(behind * 0.3, vertices, thing.faces).any()


def test_occlusion_comes_stays_and_goes():
    there = OcclusionPass(
        start_s=1.0, hold_s=0.5, move_s=0.25, position=np.array([0, 0, 0.3]), entry=np.array([1.0, 0, 0.3]),
        exit=np.array([0, 1.0, 0.3]), R=np.eye(3), spin=np.zeros(3),
    )  # fmt: skip
    assert there.pose(0.7) is None
    assert there.pose(1.8) is None
    path = np.array([there.pose(time)[1] for time in np.linspace(0.76, 1.74, 99)])
    assert path[0][0] > 0.95
    assert path[-1][1] > 0.95
    np.testing.assert_allclose(there.pose(1.25)[1], [0, 0, 0.3])
    assert np.abs(np.diff(path, axis=0)).max() < 0.1


def test_unusable_requests_are_refused():
    with pytest.raises(CameraError, match="distortion"):
        Renderer(Camera(64, 48, 50, 50, 32, 24, Distortion.PLUMB_BOB, (0.1, 0, 0, 0)), LIGHTS)
    with pytest.raises(ConfigError, match="mug"):
        make_occluder("elephant", 0.1, (0, 0, 0))
