# SPDX-FileCopyrightText: 2026 The hmp_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What the trainer has to know about a prior to train it, and what decides how a run is carried out."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

from torch import Tensor, nn
from torch.optim import Optimizer

from hmp_core.errors import ConfigError

Batch = dict[str, Tensor]


@dataclass(frozen=True)
class MachineConfig:
    """Where a run takes place; handed to ``lightning.pytorch.Trainer``, whose documentation lists the values.

    Attributes:
        accelerator: "auto", "cpu", "gpu".
        devices: "auto", how many, or a list of indices.
        strategy: "auto", or for instance "ddp"; every process draws its own clips, so ``batch`` is per process.
        precision: for instance "32-true"; "auto" is "bf16-mixed" on a CUDA device and "32-true" elsewhere.
        workers: processes that draw clips beside the one that trains; 0 where the processor does both.
    """

    accelerator: str = "auto"
    devices: int | str | tuple[int, ...] = "auto"
    strategy: str = "auto"
    precision: str = "auto"
    workers: int = 0

    def __post_init__(self) -> None:
        """Refuse what cannot work.

        Raises:
            ConfigError: naming the value and the allowed range.
        """
        if self.workers < 0:
            raise ConfigError(f"workers is {self.workers}, allowed is 0 or more")


@dataclass(frozen=True)
class RunSettings:
    """How a run goes.

    Attributes:
        steps: optimiser steps.
        seed: of everything random.
        average_decay: of the running average of the weights, which is what is saved; 0 saves the last weights.
        largest_gradient: norm to which the gradient is cut; None leaves it alone.
        save_minutes: time between two states to resume from [min].
        machine: where it takes place.
    """

    steps: int
    seed: int
    average_decay: float
    largest_gradient: float | None
    save_minutes: float
    machine: MachineConfig = field(default_factory=MachineConfig)


class TrainingTask(Protocol):
    """One network, its data and its losses. It draws from torch's global generator only, which the trainer seeds.

    Attributes:
        model: what is trained; every tensor that follows it to a device is registered in it.
        settings: of the run.
        identity: all that decides the losses, as text; a state is continued only by a task of the same identity.
    """

    model: nn.Module
    settings: RunSettings
    identity: str

    def start(self) -> None:
        """Prepare the weights of a new run; not called for one that is resumed."""

    def configure_optimizer(self) -> Optimizer:
        """Make the optimiser over the parameters of ``model``, its groups at their peak learning rates."""

    def learning_rate_share(self, step: int) -> float:
        """Share of the peak learning rates at a step."""

    def draw(self, seed: int) -> Batch:
        """Draw the batch that belongs to a seed, on the CPU."""

    def loss(self, batch: Batch, step: int) -> Mapping[str, Tensor]:
        """Scalars: "total", to be minimised, and parts for the log, named with their units.

        ``batch`` and ``model`` are on one device, which need not be the CPU. Noise may be drawn here.
        """

    def finish(self, model: nn.Module, folder: Path, run: dict[str, Any]) -> Path:
        """Write what the run was for from the averaged ``model`` (on the CPU) and what is to be told about the run.

        Returns:
            The file that holds the prior.
        """
