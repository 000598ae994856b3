# SPDX-FileCopyrightText: 2026 The hmp_ros authors
# SPDX-License-Identifier: Apache-2.0
"""`hmp eval dexycb`: the whole pipeline on DexYCB."""

from pathlib import Path
from typing import Annotated

import typer

from hmp_core.cli.dataset_run import (
    AsJson,
    Mano,
    MaxFrames,
    Occluded,
    Report,
    conclude,
    open_measured,
    run_sequences,
)
from hmp_core.evaluation.dataset_benchmark import DatasetBenchmark
from hmp_core.evaluation.dexycb import DexYcb, PoseBasis
from hmp_core.media.report_page import check_page


def evaluate_dexycb(
    root: Annotated[Path, typer.Argument(help="Folder with the subjects' folders and calibration.")],
    setup: Annotated[str, typer.Option(help="s0 (seen everything), s1 (subjects), s2 (cameras), s3 (objects).")] = (
        "s0"
    ),
    split: Annotated[str, typer.Option(help="train, val or test.")] = "test",
    sequences: Annotated[
        list[str] | None,
        typer.Option(help="SUBJECT[/RECORDING[/SERIAL]] instead of a set-up's split; repeat it for several."),
    ] = None,
    max_frames: MaxFrames = None,
    occ: Occluded = False,
    mano: Mano = None,
    report: Report = None,
    as_json: AsJson = False,
) -> None:
    """Measure the pipeline on DexYCB; everything in its images is found without help from the labels."""
    check_page(report)
    runner = open_measured(mano)
    data = DexYcb(root, PoseBasis.load(mano) if mano else None)
    chosen = data.named(sequences) if sequences else data.split(setup, split)
    benchmark = DatasetBenchmark(runner, mano is not None, occ)
    for _ in run_sequences(benchmark, chosen, max_frames):
        pass  # nothing is kept but the sums
    what = {"setup": None, "split": None} if sequences else {"setup": setup, "split": split}
    title = f"hmp eval dexycb: {', '.join(sequences)}" if sequences else f"hmp eval dexycb: {setup}, {split}"
    conclude(benchmark, {"dataset": "DexYCB", **what, "occluded_only": occ}, title, report, as_json)
