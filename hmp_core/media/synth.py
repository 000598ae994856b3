# SPDX-FileCopyrightText: 2026 The hmp_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Render a made-up scene to a clip with exact ground truth.

``truth.npz`` holds, for T frames and H hands:

* ``stamps_ns`` int64 [T], ``fps``; the video's own times;
* ``side`` [H], ``left`` or ``right``;
* ``joints_camera`` [T, H, 21, 3] m, public joint order, camera's optical frame;
* ``pose`` [T, H, 16, 3] rad (MANO axis-angle, global first, ``flat_hand_mean``), ``betas`` [H, 10],
  ``translation`` [T, H, 3] m, in MANO's conventions for each hand's own side;
* ``hidden`` bool [T, H, 21]: behind a thing or the other hand, or outside the image; a joint behind its own
  hand is not hidden;
* ``hand_model``: the name of the hand model.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from scipy.spatial.transform import Rotation

from hmp_core.hand.loading import load_hand_model
from hmp_core.hand.mesh import HandMesh
from hmp_core.hand.model import HandModel
from hmp_core.hand.skeleton import NUM_JOINTS
from hmp_core.media.background import make_background
from hmp_core.media.intrinsics import save_camera
from hmp_core.media.occluder import hidden_behind
from hmp_core.media.rendering import DirectionalLight, Renderer, composite
from hmp_core.media.scene import Scene, SceneConfig, make_scene
from hmp_core.media.skin import SKIN_TONES, skin_colours, sleeve_for
from hmp_core.media.video_writer import VideoWriter

VIDEO_NAME: Final = "video.mp4"
CAMERA_NAME: Final = "camera.json"
TRUTH_NAME: Final = "truth.npz"

_NS_PER_S: Final = 1_000_000_000
_GRAINS: Final = 8


class SceneRenderer:
    """Draws a scene frame by frame and keeps account of what is hidden; use :meth:`frames` once.

    Args:
        scene: what to draw.

    Attributes:
        hidden: bool [T, H, 21], complete when all frames were drawn.
    """

    def __init__(self, scene: Scene) -> None:
        self.scene = scene
        self.hidden = np.zeros((len(scene.times_s), len(scene.hands), NUM_JOINTS), dtype=bool)
        self._meshes = [HandMesh(hand.model) for hand in scene.hands]
        self._sleeves = [sleeve_for(hand.model) for hand in scene.hands]

    def frames(self) -> Iterator[NDArray[np.uint8]]:
        """Yield the BGR images [height, width, 3] in order."""
        scene, rng = self.scene, self.scene.rng
        camera = scene.camera
        background = make_background(camera.width, camera.height, rng)
        sensor = Sensor(camera.width, camera.height, rng)
        with Renderer(camera, _lights(rng)) as renderer:
            self._introduce(renderer, rng)
            for index in range(len(scene.times_s)):
                hands = [self._hand_vertices(hand, index) for hand in range(len(scene.hands))]
                things = self._things(index)
                self._account(index, hands, things)
                drawn = {f"hand {hand}": vertices for hand, vertices in enumerate(hands)}
                drawn |= {f"sleeve {hand}": self._sleeve_vertices(hand, index) for hand in range(len(hands))}
                drawn |= {f"thing {thing}": vertices for thing, vertices in things.items()}
                yield sensor.capture(composite(renderer.draw(drawn), background))

    def _introduce(self, renderer: Renderer, rng: np.random.Generator) -> None:
        """Tell the renderer about all meshes and their colours."""
        tone = SKIN_TONES[int(rng.integers(len(SKIN_TONES)))]
        cloth = rng.integers(20, 210, 3).astype(np.uint8)
        for index, (hand, sleeve) in enumerate(zip(self.scene.hands, self._sleeves, strict=True)):
            renderer.add(f"hand {index}", hand.model.faces, skin_colours(hand.model, tone))
            renderer.add(f"sleeve {index}", sleeve.faces, np.tile(cloth, (len(sleeve.vertices), 1)), gloss=0.02)
        for index, (thing, _) in enumerate(self.scene.occlusions):
            colours = np.tile(np.array(thing.colour, dtype=np.uint8), (len(thing.vertices), 1))
            renderer.add(f"thing {index}", thing.faces, colours, gloss=float(rng.uniform(0, 0.4)))

    def _hand_vertices(self, hand: int, index: int) -> NDArray[np.float64]:
        course = self.scene.hands[hand]
        pose, shift = course.rotation_vectors[index : index + 1], course.translation[index : index + 1]
        arrays = (torch.from_numpy(np.ascontiguousarray(array)) for array in (pose, course.betas, shift))
        return np.asarray(self._meshes[hand].vertices(*arrays)[0].numpy())

    def _sleeve_vertices(self, hand: int, index: int) -> NDArray[np.float64]:
        course = self.scene.hands[hand]
        wrist_at_rest = course.model.J_regressor[0] @ course.model.v_template
        R = Rotation.from_rotvec(course.rotation_vectors[index, 0]).as_matrix()
        return self._sleeves[hand].bent(wrist_at_rest, R, course.joints[index, 0], course.elbow[index])

    def _things(self, index: int) -> dict[int, NDArray[np.float64]]:
        """Vertices of the things that are about."""
        poses = {k: way.pose(float(self.scene.times_s[index])) for k, (_, way) in enumerate(self.scene.occlusions)}
        return {k: self.scene.occlusions[k][0].placed(*pose) for k, pose in poses.items() if pose is not None}

    def _account(
        self, index: int, hands: list[NDArray[np.float64]], things: dict[int, NDArray[np.float64]]
    ) -> None:
        camera = self.scene.camera
        for hand, course in enumerate(self.scene.hands):
            joints = course.joints[index]
            hidden = ~camera.contains(camera.project(joints))
            for thing, vertices in things.items():
                hidden |= hidden_behind(joints, vertices, self.scene.occlusions[thing][0].faces)
            for other, vertices in enumerate(hands):
                if other != hand:
                    hidden |= hidden_behind(joints, vertices, self.scene.hands[other].model.faces)
            self.hidden[index, hand] = hidden


