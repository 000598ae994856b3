# SPDX-FileCopyrightText: 2026 The hmp_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What `hmp eval motion` and `hmp eval render` have in common: options, methods, tables and the page."""

import json
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any, Final

import typer
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from hmp_core.errors import AssetError
from hmp_core.evaluation.baseline_models import MAKE_COMMAND, SHIPPED_BASELINES, load_baselines, shipped_baselines
from hmp_core.evaluation.fitter_methods import offline, online
from hmp_core.evaluation.occlusion_benchmark import OcclusionBenchmark
from hmp_core.evaluation.occlusion_page import Trace, add_benchmark, sigma_line, table_rows
from hmp_core.evaluation.occlusion_report import OcclusionReport
from hmp_core.evaluation.tracking_baselines import TrackingParameters
from hmp_core.fitting.stages import read_stage_table
from hmp_core.hand.model import HandModel
from hmp_core.media.report_page import ReportPage
from hmp_core.prior.prior import load_prior

Prior = Annotated[Path | None, typer.Option(help="Checkpoint; by default the shipped prior.")]
Baselines = Annotated[Path | None, typer.Option(help="Pose models; by default the shipped ones.")]
Split = Annotated[Path | None, typer.Option(help="Use only the signs that this JSON file holds out.")]
Paper = Annotated[bool, typer.Option(help="Run the paper's schedule, too; it takes minutes a window.")]
Report = Annotated[Path | None, typer.Option(help="Page with tables and plots, .html or .md.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON object.")]
_PAPER: Final = "paper_adam"
_PARAMETERS: Final = TrackingParameters()


def open_benchmark(
    model: HandModel, prior: Path | None, pose_models: Path | None, paper: bool
) -> OcclusionBenchmark:
    """All methods; the paper's schedule only where it is asked for.

    Raises:
        AssetError: a model is missing or damaged.
    """
    models = load_baselines(pose_models) if pose_models else shipped_baselines()
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
    return OcclusionBenchmark(model, models, _PARAMETERS, fitters)


def open_tables(benchmark: OcclusionBenchmark, rate_hz: float) -> OcclusionReport:
    """Empty tables of its methods; the paper's has its place there also where it does not run."""
    return OcclusionReport(list(dict.fromkeys([*benchmark.methods, _PAPER])), rate_hz)


def conclude(
    tables: OcclusionReport, title: str, traces: Sequence[Trace], report: Path | None, as_json: bool
) -> None:
    """Write the page, print the figures."""
    summary = {**tables.summary(), "baselines": asdict(_PARAMETERS)}
    if report is not None:
        page = ReportPage(title)
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
