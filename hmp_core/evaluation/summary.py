# SPDX-FileCopyrightText: 2026 The hmp_ros authors
# SPDX-License-Identifier: Apache-2.0
"""One recording in a few numbers: the object that ``hmp track --json`` prints."""

from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from hmp_core.estimate import HandStatus
from hmp_core.evaluation.metrics import acceleration

_SIDES: Final = {"left": 1, "right": 2}
STAGES: Final = ("detect", "initialize", "optimize")
_SEEN: Final = (HandStatus.OBSERVED, HandStatus.PARTIAL)


def summarize(arrays: dict[str, NDArray[Any]]) -> dict[str, Any]:
    """Sum a recording up.

    Args:
        arrays: as :mod:`hmp_core.media.hand_recorder` describes; empty when no frame was processed.

    Returns:
        ``frames``; ``tracked_fraction`` of the frames with a hand observed or partial; ``sides`` and ``status``,
        each with its number of hands over all frames; ``ms`` per stage and ``reprojection_px`` (see
        :func:`reprojection_px`) with ``median`` and ``p95``; ``acceleration_mm_per_frame2``
        (wrist-aligned, mean over the frames that initializer and output both have). What was never measured
        is None; every key is always there.
    """
    count = len(arrays["stamps_ns"]) if arrays else 0
    empty = np.empty((0, 2))
    status, side = arrays.get("status", empty), arrays.get("side", empty)
    present = status > 0
    named = [item for item in HandStatus if item is not HandStatus.UNKNOWN]
    return {
        "frames": count,
        "tracked_fraction": float(np.isin(status, _SEEN).any(axis=1).mean()) if count else 0.0,
        "sides": {name: int((present & (side == code)).sum()) for name, code in _SIDES.items()},
        "status": {item.name.lower(): int((status == item).sum()) for item in named},
        "ms": {stage: _spread(arrays.get(f"ms_{stage}", empty)) for stage in STAGES},
        "reprojection_px": _spread(reprojection_px(arrays) if count else empty),
        "acceleration_mm_per_frame2": _accelerations(arrays) if count else {"initializer": None, "output": None},
    }


def reprojection_px(arrays: dict[str, NDArray[Any]]) -> NDArray[np.float64]:
    """Distance [T, S, 21] px from each keypoint to where the output expects it; NaN without evidence."""
    distances = np.linalg.norm(arrays["expected_keypoints_px"] - arrays["keypoints_px"], axis=-1)
    return np.asarray(np.where(arrays["joint_observed"], distances, np.nan))


def _accelerations(arrays: dict[str, NDArray[Any]]) -> dict[str, float | None]:
    """Mean over all stretches of three frames in which a track has both an initial pose and an output."""
    initial, output = [], []
    for slot in range(arrays["status"].shape[1]):
        track = arrays["track_id"][:, slot]
        same = (track[2:] >= 0) & (track[2:] == track[1:-1]) & (track[2:] == track[:-2])
        first = acceleration(arrays["initial_joints_camera"][:, slot])
        second = acceleration(arrays["joints_camera"][:, slot])
        both = same & np.isfinite(first) & np.isfinite(second)
        initial.append(first[both])
        output.append(second[both])
    return {"initializer": _mean(np.concatenate(initial)), "output": _mean(np.concatenate(output))}


def _spread(values: NDArray[np.floating]) -> dict[str, float | None]:
    measured = values[np.isfinite(values)]
    if not measured.size:
        return {"median": None, "p95": None}
    return {"median": float(np.median(measured)), "p95": float(np.percentile(measured, 95))}


def _mean(values: NDArray[np.floating]) -> float | None:
    return float(values.mean()) if values.size else None
