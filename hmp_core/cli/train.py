# SPDX-FileCopyrightText: 2026 The hmp_ros authors
# SPDX-License-Identifier: Apache-2.0
"""`hmp train`: a motion prior from a configuration and motion files."""

from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

from hmp_core.hand.loading import load_hand_model
from hmp_core.prior.chain import FingerBones
from hmp_core.prior.checkpoint import save_checkpoint
from hmp_core.threads import use_one_thread
from hmp_core.training.config import read_training_config
from hmp_core.training.corpus import gather_corpus
from hmp_core.training.dataset import ClipSampler
from hmp_core.training.trainer import Progress as TrainingProgress
from hmp_core.training.trainer import Trainer

_DEFAULT_CACHE = Path("~/.cache/hmp_ros")


def train(
    config: Annotated[Path, typer.Argument(help="YAML file of the run, e.g. config/prior_realtime.yaml.")],
    out: Annotated[Path, typer.Option(help="Folder for prior.safetensors, log.csv and the state to resume from.")],
    data: Annotated[
        list[Path] | None,
        typer.Option(help="Motion file (.npz of 21 joints); repeat for several. None: generated motion alone."),
    ] = None,
    mano: Annotated[Path | None, typer.Option(help="MANO_RIGHT.pkl; by default the open hand.")] = None,
    cache: Annotated[Path, typer.Option(help="Folder where retargeted motion is kept.")] = _DEFAULT_CACHE,
) -> None:
    """Train a motion prior. Start it again with the same arguments to go on after an interruption."""
    use_one_thread()
    settings = read_training_config(config)
    model = load_hand_model(mano)
    bones = FingerBones.of(model)
    console = Console(stderr=True)
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        TextColumn("{task.fields[note]}"),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=console) as bars:
        gathering = bars.add_task("motion", total=None, note="")

        def gathered(done: int, total: int, what: str) -> None:
            bars.update(gathering, completed=done, total=total, note=what)

        corpus = gather_corpus(settings, config.parent, data or [], model, bones, cache.expanduser(), gathered)
        training = bars.add_task("training", total=settings.steps, note="linear start")
        trainer = Trainer(settings, bones, ClipSampler(corpus.sources, settings.prior.window_s), out)

        def trained(progress: TrainingProgress) -> None:
            note = (
                f"{progress.angle_deg:.2f}° {progress.position_mm:.2f} mm {progress.divergence_nat:.0f} nat "
                f"{progress.clips_per_s:.0f} clips/s"
            )
            bars.update(training, completed=progress.step, note=note)

        trainer.run(trained)
    path = out / "prior.safetensors"
    save_checkpoint(path, trainer.checkpoint(corpus.description | {"minutes": trainer.seconds / 60.0}))
    console.print(f"prior written to {path}")
