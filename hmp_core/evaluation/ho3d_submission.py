# SPDX-FileCopyrightText: 2026 The hmp_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The file that HO-3D's evaluation server takes: a zip of ``pred.json``, joints and vertices of every listed frame.

``pred.json`` is ``[xyz, verts]``: for each line of ``evaluation.txt`` 21 joints in MANO's order followed by the
tips (thumb to pinky), and 778 vertices, metres, OpenGL's camera axes. Every hand is moved so that its wrist lies on
the one that the data set gives away, as in HMP's own submission. Without MANO all vertices are zero, and the
server's mesh figures mean nothing.
"""

import json
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from hmp_core.errors import DataError
from hmp_core.evaluation.ho3d import FROM_OPENGL
from hmp_core.evaluation.occlusion_report import charged
from hmp_core.evaluation.published_measures import pack, unpack
from hmp_core.evaluation.sequence_run import SequenceRun
from hmp_core.hand.mesh import HandMesh
from hmp_core.hand.skeleton import PUBLIC_FROM_MANO, WRIST
from hmp_core.whole_file import whole_file

MANO_VERTICES: Final = 778
_METHOD: Final = "online"
_DECIMALS: Final = 6
_BATCH: Final = 256


class Ho3dSubmission:
    """Gathers sequences and writes the file.

    Args:
        frames: lines of ``evaluation.txt``.
        fallback: [21, 3] joints of the hand that stands in where none was found in a whole sequence [m].
        mesh: the user's right MANO; None without.
    """

    def __init__(self, frames: tuple[str, ...], fallback: NDArray[np.float64], mesh: HandMesh | None) -> None:
        self._frames = frames
        self._fallback = fallback
        self._mesh = mesh
        self._joints: dict[str, NDArray[np.float64]] = {}
        self._poses: dict[str, NDArray[np.float64]] = {}

    def add(self, frame_names: tuple[str, ...], run: SequenceRun) -> None:
        """Take in the frames of one sequence."""
        joints = charged(run.run.outputs[_METHOD].joints_camera)
        poses = charged(pack(run.poses[_METHOD]))
        if np.isnan(joints).any():
            joints = np.broadcast_to(self._fallback, joints.shape)
        shift = run.roots_camera - joints[:, WRIST]
        for index, name in enumerate(frame_names):
            self._joints[name] = joints[index] + shift[index]
            moved = poses[index].copy()
            moved[-3:] += shift[index]
            self._poses[name] = moved

    def write(self, path: Path) -> None:
        """Write the zip.

        Raises:
            DataError: no sequence had some listed frame, or its wrist is not given; nothing was written.
        """
        nothing = np.full((1, 1), np.nan)
        missing = [name for name in self._frames if np.isnan(self._joints.get(name, nothing)).any()]
        if missing:
            raise DataError(
                f"{path} was not written: {len(missing)} of {len(self._frames)} listed frames are missing or "
                f"without a wrist, the first is {missing[0]}"
            )
        with (
            whole_file(path) as partial,
            zipfile.ZipFile(partial, "w", zipfile.ZIP_DEFLATED) as archive,
            archive.open("pred.json", "w", force_zip64=True) as file,
        ):
            for opening, rows, closing in (("[[", self._all_joints(), "],"), ("[", self._all_vertices(), "]]")):
                file.write(opening.encode())
                for index, row in enumerate(rows):
                    text = json.dumps(np.round(row, _DECIMALS).tolist(), separators=(",", ":"))
                    file.write((("," if index else "") + text).encode())
                file.write(closing.encode())

    def _all_joints(self) -> Iterator[NDArray[np.float64]]:
        order = np.argsort(PUBLIC_FROM_MANO)
        return (self._joints[name][order] @ FROM_OPENGL for name in self._frames)

    def _all_vertices(self) -> Iterator[NDArray[np.float64]]:
        for first in range(0, len(self._frames), _BATCH):
            names = self._frames[first : first + _BATCH]
            vertices = np.zeros((len(names), MANO_VERTICES, 3))
            rows = np.stack([self._poses[name] for name in names])
            found = np.isfinite(rows).all(axis=1)
            if self._mesh is not None and found.any():
                vertices[found] = unpack(self._mesh, rows[found]) @ FROM_OPENGL
            yield from vertices
