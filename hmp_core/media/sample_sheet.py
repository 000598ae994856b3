# SPDX-FileCopyrightText: 2026 The hmp_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What a motion prior makes up: random samples, rendered as a sheet of stills or as a clip."""

from collections.abc import Iterator
from pathlib import Path
from typing import Final

import cv2
import numpy as np
import roma
import torch
from numpy.typing import NDArray
from scipy.spatial.transform import Rotation
from torch import Tensor

from hmp_core.camera import Camera
from hmp_core.errors import ConfigError
from hmp_core.hand.mesh import HandMesh
from hmp_core.hand.model import HandModel
from hmp_core.media.rendering import DirectionalLight, Renderer, composite
from hmp_core.media.skin import SKIN_TONES, skin_colours, sleeve_for
from hmp_core.media.video_writer import VideoWriter
from hmp_core.prior.prior import MotionPrior

CLIP_SUFFIX: Final = ".mp4"
PICTURE_SUFFIXES: Final = (".jpg", ".png")

_CELL_PX: Final = (150, 170)
_SHOWN_M: Final = 0.245
_DISTANCE_M: Final = 0.8
_WRIST_BELOW_M: Final = 0.095
_TURN_DEG: Final = -40.0
_R_CAMERA_REST: Final = np.array([[0.0, 0.0, 1.0], [1.0, 0.0, 0.0], [0.0, 1.0, 0.0]])
"""Fingers up, palm towards the camera."""
_LIGHTS: Final = (
    DirectionalLight((-0.5, -0.7, -1.0), 0.85, (1.0, 0.98, 0.95)),
    DirectionalLight((0.9, -0.2, -0.5), 0.3, (0.92, 0.95, 1.0)),
)
_PAPER: Final = 246
_INK: Final = (90, 90, 90)
_HEADER_PX: Final = 22
_QUALITY: Final = 82
_RATE_HZ: Final = 30.0
_NS_PER_S: Final = 1_000_000_000


def draw_samples(
    prior: MotionPrior, model: HandModel, z: Tensor, times_s: Tensor
) -> Iterator[tuple[int, int, NDArray[np.uint8]]]:
    """Render what latents decode to, seen from in front of the palm and a little from the thumb's side.

    Args:
        prior: decodes.
        model: a right hand, drawn in its mean shape.
        z: [K, D] whitened latents.
        times_s: [T] times in the prior's window [s].

    Yields:
        Time index, latent index, and a BGR picture [170, 150, 3]; all latents of one time before the next.
    """
    with torch.no_grad():
        fingers = roma.rotmat_to_rotvec(prior.decode(z, times_s.expand(len(z), -1)))
    width, height = _CELL_PX
    focal = height * _DISTANCE_M / _SHOWN_M
    camera = Camera(width, height, focal, focal, (width - 1) / 2, (height - 1) / 2)
    R = Rotation.from_euler("y", _TURN_DEG, degrees=True).as_matrix() @ _R_CAMERA_REST
    wrist_at_rest = model.J_regressor[0] @ model.v_template
    wrist = np.array([0.0, _WRIST_BELOW_M, _DISTANCE_M])
    turn = torch.from_numpy(Rotation.from_matrix(R).as_rotvec()).float()
    shift = torch.from_numpy(wrist - wrist_at_rest).float().expand(len(z), 3)
    mesh, sleeve = HandMesh(model), sleeve_for(model)
    sleeve_vertices = sleeve.bent(wrist_at_rest, R, wrist, wrist + R[:, 0])
    paper = np.full((height, width, 3), _PAPER, dtype=np.uint8)
    with Renderer(camera, _LIGHTS) as renderer:
        renderer.add("hand", model.faces, skin_colours(model, SKIN_TONES[1]))
        renderer.add(
            "sleeve", sleeve.faces, np.full((len(sleeve.vertices), 3), (96, 110, 128), np.uint8), gloss=0.0
        )
        for time in range(len(times_s)):
            pose = torch.cat((turn.expand(len(z), 1, 3), fingers[:, time]), dim=1)
            hands = mesh.vertices(pose, torch.zeros(10), shift).numpy()
            for index, vertices in enumerate(hands):
                drawn = renderer.draw({"hand": vertices, "sleeve": sleeve_vertices})
                yield time, index, composite(drawn, paper)


def write_sample_sheet(path: Path, prior: MotionPrior, model: HandModel, z: Tensor, columns: int) -> None:
    """Draw a sheet: one sample a row, evenly spaced times of the window from left to right.

    Args:
        path: the picture.
        prior, model, z: see :func:`draw_samples`.
        columns: times shown.

    Raises:
        ConfigError: no rows or columns, or the picture cannot be written.
    """
    if columns < 1 or len(z) < 1:
        raise ConfigError(f"a sheet needs at least one sample and one time; got {len(z)} and {columns}")
    width, height = _CELL_PX
    times = torch.linspace(0.0, prior.window_s, columns)
    sheet = np.full((_HEADER_PX + height * len(z), width * columns, 3), _PAPER, dtype=np.uint8)
    for column, row, picture in draw_samples(prior, model, z, times):
        top, left = _HEADER_PX + row * height, column * width
        sheet[top : top + height, left : left + width] = picture
    for column, seconds in enumerate(times.tolist()):
        corner = (column * width + width // 2 - 22, _HEADER_PX - 6)
        cv2.putText(sheet, f"{seconds:.2f} s", corner, cv2.FONT_HERSHEY_SIMPLEX, 0.45, _INK, 1, cv2.LINE_AA)
    coded, data = cv2.imencode(path.suffix, sheet, [cv2.IMWRITE_JPEG_QUALITY, _QUALITY])
    if not coded:
        raise ConfigError(f"{path} cannot be written: {path.suffix} is no picture format")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data.tobytes())
    except OSError as error:
        raise ConfigError(f"{path} cannot be written: {error}") from error


def write_sample_clip(path: Path, prior: MotionPrior, model: HandModel, z: Tensor) -> None:
    """Film all samples side by side over the prior's window at 30 Hz.

    Args:
        path: the .mp4 file.
        prior, model, z: see :func:`draw_samples`.

    Raises:
        ConfigError: there is no sample.
        SourceError: the file cannot be written.
    """
    if len(z) < 1:
        raise ConfigError("a clip needs at least one sample; got 0")
    columns = int(np.ceil(np.sqrt(len(z))))
    rows = -(-len(z) // columns)
    width, height = _CELL_PX
    times = torch.arange(0.0, prior.window_s, 1.0 / _RATE_HZ)
    image = np.full((rows * height, columns * width, 3), _PAPER, dtype=np.uint8)
    with VideoWriter(path, _RATE_HZ) as video:
        for time, index, picture in draw_samples(prior, model, z, times):
            top, left = index // columns * height, index % columns * width
            image[top : top + height, left : left + width] = picture
            if index == len(z) - 1:
                video.write(image, round(time / _RATE_HZ * _NS_PER_S))
