# SPDX-FileCopyrightText: 2026 The hmp_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What happens around the steps: the log, the progress report, states to resume from, an orderly stop."""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from lightning.pytorch import Callback, LightningModule, Trainer
from torch import Tensor
from typing_extensions import override

from hmp_core.training.module import TrainingModule
from hmp_core.training.run_log import CsvLog

LOG_EVERY = 50
_LOOK_EVERY = 10
_REPORT_EVERY_S = 1.0


@dataclass(frozen=True)
class Progress:
    """Where a run is: steps done, running means of the losses by name, steps a second."""

    step: int
    losses: Mapping[str, float]
    steps_per_s: float


class RunKeeper(Callback):
    """Logs every 50 steps, saves a state every few minutes, and stops where it is asked to, leaving a state.

    Attributes:
        seconds: time of training, earlier parts of the run included [s].
    """

    def __init__(
        self, state: Path, save_minutes: float, report: Callable[[Progress], None], stopped: Callable[[], bool]
    ) -> None:
        """Save to ``state``; ``report`` is called about every second, ``stopped`` says whether to stop."""
        self.seconds = 0.0
        self._state, self._save_s = state, 60.0 * save_minutes
        self._report, self._stopped = report, stopped
        self._sums: dict[str, Tensor] = {}
        self._counted = 0
        self._begun = self._saved = self._reported = self._since = 0.0
        self._since_step = 0

    @override
    def on_train_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Start the clock, and forget what was logged after the state that is resumed."""
        self._saved = self._reported = self._since = time.monotonic()
        self._begun = self._saved - self.seconds
        self._since_step = trainer.global_step
        self._sums = {name: value.to(pl_module.device) for name, value in self._sums.items()}
        for log in trainer.loggers:
            if isinstance(log, CsvLog):
                log.drop_after(trainer.global_step)

    @override
    def on_train_batch_end(
        self, trainer: Trainer, pl_module: LightningModule, outputs: Any, batch: Any, batch_idx: int
    ) -> None:
        """Count the losses of a step, and do what is due."""
        assert isinstance(pl_module, TrainingModule)
        for name, value in pl_module.losses.items():
            self._sums[name] = self._sums[name] + value if name in self._sums else value
        self._counted += 1
        step, now = trainer.global_step, time.monotonic()
        self.seconds = now - self._begun
        last = step == trainer.max_steps
        if step % LOG_EVERY == 0 or last:
            self._log(trainer, step, now)
        elif now - self._reported > _REPORT_EVERY_S:
            self._tell(trainer, self._means(), step, now)
        if trainer.world_size == 1 or step % _LOOK_EVERY == 0 or last:
            # Processes must agree, since all take part in saving; asking each other costs time.
            agree = trainer.strategy.reduce_boolean_decision
            stop = agree(self._stopped(), all=False)
            if agree(now - self._saved > self._save_s, all=False) or stop or last:
                trainer.save_checkpoint(self._state)
                self._saved = now
            trainer.should_stop = trainer.should_stop or stop

    @override
    def state_dict(self) -> dict[str, Any]:
        """What has been counted since the last row of the log, and the time."""
        return {"seconds": self.seconds, "sums": self._sums, "counted": self._counted}

    @override
    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Go on counting."""
        self.seconds, self._sums = state_dict["seconds"], state_dict["sums"]
        self._counted = state_dict["counted"]

    def _log(self, trainer: Trainer, step: int, now: float) -> None:
        sums = torch.stack(list(self._sums.values())) / self._counted
        means = dict(zip(self._sums, trainer.strategy.reduce(sums, reduce_op="mean").tolist(), strict=True))
        rate = self._tell(trainer, means, step, now)
        for log in trainer.loggers:
            log.log_metrics(means | {"steps_per_s": rate, "seconds": self.seconds}, step)
        self._sums, self._counted = {}, 0
        self._since, self._since_step = now, step

    def _tell(self, trainer: Trainer, means: Mapping[str, float], step: int, now: float) -> float:
        """Report, and give the steps a second since the last row of the log."""
        rate = (step - self._since_step) / max(now - self._since, 1e-9)
        self._reported = now
        if trainer.is_global_zero:
            self._report(Progress(step, means, rate))
        return rate

    def _means(self) -> dict[str, float]:
        return {name: float(value) / self._counted for name, value in self._sums.items()}
