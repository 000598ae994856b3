# SPDX-FileCopyrightText: 2026 The hmp_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Pictures of hands behind and around things, with exact truth, to learn from where the landmark network errs.

A hand is drawn as ``perceived_hands`` draws it. Then something may get in its way: a solid thing at the hand's own
depth, so that fingers reach round it, or flat covers; the picture's edge may cut the hand; the camera adds blur
and grain; every second picture is mirrored into a left hand.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from types import TracebackType
from typing import Final

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.spatial.transform import Rotation

from hmp_core.camera import Camera
from hmp_core.hand.kinematics import HandKinematics
from hmp_core.hand.mesh import HandMesh
from hmp_core.hand.mirror import mirror_points
from hmp_core.hand.model import HandModel
from hmp_core.media.background import make_background
from hmp_core.media.cover import make_cover
from hmp_core.media.occluder import hidden_behind, make_occluder
from hmp_core.media.perceived_hands import draw_camera, draw_lights, draw_placement
from hmp_core.media.rendering import Renderer, composite
from hmp_core.media.skin import SKIN_TONES, Sleeve, skin_colours, sleeve_for
from hmp_core.media.synth import Sensor

_HANDS_PER_STUDIO: Final = 10
_SLEEVED: Final = 0.7
_HAND_M: Final = 0.18
_ROOMS: Final = 4
_CLEAR: Final = 0.35
_SOLID: Final = 0.6
_COVERED: Final = 2
_CUT: Final = 0.15


@dataclass(frozen=True)
class Covering:
    """What may get in the way.

    Attributes:
        solids: shapes of :func:`~hmp_core.media.occluder.make_occluder`.
        covers, surfaces: of :func:`~hmp_core.media.cover.make_cover`.
    """

    solids: tuple[str, ...] = ("box", "can", "book")
    covers: tuple[str, ...] = ("rectangle", "ellipse", "blob")
    surfaces: tuple[str, ...] = ("plain", "grain", "room", "gradient")


SEEN: Final = Covering()
UNSEEN: Final = Covering(("mug",), ("bars", "star"), ("checker", "stripes", "grey"))
"""Shapes and surfaces that are in none of the pictures of ``SEEN``."""


@dataclass(frozen=True)
class CoveredHand:
    """A picture of one hand.

    Attributes:
        image: BGR uint8 [height, width, 3].
        camera: that took it.
        joints: [21, 3] true, camera frame [m].
        hidden: [21] behind something that is not the hand itself, or outside the picture.
    """

    image: NDArray[np.uint8]
    camera: Camera
    joints: NDArray[np.float64]
    hidden: NDArray[np.bool_]


def cover_hands(
    model: HandModel,
    rotations: NDArray[np.floating],
    betas: NDArray[np.floating],
    seed: int,
    covering: Covering = SEEN,
) -> Iterator[CoveredHand]:
    """Draw hands, one by one.

    Args:
        model: a right hand.
        rotations: [N, 16, 3, 3] local matrices, MANO order, global orientation in the camera frame first.
        betas: [N, 10].
        seed: of everything else.
        covering: what may get in the way.
    """
    rng = np.random.default_rng(seed)
    kinematics, mesh, sleeve = HandKinematics(model, torch.float64), HandMesh(model), sleeve_for(model)
    wrist_at_rest = model.J_regressor[0] @ model.v_template
    for first in range(0, len(rotations), _HANDS_PER_STUDIO):
        camera, toward = draw_camera(rng)
        with _Studio(model, sleeve, camera, covering, rng) as studio:
            for row in range(first, min(first + _HANDS_PER_STUDIO, len(rotations))):
                turn, shape = torch.as_tensor(rotations[row]).double(), torch.as_tensor(betas[row]).double()
                relative = kinematics.joints(turn[None], shape, torch.zeros(1, 3).double())[0].numpy()
                translation = draw_placement(relative, camera, toward, rng)
                pose = torch.from_numpy(Rotation.from_matrix(turn.numpy()).as_rotvec())
                drawn = {"hand": mesh.vertices(pose[None], shape, torch.from_numpy(translation)[None])[0].numpy()}
                joints = relative + translation
                if rng.random() < _SLEEVED:
                    drawn["sleeve"] = (sleeve.vertices - wrist_at_rest) @ turn[0].numpy().T + joints[0]
                yield from studio.pictures(drawn, joints)


