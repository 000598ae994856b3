# SPDX-FileCopyrightText: 2026 The hmp_ros authors
# SPDX-License-Identifier: Apache-2.0
"""`hmp train`: a motion prior from a configuration and motion files."""

import os
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Annotated

import typer
from rich.progress import Progress

from hmp_core.cli.console import STDERR, progress_bar, stop_on_interrupt
from hmp_core.errors import ConfigError
from hmp_core.hand.loading import load_hand_model
from hmp_core.prior.chain import FingerBones
from hmp_core.threads import use_one_thread
from hmp_core.training.config import read_training_config
from hmp_core.training.corpus import gather_corpus
from hmp_core.training.dataset import ClipSampler
from hmp_core.training.motion_files import find_motion_files

if TYPE_CHECKING:
    from hmp_core.training.keeper import Progress as TrainingProgress
    from hmp_core.training.task import TrainingTask

_DEFAULT_CACHE = Path("~/.cache/hmp_ros")


def train(
    config: Annotated[Path, typer.Argument(help="YAML file of the run, e.g. config/prior_realtime.yaml.")],
    out: Annotated[
        Path, typer.Option(help="Folder for prior.safetensors, encoder.onnx, log.csv and the state to resume from.")
    ],
    data: Annotated[
        list[Path] | None,
        typer.Option(help="Motion file, or folder with some; repeat for several. None: generated motion alone."),
    ] = None,
    mano: Annotated[Path | None, typer.Option(help="MANO_RIGHT.pkl; by default the open hand.")] = None,
    cache: Annotated[Path, typer.Option(help="Folder where retargeted motion is kept.")] = _DEFAULT_CACHE,
) -> None:
    """Train a motion prior. Start it again with the same arguments to go on after an interruption."""
    trainer = _load_trainer()
    use_one_thread()
    with progress_bar() as bars, stop_on_interrupt() as stopped:
        # Of several processes the first one talks.
        bars.disable = os.environ.get("LOCAL_RANK", "0") != "0"
        task = _gather(config, data or [], mano, cache.expanduser(), bars)
        training = bars.add_task("training", total=task.settings.steps, note="preparing the weights")

        def report(progress: "TrainingProgress") -> None:
            # "angle_deg" reads "12.3 deg": terminals are narrow.
            parts = (f"{value:.3g} {name.rpartition('_')[2]}" for name, value in progress.losses.items())
            bars.update(training, completed=progress.step, note=f"{', '.join(parts)}, {progress.steps_per_s:.1f}/s")

        outcome = trainer.train(task, out, report, stopped)
    if outcome.result is not None:
        STDERR.print(f"prior written to {outcome.result} after {outcome.seconds / 60.0:.1f} minutes of training")
    elif stopped():
        STDERR.print(f"stopped at step {outcome.step}; the same command goes on from there")
        raise typer.Exit(130)


def _load_trainer() -> ModuleType:
    """The trainer, which stands on a package that nothing else needs and that takes seconds to import.

    Raises:
        ConfigError: that package is not installed.
    """
    try:
        from hmp_core.training import trainer
    except ModuleNotFoundError as error:
        raise ConfigError(
            f"training needs the package {error.name}, which is not installed: pip install 'hmp_ros[train]', "
            "or in a clone: pip install -e '.[train]'"
        ) from error
    return trainer


def _gather(config: Path, data: list[Path], mano: Path | None, cache: Path, bars: Progress) -> "TrainingTask":
    """The task that a configuration describes, with its motion."""
    from hmp_core.training.realtime_task import RealtimeTask

    settings = read_training_config(config)
    model = load_hand_model(mano)
    bones = FingerBones.of(model)
    gathering = bars.add_task("motion", total=None, note="")

    def gathered(done: int, total: int, what: str) -> None:
        bars.update(gathering, completed=done, total=total, note=what)

    corpus = gather_corpus(settings, config.parent, find_motion_files(data), model, bones, cache, gathered)
    sampler = ClipSampler(corpus.sources, settings.prior.window_s)
    return RealtimeTask(settings, bones, sampler, corpus.description)
