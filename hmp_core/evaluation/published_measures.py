# SPDX-FileCopyrightText: 2026 The hmp_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The measures that papers print for HO-3D and DexYCB, method by method; frames with truth weigh the same.

Of each method (None where there is nothing to measure):

* ``mpjpe_mm``, ``ra_mpjpe_mm``, ``pa_mpjpe_mm`` and ``auc``, ``ra_auc``, ``pa_auc``: all 21 joints, in the camera
  frame, wrist on wrist, after the best similarity transform; ``ra_acc_mm_per_frame2``: three successive frames with
  truth.
* ``pa_v2v_mm``, ``pa_f5``, ``pa_f15``, ``ra_f5``, ``ra_f15``: of the mesh, with the user's MANO alone; root-aligned
  by the vertex at the wrist.
* ``coverage``: share of the frames in which the method had an output of its own; the others are charged with the
  last one (:func:`~hmp_core.evaluation.occlusion_report.charged`).
"""

from collections.abc import Mapping, Sequence
from typing import Final

import numpy as np
import torch
from numpy.typing import NDArray

from hmp_core.evaluation.metrics import (
    MANO_ROOT_VERTEX,
    acceleration_error,
    camera_mpjpe,
    f_score,
    pa_mpjpe,
    pck_auc,
    procrustes_aligned,
    ra_mpjpe,
    v2v,
    wrist_aligned,
)
from hmp_core.evaluation.occlusion_report import HandRun, charged
from hmp_core.hand.mesh import HandMesh
from hmp_core.hand.skeleton import NUM_BETAS, NUM_MANO_JOINTS
from hmp_core.observation import ManoPose

JOINT_MEASURES: Final = (
    "mpjpe_mm", "ra_mpjpe_mm", "pa_mpjpe_mm", "ra_acc_mm_per_frame2", "auc", "ra_auc", "pa_auc",
)  # fmt: skip
MESH_MEASURES: Final = ("pa_v2v_mm", "pa_f5", "pa_f15", "ra_f5", "ra_f15")
_THRESHOLDS_M: Final = {"f5": 0.005, "f15": 0.015}
_ROTATIONS: Final = 3 * NUM_MANO_JOINTS
_BATCH: Final = 256

Array = NDArray[np.float64]


class PublishedMeasures:
    """Gathers runs and sums them up.

    Args:
        methods: names in the order of the table.
    """

    def __init__(self, methods: Sequence[str]) -> None:
        self._methods = tuple(methods)
        self._values: dict[tuple[str, str], list[Array]] = {}
        self.frames = 0

    def add(self, run: HandRun) -> None:
        """Take in the joints of one run."""
        truth = run.truth_camera
        counted = np.isfinite(truth).all(axis=(1, 2))
        self.frames += int(counted.sum())
        for name, output in run.outputs.items():
            own = np.isfinite(output.joints_camera).all(axis=(1, 2))
            joints = charged(output.joints_camera)
            on_wrist = wrist_aligned(joints), wrist_aligned(truth)
            for measure, values in {
                "mpjpe_mm": camera_mpjpe(joints, truth),
                "ra_mpjpe_mm": ra_mpjpe(joints, truth),
                "pa_mpjpe_mm": pa_mpjpe(joints, truth),
                "ra_acc_mm_per_frame2": acceleration_error(joints, truth),
                "auc": pck_auc(joints, truth),
                "ra_auc": pck_auc(*on_wrist),
                "pa_auc": pck_auc(procrustes_aligned(joints, truth), truth),
                "coverage": np.where(counted, own, np.nan),
            }.items():
                self._keep(name, measure, values)

    def add_meshes(
        self,
        mesh: HandMesh,
        true_poses: Sequence[ManoPose | None],
        poses: Mapping[str, Sequence[ManoPose | None]],
        counted: NDArray[np.bool_],
    ) -> None:
        """Take in the meshes of one run.

        Args:
            mesh: MANO of the run's side.
            true_poses: T of them; frames without do not count.
            poses: by method, T each, None in frames without output.
            counted: [T] False for further frames that do not count.
        """
        truth = pack(true_poses)
        frames = np.flatnonzero(counted & np.isfinite(truth).all(axis=1))
        for name, course in poses.items():
            packed = charged(pack(course))
            for first in range(0, len(frames) if np.isfinite(packed).all() else 0, _BATCH):
                batch = frames[first : first + _BATCH]
                self._add_vertices(name, unpack(mesh, packed[batch]), unpack(mesh, truth[batch]))

    def summary(self) -> dict[str, dict[str, float | None]]:
        """``{method: {measure: value}}``; see the module."""
        return {
            name: {measure: self._mean(name, measure) for measure in (*JOINT_MEASURES, *MESH_MEASURES, "coverage")}
            for name in self._methods
        }

    def _add_vertices(self, name: str, vertices: Array, truth: Array) -> None:
        root = slice(MANO_ROOT_VERTEX, MANO_ROOT_VERTEX + 1)
        best = procrustes_aligned(vertices, truth)
        rooted = vertices - vertices[:, root] + truth[:, root]
        self._keep(name, "pa_v2v_mm", v2v(best, truth))
        for key, threshold_m in _THRESHOLDS_M.items():
            self._keep(name, f"pa_{key}", f_score(best, truth, threshold_m))
            self._keep(name, f"ra_{key}", f_score(rooted, truth, threshold_m))

    def _keep(self, name: str, measure: str, values: Array) -> None:
        self._values.setdefault((name, measure), []).append(values[np.isfinite(values)])

    def _mean(self, name: str, measure: str) -> float | None:
        values = np.concatenate([np.empty(0), *self._values.get((name, measure), [])])
        return round(float(values.mean()), 4) if values.size else None


def pack(poses: Sequence[ManoPose | None]) -> Array:
    """Poses as rows [T, 61] of rotation vectors, betas and translation; NaN for None."""
    rows = np.full((len(poses), _ROTATIONS + NUM_BETAS + 3), np.nan)
    for row, pose in zip(rows, poses, strict=True):
        if pose is not None:
            row[:] = np.concatenate([pose.rotation_vectors.ravel(), pose.betas, pose.translation])
    return rows


def unpack(mesh: HandMesh, rows: Array) -> Array:
    """Vertices [T, V, 3] m of rows [T, 61] of :func:`pack`."""
    vectors, betas, translation = np.split(rows, (_ROTATIONS, _ROTATIONS + NUM_BETAS), axis=1)
    shaped = torch.from_numpy(vectors.reshape(-1, NUM_MANO_JOINTS, 3))
    return np.asarray(mesh.vertices(shaped, torch.from_numpy(betas), torch.from_numpy(translation)).numpy())
