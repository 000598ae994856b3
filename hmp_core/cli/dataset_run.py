# SPDX-FileCopyrightText: 2026 The hmp_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What `hmp eval ho3d` and `hmp eval dexycb` have in common: options, progress, tables."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any, Final

import typer
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from hmp_core.cli.console import progress_bar
from hmp_core.errors import ConfigError
from hmp_core.evaluation.dataset_benchmark import OCCLUDED_SHARE, DatasetBenchmark
from hmp_core.evaluation.labelled import LabelledSequence
from hmp_core.evaluation.occlusion_report import PARTS
from hmp_core.evaluation.published_measures import JOINT_MEASURES, MESH_MEASURES
from hmp_core.evaluation.sequence_run import SequenceRun
from hmp_core.pipeline import Pipeline, open_pipeline

MaxFrames = Annotated[int | None, typer.Option(min=1, help="Only the first images of each sequence.")]
Occluded = Annotated[
    bool, typer.Option("--occ", help=f"Count only frames with at least {OCCLUDED_SHARE:.0%} of the joints hidden.")
]
Mano = Annotated[Path | None, typer.Option(help="Your MANO_RIGHT.pkl; without it there are no mesh figures.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON object.")]

_MANO_VERTICES: Final = 778
_COLUMNS: Final = ("observed", "part hidden", "all hidden", "accel.", "wrist across", "along", "deg", "lag ms")


def open_measured(mano: Path | None) -> Pipeline:
    """The pipeline with the open hand, or with the user's MANO.

    Raises:
        ConfigError: the hand model is not MANO's, so that meshes cannot be compared with the data sets'.
    """
    pipeline = open_pipeline(mano)
    if mano is not None and len(pipeline.model.v_template) != _MANO_VERTICES:
        raise ConfigError(
            f"{mano} has no {_MANO_VERTICES} vertices; the data sets' meshes are those of MANO itself"
        )
    return pipeline


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


def show(summary: dict[str, Any], as_json: bool) -> None:
    """Print a benchmark's summary, as one JSON object or as tables for people."""
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
    methods = list(summary["published"])
    table = Table("measure", *methods, title="all frames with truth")
    for measure in (*JOINT_MEASURES, *MESH_MEASURES, "coverage"):
        table.add_row(measure, *(_figure(summary["published"][name][measure], 3) for name in methods))
    console.print(table)
    rest = {key: summary[key] for key in ("coverage_2sigma", "wrist_nees", "frames", "sequences", "truth_mesh_mm")}
    console.print(json.dumps(rest | {"skipped": len(summary["skipped"])}), highlight=False)


def _figure(value: float | None, digits: int = 1) -> str:
    return "–" if value is None else f"{value:.{digits}f}"
