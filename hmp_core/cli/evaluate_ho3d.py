# SPDX-FileCopyrightText: 2026 The hmp_ros authors
# SPDX-License-Identifier: Apache-2.0
"""`hmp eval ho3d`: the whole pipeline on HO-3D, and the file for its evaluation server."""

from pathlib import Path
from typing import Annotated, Final

import numpy as np
import torch
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
from hmp_core.errors import ConfigError
from hmp_core.evaluation.dataset_benchmark import DatasetBenchmark
from hmp_core.evaluation.ho3d import TIP_VERTICES, Ho3d
from hmp_core.evaluation.ho3d_submission import Ho3dSubmission
from hmp_core.hand.kinematics import HandKinematics
from hmp_core.hand.mesh import HandMesh
from hmp_core.hand.skeleton import Side
from hmp_core.media.report_page import check_page
from hmp_core.observation import ManoPose

_STAND_IN: Final = ManoPose(np.zeros((16, 3)), np.zeros(10), np.array([0.0, 0.0, 0.5]))
"""The hand of a sequence in which none was found, in a submission."""


def evaluate_ho3d(
    root: Annotated[Path, typer.Argument(help="Folder of HO3D_v3, with train.txt and evaluation.txt.")],
    split: Annotated[str, typer.Option(help="train (truth at hand) or evaluation (for the server).")] = "train",
    sequences: Annotated[list[str] | None, typer.Option(help="Only these; repeat the option for several.")] = None,
    max_frames: MaxFrames = None,
    occ: Occluded = False,
    mano: Mano = None,
    submission: Annotated[
        Path | None, typer.Option(help="Write the evaluation server's zip here; needs the whole evaluation split.")
    ] = None,
    report: Report = None,
    as_json: AsJson = False,
) -> None:
    """Measure the pipeline on HO-3D version 3; everything in its images is found without help from the labels.

    The evaluation split is measured here where evaluation_xyz.json lies beside evaluation.txt.
    """
    if submission is not None and (split != "evaluation" or sequences or max_frames):
        raise ConfigError(
            "a submission holds the whole evaluation split: give --split evaluation, and neither --sequences nor "
            "--max-frames"
        )
    check_page(report)
    runner = open_measured(mano, TIP_VERTICES)
    right = runner.models[Side.RIGHT]
    data = Ho3d(root, split, HandKinematics(right, torch.float64) if mano else None)
    if not data.has_truth and submission is None:
        raise ConfigError(
            f"{root} has no evaluation_xyz.json, so there is nothing to measure the evaluation split against; give "
            "--submission to write the file for the server"
        )
    benchmark = DatasetBenchmark(runner, mano is not None, occ)
    predictions = None
    if submission is not None:
        stand_in = runner.joints(_STAND_IN, Side.RIGHT)
        predictions = Ho3dSubmission(data.frames, stand_in, HandMesh(right) if mano else None)
    for sequence, result in run_sequences(benchmark, data.sequences(sequences), max_frames):
        if predictions is not None:
            predictions.add(sequence.frame_names, result)
    if predictions is not None and submission is not None:
        predictions.write(submission)
    what = {"dataset": "HO-3D", "split": split, "occluded_only": occ}
    conclude(benchmark, what, f"hmp eval ho3d: {split} split", report, as_json)
