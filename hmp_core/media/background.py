# SPDX-FileCopyrightText: 2026 The hmp_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Backgrounds out of nothing: a wall, things standing about, a table, out of focus."""

from typing import Any, Final

import cv2
import numpy as np
from numpy.typing import NDArray

_THINGS: Final = (4, 14)


def make_background(width: int, height: int, rng: np.random.Generator) -> NDArray[np.uint8]:
    """Paint a BGR picture [height, width, 3] of a blurred room."""
    picture = _wall(width, height, rng)
    for _ in range(rng.integers(*_THINGS)):
        _add_thing(picture, rng)
    if rng.random() < 0.6:
        _add_table(picture, rng)
    blur = rng.uniform(0.002, 0.012) * width
    blurred: Any = cv2.GaussianBlur(picture, (0, 0), blur)
    return np.asarray(np.clip(blurred, 0, 255), dtype=np.uint8)


def _muted_colour(rng: np.random.Generator, darkest: float = 40.0) -> NDArray[np.float64]:
    """A colour of low saturation, as rooms have."""
    value = rng.uniform(darkest, 215)
    return np.asarray(value * (1 + rng.uniform(-0.28, 0.28, 3)))


def _wall(width: int, height: int, rng: np.random.Generator) -> NDArray[np.float32]:
    """A gradient in a random direction with large, faint spots."""
    y, x = np.mgrid[0:height, 0:width] / max(width, height)
    angle = rng.uniform(0, 2 * np.pi)
    ramp = x * np.cos(angle) + y * np.sin(angle)
    ramp = (ramp - ramp.min()) / (ramp.max() - ramp.min())
    start = _muted_colour(rng, darkest=80)
    picture = start + ramp[..., None] * (start * rng.uniform(0.6, 1.1) - start)
    coarse = rng.normal(0, 10, (6, 8, 1)).astype(np.float32)
    spots: Any = cv2.resize(coarse, (width, height), interpolation=cv2.INTER_CUBIC)
    return np.asarray(picture + spots[..., None], dtype=np.float32)


def _add_thing(picture: NDArray[np.float32], rng: np.random.Generator) -> None:
    """A box or a ball with a lit side."""
    height, width = picture.shape[:2]
    colour, size = _muted_colour(rng), rng.uniform(0.04, 0.3, 2) * width
    centre = rng.uniform(0, 1, 2) * (width, height)
    canvas = picture.copy()
    if rng.random() < 0.7:
        corners = cv2.boxPoints(((*centre,), (*size,), float(rng.choice([0, 0, 0, rng.uniform(-30, 30)]))))
        cv2.fillConvexPoly(canvas, corners.astype(np.int32), colour.tolist())
        half = 0.75 * corners + 0.25 * corners[[1, 0, 3, 2]]
        cv2.fillConvexPoly(canvas, half.astype(np.int32), (colour * 0.85).tolist())
    else:
        axes = (int(size[0] / 2), int(size[1] / 2))
        cv2.ellipse(canvas, (int(centre[0]), int(centre[1])), axes, 0, 0, 360, colour.tolist(), -1)
    opacity = rng.uniform(0.5, 1.0)
    picture[:] = opacity * canvas + (1 - opacity) * picture


def _add_table(picture: NDArray[np.float32], rng: np.random.Generator) -> None:
    """A table top across the lower part, brighter towards the viewer."""
    height = picture.shape[0]
    edge = int(rng.uniform(0.6, 0.85) * height)
    light = np.linspace(0.85, 1.1, height - edge)[:, None, None]
    picture[edge:] = _muted_colour(rng, darkest=60) * light
