# SPDX-FileCopyrightText: 2026 The hmp_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Training of a task by lightning: resumable, on any number of devices, its state in safetensors."""

import importlib.util
import logging
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import torch
from lightning.pytorch import Trainer
from lightning.pytorch.loggers import Logger, TensorBoardLogger
from lightning.pytorch.utilities.exceptions import SIGTERMException

from hmp_core.training.keeper import Progress, RunKeeper
from hmp_core.training.module import TrainingModule
from hmp_core.training.run_log import CsvLog
from hmp_core.training.state_file import SafetensorsState
from hmp_core.training.task import MachineConfig, TrainingTask

STATE_FILE = "state.safetensors"
LOG_FILE = "log.csv"


@dataclass(frozen=True)
class Outcome:
    """How a call of :func:`train` ended.

    Attributes:
        step: steps done, earlier parts of the run included.
        seconds: time that they took [s].
        result: what the task wrote; None where training was stopped, and in all processes but the first.
    """

    step: int
    seconds: float
    result: Path | None


def train(
    task: TrainingTask,
    folder: Path,
    report: Callable[[Progress], None] = lambda progress: None,
    stopped: Callable[[], bool] = lambda: False,
) -> Outcome:
    """Train to the last step, or on from the state that an interrupted run of the same task left in ``folder``.

    On one device the losses are those of an uninterrupted run, to the last bit where the device computes the same
    twice.

    Args:
        task: what to train.
        folder: for ``log.csv`` (and TensorBoard's files, where it is installed), the state, and the result.
        report: called about every second.
        stopped: asked after steps whether to leave a state and return.

    Raises:
        DataError: the state cannot be read or belongs to another task.
    """
    folder.mkdir(parents=True, exist_ok=True)
    state = folder / STATE_FILE
    settings = task.settings
    resumed = state.exists()
    if not resumed:
        (folder / LOG_FILE).unlink(missing_ok=True)
        torch.manual_seed(settings.seed)
        task.start()
    module = TrainingModule(task)
    keeper = RunKeeper(state, settings.save_minutes, report, stopped)
    trainer = _trainer(settings.machine, settings.largest_gradient, settings.steps, folder, keeper)
    with warnings.catch_warnings():
        # Advice about workers, logging and restarts within an epoch, which an endless epoch of seeded steps heeds.
        warnings.filterwarnings("ignore", module=r"lightning\..*")
        try:
            trainer.fit(module, ckpt_path=str(state) if resumed else None)
        except SIGTERMException:
            # Lightning leaves by this after the step on which the keeper saved the state.
            if not stopped():
                raise
    done = trainer.global_step == settings.steps
    result = None
    if done and trainer.is_global_zero:
        torch.manual_seed(settings.seed)
        run = {"minutes": keeper.seconds / 60.0, "machine": _describe(trainer)}
        result = task.finish(module.average.module.cpu().eval(), folder, run)
    return Outcome(trainer.global_step, keeper.seconds, result)


def _trainer(
    machine: MachineConfig, largest_gradient: float | None, steps: int, folder: Path, keeper: RunKeeper
) -> Trainer:
    for name in ("lightning.pytorch", "lightning.fabric"):
        logging.getLogger(name).setLevel(logging.WARNING)
    precision = machine.precision
    if precision == "auto":
        on_cuda = machine.accelerator in ("auto", "gpu", "cuda") and torch.cuda.is_available()
        precision = "bf16-mixed" if on_cuda else "32-true"
    logs: list[Logger] = [CsvLog(folder / LOG_FILE)]
    if importlib.util.find_spec("tensorboard") is not None:
        logs.append(TensorBoardLogger(folder, name="", version="tensorboard"))
    devices = list(machine.devices) if isinstance(machine.devices, tuple) else machine.devices
    return Trainer(
        accelerator=machine.accelerator,
        devices=devices,
        strategy=machine.strategy,
        precision=precision,  # type: ignore[arg-type]
        max_steps=steps,
        max_epochs=-1,
        gradient_clip_val=largest_gradient,
        default_root_dir=folder,
        logger=logs,
        callbacks=[keeper],
        plugins=[SafetensorsState()],
        enable_checkpointing=False,
        enable_progress_bar=False,
        enable_model_summary=False,
    )


def _describe(trainer: Trainer) -> str:
    kind = torch.cuda.get_device_name() if trainer.strategy.root_device.type == "cuda" else "CPU"
    return f"{trainer.world_size} x {kind}, {trainer.precision}"
