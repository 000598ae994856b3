# SPDX-FileCopyrightText: 2026 The hmp_ros authors
# SPDX-License-Identifier: Apache-2.0
"""How well hands are followed through occlusion, method by method: the tables that all benchmarks with truth share.

A joint in a frame is *hidden* when an external occluder covers it or it is outside the image; its part is
``hidden_partial`` when other joints of that hand are observed in that frame, and ``hidden_whole`` when none is.

A method that has no output in a frame is charged with its last one, and before its first with that one. A hand
that it never found has nothing to be charged with and shows in ``coverage`` alone, the share of the frames with
truth in which the method had an output of its own.

``summary`` is ``{"methods": {name: {...}}, "by_gap": {seconds: {name: {part: mm}}}, "coverage_2sigma":
{"observed", "hidden"}, "wrist_nees", "windows", "quiet": {the same}}`` of frames in which the hand moves, and of
those in which it rests under ``quiet``. A figure without frames is None. Of each method:

* ``ra_mpjpe_mm``, ``pa_mpjpe_mm`` {part}: mean error of the part's joints, the frame's hands laid on each other by
  their wrists, or by the best similarity transform of all 21 joints. The wrist counts, as in the published measure.
* ``ra_acc_mm_per_frame2`` {part}: size of the error of the wrist-aligned second differences, a joint's part being
  that of the middle frame.
* ``wrist_mm`` {"lateral", "depth"}: wrist error across and along the ray on which the true wrist is seen.
* ``wrist_deg``: angle between the operator frames.
* ``lag_ms``: of observed joints, wrist-relative; see :mod:`~hmp_core.evaluation.lag`.

Of the one method that states sigmas: ``coverage_2sigma`` is the share of wrist-relative joint coordinates with
|error| <= 2 sigma, the wrist left out; ``wrist_nees`` is the mean of e' C^-1 e over position and rotation vector, 6
where the covariance is true. Frames without sigmas (LOST) count in neither.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from scipy.spatial.transform import Rotation

from hmp_core.evaluation.lag import LagMeter
from hmp_core.evaluation.metrics import procrustes_aligned, wrist_aligned
from hmp_core.evaluation.prior_gaps import ACTIVITIES
from hmp_core.hand.operator_frame import operator_frame
from hmp_core.hand.skeleton import WRIST, Side

PARTS: Final = ("observed", "hidden_partial", "hidden_whole")
_MM_PER_M: Final = 1000.0
_SIGMAS: Final = 2.0

Array = NDArray[np.float64]


@dataclass(frozen=True)
class MethodOutput:
    """What one method says about one hand, T frames.

    Attributes:
        joints_camera: [T, 21, 3] public order, camera frame [m]; NaN in frames without output.
        joint_stddev_m: [T, 21] per axis, relative to the wrist [m]; NaN or negative where none is stated.
        wrist_covariance: [T, 6, 6] of position [m] and rotation vector [rad], camera axes; likewise.
    """

    joints_camera: Array
    joint_stddev_m: Array | None = None
    wrist_covariance: Array | None = None


@dataclass(frozen=True)
class HandRun:
    """One hand through T successive frames, as it was and as each method has it.

    Attributes:
        side: which hand.
        truth_camera: [T, 21, 3] public order, camera frame [m]; NaN in frames that do not count.
        hidden: [T, 21] bool, joints that nobody could see.
        active: [T] bool, frames in which the hand moves.
        gap_s: [T] nominal length of the gap that the frame lies in [s], NaN outside of gaps.
        outputs: by method.
    """

    side: Side
    truth_camera: Array
    hidden: NDArray[np.bool_]
    active: NDArray[np.bool_]
    gap_s: Array
    outputs: Mapping[str, MethodOutput]


def charged(values: Array) -> Array:
    """Values [T, ...] with every frame that holds a NaN replaced by the last whole one, or else by the first."""
    whole = np.isfinite(values).reshape(len(values), -1).all(axis=1)
    if not whole.any():
        return np.full_like(values, np.nan)
    last = np.maximum.accumulate(np.where(whole, np.arange(len(values)), -1))
    return np.asarray(values[np.where(last < 0, np.argmax(whole), last)])


def parts_of(hidden: NDArray[np.bool_]) -> dict[str, NDArray[np.bool_]]:
    """Masks [T, 21] of each of :data:`PARTS`."""
    whole = hidden.all(axis=1, keepdims=True)
    return {"observed": ~hidden, "hidden_partial": hidden & ~whole, "hidden_whole": hidden & whole}


class OcclusionReport:
    """Gathers runs and sums them up; every joint of every frame has the same weight.

    Args:
        methods: names in the order of the tables.
        rate_hz: frames per second, the same in all runs.
        calibrated: the method whose sigmas are judged.
    """

    def __init__(self, methods: Sequence[str], rate_hz: float, calibrated: str = "online") -> None:
        self.methods = tuple(methods)
        self._rate_hz = rate_hz
        self._calibrated = calibrated
        self._sums: dict[tuple[str, ...], tuple[float, int]] = {}
        self._lags: dict[tuple[str, str], LagMeter] = {}
        self._windows = dict.fromkeys(ACTIVITIES, 0)
        self._gaps: set[float] = set()

    def add(self, run: HandRun) -> None:
        """Take in one run."""
        counted = np.isfinite(run.truth_camera).all(axis=(1, 2))
        self._gaps.update(run.gap_s[counted & np.isfinite(run.gap_s)].tolist())
        for activity, wanted in zip(ACTIVITIES, (run.active, ~run.active), strict=True):
            frames = np.logical_and(wanted, counted)
            self._windows[activity] += bool(frames.any())
            for name, output in run.outputs.items():
                self._add_output(activity, name, run, output, frames)
                if name == self._calibrated:
                    self._add_sigmas(activity, run, output, frames)

    def summary(self) -> dict[str, Any]:
        """The report; see the module."""
        active, quiet = (self._activity(activity) for activity in ACTIVITIES)
        return {**active, "quiet": quiet}

    def _add_output(
        self, activity: str, name: str, run: HandRun, output: MethodOutput, frames: NDArray[np.bool_]
    ) -> None:
        own = np.asarray(np.isfinite(output.joints_camera).all(axis=(1, 2)))
        self._tally((activity, name, "coverage"), own[frames].astype(float))
        truth, joints = run.truth_camera, charged(output.joints_camera)
        relative = wrist_aligned(joints) - wrist_aligned(truth)
        errors = {
            "ra_mpjpe_mm": np.linalg.norm(relative, axis=-1),
            "pa_mpjpe_mm": np.linalg.norm(procrustes_aligned(joints, truth) - truth, axis=-1),
            "ra_acc_mm_per_frame2": np.full(run.hidden.shape, np.nan),
        }
        if len(truth) > 2:
            errors["ra_acc_mm_per_frame2"][1:-1] = np.linalg.norm(np.diff(relative, n=2, axis=0), axis=-1)
        for part, mask in parts_of(run.hidden).items():
            mask = mask & frames[:, None]
            for metric, values in errors.items():
                self._tally((activity, name, metric, part), _MM_PER_M * values[mask])
            for gap_s in np.unique(run.gap_s[np.isfinite(run.gap_s)]):
                inside = mask & (run.gap_s == gap_s)[:, None]
                self._tally((activity, name, f"{gap_s:g}", part), _MM_PER_M * errors["ra_mpjpe_mm"][inside])
        ray = truth[:, WRIST] / np.linalg.norm(truth[:, WRIST], axis=-1, keepdims=True)
        away = joints[:, WRIST] - truth[:, WRIST]
        along = (away * ray).sum(axis=-1, keepdims=True)
        self._tally((activity, name, "depth"), _MM_PER_M * np.abs(along[frames, 0]))
        self._tally((activity, name, "lateral"), _MM_PER_M * np.linalg.norm(away - along * ray, axis=-1)[frames])
        angle = np.linalg.norm(_turns(joints, truth, run.side), axis=-1)
        self._tally((activity, name, "wrist_deg"), np.degrees(angle[frames]))
        seen = frames[:, None] & ~run.hidden
        meter = self._lags.setdefault((activity, name), LagMeter(self._rate_hz))
        true = np.where(seen[..., None], wrist_aligned(truth), np.nan)
        meter.add(wrist_aligned(output.joints_camera), true)

    def _add_sigmas(self, activity: str, run: HandRun, output: MethodOutput, frames: NDArray[np.bool_]) -> None:
        joints, truth = output.joints_camera, run.truth_camera
        if output.joint_stddev_m is not None:
            sigma = output.joint_stddev_m.copy()
            sigma[:, WRIST] = np.nan
            error = np.abs(wrist_aligned(joints) - wrist_aligned(truth))
            stated = frames[:, None] & (sigma > 0) & np.isfinite(error).all(axis=-1)
            for part, mask in (("observed", ~run.hidden), ("hidden", run.hidden)):
                inside = error[mask & stated] <= _SIGMAS * sigma[mask & stated][:, None]
                self._tally((activity, "coverage_2sigma", part), inside.astype(float))
        if output.wrist_covariance is not None:
            away = np.concatenate([joints[:, WRIST] - truth[:, WRIST], _turns(joints, truth, run.side)], axis=1)
            stated = frames & np.isfinite(away).all(axis=1) & (output.wrist_covariance[:, 0, 0] > 0)
            whitened = np.linalg.solve(output.wrist_covariance[stated], away[stated][..., None])[..., 0]
            self._tally((activity, "wrist_nees"), (away[stated] * whitened).sum(axis=1))

    def _tally(self, key: tuple[str, ...], values: NDArray[np.floating]) -> None:
        values = values[np.isfinite(values)]
        total, count = self._sums.get(key, (0.0, 0))
        self._sums[key] = total + float(values.sum()), count + values.size

    def _mean(self, *key: str) -> float | None:
        total, count = self._sums.get(key, (0.0, 0))
        return round(total / count, 4) if count else None

    def _activity(self, activity: str) -> dict[str, Any]:
        def parts(name: str, metric: str) -> dict[str, float | None]:
            return {part: self._mean(activity, name, metric, part) for part in PARTS}

        return {
            "methods": {
                name: {
                    **{key: parts(name, key) for key in ("ra_mpjpe_mm", "pa_mpjpe_mm", "ra_acc_mm_per_frame2")},
                    "wrist_mm": {key: self._mean(activity, name, key) for key in ("lateral", "depth")},
                    "wrist_deg": self._mean(activity, name, "wrist_deg"),
                    "lag_ms": self._lag(activity, name),
                    "coverage": self._mean(activity, name, "coverage"),
                }
                for name in self.methods
            },
            "by_gap": {
                f"{gap_s:g}": {name: parts(name, f"{gap_s:g}") for name in self.methods}
                for gap_s in sorted(self._gaps)
            },
            "coverage_2sigma": {
                part: self._mean(activity, "coverage_2sigma", part) for part in ("observed", "hidden")
            },
            "wrist_nees": self._mean(activity, "wrist_nees"),
            "windows": self._windows[activity],
        }

    def _lag(self, activity: str, name: str) -> float | None:
        meter = self._lags.get((activity, name))
        lag = None if meter is None else meter.lag_ms()
        return None if lag is None else round(lag, 2)


def _turns(joints: Array, truth: Array, side: Side) -> Array:
    """Rotation vectors [T, 3] rad, camera axes, from the true operator frame to the other; NaN without one."""
    R, R_true = operator_frame(joints, side), operator_frame(truth, side)
    known = (np.isfinite(R) & np.isfinite(R_true)).all(axis=(1, 2))
    turns = np.full((len(joints), 3), np.nan)
    if known.any():
        turns[known] = Rotation.from_matrix(R[known] @ R_true[known].swapaxes(1, 2)).as_rotvec()
    return turns
