# SPDX-FileCopyrightText: 2026 The hmp_ros authors
# SPDX-License-Identifier: Apache-2.0
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from rendered_hand import Placed, pose, render
from scipy.spatial.transform import Rotation

from hmp_core.camera import Camera
from hmp_core.hand.skeleton import Side
from hmp_core.lens import Distortion
from hmp_core.observation import Roi
from hmp_core.perception.landmark_frame import camera_from_crop, landmarks_from_crop
from hmp_core.perception.landmark_network import LandmarkNetwork
from hmp_core.perception.roi import roi_from_landmarks

CAMERA = Camera.from_field_of_view(800, 600, 70.0)
HAND = pose(Placed())[2] - pose(Placed())[2].mean(axis=0)


@given(
    x=st.floats(0, 799), y=st.floats(0, 599), roll=st.floats(-3.1, 3.1), shift=st.floats(-0.1, 0.1)
)  # fmt: skip
def test_points_seen_by_a_camera_that_looks_along_the_ray_come_back_in_camera_axes(x, y, roll, shift):
    """The crop's axes are those of a camera turned, without roll, onto the region's centre and then rolled."""
    direction = np.array([*CAMERA.rays(np.array([x, y])), 1.0])
    direction /= np.linalg.norm(direction)
    turn, _ = Rotation.align_vectors([direction], [[0.0, 0.0, 1.0]])
    axis = np.cross([0, 0, 1.0], direction)
    swing = Rotation.from_rotvec(axis / max(np.linalg.norm(axis), 1e-12) * np.arccos(direction[2]))
    np.testing.assert_allclose(turn.apply([0, 0, 1]), swing.apply([0, 0, 1]), atol=1e-9)
    R_camera_crop = swing * Rotation.from_rotvec([0, 0, roll])
    in_crop_axes = R_camera_crop.inv().apply(HAND) + shift
    found = landmarks_from_crop(in_crop_axes, Roi(np.array([x, y]), 200.0, roll), CAMERA)
    np.testing.assert_allclose(found, HAND - HAND[0], atol=1e-9)


@given(x=st.floats(0, 799), y=st.floats(0, 599), roll=st.floats(-3.1, 3.1))
def test_it_is_a_rotation_that_looks_along_the_undistorted_ray(x, y, roll):
    camera = Camera(800, 600, 570.0, 575.0, 396.0, 310.0, Distortion.PLUMB_BOB, (-0.2, 0.05, 0.001, 0.0, 0.0))
    R_camera_crop = camera_from_crop(Roi(np.array([x, y]), 200.0, roll), camera)
    np.testing.assert_allclose(R_camera_crop @ R_camera_crop.T, np.eye(3), atol=1e-12)
    assert np.linalg.det(R_camera_crop) == pytest.approx(1.0)
    axis = R_camera_crop[:, 2]
    np.testing.assert_allclose(axis[:2] / axis[2], camera.rays(np.array([x, y])), atol=1e-9)


@pytest.mark.parametrize("side", list(Side))
@pytest.mark.parametrize("column", [-0.27, 0.27])
def test_a_rendered_hand_that_faces_the_camera_from_the_edge_is_turned_by_its_ray(side, column):
    """Drawn twice so that the camera sees the same view of it: straight ahead, and 28 degrees to one side."""
    network = LandmarkNetwork()
    ray_angle = np.arctan2(column, 0.5)
    seen = []
    for position, turn in (((0.0, 0.06, 0.5), 0.0), ((column, 0.06, 0.5), ray_angle)):
        image, (joints,) = render([Placed(side, position=position, turn=(0.0, turn, 0.0))], CAMERA)
        landmarks = network.run(image, roi_from_landmarks(CAMERA.project(joints)))
        seen.append(landmarks_from_crop(landmarks.points_crop, landmarks.roi, CAMERA))
    turned, _ = Rotation.align_vectors(seen[1], seen[0])
    np.testing.assert_allclose(np.degrees(turned.as_rotvec()), [0, np.degrees(ray_angle), 0], atol=9)
