# SPDX-FileCopyrightText: 2026 The hmp_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Render meshes exactly as a :class:`Camera` projects them."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Final

import numpy as np
import pyvista as pv
from numpy.typing import NDArray
from vtkmodules.vtkCommonCore import vtkLogger
from vtkmodules.vtkCommonMath import vtkMatrix4x4
from vtkmodules.vtkRenderingCore import vtkWindowToImageFilter

from hmp_core.camera import Camera
from hmp_core.errors import CameraError
from hmp_core.lens import Distortion
from hmp_core.media.vertex_normals import VertexNormals

_NEAR_M: Final = 0.02
_FAR_M: Final = 10.0
_SAMPLES: Final = 4


@dataclass(frozen=True)
class DirectionalLight:
    """A light at infinity.

    Attributes:
        direction_camera: [3] towards the light, camera frame.
        intensity: 1 lights a facing white surface fully.
        colour: RGB, 0 to 1.
    """

    direction_camera: tuple[float, float, float]
    intensity: float
    colour: tuple[float, float, float] = (1.0, 1.0, 1.0)


class Renderer:
    """Draws triangle meshes off-screen, smoothly shaded and anti-aliased; use it as a context manager.

    The picture obeys the camera's intrinsics to a fraction of a pixel (pixel centres at integers). Lens
    distortion is not drawn.

    Args:
        camera: intrinsics without distortion.
        lights: all lights there are.

    Raises:
        CameraError: the camera has distortion.
    """

    def __init__(self, camera: Camera, lights: tuple[DirectionalLight, ...]) -> None:
        if camera.distortion is not Distortion.NONE:
            raise CameraError("the renderer draws no lens distortion; give it an undistorted camera")
        self.camera = camera
        with _quiet_vtk():
            self._plotter = pv.Plotter(off_screen=True, window_size=[camera.width, camera.height], lighting="none")
        window = self._plotter.ren_win
        assert window is not None
        window.SetMultiSamples(_SAMPLES)
        for light in lights:
            self._plotter.add_light(
                pv.Light(
                    position=light.direction_camera,
                    focal_point=(0, 0, 0),
                    color=light.colour,
                    intensity=light.intensity,
                    positional=False,
                )
            )
        view = self._plotter.camera
        view.position, view.focal_point, view.up = (0, 0, 0), (0, 0, 1), (0, -1, 0)
        view.clipping_range = (_NEAR_M, _FAR_M)
        view.SetExplicitProjectionTransformMatrix(_projection(camera))
        view.SetUseExplicitProjectionTransformMatrix(True)
        # Black and clear, so that what is drawn comes out premultiplied with its coverage.
        self._plotter.renderer.SetBackground(0.0, 0.0, 0.0)
        window.SetAlphaBitPlanes(1)
        self._plotter.renderer.SetBackgroundAlpha(0.0)
        self._grab = vtkWindowToImageFilter()
        self._grab.SetInput(window)
        self._grab.SetInputBufferTypeToRGBA()
        self._grab.ReadFrontBufferOff()
        self._grab.ShouldRerenderOff()
        self._actors: dict[str, pv.Actor] = {}
        # VTK alone would keep the data but lose the connection to what Python changes in them.
        self._meshes: dict[str, Any] = {}
        self._normals: dict[str, VertexNormals] = {}

    def __enter__(self) -> "Renderer":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._plotter.close()

    def add(self, name: str, faces: NDArray[np.int64], colours: NDArray[np.uint8], gloss: float = 0.15) -> None:
        """Introduce a mesh, invisible until :meth:`draw` gets vertices for it.

        Args:
            name: key for :meth:`draw`.
            faces: [F, 3] vertex indices, counter-clockwise seen from outside.
            colours: [V, 3] RGB of each vertex.
            gloss: strength of the highlight, 0 to 1.
        """
        corners = np.hstack([np.full((len(faces), 1), 3), faces])
        mesh = pv.PolyData(np.zeros((len(colours), 3), dtype=np.float32), corners)
        mesh["colour"] = colours
        actor = self._plotter.add_mesh(
            mesh, scalars="colour", rgb=True, ambient=0.22, diffuse=0.8, specular=gloss, specular_power=12,
            name=name, reset_camera=False, show_scalar_bar=False,
        )  # fmt: skip
        actor.prop.interpolation = "phong"
        self._actors[name] = actor
        self._meshes[name] = mesh
        self._normals[name] = VertexNormals(faces, len(colours))

    def draw(self, vertices_camera: Mapping[str, NDArray[np.floating]]) -> NDArray[np.uint8]:
        """Draw the named meshes with these vertices [V, 3] [m]; the others stay invisible.

        Returns:
            uint8 [height, width, 4]: BGR premultiplied with the coverage, and the coverage.
        """
        for name, actor in self._actors.items():
            actor.visibility = name in vertices_camera
        for name, vertices in vertices_camera.items():
            mesh = self._meshes[name]
            points: Any = np.asarray(vertices, dtype=np.float32)
            mesh.points = points
            mesh.point_data.active_normals = self._normals[name].of(points)
        # Not Plotter.render(), which would fit the clipping range to what is visible: the matrix has its own.
        self._grab.GetInput().Render()
        self._grab.Modified()
        self._grab.Update()
        pixels = pv.convert_array(self._grab.GetOutput().GetPointData().GetScalars())
        rgba = pixels.reshape(self.camera.height, self.camera.width, 4)[::-1]
        return np.ascontiguousarray(rgba[..., [2, 1, 0, 3]])

    def depth(self) -> NDArray[np.float32]:
        """Depth along the optical axis of what was last drawn [height, width] [m]; NaN where nothing was."""
        grab = vtkWindowToImageFilter()
        grab.SetInput(self._grab.GetInput())
        grab.SetInputBufferTypeToZBuffer()
        grab.ReadFrontBufferOff()
        grab.ShouldRerenderOff()
        grab.Update()
        buffer = pv.convert_array(grab.GetOutput().GetPointData().GetScalars())
        away = 2 * buffer.reshape(self.camera.height, self.camera.width)[::-1] - 1
        metres = 2 * _FAR_M * _NEAR_M / (_FAR_M + _NEAR_M - away * (_FAR_M - _NEAR_M))
        return np.where(away < 1, metres, np.nan).astype(np.float32)


