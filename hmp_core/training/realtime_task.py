# SPDX-FileCopyrightText: 2026 The hmp_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The real-time prior as a training task: a VAE that fills in what is hidden, from a linear start."""

import math
from dataclasses import replace
from pathlib import Path
from typing import Any

import roma
import torch
from torch import Tensor, nn
from torch.optim import Optimizer

from hmp_core.prior.chain import FingerBones, compose, rotations_in_wrist
from hmp_core.prior.checkpoint import PriorCheckpoint, Whitening, save_checkpoint
from hmp_core.prior.prior import load_prior
from hmp_core.prior.vae import MotionVae
from hmp_core.training.config import TrainingConfig
from hmp_core.training.dataset import ClipBatch, ClipSampler
from hmp_core.training.export import export_encoder
from hmp_core.training.losses import limit_excess, motion_loss
from hmp_core.training.masking import random_visibility
from hmp_core.training.task import Batch, MachineConfig, RunSettings
from hmp_core.training.warm_start import warm_start

_WARM_UP_STEPS = 200
_LARGEST_GRADIENT = 1.0
_SAMPLE_TIMES = 4


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
        warm_start(self._vae, self._draw, self._config.start_clips)

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
        clips, noisy, visible = self._draw(self._config.batch)
        return {
            "noisy_grid": noisy,
            "visible": visible,
            "times_s": clips.times_s,
            "R_times": clips.R_times,
            "recorded_times": clips.recorded_times,
        }

    def loss(self, batch: Batch, step: int) -> dict[str, Tensor]:
        """Compare decoded with true motion, weigh the divergence, and keep samples within the joints' limits."""
        config, vae = self._config, self._vae
        decoded, mean, log_variance = vae(batch["noisy_grid"], batch["visible"], batch["times_s"])
        R_wrist, R_true = rotations_in_wrist(decoded), rotations_in_wrist(batch["R_times"])
        terms = motion_loss(R_wrist, R_true, batch["recorded_times"], mean, log_variance, vae.bones)
        ramp = min(1.0, step / max(1.0, config.divergence_ramp * config.steps))
        total = terms.total(config.divergence_weight * ramp) + config.sample_limit_weight * self._sample_excess(
            mean
        )
        return {
            "total": total,
            "angle_deg": terms.angle_rad.rad2deg(),
            "position_mm": 1e3 * terms.position_m,
            "divergence_nat": terms.divergence,
        }

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
            visible = batch.recorded_grid[whole, :, None].expand(-1, -1, 15)
            means.append(vae.posterior(batch.R_grid[whole], visible)[0])
        return Whitening.fit(torch.cat(means))

    def _draw(self, count: int) -> tuple[ClipBatch, Tensor, Tensor]:
        """Clips, their rotations with errors, and what of them is seen [count, N, 15]."""
        config, grid = self._config, self._vae.grid_times()
        batch = self._sampler.draw(count, grid, config.free_times, config.pace)
        visible = random_visibility(config.masking, count, grid) * batch.recorded_grid[..., None]
        return batch, self._with_noise(batch.R_grid), visible

    def _sample_excess(self, like: Tensor) -> Tensor:
        """How far motion decoded from random latents [B, D] leaves the joints' limits: the prior's own samples."""
        z = torch.randn_like(like)
        times = torch.rand(len(z), _SAMPLE_TIMES, device=z.device) * self._config.prior.window_s
        return limit_excess(self._vae.field(z, times))

    def _with_noise(self, R: Tensor) -> Tensor:
        """Rotations with errors such as an initializer's, white ones and constant ones, on half of the clips."""
        count = len(R)
        size = self._config.input_noise_rad * torch.rand(count, 1, 1, 1) * (torch.rand(count, 1, 1, 1) < 0.5)
        errors = torch.randn(*R.shape[:3], 3) + torch.randn(count, 1, *R.shape[2:3], 3)
        return compose(R, roma.rotvec_to_rotmat(0.7 * size * errors))
