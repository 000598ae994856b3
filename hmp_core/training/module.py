# SPDX-FileCopyrightText: 2026 The hmp_ros authors
# SPDX-License-Identifier: Apache-2.0
"""A training task as lightning sees it: its steps, the running average of its weights, its endless data."""

from collections.abc import Iterator, Mapping
from typing import Any

import torch
from lightning.pytorch import LightningModule
from lightning.pytorch.utilities.types import OptimizerLRScheduler
from numpy.random import SeedSequence
from torch import Tensor
from torch.optim.lr_scheduler import LambdaLR
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn
from torch.utils.data import DataLoader, IterableDataset, get_worker_info
from typing_extensions import override

from hmp_core.errors import DataError
from hmp_core.training.task import Batch, TrainingTask

_DRAWING, _LOSS = 0, 1
_IDENTITY = "task"


def step_seed(seed: int, step: int, rank: int, purpose: int) -> int:
    """A seed of its own for each run, step, process and purpose: resuming needs no generator's state."""
    return int(SeedSequence((seed, step, rank, purpose)).generate_state(1)[0])


class StepBatches(IterableDataset[Batch]):
    """One batch after the other from a given step on, without end."""

    def __init__(self, task: TrainingTask, first_step: int, rank: int) -> None:
        super().__init__()
        self._task, self._first_step, self._rank = task, first_step, rank

    def __iter__(self) -> Iterator[Batch]:
        """Give batches in the order of steps; several workers take turns."""
        worker = get_worker_info()
        step, stride = self._first_step, 1
        if worker is not None:
            torch.set_num_threads(1)
            step, stride = step + worker.id, worker.num_workers
        while True:
            yield self._task.draw(step_seed(self._task.settings.seed, step, self._rank, _DRAWING))
            step += stride


class TrainingModule(LightningModule):
    """Runs the steps of a :class:`~hmp_core.training.task.TrainingTask`.

    Attributes:
        average: running average of the weights after each step, which is what is saved in the end.
        losses: scalars of the last step.
    """

    def __init__(self, task: TrainingTask) -> None:
        super().__init__()
        self.task = task
        self.model = task.model
        decay = task.settings.average_decay
        self.average = AveragedModel(task.model, multi_avg_fn=get_ema_multi_avg_fn(decay))  # type: ignore[no-untyped-call]
        self.average.requires_grad_(False)
        self.losses: Mapping[str, Tensor] = {}

    @override
    def configure_optimizers(self) -> OptimizerLRScheduler:
        """Take the task's optimiser, with its schedule at every step."""
        optimizer = self.task.configure_optimizer()
        schedule = LambdaLR(optimizer, self.task.learning_rate_share)
        return {"optimizer": optimizer, "lr_scheduler": {"scheduler": schedule, "interval": "step"}}

    @override
    def train_dataloader(self) -> DataLoader[Batch]:
        """Batches from the step on at which the run is."""
        workers = self.task.settings.machine.workers
        batches = StepBatches(self.task, self.global_step, self.global_rank)
        return DataLoader(batches, batch_size=None, num_workers=workers)

    @override
    def training_step(self, batch: Batch, batch_idx: int) -> Tensor:
        """Compute the losses of one batch."""
        step = self.global_step
        torch.manual_seed(step_seed(self.task.settings.seed, step, self.global_rank, _LOSS))
        losses = self.task.loss(batch, step)
        self.losses = {name: value.detach() for name, value in losses.items()}
        return losses["total"]

    @override
    def optimizer_step(self, *args: Any, **kwargs: Any) -> None:
        """Step, and let the average follow."""
        super().optimizer_step(*args, **kwargs)
        self.average.update_parameters(self.model)

    @override
    def on_save_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        """Say what task the state belongs to."""
        checkpoint[_IDENTITY] = self.task.identity

    @override
    def on_load_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        """Refuse the state of another task.

        Raises:
            DataError: it belongs to another configuration.
        """
        if checkpoint.get(_IDENTITY) != self.task.identity:
            raise DataError(
                "the training state in the output folder belongs to another configuration; "
                "remove it or choose another output folder"
            )
