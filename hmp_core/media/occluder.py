# SPDX-FileCopyrightText: 2026 The hmp_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Things that pass in front of a hand, and which joints they hide."""

from dataclasses import dataclass
from typing import Final, Protocol

import numpy as np
import pyvista as pv
from numpy.typing import NDArray
from scipy.spatial.transform import Rotation

from hmp_core.errors import ConfigError

OCCLUDER_SHAPES: Final = ("box", "can", "mug", "book")
_EPSILON: Final = 1e-12


@dataclass(frozen=True)
class Occluder:
    """A rigid thing.

    Attributes:
        shape: one of ``OCCLUDER_SHAPES``.
        vertices: [V, 3] around its own centre [m].
        faces: [F, 3], counter-clockwise seen from outside.
        colour: RGB.
    """

    shape: str
    vertices: NDArray[np.float64]
    faces: NDArray[np.int64]
    colour: tuple[int, int, int]

    def placed(self, R: NDArray[np.float64], position: NDArray[np.float64]) -> NDArray[np.float64]:
        """Vertices [V, 3] after turning by ``R`` [3, 3] and moving to ``position`` [3] [m]."""
        return np.asarray(self.vertices @ R.T + position)


def make_occluder(shape: str, size_m: float, colour: tuple[int, int, int]) -> Occluder:
    """Build a thing whose larger side is ``size_m`` [m], upright along its own -y.

    Raises:
        ConfigError: unknown shape.
    """
    if shape == "box":
        mesh = pv.Box(bounds=(-0.4, 0.4, -0.5, 0.5, -0.25, 0.25), level=2)
    elif shape == "book":
        mesh = pv.Box(bounds=(-0.36, 0.36, -0.5, 0.5, -0.05, 0.05), level=2)
    elif shape == "can":
        mesh = pv.Cylinder(direction=(0, 1, 0), radius=0.28, height=1.0, resolution=40)
    elif shape == "mug":
        mesh = _mug()
    else:
        raise ConfigError(f"occluder must be one of {', '.join(OCCLUDER_SHAPES)}, got {shape!r}")
    solid = mesh.triangulate().compute_normals(
        cell_normals=False, split_vertices=True, feature_angle=40, auto_orient_normals=shape != "mug"
    )
    faces = np.asarray(solid.regular_faces, dtype=np.int64)
    return Occluder(shape, np.asarray(solid.points, dtype=np.float64) * size_m, faces, colour)


def _mug() -> pv.PolyData:
    """A cup with wall and bottom, and half a ring for a handle."""
    profile = [(0.0, 0.45), (0.38, 0.45), (0.38, -0.5), (0.34, -0.5), (0.34, 0.4), (0.0, 0.4)]
    line = pv.lines_from_points(np.array([(radius, y, 0.0) for radius, y in profile]))
    cup = line.extrude_rotate(angle=360, resolution=40, rotation_axis=(0, 1, 0), capping=False)
    ring = pv.ParametricTorus(ringradius=0.24, crosssectionradius=0.05, u_res=24, v_res=12, w_res=1)
    handle = ring.translate((0.42, -0.02, 0.0)).clip(normal=(-1, 0, 0), origin=(0.37, 0, 0))
    mug: pv.PolyData = cup.merge(handle)
    return mug


def hidden_behind(
    points: NDArray[np.floating], vertices: NDArray[np.floating], faces: NDArray[np.integer]
) -> NDArray[np.bool_]:
    """Which points [N, 3] a mesh hides from a camera at the origin (exact ray casting, Möller-Trumbore)."""
    corner, edge_1, edge_2 = vertices[faces[:, 0]], *(vertices[faces[:, k]] - vertices[faces[:, 0]] for k in (1, 2))
    across = np.cross(points[:, None], edge_2[None])
    determinant = np.einsum("nfc,fc->nf", across, edge_1)
    scale = 1.0 / np.where(np.abs(determinant) < _EPSILON, np.inf, determinant)
    u = -np.einsum("nfc,fc->nf", across, corner) * scale
    turned = np.cross(-corner, edge_1)
    v = np.einsum("nc,fc->nf", points, turned) * scale
    # Distance along the ray from the camera, 1 at the point itself.
    along = np.einsum("fc,fc->f", edge_2, turned)[None] * scale
    hit = (scale != 0) & (u >= 0) & (v >= 0) & (u + v <= 1) & (along > 0) & (along < 1)
    return np.asarray(hit.any(axis=1))


class Passing(Protocol):
    """Where a thing is at what time."""

    def pose(self, time_s: float) -> tuple[NDArray[np.float64], NDArray[np.float64]] | None:
        """Orientation [3, 3] and position [3] [m] at a time, None while the thing is away."""


@dataclass(frozen=True)
class OcclusionPass:
    """One pass of a thing in front of the hand: in, stay, out.

    Attributes:
        start_s, hold_s, move_s: when the thing is in place, for how long, and how long it takes in and out [s].
        position: [3] where it stays, camera frame [m].
        entry, exit: [3] where it comes from and goes to, outside of the image [m].
        R: [3, 3] its orientation in the camera at ``start_s``.
        spin: [3] rotation vector per second [rad/s].
    """

    start_s: float
    hold_s: float
    move_s: float
    position: NDArray[np.float64]
    entry: NDArray[np.float64]
    exit: NDArray[np.float64]
    R: NDArray[np.float64]
    spin: NDArray[np.float64]

    def pose(self, time_s: float) -> tuple[NDArray[np.float64], NDArray[np.float64]] | None:
        """Orientation [3, 3] and position [3] [m] at a time, None while the thing is away."""
        since = time_s - self.start_s
        if not -self.move_s < since < self.hold_s + self.move_s:
            return None
        if since < 0:
            position = self.position + (self.entry - self.position) * _ease(-since / self.move_s)
        else:
            out = _ease(max(since - self.hold_s, 0.0) / self.move_s)
            position = self.position + (self.exit - self.position) * out
        turned = Rotation.from_rotvec(self.spin * since).as_matrix() @ self.R
        return np.asarray(turned), position


@dataclass(frozen=True)
class CarriedPass:
    """A pass of a thing that goes along with what it hides, as if held before it.

    Attributes:
        passing: of the thing, were the hand to rest.
        times_s: [T] increasing [s].
        way: [T, 3] how far the thing is carried at these times, camera frame [m].
    """

    passing: OcclusionPass
    times_s: NDArray[np.float64]
    way: NDArray[np.float64]

    def pose(self, time_s: float) -> tuple[NDArray[np.float64], NDArray[np.float64]] | None:
        """As :meth:`OcclusionPass.pose`."""
        placed = self.passing.pose(time_s)
        if placed is None:
            return None
        carried = [np.interp(time_s, self.times_s, axis) for axis in self.way.T]
        return placed[0], placed[1] + carried


def _ease(fraction: float) -> float:
    """Minimum-jerk course from 0 to 1."""
    return fraction**3 * (10 - 15 * fraction + 6 * fraction**2)
