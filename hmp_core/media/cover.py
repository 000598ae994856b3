# SPDX-FileCopyrightText: 2026 The hmp_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Flat things laid over a picture: shapes with soft edges and a surface of their own."""

from dataclasses import dataclass
from typing import Any, Final

import cv2
import numpy as np
from numpy.typing import NDArray

from hmp_core.errors import ConfigError

COVER_SHAPES: Final = ("rectangle", "ellipse", "blob", "bars", "star")
COVER_SURFACES: Final = ("plain", "grain", "room", "gradient", "checker", "stripes", "grey")
_POINTS: Final = 24


@dataclass(frozen=True)
class Cover:
    """A thing in the picture's plane.

    Attributes:
        opacity: [height, width] 0 to 1, where it covers.
        surface: BGR [height, width, 3] what it looks like there.
    """

    opacity: NDArray[np.float32]
    surface: NDArray[np.uint8]

    def over(self, picture: NDArray[np.uint8]) -> NDArray[np.uint8]:
        """The BGR picture [height, width, 3] behind it."""
        alpha = self.opacity[..., None]
        return np.asarray(np.rint(alpha * self.surface + (1 - alpha) * picture), dtype=np.uint8)

    def hides(self, points_px: NDArray[np.floating]) -> NDArray[np.bool_]:
        """Which pixels [N, 2] it hides; none outside the picture."""
        height, width = self.opacity.shape
        finite = np.nan_to_num(points_px, nan=-1.0)
        x, y = np.rint(finite).astype(int).T
        inside = (x >= 0) & (y >= 0) & (x < width) & (y < height)
        return np.asarray(inside & (self.opacity[y.clip(0, height - 1), x.clip(0, width - 1)] > 0.5))


def make_cover(
    shape: str,
    surface: str,
    center_px: NDArray[np.floating],
    size_px: float,
    room: NDArray[np.uint8],
    rng: np.random.Generator,
) -> Cover:
    """Cut out a thing.

    Args:
        shape: one of ``COVER_SHAPES``.
        surface: one of ``COVER_SURFACES``.
        center_px: [2] its middle [px].
        size_px: its larger side [px].
        room: BGR [height, width, 3], as large as the picture; the surface ``room`` is a part of it.
        rng: of everything else.

    Raises:
        ConfigError: unknown shape or surface.
    """
    if shape not in COVER_SHAPES or surface not in COVER_SURFACES:
        raise ConfigError(
            f"a cover is one of {', '.join(COVER_SHAPES)} with one of {', '.join(COVER_SURFACES)}, "
            f"got {shape!r} with {surface!r}"
        )
    opacity = np.zeros(room.shape[:2], dtype=np.float32)
    for outline in _outlines(shape, rng):
        corners = np.asarray(center_px) + size_px / 2 * outline @ _turn(rng.uniform(0, np.pi)).T
        cv2.fillPoly(opacity, [np.rint(corners * 16).astype(np.int32)], 1.0, lineType=cv2.LINE_AA, shift=4)
    soft: Any = cv2.GaussianBlur(opacity, (0, 0), rng.uniform(0.4, 1.5))
    return Cover(np.asarray(soft, dtype=np.float32), _surface(surface, room, rng))


def _outlines(shape: str, rng: np.random.Generator) -> list[NDArray[np.float64]]:
    """Polygons [N, 2] within the unit circle's square."""
    turn = 2 * np.pi * np.arange(_POINTS) / _POINTS
    circle = np.stack([np.cos(turn), np.sin(turn)], axis=1)
    square = np.array([[-1.0, -1], [1, -1], [1, 1], [-1, 1]])
    slim = np.array([rng.uniform(0.35, 1.0), 1.0])
    if shape == "rectangle":
        return [square * slim]
    if shape == "ellipse":
        return [circle * slim]
    if shape == "blob":
        waves = sum(rng.normal(0, 0.25 / k) * np.cos(k * turn + rng.uniform(0, 2 * np.pi)) for k in range(1, 6))
        return [circle * np.clip(0.8 + waves, 0.25, 1.2)[:, None] * slim]
    if shape == "star":
        return [circle * np.where(np.arange(_POINTS) % 4 < 2, 1.0, rng.uniform(0.45, 0.7))[:, None]]
    return [square * [1.0, rng.uniform(0.08, 0.2)] + [0, y] for y in (-0.75, -0.25, 0.25, 0.75)]


def _turn(angle: float) -> NDArray[np.float64]:
    return np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])


def _surface(name: str, room: NDArray[np.uint8], rng: np.random.Generator) -> NDArray[np.uint8]:
    """A BGR picture full of a surface."""
    height, width = room.shape[:2]
    colour, other = rng.uniform(15, 240, (2, 3))
    if rng.random() < 0.3:
        # The colours of wood, cardboard and other people's skin are the hard ones.
        colour = np.array([0.62, 0.76, 1.0]) * rng.uniform(70, 245) * (1 + rng.uniform(-0.1, 0.1, 3))
    y, x = np.mgrid[0:height, 0:width].astype(np.float64)
    angle, period = rng.uniform(0, np.pi), rng.uniform(0.02, 0.15) * width
    along, across = x * np.cos(angle) + y * np.sin(angle), y * np.cos(angle) - x * np.sin(angle)
    light = (along - along.min()) / np.ptp(along)
    if name == "grey":
        return np.full((height, width, 3), 128, dtype=np.uint8)
    if name == "room":
        return np.roll(np.rot90(room, 2), tuple(rng.integers(0, (height, width))), axis=(0, 1))
    if name == "checker":
        share = ((along // period + across // period) % 2).astype(np.float64)
    elif name == "stripes":
        share = ((along // period) % 2).astype(np.float64)
    elif name == "grain":
        share = 0.5 + sum(_grain(width, height, cells, rng) for cells in (6, 20, 60, 160)) * rng.uniform(0.1, 0.35)
    elif name == "gradient":
        share = light
    else:
        share = np.zeros((height, width))
    painted = colour + share[..., None] * (other - colour)
    return np.asarray(np.clip(painted * (1 + rng.uniform(-0.3, 0.3) * (light[..., None] - 0.5)), 0, 255), np.uint8)


def _grain(width: int, height: int, cells: int, rng: np.random.Generator) -> NDArray[np.float64]:
    coarse = rng.normal(0, 1, (cells, cells))
    return np.asarray(cv2.resize(coarse, (width, height), interpolation=cv2.INTER_LINEAR))
