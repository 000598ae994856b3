# SPDX-FileCopyrightText: 2026 The hmp_ros authors
# SPDX-License-Identifier: Apache-2.0
"""How well a motion prior reproduces, fills in and foretells recorded motion that it was not trained on.

The report is one object for all files together:

* ``reconstruction_mm``: mean joint error of windows of which everything is seen, by one latent alone.
* ``reconstruction_acceleration_ratio``: size of the second differences of decoded over true joints, 1 at best.
* ``retarget_mm``, ``rejected``: the retargeting's mean residual over all frames of the files, held out or not, and
  the share of frames that it dropped. Truth, for every method, is the forward kinematics of the retargeted poses.
* ``infill_mm``, ``forecast_mm``: ``{activity: {hidden: {seconds: {method: mm}}}}``. A cell of fewer than
  :data:`LEAST_WINDOWS` windows is None, and so is one whose gap, with what must be seen beside it, does not fit
  into the window of time that a method works in.
* ``windows``: ``{activity: {seconds: n}}``, the most that any of the cells is made of.
* ``diversity``, ``nearest_training_mm``, ``limit_violations``: of the prior's own samples, see
  :mod:`~hmp_core.evaluation.prior_samples`.
* ``latent_calibration``: by how much a gap changes the encoder's latent, squared, over the variance that the
  encoder states with the gap; 1 is honest, above 1 too sure. Exactly: the ratio of
  :func:`~hmp_core.evaluation.prior_methods.prior_errors`.
* ``references``: what the three figures of samples are for recorded windows and for samples of the baselines, and
  ``latent_square``, the mean square of a recorded window's latent coordinates, which is 1 for N(0, I).
* ``baselines``: the baselines' tuned parameters; ``fitted`` says whether their models were at hand.
"""

from collections.abc import Callable
from dataclasses import asdict
from typing import Any, Final

import torch
from torch import Tensor

from hmp_core.evaluation.baseline_models import BaselineModels, BaselineParameters
from hmp_core.evaluation.prior_gaps import ACTIVITIES, HIDDEN, GapPicker, Gaps, whole_windows
from hmp_core.evaluation.prior_methods import METHODS, interpolation_errors, model_errors, prior_errors
from hmp_core.evaluation.prior_reconstruction import Reconstruction, reconstruct
from hmp_core.evaluation.prior_samples import clip_times, draw_baseline, draw_prior, measure_clips, resample
from hmp_core.prior.prior import MotionPrior
from hmp_core.training.retarget import Retargeted

SECONDS: Final = ("0.2", "0.5", "1", "2")
TABLES: Final = ("infill_mm", "forecast_mm")
LEAST_WINDOWS: Final = 50
_SHORTEST_SHARE: Final = 0.45
"""Recordings from this share of the prior's window on are reconstructed."""


