# SPDX-FileCopyrightText: 2026 The hmp_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The `hmp` command."""

import sys
from typing import NoReturn

import typer
from rich.markup import escape

from hmp_core.cli.console import STDERR, configure_logs
from hmp_core.cli.deferred import add_command
from hmp_core.errors import HmpError

app = typer.Typer(
    rich_markup_mode=None,
    name="hmp",
    help="Hand motion from one camera that survives occlusion.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
add_command(app, "track", "track", "Track hands and write arrays, a bag and an overlay video.")
add_command(app, "fit", "fit", "Fit hands over a whole recording; the same command goes on after an interruption.")
add_command(app, "bag", "bag", "Copy a recorded bag and write our topics beside its own.")
add_command(
    app,
    "report",
    "report",
    "Write one HTML page with the overlay, statuses, joint curves with their sigmas, and latency.",
)
add_command(app, "view", "view", "Look at hands in the Rerun viewer: image, skeleton, sigmas, surface and curves.")
add_command(
    app, "synth", "synth", "Render a clip with intrinsics and exact truth; the same options give the same clip."
)
add_command(
    app,
    "samples",
    "samples",
    "Draw random samples from a motion prior and render them; the same options give the same picture.",
)
add_command(app, "train", "train", "Train a motion prior.")
add_command(
    app,
    "train-initializer",
    "train_initializer",
    "Train the initializer on the open hand and write it as ONNX; the shipped one enters the manifest.",
)
add_command(
    app, "bench", "bench", "Measure speed: stages, solvers against the paper's schedule, and the way through DDS."
)
eval_app = typer.Typer(rich_markup_mode=None, help="Measure how good the output is.", no_args_is_help=True)
add_command(
    eval_app,
    "video",
    "evaluate_video",
    "Paint a grey box over the hand now and then, and compare what fills the gaps with the run that saw it.",
)
add_command(
    eval_app,
    "motion",
    "evaluate_motion",
    "Follow recorded hands through occlusion and judge every method by the exact truth.",
)
add_command(
    eval_app,
    "render",
    "evaluate_render",
    "Render hands behind things, run the whole pipeline on the images, and judge every method by the exact truth.",
)
add_command(
    eval_app,
    "prior",
    "evaluate_prior",
    "Measure a motion prior on recordings that it was not trained on; all files count as one.",
)
add_command(
    eval_app,
    "ho3d",
    "evaluate_ho3d",
    "Measure the pipeline on HO-3D version 3; everything in its images is found without help from the labels.",
)
add_command(
    eval_app,
    "dexycb",
    "evaluate_dexycb",
    "Measure the pipeline on DexYCB; everything in its images is found without help from the labels.",
)
app.add_typer(eval_app, name="eval")


def main() -> None:
    """Run the command; errors made for people become one line on stderr and exit code 2."""
    configure_logs()
    try:
        app()
    except HmpError as error:
        _tell(str(error))
    except OSError as error:  # a folder that may not be written, a disk that is full
        if error.strerror is None:
            raise
        _tell(error.strerror if error.filename is None else f"{error.filename}: {error.strerror}")


def _tell(complaint: str) -> NoReturn:
    STDERR.print(f"[red]error:[/red] {escape(complaint)}", highlight=False, soft_wrap=True)
    sys.exit(2)
