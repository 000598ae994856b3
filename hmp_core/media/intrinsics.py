# SPDX-FileCopyrightText: 2026 The hmp_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Which camera belongs to an image: calibrated, rescaled, or guessed with a warning."""

import json
import logging
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

from hmp_core.camera import Camera
from hmp_core.errors import CameraError
from hmp_core.lens import Distortion

DEFAULT_FOV_DEG: Final = 60.0
_NOT_GIVEN: Final = "no intrinsics were given"
_ASPECT_TOLERANCE: Final = 0.01

_log = logging.getLogger(__name__)


class Intrinsics:
    """Hands out the :class:`Camera` for an image size.

    A calibration of another size with the same aspect ratio is rescaled. Without a usable calibration the
    camera is guessed from a field of view, and a warning, once per size, says what to calibrate.

    Args:
        calibrated: the calibration, None when there is none.
        fov_deg: field of view across the longer side [deg] of the guess.
        hint: how the user supplies a calibration, for the warning.

    Raises:
        CameraError: a field of view outside 1 to 170 degrees.
    """

    def __init__(
        self,
        calibrated: Camera | None = None,
        fov_deg: float = DEFAULT_FOV_DEG,
        hint: str = "pass it to Intrinsics",
    ) -> None:
        Camera.from_field_of_view(2, 2, fov_deg)
        self.calibrated = calibrated
        self.fov_deg = fov_deg
        self._hint = hint
        self._reason = _NOT_GIVEN
        self._chosen: dict[tuple[int, int], Camera] = {}

    def calibrate(self, camera: Camera | None, reason: str = _NOT_GIVEN) -> None:
        """Replace the calibration, as when a new ``CameraInfo`` arrives; ``reason`` says why there is none."""
        if (camera, reason) != (self.calibrated, self._reason):
            self.calibrated, self._reason = camera, reason
            self._chosen.clear()

    def camera_for(self, width: int, height: int) -> Camera:
        """The camera of an image of this size [px]."""
        size = (width, height)
        if size not in self._chosen:
            self._chosen[size] = self._choose(width, height)
        return self._chosen[size]

    def _choose(self, width: int, height: int) -> Camera:
        reason = self._reason
        if self.calibrated is not None:
            try:
                return rescale(self.calibrated, width, height)
            except CameraError as error:
                reason = str(error)
        _log.warning(
            "%s: assuming a field of view of %.0f degrees across the longer side of %dx%d images. Metric depth is "
            "as wrong as this guess; calibrate the camera (fx, fy, cx, cy and distortion) and %s.",
            reason, self.fov_deg, width, height, self._hint,
        )  # fmt: skip
        return Camera.from_field_of_view(width, height, self.fov_deg)


def rescale(camera: Camera, width: int, height: int) -> Camera:
    """The same camera for a resized image.

    Raises:
        CameraError: the aspect ratios differ by more than 1 %, so the image was cropped.
    """
    if (width, height) == (camera.width, camera.height):
        return camera
    scale_x, scale_y = width / camera.width, height / camera.height
    if abs(scale_x / scale_y - 1) > _ASPECT_TOLERANCE:
        raise CameraError(f"intrinsics for {camera.width}x{camera.height} do not fit images of {width}x{height}")
    return replace(
        camera,
        width=width,
        height=height,
        fx=camera.fx * scale_x,
        fy=camera.fy * scale_y,
        cx=(camera.cx + 0.5) * scale_x - 0.5,
        cy=(camera.cy + 0.5) * scale_y - 0.5,
    )


def load_camera(path: Path) -> Camera:
    """Read a camera file: JSON with ``width, height, fx, fy, cx, cy`` and, if any, ``distortion, coefficients``.

    Raises:
        CameraError: unreadable file, missing keys, or unusable values.
    """
    try:
        text = Path(path).read_text(encoding="utf-8")
    except OSError as error:
        raise CameraError(f"camera file {path} cannot be read: {error.strerror}") from error
    try:
        fields: dict[str, Any] = json.loads(text)
        return Camera(
            width=int(fields["width"]),
            height=int(fields["height"]),
            fx=float(fields["fx"]),
            fy=float(fields["fy"]),
            cx=float(fields["cx"]),
            cy=float(fields["cy"]),
            distortion=Distortion(fields.get("distortion", Distortion.NONE)),
            coefficients=tuple(float(value) for value in fields.get("coefficients", ())),
        )
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        raise CameraError(
            f"camera file {path} is not usable ({type(error).__name__}: {error}); it needs width, height, fx, fy, "
            "cx, cy and may have distortion (none, plumb_bob, rational_polynomial, equidistant) and coefficients"
        ) from error


def save_camera(camera: Camera, path: Path) -> None:
    """Write a camera file that :func:`load_camera` reads."""
    fields = {
        "width": camera.width,
        "height": camera.height,
        "fx": camera.fx,
        "fy": camera.fy,
        "cx": camera.cx,
        "cy": camera.cy,
        "distortion": camera.distortion.value,
        "coefficients": list(camera.coefficients),
    }
    Path(path).write_text(json.dumps(fields, indent=2) + "\n", encoding="utf-8")
