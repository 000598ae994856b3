# SPDX-FileCopyrightText: 2026 The hmp_ros authors
# SPDX-License-Identifier: Apache-2.0
"""A scene made up from a seed: hands that move in front of a camera, and things that get in the way."""

from dataclasses import dataclass
from typing import Final

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.spatial.transform import Rotation, Slerp

from hmp_core.camera import Camera
from hmp_core.errors import ConfigError
from hmp_core.hand.kinematics import HandKinematics
from hmp_core.hand.mirror import mirror_points, mirror_rotation_vector
from hmp_core.hand.model import HandModel
from hmp_core.hand.skeleton import MIDDLE_MCP, NUM_BETAS, WRIST, Side
from hmp_core.media.occluder import OCCLUDER_SHAPES, Occluder, OcclusionPass, Passing, make_occluder
from hmp_core.media.wrist_motion import move_wrist
from hmp_core.prior.chain import FingerBones
from hmp_core.training.generator import generate_motion

_HAND_LENGTH_M: Final = 0.18
_ELBOW_M: Final = np.array([-0.1, 0.36, 0.12])
"""From the hand's mean place to the right elbow: outwards, below, farther away."""
_BETA_SPREAD: Final = 0.7
_GRASP_TRIES: Final = 60
_PALM_TO_KNUCKLE: Final = 0.75
"""Where between wrist and middle knuckle the hand's middle is taken to be."""


@dataclass(frozen=True)
class SceneConfig:
    """What to make up.

    Attributes:
        seconds, fps: length [s] and rate [Hz] of the clip.
        width, height, fov_deg: camera.
        sides: one hand each; two keep to their halves of the image.
        passes: how often a thing passes in front of the hands.
        occluder: one of ``OCCLUDER_SHAPES``, None for a random one each time.
        seed: of everything random.

    Raises:
        ConfigError: a value out of range.
    """

    seconds: float = 6.0
    fps: float = 30.0
    width: int = 640
    height: int = 480
    fov_deg: float = 60.0
    sides: tuple[Side, ...] = (Side.RIGHT,)
    passes: int = 2
    occluder: str | None = None
    seed: int = 0

    def __post_init__(self) -> None:
        ranges = {
            "seconds": (0.1, 600), "fps": (1, 240), "width": (64, 4096), "height": (64, 4096), "fov_deg": (10, 120),
            "passes": (0, 100), "seed": (0, 2**63),
        }  # fmt: skip
        for name, (low, high) in ranges.items():
            if not low <= getattr(self, name) <= high:
                raise ConfigError(f"{name} must lie between {low} and {high}, got {getattr(self, name)}")
        if len(set(self.sides)) != len(self.sides) or not self.sides:
            raise ConfigError("sides must name left, right or both once")
        if self.occluder is not None and self.occluder not in OCCLUDER_SHAPES:
            raise ConfigError(f"occluder must be one of {', '.join(OCCLUDER_SHAPES)}, got {self.occluder!r}")


@dataclass(frozen=True)
class HandCourse:
    """Exact motion of one hand, true side, camera frame.

    Attributes:
        model: the hand model of this side.
        rotation_vectors: [T, 16, 3] MANO pose [rad].
        betas: [10].
        translation: [T, 3] MANO's ``transl`` [m].
        joints: [T, 21, 3] [m].
        elbow: [T, 3] where the forearm comes from, for the looks [m].
    """

    model: HandModel
    rotation_vectors: NDArray[np.float64]
    betas: NDArray[np.float64]
    translation: NDArray[np.float64]
    joints: NDArray[np.float64]
    elbow: NDArray[np.float64]


@dataclass(frozen=True)
class Scene:
    """All that is in a clip.

    Attributes:
        times_s: [T] from 0.
        camera: intrinsics, no distortion.
        hands: one course per side.
        occlusions: things and when they pass.
        rng: for the looks of it, at its state after the motion was made.
    """

    times_s: NDArray[np.float64]
    camera: Camera
    hands: tuple[HandCourse, ...]
    occlusions: tuple[tuple[Occluder, Passing], ...]
    rng: np.random.Generator


def make_scene(model: HandModel, config: SceneConfig) -> Scene:
    """Make up a scene.

    Args:
        model: right hand.
        config: what to make up.
    """
    rng = np.random.default_rng(config.seed)
    times = np.arange(max(round(config.seconds * config.fps), 2)) / config.fps
    guessed = Camera.from_field_of_view(config.width, config.height, config.fov_deg)
    camera = Camera(guessed.width, guessed.height, guessed.fx, guessed.fy, guessed.cx, guessed.cy)
    fingers = _finger_motion(model, len(config.sides), times, int(rng.integers(2**31)))
    hands = tuple(
        _move_hand(model, side, fingers[index], times, camera, _columns(config.sides, side), rng)
        for index, side in enumerate(config.sides)
    )
    occlusions = tuple(
        _occlude(hands[int(rng.integers(len(hands)))], times, index, config, camera, rng)
        for index in range(config.passes)
    )
    return Scene(times, camera, hands, occlusions, rng)


