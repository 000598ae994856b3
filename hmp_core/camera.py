# SPDX-FileCopyrightText: 2026 The hmp_ros authors
# SPDX-License-Identifier: Apache-2.0
"""A calibrated camera: pixels to rays and back."""

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from hmp_core.errors import CameraError
from hmp_core.lens import COEFFICIENTS, Distortion, distort, undistort

_MIN_DEPTH_M: Final = 1e-6


@dataclass(frozen=True)
class Camera:
    """Pinhole intrinsics with a lens model; frame: optical (x right, y down, z forward).

    Attributes:
        width, height: image size [px].
        fx, fy, cx, cy: focal lengths and principal point [px]; pixel centres are at integer coordinates.
        distortion: lens model.
        coefficients: lens coefficients in OpenCV's order (4 for ``EQUIDISTANT``, 4, 5 or 8 otherwise).
        calibrated: False when the intrinsics were guessed from a field of view.

    Raises:
        CameraError: on non-finite or non-positive values.
    """

    width: int
    height: int
    fx: float
    fy: float
    cx: float
    cy: float
    distortion: Distortion = Distortion.NONE
    coefficients: tuple[float, ...] = ()
    calibrated: bool = True

    def __post_init__(self) -> None:
        numbers = (self.fx, self.fy, self.cx, self.cy, *self.coefficients)
        if not all(np.isfinite(numbers)) or self.fx <= 0 or self.fy <= 0:
            raise CameraError(
                f"camera intrinsics fx={self.fx} fy={self.fy} cx={self.cx} cy={self.cy} are not usable; "
                "calibrate the camera"
            )
        if self.width <= 0 or self.height <= 0:
            raise CameraError(f"image size {self.width}x{self.height} is not positive")
        if len(self.coefficients) not in COEFFICIENTS[self.distortion]:
            counts = " or ".join(map(str, COEFFICIENTS[self.distortion]))
            raise CameraError(
                f"the {self.distortion.value} model takes {counts} coefficients, got {len(self.coefficients)}"
            )

    @classmethod
    def from_field_of_view(cls, width: int, height: int, fov_deg: float) -> "Camera":
        """Guess a camera from the field of view [deg] across the longer image side."""
        if not 1.0 <= fov_deg <= 170.0:
            raise CameraError(f"field of view must lie between 1 and 170 degrees, got {fov_deg}")
        focal = 0.5 * max(width, height) / float(np.tan(np.radians(fov_deg) / 2))
        return cls(width, height, focal, focal, (width - 1) / 2, (height - 1) / 2, calibrated=False)

    @property
    def matrix(self) -> NDArray[np.float64]:
        """The 3x3 intrinsic matrix."""
        return np.array([[self.fx, 0, self.cx], [0, self.fy, self.cy], [0, 0, 1.0]])

    @property
    def focal_px(self) -> float:
        """Geometric mean of the focal lengths [px]; turns pixel sigmas into ray sigmas."""
        return float(np.sqrt(self.fx * self.fy))

    def rays(self, points_px: NDArray[np.floating]) -> NDArray[np.float64]:
        """Undistort pixels [..., 2] into normalised image coordinates (x/z, y/z) [..., 2].

        Pixels beyond the lens's reach give a ray of their direction, 60 degrees off the axis.
        """
        return self._undistort(points_px)[0].reshape(np.shape(points_px))

    def rays_and_sigmas(
        self, points_px: NDArray[np.floating], sigma_px: NDArray[np.floating]
    ) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """As :meth:`rays`, and the standard deviation per axis [...] of each from that of its pixel [...] [px].

        At the rim of a fisheye a pixel covers several times the tangent that it covers in the middle (the geometric
        mean over the axes counts), and beyond the lens's reach sigmas are inf.
        """
        rays, areas = self._undistort(points_px)
        scale = np.sqrt(areas).reshape(np.shape(sigma_px)) / self.focal_px
        return rays.reshape(np.shape(points_px)), np.asarray(sigma_px * scale)

    def project(self, points_camera: NDArray[np.floating]) -> NDArray[np.float64]:
        """Project points [..., 3] [m] to pixels [..., 2]; NaN behind the camera and beyond the lens's reach."""
        points = np.asarray(points_camera, dtype=np.float64)
        flat = points.reshape(-1, 3)
        behind = flat[:, 2:] < _MIN_DEPTH_M
        safe = np.where(behind, (0.0, 0.0, 1.0), flat)
        images = distort(self.distortion, self.coefficients, safe[:, :2] / safe[:, 2:])[0]
        pixels = np.where(behind, np.nan, images * (self.fx, self.fy) + (self.cx, self.cy))
        return np.asarray(pixels).reshape(*points.shape[:-1], 2)

    def _undistort(self, points_px: NDArray[np.floating]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        flat = np.asarray(points_px, dtype=np.float64).reshape(-1, 2)
        return undistort(self.distortion, self.coefficients, (flat - (self.cx, self.cy)) / (self.fx, self.fy))

    def contains(self, points_px: NDArray[np.floating]) -> NDArray[np.bool_]:
        """Which pixels [..., 2] lie inside the image."""
        inside = (points_px >= -0.5) & (points_px <= np.array([self.width, self.height]) - 0.5)
        return np.asarray(inside.all(axis=-1))