class Sensor:
    """What a camera does to a picture: exposure, a little blur, grain.

    Args:
        width, height: image size [px].
        rng: of this camera's qualities.
    """

    def __init__(self, width: int, height: int, rng: np.random.Generator) -> None:
        levels = np.linspace(0, 1, 256) ** rng.uniform(0.85, 1.15) * rng.uniform(0.9, 1.1)
        self._tone = np.asarray(np.clip(255 * levels, 0, 255), dtype=np.uint8)
        self._blur = rng.uniform(0.3, 0.8)
        grain = rng.normal(0, rng.uniform(1.0, 3.5), (height, width, 3))
        self._grain = grain.astype(np.int16)
        self._rng = rng

    def capture(self, picture: NDArray[np.uint8]) -> NDArray[np.uint8]:
        """A BGR picture [height, width, 3] as the camera takes it."""
        seen: Any = cv2.GaussianBlur(self._tone[picture], (0, 0), self._blur)
        # The same grain, shifted: as random as fresh numbers to look at, and far cheaper.
        rows, columns = self._rng.integers(0, picture.shape[:2])
        grain = np.roll(self._grain, (int(rows), int(columns)), axis=(0, 1))
        return np.asarray(np.clip(seen + grain, 0, 255), dtype=np.uint8)


def synthesize(out: Path, config: SceneConfig, model: HandModel | None = None) -> Iterator[int]:
    """Write ``video.mp4``, ``camera.json`` and ``truth.npz`` (see the module) into a folder.

    Args:
        out: the folder, made if need be.
        config: the scene.
        model: right hand, by default the open hand.

    Yields:
        The number of frames written so far; the files are complete when the iterator ends.
    """
    model = model or load_hand_model()
    scene = make_scene(model, config)
    out.mkdir(parents=True, exist_ok=True)
    stamps = np.rint(scene.times_s * _NS_PER_S).astype(np.int64)
    renderer = SceneRenderer(scene)
    with VideoWriter(out / VIDEO_NAME, config.fps, crf=18) as video:
        for index, image in enumerate(renderer.frames()):
            video.write(image, int(stamps[index]))
            yield index + 1
    save_camera(scene.camera, out / CAMERA_NAME)
    truth: dict[str, Any] = {
        "stamps_ns": stamps,
        "fps": config.fps,
        "side": np.array([hand.model.side.value for hand in scene.hands]),
        "joints_camera": np.stack([hand.joints for hand in scene.hands], axis=1),
        "pose": np.stack([hand.rotation_vectors for hand in scene.hands], axis=1),
        "betas": np.stack([hand.betas for hand in scene.hands]),
        "translation": np.stack([hand.translation for hand in scene.hands], axis=1),
        "hidden": renderer.hidden,
        "hand_model": model.name,
    }
    np.savez_compressed(out / TRUTH_NAME, **truth)


def _lights(rng: np.random.Generator) -> tuple[DirectionalLight, ...]:
    """A main light from above behind the camera, and a weaker one from the other side."""
    aside, warmth = rng.uniform(-0.9, 0.9), rng.uniform(0.86, 1.0)
    key = DirectionalLight((aside, rng.uniform(-0.9, -0.1), -1.0), rng.uniform(0.7, 0.95), (1.0, 0.97, warmth))
    fill = DirectionalLight((-aside, rng.uniform(-0.4, 0.4), -0.5), rng.uniform(0.15, 0.35), (warmth, 0.96, 1.0))
    return key, fill