@contextmanager
def _quiet_vtk() -> Iterator[None]:
    """Keep VTK from warning that there is no display before it takes its off-screen way."""
    before = vtkLogger.GetCurrentVerbosityCutoff()
    vtkLogger.SetStderrVerbosity(vtkLogger.VERBOSITY_ERROR)
    try:
        yield
    finally:
        vtkLogger.SetStderrVerbosity(before)


def composite(drawn: NDArray[np.uint8], background: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Lay what :meth:`Renderer.draw` gave [height, width, 4] over a BGR picture of the same size."""
    covered = drawn[..., 3:].astype(np.uint16)
    below = background * (255 - covered) // 255
    return np.asarray(np.minimum(drawn[..., :3] + below, 255), dtype=np.uint8)


def _projection(camera: Camera) -> vtkMatrix4x4:
    """OpenGL's projection for optical-frame intrinsics: eye axes x right, y up, z backwards."""
    width, height, near, far = camera.width, camera.height, _NEAR_M, _FAR_M
    matrix = np.zeros((4, 4))
    matrix[0, 0] = 2 * camera.fx / width
    matrix[0, 2] = 1 - 2 * (camera.cx + 0.5) / width
    matrix[1, 1] = 2 * camera.fy / height
    matrix[1, 2] = 2 * (camera.cy + 0.5) / height - 1
    matrix[2, 2] = -(far + near) / (far - near)
    matrix[2, 3] = -2 * far * near / (far - near)
    matrix[3, 2] = -1
    result = vtkMatrix4x4()
    result.DeepCopy(matrix.reshape(-1).tolist())
    return result
