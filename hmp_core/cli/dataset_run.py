# SPDX-FileCopyrightText: 2026 The hmp_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What `hmp eval ho3d` and `hmp eval dexycb` have in common: options, models, progress, tables, the page."""

import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Annotated, Any, Final

import typer
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from hmp_core.cli.console import progress_bar
from hmp_core.errors import ConfigError
from hmp_core.evaluation.dataset_benchmark import OCCLUDED_SHARE, DatasetBenchmark
from hmp_core.evaluation.fitter_methods import UNLIMITED_S
from hmp_core.evaluation.labelled import LabelledSequence
from hmp_core.evaluation.occlusion_page import add_benchmark
from hmp_core.evaluation.occlusion_report import PARTS
from hmp_core.evaluation.published_measures import JOINT_MEASURES, MESH_MEASURES
from hmp_core.evaluation.sequence_run import SequenceRun, SequenceRunner
from hmp_core.fitting.config import FitterConfig
from hmp_core.fitting.online import OnlineFitter
from hmp_core.fitting.sequence import ClipFitter
from hmp_core.fitting.stages import SHIPPED_TABLES, read_stage_table
from hmp_core.media.report_page import ReportPage
from hmp_core.pipeline import Pipeline, open_perception
from hmp_core.prior.prior import load_prior

MaxFrames = Annotated[int | None, typer.Option(min=1, help="Only the first images of each sequence.")]
Occluded = Annotated[
    bool, typer.Option("--occ", help=f"Count only frames with at least {OCCLUDED_SHARE:.0%} of the joints hidden.")
]
Mano = Annotated[Path | None, typer.Option(help="Your MANO_RIGHT.pkl; without it there are no mesh figures.")]
Report = Annotated[Path | None, typer.Option(help="Page with tables and plots, .html or .md.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON object.")]

_MANO_VERTICES: Final = 778
_COUNTS: Final = ("frames", "sequences", "unusable_images", "truth_mesh_mm")
_STATUSES: Final = (
    "The benchmark's fitter never gives a hand up. Frames in which the product, with its time-out, would have are "
    "called lost."
)
_COLUMNS: Final = ("observed", "part hidden", "all hidden", "accel.", "wrist across", "along", "deg", "lag ms")


def open_measured(mano: Path | None, tip_vertices: Sequence[int] | None = None) -> SequenceRunner:
    """The pipeline with the open hand, or with the user's MANO; its fitter never gives a hand up.

    Args:
        mano: the user's MANO_RIGHT.pkl.
        tip_vertices: the data set's fingertips on MANO's mesh, if they are not the model's own.

    Raises:
        ConfigError: the hand model is not MANO's, so that meshes cannot be compared with the data sets'.
    """
    model, perception = open_perception(mano)
    if mano is not None and len(model.v_template) != _MANO_VERTICES:
        raise ConfigError(
            f"{mano} has no {_MANO_VERTICES} vertices; the data sets' meshes are those of MANO itself"
        )
    prior = load_prior()
    fitter = OnlineFitter(model, prior, FitterConfig(infill_timeout_s=UNLIMITED_S))
    offline = ClipFitter(model, prior, read_stage_table(SHIPPED_TABLES[0]))
    return SequenceRunner(Pipeline(model, perception, fitter), offline, tip_vertices if mano else None)


def run_sequences(
    benchmark: DatasetBenchmark, sequences: list[LabelledSequence], max_frames: int | None
) -> Iterator[tuple[LabelledSequence, SequenceRun]]:
    """Measure sequences under a progress bar and yield them as they are done."""
    sequences = [sequence.first(max_frames) for sequence in sequences]
    total = sum(map(len, sequences))
    with progress_bar() as bar:
        task = bar.add_task("frames", total=total, note="")
        for done, measured in enumerate(benchmark.run(sequences, lambda: bar.advance(task)), start=1):
            bar.update(task, note=f"{done} of {len(sequences)} sequences")
            yield measured
        bar.update(task, completed=total)


def conclude(
    benchmark: DatasetBenchmark, what: dict[str, Any], title: str, report: Path | None, as_json: bool
) -> None:
    """Write the page; print the summary, as one JSON object or as tables for people.

    Args:
        benchmark: with all sequences measured.
        what: was measured, for the summary.
        title: of the page.
        report: the page's file, None for none.
        as_json: print the object.
    """
    summary = benchmark.summary() | what
    if report is not None:
        page = ReportPage(title)
        page.heading("All frames with truth")
        page.table(*_published_rows(summary))
        page.table(*_status_rows(summary))
        page.paragraph(_STATUSES)
        add_benchmark(page, summary, benchmark.traces)
        page.heading("What was measured")
        page.listing(json.dumps({key: summary[key] for key in (*_COUNTS, "skipped", *what)}, indent=1))
        page.write(report)
    if as_json:
        print(json.dumps(summary))
        return
    console = Console(width=max(100, Console().width))
    for activity, tables in (("hand moving", summary), ("hand at rest", summary["quiet"])):
        if not tables["windows"]:
            continue
        table = Table("method", *_COLUMNS, title=escape(f"error by part of the hand [mm], {activity}"))
        for name, values in tables["methods"].items():
            row = [values["ra_mpjpe_mm"][part] for part in PARTS]
            row += [values["ra_acc_mm_per_frame2"]["observed"], *values["wrist_mm"].values()]
            table.add_row(name, *map(_figure, [*row, values["wrist_deg"], values["lag_ms"]]))
        console.print(table)
    for heads, rows in (_published_rows(summary), _status_rows(summary)):
        table = Table(*heads, title="all frames with truth")
        for row in rows:
            table.add_row(*row)
        console.print(table)
    rest = {key: summary[key] for key in ("coverage_2sigma", "wrist_nees", *_COUNTS)}
    console.print(json.dumps(rest | {"skipped": len(summary["skipped"])}), highlight=False)


def _published_rows(summary: dict[str, Any]) -> tuple[list[str], list[list[str]]]:
    methods = list(summary["published"])
    measures = (*JOINT_MEASURES, *MESH_MEASURES, "coverage")
    rows = [[one, *(_figure(summary["published"][name][one], 3) for name in methods)] for one in measures]
    return ["measure", *methods], rows


def _status_rows(summary: dict[str, Any]) -> tuple[list[str], list[list[str]]]:
    rows = [
        [name, str(cell["frames"]), _figure(cell["ra_mpjpe_mm"])] for name, cell in summary["by_status"].items()
    ]
    return ["online status", "frames", "error (mm)"], rows


def _figure(value: float | None, digits: int = 1) -> str:
    return "–" if value is None else f"{value:.{digits}f}"
