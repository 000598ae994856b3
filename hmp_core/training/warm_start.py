# SPDX-FileCopyrightText: 2026 The hmp_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Starting values for the prior: the best linear model, solved in closed form.

The field's straight path starts as the principal components of clips, scaled so that their coordinates are N(0, I),
and the encoder's as the ridge regression of those coordinates on what is left of randomly masked clips. Training
then spends its steps on what is not linear. Solved in a minute, this saves most of an hour on one core.
"""

from collections.abc import Callable

import torch
from torch import Tensor

from hmp_core.prior.chain import rotations_in_wrist
from hmp_core.prior.features import NUM_CHANNELS, clip_features
from hmp_core.prior.field import NUM_OUTPUTS
from hmp_core.prior.vae import MotionVae
from hmp_core.training.dataset import ClipBatch

_CHUNK = 512
_COMPONENT_CLIPS = 12
_REGRESSION_CLIPS = 32
"""Chunks drawn for the components and for the regression."""
_RIDGE = 3e-3
_WAVE_RIDGE = 1e-4
_REGRESSED_CHANNELS = (0, 1, 2, 3, 4, 5, NUM_CHANNELS - 1)
"""Rotations and visibility; positions and velocities follow from them."""


@torch.no_grad()
def warm_start(vae: MotionVae, draw: Callable[[int], tuple[ClipBatch, Tensor, Tensor]]) -> None:
    """Set the linear paths of encoder and field.

    Args:
        vae: freshly initialised.
        draw: for a number of clips gives them, noisy input rotations [B, N, 15, 3, 3] and visibility [B, N, 15].
    """
    mean, components = _principal_components(vae, draw)
    grid = vae.config.grid_size
    waves = vae.field.waves(vae.grid_times())
    gram = waves.T @ waves + _WAVE_RIDGE * grid * torch.eye(waves.shape[1])
    to_waves = torch.linalg.solve(gram, waves.T)  # [K, N]
    latent_dim = vae.config.latent_dim
    spread = to_waves @ components.view(grid, NUM_OUTPUTS * latent_dim)
    vae.field.direct.weight.copy_(spread.view(-1, latent_dim))
    head_bias = vae.field.head.bias
    vae.field.direct.bias.copy_((to_waves @ (mean.view(grid, NUM_OUTPUTS) - head_bias)).flatten())
    _regress(vae, draw, mean, components)


def _outputs(R_local: Tensor) -> Tensor:
    """What the field's head should give for rotations [B, N, 15, 3, 3]: [B, N * 90]."""
    return rotations_in_wrist(R_local)[..., :2].flatten(1)


def _principal_components(
    vae: MotionVae, draw: Callable[[int], tuple[ClipBatch, Tensor, Tensor]]
) -> tuple[Tensor, Tensor]:
    """Mean [N * 90] of clips and components [N * 90, D], each as long as the clips' spread along it."""
    clips = []
    for _ in range(_COMPONENT_CLIPS):
        batch, _, _ = draw(_CHUNK)
        clips.append(_outputs(batch.R_grid[batch.recorded_grid.amin(-1) > 0]))
    data = torch.cat(clips)
    mean = data.mean(0)
    _, singular, axes = torch.pca_lowrank(data - mean, q=vae.config.latent_dim + 16, center=False, niter=3)
    keep = slice(0, vae.config.latent_dim)
    return mean, axes[:, keep] * (singular[keep] / (len(data) - 1) ** 0.5)


def _regress(
    vae: MotionVae, draw: Callable[[int], tuple[ClipBatch, Tensor, Tensor]], mean: Tensor, components: Tensor
) -> None:
    """Ridge regression of the components' coordinates on the features of masked clips."""
    variance = components.square().sum(0)
    columns = torch.arange(15 * NUM_CHANNELS * vae.config.grid_size).view(15, NUM_CHANNELS, -1)
    used = columns[:, list(_REGRESSED_CHANNELS)].flatten()
    gram = torch.zeros(len(used) + 1, len(used) + 1)
    cross = torch.zeros(len(used) + 1, vae.config.latent_dim)
    step_s = vae.config.window_s / (vae.config.grid_size - 1)
    for _ in range(_REGRESSION_CLIPS):
        batch, noisy, visible = draw(_CHUNK)
        whole = batch.recorded_grid.amin(-1) > 0
        latent = (_outputs(batch.R_grid[whole]) - mean) @ components / variance
        features = clip_features(noisy[whole], visible[whole], step_s, vae.bones).flatten(1)[:, used]
        inputs = torch.cat((features, torch.ones(len(features), 1)), dim=1)
        gram += inputs.T @ inputs
        cross += inputs.T @ latent
    gram += _RIDGE * gram.diagonal().mean() * torch.eye(len(gram))
    solution = torch.linalg.solve(gram, cross)
    vae.encoder.direct.weight.zero_()
    vae.encoder.direct.weight[:, used] = solution[:-1].T
    vae.encoder.direct.bias.copy_(solution[-1])
