# SPDX-FileCopyrightText: 2026 The hmp_ros authors
# SPDX-License-Identifier: Apache-2.0
"""`hmp eval motion`: recorded motion through a simulated detector, hidden now and then, by all methods."""

import json
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any, Final

import typer
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from hmp_core.cli.console import progress_bar
from hmp_core.errors import AssetError, DataError
from hmp_core.evaluation.baseline_models import MAKE_COMMAND, SHIPPED_BASELINES, load_baselines, shipped_baselines
from hmp_core.evaluation.detector_model import load_detector_model
from hmp_core.evaluation.fitter_methods import offline, online
from hmp_core.evaluation.motion_benchmark import MotionBenchmark
from hmp_core.evaluation.occluded_window import occluded_windows
from hmp_core.evaluation.occlusion_page import Trace, add_benchmark, sigma_line, table_rows, trace_of
from hmp_core.evaluation.occlusion_report import OcclusionReport
from hmp_core.evaluation.recorded_motion import read_recorded_motion
from hmp_core.evaluation.tracking_baselines import TrackingParameters
from hmp_core.fitting.stages import read_stage_table
from hmp_core.hand.loading import load_hand_model
from hmp_core.media.report_page import ReportPage, check_page
from hmp_core.prior.prior import load_prior
from hmp_core.threads import use_one_thread
from hmp_core.training.corpus import read_held_out

_PLOTTED: Final = 6
_PAPER: Final = "paper_adam"


def evaluate_motion(
    files: Annotated[
        list[Path], typer.Argument(help="Motion files: .npz of 21 joints, or sequences of AMASS or ARCTIC.")
    ],
    prior: Annotated[Path | None, typer.Option(help="Checkpoint; by default the shipped prior.")] = None,
    baselines: Annotated[Path | None, typer.Option(help="Pose models; by default the shipped ones.")] = None,
    detector: Annotated[Path | None, typer.Option(help="Measured detector errors; by default the shipped.")] = None,
    split: Annotated[Path | None, typer.Option(help="Use only the signs that this JSON file holds out.")] = None,
    cache: Annotated[Path, typer.Option(help="Folder where retargeted motion is kept.")] = Path("~/.cache/hmp_ros"),
    windows: Annotated[int, typer.Option(min=1, help="Windows per file.")] = 96,
    seed: Annotated[int, typer.Option(min=0, help="Of windows, cameras, hands and detector errors.")] = 0,
    paper: Annotated[bool, typer.Option(help="Run the paper's schedule, too; it takes minutes a window.")] = False,
    report: Annotated[Path | None, typer.Option(help="Page with tables and plots, .html or .md.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
) -> None:
    """Follow recorded hands through occlusion and judge every method by the exact truth.

    Each window is a piece of a recording in front of a simulated camera, with a hand of random size (7 %) and
    shape; for 0.2 to 2 s all of it, some fingers, or what lies behind an edge is hidden. What perception would have
    said is drawn from errors measured on renders: hidden joints yield false points, with the sigmas that perception
    states. All methods get the same observations. Errors are wrist-relative.

    Methods: detector and initializer (both keep their last output where nothing is found), hold, slerp and
    kalman_rts (these two know the future), one_euro, kalman, pca and gmm (pose models given each image and the last
    output), online (the real-time fitter), offline (hmp fit) and paper_adam (hmp fit with the paper's table and
    optimiser, with --paper).
    """
    use_one_thread()
    check_page(report)
    model, parameters = load_hand_model(), TrackingParameters()
    models = load_baselines(baselines) if baselines else shipped_baselines()
    if models is None:
        raise AssetError(f"{SHIPPED_BASELINES} is missing, which pca and gmm need; make it with `{MAKE_COMMAND}`")
    motion_prior = load_prior(prior)
    fitters = {
        _PAPER: offline(model, motion_prior, read_stage_table("paper_lab"), "adam"),
        "offline": offline(model, motion_prior, read_stage_table("default"), "gn"),
        "online": online(model, motion_prior),
    }
    if not paper:
        del fitters[_PAPER]
    benchmark = MotionBenchmark(model, load_detector_model(detector), models, parameters, fitters)
    signs, traces = read_held_out(split) if split else None, list[Trace]()
    tables: OcclusionReport | None = None
    rate_hz: float | None = None
    with progress_bar() as bar:
        task = bar.add_task("windows", total=windows * len(files), note="")
        for path in files:
            bar.update(task, note=path.name)
            reading = bar.add_task("frames", total=None, note="retargeting")
            motion = read_recorded_motion(
                path,
                model,
                cache.expanduser(),
                signs,
                lambda done, total, at=reading: bar.update(at, completed=done, total=total),  # type: ignore[misc]
            )
            bar.remove_task(reading)
            rate_hz = rate_hz or motion.fingers.rate_hz
            if motion.fingers.rate_hz != rate_hz:
                raise DataError(f"{path} has {motion.fingers.rate_hz:g} Hz and the files before it {rate_hz:g} Hz")
            # The paper's has its place in the report, empty where it did not run.
            names = benchmark.methods if paper else (*benchmark.methods, _PAPER)
            tables = tables or OcclusionReport(names, rate_hz)
            for number, window in enumerate(occluded_windows(motion, model, windows, seed)):
                run = benchmark.run(window, benchmark.observe(window, seed + number))
                tables.add(run)
                if len(traces) < _PLOTTED and window.active:
                    title = f"{path.stem}, {window.label}: {window.kind} hidden for {window.gap_s:g} s"
                    traces.append(trace_of(run, window.hand.times_s, title))
                bar.advance(task)
    assert tables is not None
    summary = {**tables.summary(), "baselines": asdict(parameters)}
    if report is not None:
        page = ReportPage(f"hmp eval motion: {', '.join(path.name for path in files)}")
        add_benchmark(page, summary, traces)
        page.heading("Parameters of the baselines")
        page.listing(json.dumps(summary["baselines"], indent=1))
        page.write(report)
    if as_json:
        print(json.dumps(summary))
    else:
        print_tables(summary)


def print_tables(summary: dict[str, Any]) -> None:
    """The same as tables for people."""
    console = Console(width=max(110, Console().width))
    for name, part in (("active", summary), ("quiet", summary["quiet"])):
        heads, rows = table_rows(part)
        table = Table(*(escape(head) for head in heads), title=f"{name} windows: {sigma_line(part)}")
        for row in rows:
            table.add_row(*row)
        console.print(table)
    gaps = list(summary["by_gap"])
    table = Table(
        "method", *(f"{gap} s" for gap in gaps), title="partly / wholly hidden (mm) by gap, active windows"
    )
    for name in summary["methods"]:
        cells = (summary["by_gap"][gap][name] for gap in gaps)
        table.add_row(name, *(f"{_figure(c['hidden_partial'])} / {_figure(c['hidden_whole'])}" for c in cells))
    console.print(table)
    console.print("baselines:", json.dumps(summary["baselines"]), highlight=False)


def _figure(value: float | None) -> str:
    return "–" if value is None else f"{value:.1f}"
