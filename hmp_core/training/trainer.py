# SPDX-FileCopyrightText: 2026 The hmp_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The training loop of the motion prior: one process, resumable, its state in safetensors."""

import csv
import math
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import roma
import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn

from hmp_core.errors import DataError
from hmp_core.prior.chain import FingerBones, compose, rotations_in_wrist
from hmp_core.prior.checkpoint import PriorCheckpoint, Whitening
from hmp_core.prior.vae import MotionVae
from hmp_core.training.config import TrainingConfig
from hmp_core.training.dataset import ClipBatch, ClipSampler
from hmp_core.training.losses import MotionLoss, limit_excess, motion_loss
from hmp_core.training.masking import random_visibility
from hmp_core.training.warm_start import warm_start

_WARM_UP_STEPS = 200
_LARGEST_GRADIENT = 1.0
_LOG_EVERY = 50
_SAMPLE_TIMES = 4
_STATE_FILE = "state.safetensors"


@dataclass(frozen=True)
class Progress:
    """One line of the log: step, running mean of the losses, clips a second."""

    step: int
    loss: float
    angle_deg: float
    position_mm: float
    divergence_nat: float
    clips_per_s: float


class Trainer:
    """Trains one :class:`MotionVae` and makes a checkpoint of its averaged weights."""

    def __init__(self, config: TrainingConfig, bones: FingerBones, sampler: ClipSampler, folder: Path) -> None:
        """Start anew, or from the state that an interrupted run of the same configuration left in ``folder``."""
        torch.manual_seed(config.seed)
        self._config = config
        self._sampler = sampler
        self._folder = folder
        self.vae = MotionVae(config.prior, bones)
        if not (folder / _STATE_FILE).exists():
            warm_start(self.vae, self._draw, config.start_clips)
        self._average = AveragedModel(self.vae, multi_avg_fn=get_ema_multi_avg_fn(config.average_decay))  # type: ignore[no-untyped-call]
        direct = [p for name, p in self.vae.named_parameters() if ".direct." in name]
        others = [p for name, p in self.vae.named_parameters() if ".direct." not in name]
        self._optimizer = torch.optim.AdamW(
            [
                {"params": others, "share": 1.0},
                {"params": direct, "share": config.direct_rate, "weight_decay": 0.0},
            ],
            lr=config.learning_rate,
            weight_decay=config.weight_decay,
        )
        self.step = 0
        self.seconds = 0.0
        self._sums, self._counted = torch.zeros(4), 0
        folder.mkdir(parents=True, exist_ok=True)
        if (folder / _STATE_FILE).exists():
            self._resume()

    def run(self, report: Callable[[Progress], None]) -> None:
        """Train to the last step, reporting and logging to ``log.csv`` every 50 steps."""
        config = self._config
        saved = began = time.monotonic()
        earlier_s = self.seconds
        since, since_step = began, self.step
        self.vae.train()
        while self.step < config.steps:
            loss, total = self._one_step()
            self._sums += torch.stack((total, loss.angle_rad, loss.position_m, loss.divergence)).detach()
            self._counted += 1
            now = time.monotonic()
            self.seconds = earlier_s + now - began
            if self.step % _LOG_EVERY == 0 or self.step == config.steps:
                mean = (self._sums / self._counted).tolist()
                progress = Progress(
                    self.step,
                    mean[0],
                    math.degrees(mean[1]),
                    1e3 * mean[2],
                    mean[3],
                    (self.step - since_step) * config.batch / (now - since),
                )
                self._log(progress)
                report(progress)
                self._sums, self._counted = torch.zeros(4), 0
                since, since_step = now, self.step
            if now - saved > 60.0 * config.save_minutes or self.step == config.steps:
                self._save_state()
                saved = now

    def checkpoint(self, metadata: dict[str, Any]) -> PriorCheckpoint:
        """Averaged weights with a whitening fitted on the posterior means of unmasked training clips."""
        vae = self._average.module
        assert isinstance(vae, MotionVae)
        vae.eval()
        grid = vae.grid_times()
        means = []
        with torch.no_grad():
            for _ in range(max(1, self._config.start_clips // 256)):
                batch = self._sampler.draw(256, grid, 1, self._config.pace)
                whole = batch.recorded_grid.mean(-1) > 0.99
                visible = batch.recorded_grid[whole, :, None].expand(-1, -1, 15)
                means.append(vae.posterior(batch.R_grid[whole], visible)[0])
        return PriorCheckpoint(vae, Whitening.fit(torch.cat(means)), metadata)

    def _one_step(self) -> tuple[MotionLoss, Tensor]:
        config = self._config
        for group in self._optimizer.param_groups:
            group["lr"] = group["share"] * config.learning_rate * self._schedule()
        loss = self._loss()
        ramp = min(1.0, self.step / max(1.0, config.divergence_ramp * config.steps))
        total = loss.total(config.divergence_weight * ramp) + config.sample_limit_weight * self._sample_excess()
        self._optimizer.zero_grad()
        total.backward()  # type: ignore[no-untyped-call]
        torch.nn.utils.clip_grad_norm_(self.vae.parameters(), _LARGEST_GRADIENT)
        self._optimizer.step()
        self._average.update_parameters(self.vae)
        self.step += 1
        return loss, total

    def _draw(self, count: int) -> tuple[ClipBatch, Tensor, Tensor]:
        """Clips, their rotations with errors, and what of them is seen [count, N, 15]."""
        config, grid = self._config, self.vae.grid_times()
        batch = self._sampler.draw(count, grid, config.free_times, config.pace)
        visible = random_visibility(config.masking, count, grid) * batch.recorded_grid[..., None]
        return batch, self._with_noise(batch.R_grid), visible

    def _loss(self) -> MotionLoss:
        batch, noisy, visible = self._draw(self._config.batch)
        decoded, mean, log_variance = self.vae(noisy, visible, batch.times_s)
        R_wrist = rotations_in_wrist(decoded)
        truth = rotations_in_wrist(batch.R_times)
        return motion_loss(R_wrist, truth, batch.recorded_times, mean, log_variance, self.vae.bones)

    def _sample_excess(self) -> Tensor:
        """How far motion decoded from random latents leaves the joints' limits: the prior's own samples."""
        z = torch.randn(self._config.batch, self._config.prior.latent_dim)
        times = torch.rand(len(z), _SAMPLE_TIMES) * self._config.prior.window_s
        return limit_excess(self.vae.field(z, times))

    def _with_noise(self, R: Tensor) -> Tensor:
        """Rotations with errors such as an initializer's, white ones and constant ones, on half of the clips."""
        count = len(R)
        size = self._config.input_noise_rad * torch.rand(count, 1, 1, 1) * (torch.rand(count, 1, 1, 1) < 0.5)
        errors = torch.randn(*R.shape[:3], 3) + torch.randn(count, 1, *R.shape[2:3], 3)
        return compose(R, roma.rotvec_to_rotmat(0.7 * size * errors))

    def _schedule(self) -> float:
        """Share of the peak learning rate: a short warm-up, then half a cosine down to 1 %."""
        warm = min(1.0, (self.step + 1) / _WARM_UP_STEPS)
        return warm * (0.01 + 0.99 * 0.5 * (1.0 + math.cos(math.pi * self.step / self._config.steps)))

    def _log(self, progress: Progress) -> None:
        path = self._folder / "log.csv"
        new = not path.exists()
        with path.open("a", newline="", encoding="utf-8") as stream:
            writer = csv.DictWriter(stream, fieldnames=list(vars(progress)))
            if new:
                writer.writeheader()
            writer.writerow({name: f"{value:.6g}" for name, value in vars(progress).items()})

    def _drop_later_log(self) -> None:
        """Remove what an interrupted run logged after the state that it left."""
        path = self._folder / "log.csv"
        if not path.exists():
            return
        head, *rows = path.read_text(encoding="utf-8").splitlines(keepends=True)
        kept = [row for row in rows if float(row.split(",", 1)[0]) <= self.step]
        path.write_text("".join((head, *kept)), encoding="utf-8")

    def _save_state(self) -> None:
        tensors = {f"vae.{name}": value for name, value in self.vae.state_dict().items()}
        tensors |= {f"average.{name}": value for name, value in self._average.state_dict().items()}
        for index, state in self._optimizer.state_dict()["state"].items():
            tensors |= {f"optimizer.{index}.{name}": value for name, value in state.items()}
        tensors["random"] = torch.get_rng_state()
        tensors["sums"] = self._sums
        partial = self._folder / (_STATE_FILE + ".tmp")
        save_file(
            {name: value.clone().contiguous() for name, value in tensors.items()},
            partial,
            metadata={
                "step": str(self.step),
                "seconds": str(self.seconds),
                "counted": str(self._counted),
                "config": repr(self._config),
            },
        )
        partial.replace(self._folder / _STATE_FILE)

    def _resume(self) -> None:
        path = self._folder / _STATE_FILE
        try:
            with safe_open(str(path), framework="pt") as stream:
                header = stream.metadata()
                tensors = {name: stream.get_tensor(name) for name in stream.keys()}  # noqa: SIM118
        except (OSError, SafetensorError) as error:
            raise DataError(
                f"the training state {path} cannot be read: {error}; remove it to start anew"
            ) from error
        if header["config"] != repr(self._config):
            raise DataError(f"{path} belongs to another configuration; remove it or choose another output folder")

        def part(prefix: str) -> dict[str, Tensor]:
            return {name.removeprefix(prefix): t for name, t in tensors.items() if name.startswith(prefix)}

        self.vae.load_state_dict(part("vae."))
        self._average.load_state_dict(part("average."))
        state: dict[int, dict[str, Tensor]] = {}
        for name, value in part("optimizer.").items():
            index, key = name.split(".", 1)
            state.setdefault(int(index), {})[key] = value
        groups = self._optimizer.state_dict()["param_groups"]
        self._optimizer.load_state_dict({"state": state, "param_groups": groups})
        torch.set_rng_state(tensors["random"])
        self.step, self.seconds = int(header["step"]), float(header["seconds"])
        self._sums, self._counted = tensors["sums"], int(header["counted"])
        self._drop_later_log()
