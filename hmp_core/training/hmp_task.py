# SPDX-FileCopyrightText: 2026 The hmp_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The paper's configuration as a training task."""

from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import roma
import torch
from torch import Tensor, nn
from torch.optim import Optimizer

from hmp_core.prior.chain import FingerBones
from hmp_core.prior.checkpoint import PriorCheckpoint, Whitening, save_checkpoint
from hmp_core.prior.hmp.vae import HmpVae
from hmp_core.training.hand_motion import HandClips
from hmp_core.training.hmp_config import HmpTraining
from hmp_core.training.hmp_loss import hmp_loss
from hmp_core.training.task import Batch, MachineConfig, RunSettings

_CHUNK = 256


class HmpTask:
    """Trains one :class:`HmpVae`; implements :class:`~hmp_core.training.task.TrainingTask`.

    The last weights are saved, not averaged ones; the paper's code keeps those of the epoch with the lowest
    validation loss, "reconstruction" of :func:`hmp_loss` in evaluation mode.
    """

    def __init__(
        self, config: HmpTraining, bones: FingerBones, clips: HandClips, description: dict[str, Any]
    ) -> None:
        """Take the run's configuration, the hand, its clips, and what the checkpoint shall say about them."""
        torch.manual_seed(config.seed)
        self._config = config
        self._clips = clips
        self._description = description
        self._vae = HmpVae(config.network, bones)
        self.model: nn.Module = self._vae
        self._steps_per_epoch = max(1, len(clips) // config.batch)
        self.settings = RunSettings(
            steps=config.epochs * self._steps_per_epoch,
            seed=config.seed,
            average_decay=0.0,
            largest_gradient=None,
            save_minutes=config.save_minutes,
            machine=config.machine,
        )
        # Where and how often a run is saved does not change its losses.
        self.identity = f"{replace(config, machine=MachineConfig(), save_minutes=1.0)} {description}"

    def start(self) -> None:
        """Fit the statistics that normalise what the encoders see."""
        self._vae.fit_normalisation(self._clips.fingers, self._clips.R_world_wrist)

    def configure_optimizer(self) -> Optimizer:
        """Adamax over everything."""
        config = self._config
        return torch.optim.Adamax(self._vae.parameters(), lr=config.learning_rate, weight_decay=config.weight_decay)

    def learning_rate_share(self, step: int) -> float:
        """The rate stays as it is."""
        return 1.0

    def draw(self, seed: int) -> Batch:
        """Draw clips, none twice."""
        generator = torch.Generator().manual_seed(seed)
        chosen = torch.randperm(len(self._clips), generator=generator)[: self._config.batch]
        return self._clips.batch(chosen)

    def loss(self, batch: Batch, step: int) -> dict[str, Tensor]:
        """Compare decoded with true motion, weigh the divergence of both latents."""
        R_local = roma.rotvec_to_rotmat(batch["fingers"])
        made = self._vae(R_local, batch["R_world_wrist"])
        epoch = step / self._steps_per_epoch
        return hmp_loss(made, R_local, batch["R_world_wrist"], self._vae.bones, self._config.weights, epoch)

    def finish(self, model: nn.Module, folder: Path, run: dict[str, Any]) -> Path:
        """Write ``prior.safetensors``, its latent whitened on the training clips."""
        assert isinstance(model, HmpVae)
        path = folder / "prior.safetensors"
        metadata = self._description | {"run": asdict(self._config)} | run
        save_checkpoint(path, PriorCheckpoint(model, self._whitening(model), metadata))
        return path

    @torch.no_grad()
    def _whitening(self, vae: HmpVae) -> Whitening:
        means = []
        for fingers in torch.split(self._clips.fingers, _CHUNK):
            R_local = roma.rotvec_to_rotmat(fingers)
            means.append(vae.posterior(R_local, torch.ones(R_local.shape[:3]))[0])
        return Whitening.fit(torch.cat(means))
