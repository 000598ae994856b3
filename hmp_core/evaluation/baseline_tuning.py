# SPDX-FileCopyrightText: 2026 The hmp_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Fits the baselines on a training run's motion and tunes what they leave open on a part of its signs.

Every fifth recorded sign and made-up activity is set aside; models are fitted on the rest, and each parameter in
turn takes the value with the smallest error on gaps in what was set aside: moving hands, all kinds of hidden
fingers, 0.2 to 1 s, each counted as a share of what holding the last pose errs by. The models that ship are then
fitted on everything, with these values.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from typing import Any, Final

import torch
from torch import Tensor

from hmp_core.errors import DataError
from hmp_core.evaluation.baseline_models import (
    BaselineModels,
    BaselineParameters,
    fit_components,
    refit_mixture,
)
from hmp_core.evaluation.prior_gaps import HIDDEN, GapPicker, Gaps
from hmp_core.evaluation.prior_interpolation import InterpolationParameters
from hmp_core.evaluation.prior_methods import interpolation_errors, model_errors
from hmp_core.prior.chain import FingerBones
from hmp_core.training.config import TrainingConfig
from hmp_core.training.dataset import ClipSampler
from hmp_core.training.motion import FingerMotion

CLIPS: Final = 6000
_EVERY: Final = 5
_GAPS_S: Final = (0.2, 0.5, 1.0)
_GAPS: Final = 12
_DRAWN_AT_ONCE: Final = 512
_LEAST_WHOLE: Final = 0.05
"""Share of drawn clips that must have been recorded from end to end."""
_SLOPES_S: Final = (0.034, 0.067, 0.1, 0.134, 0.167)
_DECAYS_S: Final = (0.01, 0.02, 0.03, 0.05, 0.1, 0.15, 0.2, 0.3, 0.5, 1.0)
_SETTLES_S: Final = (0.05, 0.1, 0.2, 0.3, 0.5, 0.8, 1.2)
_CUBIC_DECAYS_S: Final = (0.03, 0.1, 0.2, 0.3, 0.5, 0.8, 1.5, 3.0, 10.0)
_NOISES_RAD: Final = (0.02, 0.05, 0.08, 0.12, 0.2, 0.3, 0.5)
_GAUSSIANS: Final = (4, 8, 16, 32)
_SHRINKAGES: Final = (0.1, 0.2, 0.35, 0.5, 0.7)


@dataclass(frozen=True)
class TuningGaps:
    """Sets of gaps, each in a motion that the models under tuning have not seen.

    Attributes:
        sets: motion, its gaps, and hold's mean error in them [mm].
        bones: of the hand.
    """

    sets: tuple[tuple[FingerMotion, Gaps, float], ...]
    bones: FingerBones

    @staticmethod
    def of(sets: Iterable[tuple[FingerMotion, Gaps]], bones: FingerBones) -> "TuningGaps":
        """Measure hold once: it looks at nothing but the last pose, so a forecast's error is that of an infill."""
        measured = []
        for motion, gaps in sets:
            errors = interpolation_errors(motion, gaps, True, BaselineParameters(), bones)
            measured.append((motion, gaps, float(errors["hold"].mean())))
        return TuningGaps(tuple(measured), bones)

    def error(
        self, method: str, forecast: bool, measure: Callable[[FingerMotion, Gaps, bool], dict[str, Tensor]]
    ) -> float:
        """Mean over the sets of a method's error as a share of hold's; infinite where it fills none."""
        shares = []
        for motion, gaps, hold_mm in self.sets:
            errors = measure(motion, gaps, forecast)
            if method in errors:
                shares.append(float(errors[method].mean()) / hold_mm)
        return sum(shares) / len(shares) if shares else float("inf")


def fit_baselines(
    config: TrainingConfig,
    sources: list[tuple[FingerMotion, float]],
    bones: FingerBones,
    report: Callable[[str], None],
    clips: int = CLIPS,
) -> BaselineModels:
    """Tune, then fit on everything.

    Args:
        config: of the training run whose motion it is.
        sources: of :func:`~hmp_core.training.corpus.gather_corpus`.
        bones: of the hand, for errors in millimetres.
        report: told what was found, a line at a time.
        clips: drawn for a fit.

    Raises:
        DataError: there is too little motion to hold a window or to tune on.
    """
    fitting, held = zip(*(_set_aside(motion) for motion, _ in sources), strict=True)
    sets = []
    for motion in held:
        picker = GapPicker(motion, bones, seed=1)
        picked = [picker.pick(hidden, gap_s, _GAPS)["active"] for hidden in HIDDEN for gap_s in _GAPS_S]
        sets += [(motion, gaps) for gaps in picked if len(gaps)]
        report(f"tuning on {len(motion.lengths)} recordings: {', '.join(sorted(set(motion.labels)))}")
    if not sets:
        raise DataError("the signs set aside have no recording with a moving hand that is long enough to tune on")
    tuning = TuningGaps.of(sets, bones)
    parts = [(motion, share) for motion, (_, share) in zip(fitting, sources, strict=True)]
    drawn = draw_clips(config, parts, clips)
    parameters = BaselineParameters(interpolation=_tune_interpolation(tuning, report))
    parameters = _tune_models(tuning, drawn, config.prior.window_s, parameters, report)
    final = fit_components(draw_clips(config, sources, clips), config.prior.window_s, parameters)
    metadata: dict[str, Any] = {
        "clips": clips,
        "tuned_on": sorted({label for motion in held for label in motion.labels}),
        "fitted_on": [len(motion.lengths) for motion, _ in sources],
    }
    return replace(final, metadata=metadata)


