# SPDX-FileCopyrightText: 2026 The hmp_ros authors
# SPDX-License-Identifier: Apache-2.0
"""`hmp eval prior`: a prior against recorded motion, as tables or as JSON."""

import json
import logging
from dataclasses import replace
from pathlib import Path
from typing import Annotated, Any, Final

import typer
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from hmp_core.cli.console import progress_bar
from hmp_core.errors import DataError
from hmp_core.evaluation.baseline_models import MAKE_COMMAND, SHIPPED_BASELINES, load_baselines, shipped_baselines
from hmp_core.evaluation.prior_gaps import ACTIVITIES, HIDDEN
from hmp_core.evaluation.prior_methods import METHODS
from hmp_core.evaluation.prior_report import SECONDS, TABLES, PriorReport
from hmp_core.hand.loading import load_hand_model
from hmp_core.prior.prior import load_prior
from hmp_core.threads import use_one_thread
from hmp_core.training.corpus import read_held_out
from hmp_core.training.motion_sources import file_source
from hmp_core.training.retarget import Retargeted

_TITLES: Final = {
    "infill_mm": "infill, both sides seen [mm]",
    "forecast_mm": "forecast, past seen [mm]",
}
_FIGURES: Final = {
    "reconstruction_mm": "reconstruction by the latent alone [mm]",
    "reconstruction_acceleration_ratio": "acceleration, decoded over true",
    "retarget_mm": "retargeting residual [mm]",
    "rejected": "frames that retargeting rejected [share]",
    "diversity": "diversity: distance of random samples' latents",
    "nearest_training_mm": "samples to the nearest training clip [mm]",
    "limit_violations": "sampled frames outside joint limits [share]",
    "latent_calibration": "latent error over stated variance (1 is honest)",
}


def evaluate_prior(
    files: Annotated[
        list[Path], typer.Argument(help="Motion files: .npz of 21 joints, or sequences of AMASS or ARCTIC.")
    ],
    prior: Annotated[Path | None, typer.Option(help="Checkpoint; by default the shipped prior.")] = None,
    baselines: Annotated[Path | None, typer.Option(help="Baseline models; by default the shipped ones.")] = None,
    split: Annotated[Path | None, typer.Option(help="Use only the signs that this JSON file holds out.")] = None,
    cache: Annotated[Path, typer.Option(help="Folder where retargeted motion is kept.")] = Path("~/.cache/hmp_ros"),
    windows: Annotated[int, typer.Option(min=1, help="Most windows per cell of the tables and file.")] = 100,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
) -> None:
    """Measure a motion prior on recordings that it was not trained on; all files count as one.

    Fingers are hidden for a while: infill sees both sides of the gap, forecast the past alone; fingers that are
    not hidden stay seen. Errors are of the hidden fingers' joints beyond the knuckle, in the wrist frame, against
    the forward kinematics of the retargeted poses. Gaps are active where the hidden joints truly move over 1 mm a
    frame at 30 Hz (hand of 90 mm, wrist to middle knuckle), else quiet. A cell of under 50 windows is null.

    Methods: prior (latent fitted to what is seen, plus a slowly changing residual), encoder (one pass), hold (last
    pose), velocity (the past's, dying away), slerp (in a forecast the same as hold), cubic (Hermite; in a forecast
    it comes to rest), pca and gmm (models of whole clips, conditioned on what is seen).
    """
    use_one_thread()
    model = load_hand_model()
    measured = load_prior(prior)
    models = load_baselines(baselines) if baselines else shipped_baselines()
    if models is None:
        logging.getLogger(__name__).warning(
            "%s is missing: pca, gmm and distances to training clips stay empty; make it with `%s`",
            SHIPPED_BASELINES,
            MAKE_COMMAND,
        )
    held_out = read_held_out(split) if split else None
    report = PriorReport(measured, models, windows)
    with progress_bar() as bar:
        task = bar.add_task("gaps", total=PriorReport.steps() * len(files), note="")
        for path in files:
            bar.update(task, note=path.name)
            reading = bar.add_task("frames", total=None, note="retargeting")
            motion = file_source(path).read(
                model,
                cache.expanduser(),
                lambda done, total, at=reading: bar.update(at, completed=done, total=total),  # type: ignore[misc]
            )
            bar.remove_task(reading)
            if held_out is not None:
                motion = _keep_signs(motion, held_out, path)
            report.add(motion, lambda: bar.advance(task))
    summary = report.summary()
    if as_json:
        print(json.dumps(summary))
    else:
        print_report(summary, report)


def _keep_signs(measured: Retargeted, signs: frozenset[str], path: Path) -> Retargeted:
    """Only recordings of these signs; the residual stays that of the whole file."""
    wanted = measured.motion.labelled(signs)
    if not wanted.any():
        raise DataError(f"{path} has no recording of the held-out signs; leave out --split to measure all of it")
    return replace(measured, motion=measured.motion.select(wanted))


def print_report(summary: dict[str, Any], report: PriorReport) -> None:
    """The same as tables for people."""
    # Narrower than this the figures would be cut.
    console = Console(width=max(100, Console().width))
    for name in TABLES:
        for activity in ACTIVITIES:
            table = Table("hidden", "s", "windows", *METHODS, title=escape(f"{_TITLES[name]}, {activity}"))
            for hidden in HIDDEN:
                for seconds in SECONDS:
                    values = summary[name][activity][hidden][seconds]
                    count = str(report.count(name, activity, hidden, seconds))
                    table.add_row(hidden, seconds, count, *(_figure(values[method], 2) for method in METHODS))
            console.print(table)
    references = summary["references"]
    table = Table("figure", "prior", "recorded", "pca", "gmm")
    for key, title in _FIGURES.items():
        others = references.get(key, {})
        table.add_row(
            escape(title), _figure(summary[key]), *(_figure(others.get(of)) for of in ("data", "pca", "gmm"))
        )
    table.add_row("mean square of latent coordinates", "1", _figure(references["latent_square"]), "–", "–")
    console.print(table)
    console.print("baselines:", json.dumps(summary["baselines"]), highlight=False)


def _figure(value: float | None, digits: int = 3) -> str:
    return "–" if value is None else f"{value:.{digits}f}"