def _columns(sides: tuple[Side, ...], side: Side) -> tuple[float, float]:
    """Part of the width that a hand keeps to. The camera sees a person's left hand on its right."""
    if len(sides) == 1:
        return 0.0, 1.0
    return (0.0, 0.5) if side is Side.RIGHT else (0.5, 1.0)


def _finger_motion(model: HandModel, count: int, times: NDArray[np.float64], seed: int) -> NDArray[np.float64]:
    """Finger rotation vectors [count, T, 15, 3] at these times."""
    motion = generate_motion(FingerBones.of(model), count, float(times[-1]) + 0.5, seed, _GRASP_TRIES)
    recorded = motion.rotation_vectors.double().numpy().reshape(count, -1, 15, 3)
    grid = np.arange(recorded.shape[1]) / motion.rate_hz
    turned = np.empty((count, len(times), 15, 3))
    for hand in range(count):
        for joint in range(15):
            course = Slerp(grid, Rotation.from_rotvec(recorded[hand, :, joint]))
            turned[hand, :, joint] = course(times).as_rotvec()
    return turned


def _move_hand(
    model: HandModel,
    side: Side,
    fingers: NDArray[np.float64],
    times: NDArray[np.float64],
    camera: Camera,
    columns: tuple[float, float],
    rng: np.random.Generator,
) -> HandCourse:
    """A hand of random shape on its way; the left one is made as a right one and mirrored."""
    betas = rng.normal(0, _BETA_SPREAD, NUM_BETAS)
    if side is Side.LEFT:
        columns = 1 - columns[1], 1 - columns[0]
    course = move_wrist(times, camera, rng, columns=columns)
    R_global = Rotation.from_matrix(course.R_camera_mano)
    rotation_vectors = np.concatenate([R_global.as_rotvec()[:, None], fingers], axis=1)
    rotations = torch.from_numpy(Rotation.from_rotvec(rotation_vectors.reshape(-1, 3)).as_matrix())
    zero = torch.zeros(len(times), 3, dtype=torch.float64)
    kinematics = HandKinematics(model, dtype=torch.float64)
    joints = kinematics.joints(rotations.reshape(-1, 16, 3, 3), torch.from_numpy(betas), zero).numpy()
    middle = joints[:, WRIST] + _PALM_TO_KNUCKLE * (joints[:, MIDDLE_MCP] - joints[:, WRIST])
    translation = course.centre - middle
    joints = joints + translation[:, None]
    elbow = course.centre.mean(axis=0) + _ELBOW_M * rng.uniform(0.8, 1.2, 3)
    elbow = np.tile(elbow, (len(times), 1))
    if side is Side.RIGHT:
        return HandCourse(model, rotation_vectors, betas, translation, joints, elbow)
    pose = np.asarray(mirror_rotation_vector(rotation_vectors), dtype=np.float64)
    mirrored = (mirror_points(points) for points in (translation, joints, elbow))
    shift, points, elbow = (np.asarray(array, dtype=np.float64) for array in mirrored)
    return HandCourse(model.mirrored(), pose, betas, shift, points, elbow)


def _occlude(
    hand: HandCourse,
    times: NDArray[np.float64],
    index: int,
    config: SceneConfig,
    camera: Camera,
    rng: np.random.Generator,
) -> tuple[Occluder, OcclusionPass]:
    """A thing that covers a good part of the hand; every second one covers nearly all of it."""
    whole = index % 2 == 1
    shape = config.occluder or str(rng.choice(["box", "book"] if whole else OCCLUDER_SHAPES))
    slot = times[-1] / config.passes
    hold, move = min(rng.uniform(0.3, 0.9), 0.4 * slot), min(rng.uniform(0.3, 0.6), 0.25 * slot)
    start = index * slot + move + rng.uniform(0, max(slot - hold - 2 * move, 0.0))
    middle = hand.joints[np.searchsorted(times, start + hold / 2, side="right") - 1].mean(axis=0)
    nearer = rng.uniform(0.55, 0.75)
    size = _HAND_LENGTH_M * nearer * (rng.uniform(1.2, 1.4) if whole else rng.uniform(0.55, 0.9))
    aside = rng.uniform(-1, 1, 2) * _HAND_LENGTH_M * nearer * (0.03 if whole else 0.25)
    position = middle * nearer + [*aside, 0.0]
    # Out of the image: its half diagonal and the thing itself, at the thing's depth.
    away = position[2] * np.hypot(camera.width, camera.height) / camera.fx * 0.6 + size
    angles = rng.uniform(0, 2 * np.pi, 2)
    ways = away * np.stack([np.cos(angles), np.sin(angles), np.zeros(2)], axis=1)
    tilt = Rotation.from_euler("zyx", rng.uniform(-0.5, 0.5, 3) * [0.4 if whole else 1.0, 1, 0.6])
    colour = tuple(int(value) for value in rng.integers(30, 230, 3))
    passing = OcclusionPass(
        start_s=float(start),
        hold_s=float(hold),
        move_s=float(move),
        position=position,
        entry=position + ways[0],
        exit=position + ways[1],
        R=np.asarray(tilt.as_matrix()),
        spin=rng.uniform(-0.6, 0.6, 3) * (0.2 if whole else 1.0),
    )
    return make_occluder(shape, float(size), (colour[0], colour[1], colour[2])), passing