class _Studio:
    """A camera with its lights, rooms, skin and things; a context manager."""

    def __init__(
        self, model: HandModel, sleeve: Sleeve, camera: Camera, covering: Covering, rng: np.random.Generator
    ) -> None:
        self._camera, self._covering, self._rng = camera, covering, rng
        self._sensor = Sensor(camera.width, camera.height, rng)
        self._rooms = [make_background(camera.width, camera.height, rng) for _ in range(_ROOMS)]
        self._renderer = Renderer(camera, draw_lights(rng))
        tone = SKIN_TONES[int(rng.integers(len(SKIN_TONES)))]
        self._renderer.add("hand", model.faces, skin_colours(model, tone), gloss=rng.uniform(0.05, 0.3))
        cloth = np.broadcast_to(rng.integers(20, 235, 3).astype(np.uint8), sleeve.vertices.shape)
        self._renderer.add("sleeve", sleeve.faces, np.ascontiguousarray(cloth), gloss=0.02)
        self._things = [make_occluder(shape, 1.0, (0, 0, 0)) for shape in covering.solids]
        for index, thing in enumerate(self._things):
            colours = np.tile(rng.integers(15, 240, 3).astype(np.uint8), (len(thing.vertices), 1))
            self._renderer.add(f"thing {index}", thing.faces, colours, gloss=float(rng.uniform(0, 0.4)))

    def __enter__(self) -> "_Studio":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._renderer.__exit__(kind, error, trace)

    def pictures(self, drawn: dict[str, NDArray[np.float64]], joints: NDArray[np.float64]) -> Iterator[CoveredHand]:
        """The hand with a solid thing, clear, and behind covers; the first two only sometimes."""
        alone, rng = self._renderer.draw(drawn), self._rng
        if rng.random() < _SOLID:
            name, vertices, hidden = self._solid(joints)
            room = self._room()
            yield self._taken(composite(self._renderer.draw(drawn | {name: vertices}), room), joints, hidden)
        if rng.random() < _CLEAR:
            yield self._taken(composite(alone, self._room()), joints, np.zeros(len(joints), dtype=bool))
        for _ in range(_COVERED):
            image, hidden = self._covered(composite(alone, self._room()), joints)
            yield self._taken(image, joints, hidden)

    def _room(self) -> NDArray[np.uint8]:
        return self._rooms[int(self._rng.integers(_ROOMS))]

    def _solid(self, joints: NDArray[np.float64]) -> tuple[str, NDArray[np.float64], NDArray[np.bool_]]:
        """A thing near a joint: between camera and hand, or about where the hand is, as if held."""
        rng = self._rng
        index = int(rng.integers(len(self._things)))
        R = Rotation.random(rng=rng).as_matrix()
        aim = joints[int(rng.integers(len(joints)))] + rng.normal(0, 0.015, 3)
        depth = rng.uniform(0.6, 1.1) if rng.random() < 0.6 else 1.0 - 0.03 / aim[2]
        size = _HAND_M * rng.uniform(0.25, 1.0) * depth
        vertices = self._things[index].vertices * size @ R.T + aim * depth
        return f"thing {index}", vertices, hidden_behind(joints, vertices, self._things[index].faces)

    def _covered(
        self, image: NDArray[np.uint8], joints: NDArray[np.float64]
    ) -> tuple[NDArray[np.uint8], NDArray[np.bool_]]:
        """One to three covers over parts of the hand."""
        rng, truth_px = self._rng, self._camera.project(joints)
        hidden = np.zeros(len(joints), dtype=bool)
        for _ in range(int(rng.choice([1, 1, 1, 2, 3]))):
            aim = truth_px[int(rng.integers(len(joints)))] + rng.normal(0, 8, 2)
            size = np.ptp(truth_px, axis=0).max() * rng.uniform(0.15, 1.1)
            shape, surface = str(rng.choice(self._covering.covers)), str(rng.choice(self._covering.surfaces))
            cover = make_cover(shape, surface, aim, size, self._room(), rng)
            image = cover.over(image)
            hidden = hidden | cover.hides(truth_px)
        return image, hidden

    def _taken(
        self, picture: NDArray[np.uint8], joints: NDArray[np.float64], hidden: NDArray[np.bool_]
    ) -> CoveredHand:
        """What the camera makes of it; sometimes cut, every second time mirrored."""
        hand = CoveredHand(self._sensor.capture(picture), self._camera, joints, hidden)
        if self._rng.random() < _CUT:
            hand = _cut(hand, self._rng)
        return _mirrored(hand) if self._rng.random() < 0.5 else hand


def _cut(hand: CoveredHand, rng: np.random.Generator) -> CoveredHand:
    """Part of the picture, its edge somewhere across the hand."""
    truth_px = hand.camera.project(hand.joints)
    height, width = hand.image.shape[:2]
    axis, far = int(rng.integers(2)), bool(rng.integers(2))
    edge = int(np.quantile(truth_px[:, axis], rng.uniform(0.1, 0.9)).clip(80, (width, height)[axis] - 80))
    low, high = [0, 0], [width, height]
    if far:
        high[axis] = edge
    else:
        low[axis] = edge
    old = hand.camera
    camera = Camera(high[0] - low[0], high[1] - low[1], old.fx, old.fy, old.cx - low[0], old.cy - low[1])
    image = np.ascontiguousarray(hand.image[low[1] : high[1], low[0] : high[0]])
    return CoveredHand(image, camera, hand.joints, hand.hidden | ~camera.contains(truth_px - low))


def _mirrored(hand: CoveredHand) -> CoveredHand:
    old = hand.camera
    camera = Camera(old.width, old.height, old.fx, old.fy, old.width - 1 - old.cx, old.cy)
    image = np.ascontiguousarray(hand.image[:, ::-1])
    return CoveredHand(image, camera, np.asarray(mirror_points(hand.joints)), hand.hidden)