class PriorReport:
    """Gathers what is measured, file by file, and sums it up."""

    def __init__(self, prior: MotionPrior, models: BaselineModels | None, most: int) -> None:
        """Take the prior, the baseline models if there are any, and the most windows per cell and file."""
        self._prior = prior
        self._models = models
        self._parameters = models.parameters if models else BaselineParameters()
        self._most = most
        self._errors: dict[tuple[str, str, str, str, str], list[Tensor]] = {}
        self._ratios: list[Tensor] = []
        self._whole: list[Tensor] = []
        self._reconstructions: list[Reconstruction] = []
        self._residuals_m: list[Tensor] = []
        self._rejected_frames = 0.0
        self._frames = 0

    @staticmethod
    def steps() -> int:
        """How often :meth:`add` reports progress for each file."""
        return len(SECONDS) * len(HIDDEN)

    def add(self, measured: Retargeted, advance: Callable[[], None]) -> None:
        """Measure one file."""
        self._residuals_m.append(measured.residual_m[measured.residual_m.isfinite()])
        self._rejected_frames += measured.rejected * len(measured.residual_m)
        self._frames += len(measured.residual_m)
        self._add_whole(measured)
        picker = GapPicker(measured.motion, self._prior.vae.bones)
        for seconds in SECONDS:
            for hidden in HIDDEN:
                for activity, gaps in picker.pick(hidden, float(seconds), self._most).items():
                    for table in TABLES if len(gaps) else ():
                        cell = (table, activity, hidden, seconds)
                        self._add_gaps(measured, cell, gaps)
                advance()

    def summary(self) -> dict[str, Any]:
        """The report; see the module."""
        prior, models = self._prior, self._models
        times = clip_times(prior)
        own = measure_clips(prior, draw_prior(prior), times, models)
        others = {"data": torch.cat(self._whole)} if self._whole else {}
        for method in ("pca", "gmm") if models else ():
            drawn = draw_baseline(models, method, prior) if models else None
            if drawn is not None:
                others[method] = drawn
        figures = {name: measure_clips(prior, clips, times, models) for name, clips in others.items() if len(clips)}
        acceleration = torch.cat([torch.empty(0, 2), *(item.acceleration for item in self._reconstructions)])
        size = acceleration.nanmean(0)
        return {
            "reconstruction_mm": _mean([item.error_mm for item in self._reconstructions]),
            "reconstruction_acceleration_ratio": _rounded(float(size[0] / size[1])),
            "retarget_mm": _mean([1e3 * residual for residual in self._residuals_m]),
            "rejected": _rounded(self._rejected_frames / self._frames) if self._frames else None,
            **{table: self._table(table) for table in TABLES},
            "windows": {
                activity: {seconds: self._most_windows(activity, seconds) for seconds in SECONDS}
                for activity in ACTIVITIES
            },
            "diversity": _rounded(own.diversity),
            "nearest_training_mm": _rounded(own.nearest_training_mm),
            "limit_violations": _rounded(own.limit_violations),
            "latent_calibration": _mean(self._ratios),
            "references": {
                **{
                    key: {name: _rounded(asdict(figure)[key]) for name, figure in figures.items()}
                    for key in ("diversity", "nearest_training_mm", "limit_violations")
                },
                "latent_square": _mean([item.encoded.square().mean(-1) for item in self._reconstructions]),
            },
            "baselines": {"fitted": models is not None, **asdict(self._parameters)},
        }

    def count(self, table: str, activity: str, hidden: str, seconds: str) -> int:
        """Windows of a cell."""
        return sum(len(part) for part in self._errors.get((table, activity, hidden, seconds, "hold"), ()))

    def _add_gaps(self, measured: Retargeted, cell: tuple[str, str, str, str], gaps: Gaps) -> None:
        motion, forecast = measured.motion, cell[0] == "forecast_mm"
        bones = self._prior.vae.bones
        errors = interpolation_errors(motion, gaps, forecast, self._parameters, bones)
        if self._models:
            errors |= model_errors(motion, gaps, forecast, self._models, bones)
        by_prior, ratio = prior_errors(motion, gaps, forecast, self._prior)
        self._ratios.append(ratio)
        for method, values in (errors | by_prior).items():
            self._errors.setdefault((*cell, method), []).append(values)

    def _add_whole(self, measured: Retargeted) -> None:
        prior = self._prior
        windows = whole_windows(measured.motion, prior.window_s, _SHORTEST_SHARE * prior.window_s, self._most)
        if not len(windows.seen):
            return  # all recordings are shorter
        self._reconstructions.append(reconstruct(prior, windows))
        complete = windows.vectors[windows.seen.flatten(1).all(1)]
        self._whole.append(resample(complete, windows.times_s, clip_times(prior)))

    def _table(self, table: str) -> dict[str, Any]:
        def cell(activity: str, hidden: str, seconds: str, method: str) -> float | None:
            parts = self._errors.get((table, activity, hidden, seconds, method), [])
            return _mean(parts) if sum(len(part) for part in parts) >= LEAST_WINDOWS else None

        return {
            activity: {
                hidden: {
                    seconds: {method: cell(activity, hidden, seconds, method) for method in METHODS}
                    for seconds in SECONDS
                }
                for hidden in HIDDEN
            }
            for activity in ACTIVITIES
        }

    def _most_windows(self, activity: str, seconds: str) -> int:
        return max(self.count(table, activity, hidden, seconds) for table in TABLES for hidden in HIDDEN)


def _mean(parts: list[Tensor]) -> float | None:
    values = torch.cat(parts) if parts else torch.empty(0)
    return _rounded(float(values.mean())) if len(values) else None


def _rounded(value: float | None) -> float | None:
    return None if value is None or value != value else round(value, 4)
