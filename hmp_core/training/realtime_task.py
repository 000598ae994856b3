# SPDX-FileCopyrightText: 2026 The hmp_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The real-time prior as a training task: a VAE that fills in what is hidden, from a linear start."""

import math
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from torch.optim import Optimizer

from hmp_core.prior.chain import FingerBones
from hmp_core.prior.checkpoint import PriorCheckpoint, Whitening, save_checkpoint
from hmp_core.prior.encoder import ClipCode
from hmp_core.prior.prior import load_prior
from hmp_core.prior.vae import MotionVae
from hmp_core.training.config import TrainingConfig
from hmp_core.training.dataset import ClipSampler
from hmp_core.training.export import export_encoder
from hmp_core.training.losses import TrueClip, motion_loss
from hmp_core.training.masking import random_visibility
from hmp_core.training.task import Batch, MachineConfig, RunSettings
from hmp_core.training.warm_start import warm_start

_WARM_UP_STEPS = 200
_LARGEST_GRADIENT = 1.0


class RealtimeTask:
    """Trains one :class:`MotionVae`; implements :class:`~hmp_core.training.task.TrainingTask`."""

    def __init__(
        self, config: TrainingConfig, bones: FingerBones, sampler: ClipSampler, description: dict[str, Any]
    ) -> None:
        """Take the run's configuration, the hand, its motion, and what the checkpoint shall say about them."""
        torch.manual_seed(config.seed)
        self._config = config
        self._sampler = sampler
        self._description = description
        self._vae = MotionVae(config.prior, bones)
        self.model: nn.Module = self._vae
        self.settings = RunSettings(
            config.steps,
            config.seed,
            config.average_decay,
            _LARGEST_GRADIENT,
            config.save_minutes,
            config.machine,
        )
        # Where and how often a run is saved does not change its losses.
        motion = {name: entry for name, entry in description.items() if name != "run"}
        self.identity = f"{replace(config, machine=MachineConfig(), save_minutes=1.0)} {motion}"

    def start(self) -> None:
        """Begin with the best linear model."""
        config, grid = self._config, self._vae.grid_times()
        warm_start(self._vae, lambda count: self._sampler.draw(count, grid, 1, config.pace), config.start_clips)

    def configure_optimizer(self) -> Optimizer:
        """AdamW, the linear paths at a rate of their own and without decay."""
        config = self._config
        direct = [p for name, p in self._vae.named_parameters() if ".direct." in name]
        others = [p for name, p in self._vae.named_parameters() if ".direct." not in name]
        groups: list[dict[str, Any]] = [
            {"params": others},
            {"params": direct, "lr": config.direct_rate * config.learning_rate, "weight_decay": 0.0},
        ]
        return torch.optim.AdamW(groups, lr=config.learning_rate, weight_decay=config.weight_decay)

    def learning_rate_share(self, step: int) -> float:
        """Rise for a short warm-up, then fall along half a cosine to 1 %."""
        warm = min(1.0, (step + 1) / _WARM_UP_STEPS)
        return warm * (0.01 + 0.99 * 0.5 * (1.0 + math.cos(math.pi * step / self._config.steps)))

    def draw(self, seed: int) -> Batch:
        """Draw clips, with errors on what the encoder gets and parts of it hidden."""
        torch.manual_seed(seed)
        config, grid = self._config, self._vae.grid_times()
        clips = self._sampler.draw(config.batch, grid, config.free_times, config.pace)
        seen = random_visibility(config.masking, config.batch, grid) * clips.recorded_grid[..., None]
        return {"given": self._with_noise(clips.vectors_grid), "seen": seen} | vars(clips)

    def loss(self, batch: Batch, step: int) -> dict[str, Tensor]:
        """Fill and reproduce clips, and weigh the divergence."""
        config, vae = self._config, self._vae
        given, seen = batch["given"], batch["seen"]
        code: ClipCode = vae.encoder(given, seen)
        z = code.mean + torch.randn_like(code.mean) * (0.5 * code.log_variance).exp()
        times_s = torch.cat((vae.grid_times().to(given.device).expand(len(given), -1), batch["times_s"]), dim=1)
        truth = TrueClip(
            batch["vectors_grid"], batch["vectors_times"], batch["recorded_grid"], batch["recorded_times"]
        )
        evenness = self._evenness(step)
        terms = motion_loss(code, vae.field(z, times_s), given, seen, truth, vae.bones, evenness)
        ramp = min(1.0, step / max(1.0, config.divergence_ramp * config.steps))
        total = (
            terms.gap
            + config.reproduction_weight * terms.reproduction
            + config.divergence_weight * ramp * terms.divergence
        )
        return {
            "total": total,
            "gap_mm": terms.gap_mm,
            "reproduction_mm": terms.reproduction_mm,
            "divergence_nat": terms.divergence,
        }

    def _evenness(self, step: int) -> float:
        """How evenly clips count: lively ones teach what motion is, all alike keep hands at rest from drifting."""
        begin, end = self._config.evenness_ramp
        return min(1.0, max(0.0, (step / self._config.steps - begin) / (end - begin)))

    def finish(self, model: nn.Module, folder: Path, run: dict[str, Any]) -> Path:
        """Write ``prior.safetensors``, its latent whitened on unmasked training clips, and ``encoder.onnx``."""
        assert isinstance(model, MotionVae)
        path = folder / "prior.safetensors"
        save_checkpoint(path, PriorCheckpoint(model, self._whitening(model), self._description | run))
        export_encoder(load_prior(path), folder / "encoder.onnx")
        return path

    @torch.no_grad()
    def _whitening(self, vae: MotionVae) -> Whitening:
        grid = vae.grid_times()
        means = []
        for _ in range(max(1, self._config.start_clips // 256)):
            batch = self._sampler.draw(256, grid, 1, self._config.pace)
            whole = batch.recorded_grid.mean(-1) > 0.99
            seen = batch.recorded_grid[whole, :, None].expand(-1, -1, 15)
            means.append(vae.encoder(batch.vectors_grid[whole], seen).mean)
        return Whitening.fit(torch.cat(means))

    def _with_noise(self, vectors: Tensor) -> Tensor:
        """Angles with errors such as an initializer's, white ones and constant ones, on half of the clips."""
        count = len(vectors)
        size = self._config.input_noise_rad * torch.rand(count, 1, 1, 1) * (torch.rand(count, 1, 1, 1) < 0.5)
        errors = torch.randn_like(vectors) + torch.randn_like(vectors[:, :1])
        return vectors + 0.7 * size * errors
