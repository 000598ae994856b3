# SPDX-FileCopyrightText: 2026 The hmp_ros authors
# SPDX-License-Identifier: Apache-2.0
"""`hmp train`: a motion prior from a configuration and motion files."""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from hmp_core.cli.console import STDERR, missing_training_package, progress_bar, stop_on_interrupt
from hmp_core.threads import use_one_thread

if TYPE_CHECKING:
    from hmp_core.training.keeper import Progress

_DEFAULT_CACHE = Path("~/.cache/hmp_ros")


def train(
    config: Annotated[Path, typer.Argument(help="YAML file of the run, e.g. config/prior_realtime.yaml.")],
    out: Annotated[
        Path, typer.Option(help="Folder for prior.safetensors, encoder.onnx, log.csv and the state to resume from.")
    ],
    data: Annotated[
        list[Path] | None,
        typer.Option(
            help="Motion file, or folder with motion files, Leap recordings, AMASS or ARCTIC; repeat for several. "
            "None: generated motion alone."
        ),
    ] = None,
    mano: Annotated[Path | None, typer.Option(help="MANO_RIGHT.pkl; by default the open hand.")] = None,
    cache: Annotated[Path, typer.Option(help="Folder where retargeted motion is kept.")] = _DEFAULT_CACHE,
) -> None:
    """Train a motion prior. Start it again with the same arguments to go on after an interruption."""
    try:
        # Seconds to import, and the packages are those of an extra: no other command should need them.
        from hmp_core.training import trainer
        from hmp_core.training.tasks import prepare_task
    except ModuleNotFoundError as error:
        raise missing_training_package(error) from error
    use_one_thread()
    with progress_bar() as bars, stop_on_interrupt() as stopped:
        # Of several processes the first one talks.
        bars.disable = os.environ.get("LOCAL_RANK", "0") != "0"
        gathering = bars.add_task("motion", total=None, note="")

        def gathered(done: int, total: int, what: str) -> None:
            bars.update(gathering, completed=done, total=total, note=what)

        task = prepare_task(config, data or [], mano, cache.expanduser(), gathered)
        training = bars.add_task("training", total=task.settings.steps, note="preparing the weights")

        def trained(progress: "Progress") -> None:
            note = f"{_describe(progress.losses)}, {progress.steps_per_s:.3g} steps/s"
            bars.update(training, completed=progress.step, note=note)

        outcome = trainer.train(task, out, trained, stopped)
    if outcome.result is not None:
        STDERR.print(f"prior written to {outcome.result} after {outcome.seconds / 60.0:.1f} minutes of training")
    elif stopped():
        STDERR.print(f"stopped at step {outcome.step}; the same command goes on from there")
        raise typer.Exit(130)


def _describe(losses: Mapping[str, float]) -> str:
    """What fits beside a bar: "angle_deg" becomes "12.3 deg"."""
    return ", ".join(f"{value:.3g} {name.rpartition('_')[2]}" for name, value in losses.items())
