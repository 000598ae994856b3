# SPDX-FileCopyrightText: 2026 The hmp_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Pictures of the open hand, left or right, with exact joints: fixtures for perception."""

from dataclasses import dataclass
from functools import cache

import numpy as np
import torch
from scipy.spatial.transform import Rotation

from hmp_core.camera import Camera
from hmp_core.hand.kinematics import HandKinematics
from hmp_core.hand.loading import load_hand_model
from hmp_core.hand.mesh import HandMesh
from hmp_core.hand.skeleton import NUM_BETAS, NUM_MANO_JOINTS, Side
from hmp_core.media.background import make_background
from hmp_core.media.rendering import DirectionalLight, Renderer, composite
from hmp_core.media.skin import SKIN_TONES, skin_colours, sleeve_for

CAMERA = Camera(640, 480, 560.0, 560.0, 319.5, 239.5)
LIGHTS = (DirectionalLight((-0.4, -0.6, -1.0), 0.9), DirectionalLight((0.8, 0.2, -0.6), 0.25))
# Fingers up, palm to the camera.
UPRIGHT = {
    Side.RIGHT: np.array([[0.0, 0, 1], [1, 0, 0], [0, 1, 0]]),
    Side.LEFT: np.array([[0.0, 0, -1], [-1, 0, 0], [0, 1, 0]]),
}


@dataclass(frozen=True)
class Placed:
    """A hand to draw.

    Attributes:
        side: which hand.
        position: wrist in the camera frame [m].
        turn: rotation vector applied to the upright hand about the wrist, camera axes [rad].
        curl: bend of every finger joint [rad].
        tone: index into the skin tones.
        size: first beta of the hand.
    """

    side: Side = Side.RIGHT
    position: tuple[float, float, float] = (0.0, 0.08, 0.5)
    turn: tuple[float, float, float] = (0.0, 0.0, 0.0)
    curl: float = 0.15
    tone: int = 1
    size: float = 0.0


@cache
def _model(side):
    model = load_hand_model()
    model = model if side is Side.RIGHT else model.mirrored()
    return model, HandMesh(model), HandKinematics(model, dtype=torch.float64), sleeve_for(model)


def rotation_vectors(hand):
    """MANO axis-angle [16, 3] of the hand's own side [rad]."""
    vectors = np.zeros((NUM_MANO_JOINTS, 3))
    # Flexion turns about rest z: palm at -y, fingers along -x on the right hand, +x on the left. The thumb stays.
    vectors[1:13, 2] = hand.curl * (1 if hand.side is Side.RIGHT else -1)
    vectors[0] = (Rotation.from_rotvec(hand.turn) * Rotation.from_matrix(UPRIGHT[hand.side])).as_rotvec()
    return vectors


def pose(hand):
    """Vertices, sleeve vertices and joints [21, 3] in the camera frame [m]."""
    _, mesh, kinematics, sleeve = _model(hand.side)
    vectors = rotation_vectors(hand)
    rotation = Rotation.from_rotvec(vectors[0]).as_matrix()
    betas, zero = torch.zeros(NUM_BETAS, dtype=torch.float64), torch.zeros(1, 3, dtype=torch.float64)
    betas[0] = hand.size
    rest = kinematics.rest_wrist(betas).numpy()
    moved = torch.from_numpy(np.array(hand.position) - rest)[None]
    vertices = mesh.vertices(torch.from_numpy(vectors)[None], betas, moved)[0].numpy()
    matrices = torch.from_numpy(Rotation.from_rotvec(vectors).as_matrix())[None]
    joints = kinematics.joints(matrices, betas, zero)[0].numpy() - rest + hand.position
    return vertices, (sleeve.vertices - rest) @ rotation.T + hand.position, joints


def render_clip(course, camera=CAMERA, seed=0):
    """Draw one hand, which may move but not change its side; yields the BGR images and the joints."""
    background = make_background(camera.width, camera.height, np.random.default_rng(seed))
    model, _, _, sleeve = _model(course[0].side)
    with Renderer(camera, LIGHTS) as renderer:
        renderer.add("hand", model.faces, skin_colours(model, SKIN_TONES[course[0].tone]))
        renderer.add("sleeve", sleeve.faces, np.full((len(sleeve.vertices), 3), 90, np.uint8), 0.0)
        for hand in course:
            vertices, sleeve_vertices, joints = pose(hand)
            yield composite(renderer.draw({"hand": vertices, "sleeve": sleeve_vertices}), background), joints


def render(hands, camera=CAMERA, seed=0):
    """Draw hands over a room; returns the BGR image and the joints of each hand."""
    background = make_background(camera.width, camera.height, np.random.default_rng(seed))
    meshes, truth = {}, []
    with Renderer(camera, LIGHTS) as renderer:
        for index, hand in enumerate(hands):
            model, _, _, sleeve = _model(hand.side)
            vertices, sleeve_vertices, joints = pose(hand)
            renderer.add(f"hand{index}", model.faces, skin_colours(model, SKIN_TONES[hand.tone]))
            renderer.add(f"sleeve{index}", sleeve.faces, np.full((len(sleeve_vertices), 3), 90, np.uint8), 0.0)
            meshes |= {f"hand{index}": vertices, f"sleeve{index}": sleeve_vertices}
            truth.append(joints)
        return composite(renderer.draw(meshes), background), truth
