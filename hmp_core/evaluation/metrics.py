# SPDX-FileCopyrightText: 2026 The hmp_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Error measures of joint and mesh sequences, as the paper's and the data sets' code computes them.

Inputs are joints [T, 21, 3] in metres, wrist first, or vertices [T, V, 3]; a frame with NaN is a missing one and
gives NaN. Results are per frame, in millimetres where they are lengths, so that the caller chooses which frames
count. Definitions: HMP's evaluation code (RA-MPJPE, PA-MPJPE, PA-V2V and RA-ACC; accelerations per squared frame,
not per squared second), the evaluation scripts of HO-3D and DexYCB (AUC, F-scores). Those also admit a mirror image
as the best alignment, which is no hand; here it is a rotation.
"""

from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy.integrate import trapezoid
from scipy.spatial import cKDTree

from hmp_core.hand.skeleton import WRIST

MANO_ROOT_VERTEX: Final = 117
"""The vertex at the wrist that HMP lays on each other for root-aligned mesh measures."""
_MM_PER_M: Final = 1000.0
_AUC_THRESHOLDS_MM: Final = np.linspace(0.0, 50.0, 100)
"""Of the evaluation scripts of HO-3D and DexYCB."""


def ra_mpjpe(joints: NDArray[np.floating], truth: NDArray[np.floating]) -> NDArray[np.float64]:
    """Root-aligned mean joint error [T] mm: wrists laid on each other, mean over all 21 joints."""
    return _mean_distance(wrist_aligned(joints) - wrist_aligned(truth))


def pa_mpjpe(joints: NDArray[np.floating], truth: NDArray[np.floating]) -> NDArray[np.float64]:
    """Mean joint error [T] mm after the best similarity transform (scale, rotation, translation) of each frame."""
    return _mean_distance(procrustes_aligned(joints, truth) - truth)


def camera_mpjpe(joints: NDArray[np.floating], truth: NDArray[np.floating]) -> NDArray[np.float64]:
    """Mean joint error [T] mm in the camera frame, nothing aligned."""
    return _mean_distance(joints - truth)


def acceleration(joints: NDArray[np.floating]) -> NDArray[np.float64]:
    """Size of the wrist-aligned joints' second differences [T - 2] mm/frame², mean over joints.

    Entry t belongs to frames t to t + 2 and is NaN unless all three are there.
    """
    return _mean_distance(np.diff(wrist_aligned(joints), n=2, axis=0))


def acceleration_error(joints: NDArray[np.floating], truth: NDArray[np.floating]) -> NDArray[np.float64]:
    """Size of the difference between the wrist-aligned second differences [T - 2] mm/frame² (RA-ACC)."""
    return _mean_distance(np.diff(wrist_aligned(joints) - wrist_aligned(truth), n=2, axis=0))


def pck_auc(joints: NDArray[np.floating], truth: NDArray[np.floating]) -> NDArray[np.float64]:
    """Area under the curve of joints within a distance [T], 0 to 1: 100 thresholds from 0 to 50 mm, trapezoids.

    Nothing is aligned here. The mean over frames is what the scripts give as the mean over joints.
    """
    distances = _MM_PER_M * np.linalg.norm(np.subtract(joints, truth), axis=-1)
    within = (distances[..., None] <= _AUC_THRESHOLDS_MM).mean(axis=1)
    area = trapezoid(within, _AUC_THRESHOLDS_MM, axis=-1) / np.ptp(_AUC_THRESHOLDS_MM)
    return np.where(np.isnan(distances).any(axis=1), np.nan, area)


def v2v(vertices: NDArray[np.floating], truth: NDArray[np.floating]) -> NDArray[np.float64]:
    """Mean distance [T] mm of each vertex to its true place; PA-V2V after :func:`procrustes_aligned`."""
    return _mean_distance(np.subtract(vertices, truth))


def f_score(vertices: NDArray[np.floating], truth: NDArray[np.floating], threshold_m: float) -> NDArray[np.float64]:
    """F-score [T], 0 to 1: harmonic mean of the shares of points nearer than a threshold [m] to the other mesh."""
    scores = np.full(len(vertices), np.nan)
    for index, (points, true) in enumerate(zip(vertices, truth, strict=True)):
        if np.isfinite(points).all() and np.isfinite(true).all():
            precision = float((cKDTree(true).query(points)[0] < threshold_m).mean())
            recall = float((cKDTree(points).query(true)[0] < threshold_m).mean())
            both = precision + recall
            scores[index] = 2 * precision * recall / both if both > 0 else 0.0
    return scores


def procrustes_aligned(joints: NDArray[np.floating], truth: NDArray[np.floating]) -> NDArray[np.float64]:
    """Points [..., N, 3] moved onto ``truth`` by the least-squares similarity transform (Umeyama 1991)."""
    joints, truth = np.asarray(joints, np.float64), np.asarray(truth, np.float64)
    missing = ~(np.isfinite(joints) & np.isfinite(truth)).all(axis=(-2, -1), keepdims=True)
    source, target = np.where(missing, 0.0, joints), np.where(missing, 0.0, truth)
    source_mean, target_mean = source.mean(axis=-2, keepdims=True), target.mean(axis=-2, keepdims=True)
    source, target = source - source_mean, target - target_mean
    U, singular, Vt = np.linalg.svd(np.swapaxes(target, -1, -2) @ source)
    # A proper rotation: the least singular direction gives way where the best map would mirror.
    signs = np.ones_like(singular)
    signs[..., -1] = np.sign(np.linalg.det(U @ Vt))
    R = (U * signs[..., None, :]) @ Vt
    spread = (source**2).sum(axis=(-2, -1))
    scale = (singular * signs).sum(axis=-1) / np.where(spread > 0, spread, 1.0)
    aligned = scale[..., None, None] * source @ np.swapaxes(R, -1, -2) + target_mean
    return np.asarray(np.where(missing, np.nan, aligned))


def wrist_aligned(joints: NDArray[np.floating]) -> NDArray[np.float64]:
    """Joints [..., 21, 3] relative to the wrist."""
    return np.asarray(joints - joints[..., WRIST : WRIST + 1, :], dtype=np.float64)


def _mean_distance(differences: NDArray[np.floating]) -> NDArray[np.float64]:
    return np.asarray(np.linalg.norm(differences, axis=-1).mean(axis=-1) * _MM_PER_M, dtype=np.float64)