def draw_clips(config: TrainingConfig, sources: list[tuple[FingerMotion, float]], count: int) -> Tensor:
    """Clips [count, N, 45] of rotation vectors, drawn as in training, that were recorded from end to end.

    Raises:
        DataError: too few recordings are as long as the window.
    """
    torch.manual_seed(config.seed)
    sampler = ClipSampler(sources, config.prior.window_s)
    grid = torch.linspace(0.0, config.prior.window_s, config.prior.grid_size)
    rows, found = [], 0
    for _ in range(round(count / _LEAST_WHOLE / _DRAWN_AT_ONCE) + 1):
        batch = sampler.draw(_DRAWN_AT_ONCE, grid, 1, config.pace)
        whole = batch.vectors_grid[batch.recorded_grid.amin(-1) > 0]
        rows.append(whole.flatten(2))
        found += len(whole)
        if found >= count:
            return torch.cat(rows)[:count]
    raise DataError(
        f"only {found} clips of {config.prior.window_s} s were found in the motion; {count} are needed to fit on"
    )


def _set_aside(motion: FingerMotion) -> tuple[FingerMotion, FingerMotion]:
    """Recordings without every fifth sign (of made-up motion: activity), and those of these signs."""
    signs = sorted(set(motion.labels))[_EVERY // 2 :: _EVERY]
    aside = motion.labelled(signs)
    return motion.select(~aside), motion.select(aside)


def _tune_interpolation(tuning: TuningGaps, report: Callable[[str], None]) -> InterpolationParameters:
    best = InterpolationParameters()

    def error(settings: InterpolationParameters, method: str, forecast: bool) -> float:
        parameters = BaselineParameters(interpolation=settings)
        return tuning.error(
            method,
            forecast,
            lambda motion, gaps, f: interpolation_errors(motion, gaps, f, parameters, tuning.bones),
        )

    for name, values, method, forecast in (
        ("velocity_decay_s", _DECAYS_S, "velocity", True),
        ("slope_s", _SLOPES_S, "velocity", True),
        ("velocity_decay_s", _DECAYS_S, "velocity", True),
        ("cubic_decay_s", _CUBIC_DECAYS_S, "cubic", False),
        ("cubic_settle_s", _SETTLES_S, "cubic", True),
    ):
        errors = {value: error(replace(best, **{name: value}), method, forecast) for value in values}
        best = replace(best, **{name: min(errors, key=lambda value: errors[value])})
        report(f"{name}: {_listed(errors)}")
    return best


def _tune_models(
    tuning: TuningGaps,
    clips: Tensor,
    window_s: float,
    parameters: BaselineParameters,
    report: Callable[[str], None],
) -> BaselineParameters:
    models = fit_components(clips, window_s, parameters)

    def error(candidate: BaselineModels, method: str) -> float:
        both = (
            tuning.error(
                method, forecast, lambda motion, gaps, f: model_errors(motion, gaps, f, candidate, tuning.bones)
            )
            for forecast in (False, True)
        )
        return sum(both) / 2.0

    for name, values, method in (
        ("pca_noise_rad", _NOISES_RAD, "pca"),
        ("gmm_noise_rad", _NOISES_RAD, "gmm"),
        ("gmm_components", _GAUSSIANS, "gmm"),
        ("gmm_shrinkage", _SHRINKAGES, "gmm"),
        ("gmm_noise_rad", _NOISES_RAD, "gmm"),
    ):
        candidates: dict[float, BaselineModels] = {}
        for value in values:
            changed = _with(models.parameters, name, value)
            refitted = name in ("gmm_components", "gmm_shrinkage")
            candidates[value] = (
                refit_mixture(models, clips, changed) if refitted else replace(models, parameters=changed)
            )
        errors = {value: error(candidate, method) for value, candidate in candidates.items()}
        models = candidates[min(errors, key=lambda value: errors[value])]
        report(f"{name}: {_listed(errors)}")
    return models.parameters


def _with(parameters: BaselineParameters, name: str, value: float) -> BaselineParameters:
    change: dict[str, Any] = {name: value}
    return replace(parameters, **change)


def _listed(errors: dict[float, float]) -> str:
    return ", ".join(f"{value:g} → {error:.3f}" for value, error in errors.items())
