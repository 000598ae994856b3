# SPDX-FileCopyrightText: 2026 The hmp_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Rendered hands as the landmark network perceives them, with exact truth: what its errors are like.

Each hand is drawn in the middle of a small picture, which is a window of a wide camera's view: intrinsics with
a far-off principal point give it the perspective of its place without drawing the rest of the image.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.spatial.transform import Rotation

from hmp_core.camera import Camera
from hmp_core.hand.kinematics import HandKinematics
from hmp_core.hand.mesh import HandMesh
from hmp_core.hand.model import HandModel
from hmp_core.media.background import make_background
from hmp_core.media.rendering import DirectionalLight, Renderer, composite
from hmp_core.media.skin import SKIN_TONES, skin_colours, sleeve_for
from hmp_core.perception.landmark_frame import landmarks_from_crop
from hmp_core.perception.landmark_network import LandmarkNetwork
from hmp_core.perception.roi import roi_from_landmarks

_PICTURE_PX: Final = 320
_HAND_PX: Final = (90.0, 150.0)
_HAND_M: Final = 0.19
_FOCAL_PX: Final = (300.0, 1100.0)
_FARTHEST_ASIDE: Final = 0.7
_HANDS_PER_SCENE: Final = 25
_TRACKING_ERROR_PX: Final = 4.0


@dataclass(frozen=True)
class PerceivedHand:
    """One right hand, true and as seen.

    Attributes:
        rotations: [16, 3, 3] true, MANO order, global orientation in the camera frame first.
        betas: [10] true.
        joints: [21, 3] true, camera frame [m].
        landmarks_m: [21, 3] seen, relative to the wrist, camera axes [m].
        rays: [21, 2] seen, normalised image coordinates.
        keypoints_px, true_keypoints_px: [21, 2] seen and true, in the picture [px].
        focal_px: of the camera [px].
        presence: the network's confidence that there is a hand, 0 to 1.
    """

    rotations: NDArray[np.float64]
    betas: NDArray[np.float64]
    joints: NDArray[np.float64]
    landmarks_m: NDArray[np.float64]
    rays: NDArray[np.float64]
    keypoints_px: NDArray[np.float64]
    true_keypoints_px: NDArray[np.float64]
    focal_px: float
    presence: float


def perceive_hands(
    model: HandModel, rotations: NDArray[np.floating], betas: NDArray[np.floating], seed: int
) -> Iterator[PerceivedHand]:
    """Render hands and look at them, one by one.

    Args:
        model: a right hand.
        rotations: [N, 16, 3, 3] local matrices, MANO order, global orientation in the camera frame first.
        betas: [N, 10].
        seed: of places, cameras, lights, skins and backgrounds.
    """
    rng = np.random.default_rng(seed)
    kinematics, mesh, network = HandKinematics(model, torch.float64), HandMesh(model), LandmarkNetwork()
    sleeve = sleeve_for(model)
    wrist_at_rest = model.J_regressor[0] @ model.v_template
    for first in range(0, len(rotations), _HANDS_PER_SCENE):
        camera, toward = draw_camera(rng)
        with Renderer(camera, draw_lights(rng)) as renderer:
            tone = SKIN_TONES[int(rng.integers(len(SKIN_TONES)))]
            renderer.add("hand", model.faces, skin_colours(model, tone), gloss=rng.uniform(0.05, 0.3))
            cloth = np.broadcast_to(rng.integers(20, 235, 3).astype(np.uint8), sleeve.vertices.shape)
            renderer.add("sleeve", sleeve.faces, np.ascontiguousarray(cloth), gloss=0.02)
            for index in range(first, min(first + _HANDS_PER_SCENE, len(rotations))):
                turn, shape = torch.as_tensor(rotations[index]).double(), torch.as_tensor(betas[index]).double()
                relative = kinematics.joints(turn[None], shape, torch.zeros(1, 3).double())[0].numpy()
                translation = draw_placement(relative, camera, toward, rng)
                pose = torch.from_numpy(Rotation.from_matrix(turn.numpy()).as_rotvec())
                placed = mesh.vertices(pose[None], shape, torch.from_numpy(translation)[None])[0].numpy()
                joints = relative + translation
                drawn = {"hand": placed}
                if rng.random() < 0.7:
                    drawn["sleeve"] = (sleeve.vertices - wrist_at_rest) @ turn[0].numpy().T + joints[0]
                background = make_background(camera.width, camera.height, rng)
                image = composite(renderer.draw(drawn), background)
                yield _perceive(network, image, camera, joints, turn.numpy(), shape.numpy(), rng)


def _perceive(
    network: LandmarkNetwork,
    image: NDArray[np.uint8],
    camera: Camera,
    joints: NDArray[np.float64],
    rotations: NDArray[np.float64],
    betas: NDArray[np.float64],
    rng: np.random.Generator,
) -> PerceivedHand:
    """Look twice, as a tracker does: at where the hand was about, then at where it was seen."""
    truth = camera.project(joints)
    glance = network.run(image, roi_from_landmarks(truth + rng.normal(0, _TRACKING_ERROR_PX, truth.shape)))
    seen = network.run(image, roi_from_landmarks(glance.keypoints_px))
    return PerceivedHand(
        rotations=rotations,
        betas=betas,
        joints=joints,
        landmarks_m=landmarks_from_crop(seen.points_crop, seen.roi, camera),
        rays=camera.rays(seen.keypoints_px),
        keypoints_px=seen.keypoints_px,
        true_keypoints_px=truth,
        focal_px=camera.focal_px,
        presence=seen.presence,
    )


def draw_camera(rng: np.random.Generator) -> tuple[Camera, NDArray[np.float64]]:
    """A camera whose small picture lies somewhere in a wide view, and the ray [3] through its middle."""
    focal = rng.uniform(*_FOCAL_PX)
    aside = rng.uniform(-_FARTHEST_ASIDE, _FARTHEST_ASIDE, 2)
    middle = (_PICTURE_PX - 1) / 2 - aside * focal
    return Camera(_PICTURE_PX, _PICTURE_PX, focal, focal, middle[0], middle[1]), np.array([*aside, 1.0])


def draw_placement(
    joints_m: NDArray[np.float64], camera: Camera, toward: NDArray[np.float64], rng: np.random.Generator
) -> NDArray[np.float64]:
    """Translation [3] [m] that puts joints [21, 3] into the middle of the picture, at a size as in real ones."""
    depth = camera.fx * _HAND_M / rng.uniform(*_HAND_PX)
    return np.asarray(toward * depth - (joints_m.min(axis=0) + joints_m.max(axis=0)) / 2)


def draw_lights(rng: np.random.Generator) -> tuple[DirectionalLight, ...]:
    """A main light from the camera's half of the room and a weak one from anywhere."""
    across = rng.normal(0, 0.8, 2)
    warmth = rng.uniform(0.8, 1.0)
    key = DirectionalLight(
        (across[0], across[1] - 0.5, -1.0), rng.uniform(0.6, 1.1), (1.0, (1 + warmth) / 2, warmth)
    )
    fill = rng.normal(0, 1, 3)
    return key, DirectionalLight((fill[0], fill[1], fill[2]), rng.uniform(0.1, 0.5))
