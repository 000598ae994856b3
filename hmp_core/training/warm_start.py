# SPDX-FileCopyrightText: 2026 The hmp_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Starting values for the prior: the best linear model, solved in closed form.

The field's straight path starts as the principal components of clips, scaled so that their coordinates are N(0, I),
and the encoder's as the ridge regression of those coordinates on what is left of randomly masked clips. Training
then spends its steps on what is not linear. Solved in a minute, this saves most of an hour on one core.
"""

from collections.abc import Callable

import roma
import torch
from torch import Tensor

from hmp_core.prior.features import NUM_CHANNELS, clip_features
from hmp_core.prior.field import NUM_OUTPUTS
from hmp_core.prior.vae import MotionVae
from hmp_core.training.dataset import ClipBatch

_CHUNK = 512
_SHARE_FOR_COMPONENTS = 0.4
_RIDGE = 3e-3
_WAVE_RIDGE = 1e-4
_REGRESSED_CHANNELS = (0, 1, 2, NUM_CHANNELS - 1)
"""Local rotations and visibility."""
_REACH = (1.0, 0.6, 0.3)
"""How much a finger's joints, base to tip, move its end: weights of their angles in the components."""


@torch.no_grad()
def warm_start(vae: MotionVae, draw: Callable[[int], tuple[ClipBatch, Tensor, Tensor]], clips: int) -> None:
    """Set the linear paths of encoder and field.

    Args:
        vae: freshly initialised.
        draw: for a number of clips gives them, noisy input rotations [B, N, 15, 3, 3] and visibility [B, N, 15].
        clips: drawn for the regression; fewer are for the components.
    """
    mean, weight, components = _principal_components(vae, draw, clips)
    grid = vae.config.grid_size
    waves = vae.field.waves(vae.grid_times())
    gram = waves.T @ waves + _WAVE_RIDGE * grid * torch.eye(waves.shape[1])
    to_waves = torch.linalg.solve(gram, waves.T)  # [K, N]
    latent_dim = vae.config.latent_dim
    spread = to_waves @ (components / weight.unsqueeze(-1)).view(grid, NUM_OUTPUTS * latent_dim)
    vae.field.direct.weight.copy_(spread.view(-1, latent_dim))
    head_bias = vae.field.head.bias
    vae.field.direct.bias.copy_((to_waves @ (mean.view(grid, NUM_OUTPUTS) - head_bias)).flatten())
    _regress(vae, draw, clips, mean, components * weight.unsqueeze(-1) / components.square().sum(0))


def _outputs(R_local: Tensor) -> Tensor:
    """What the field's head should give for rotations [B, N, 15, 3, 3]: [B, N * 45]."""
    vectors: Tensor = roma.rotmat_to_rotvec(R_local)
    return vectors.flatten(1)


def _principal_components(
    vae: MotionVae, draw: Callable[[int], tuple[ClipBatch, Tensor, Tensor]], clips: int
) -> tuple[Tensor, Tensor, Tensor]:
    """Mean [N * 45] of clips, weights [N * 45], and components [N * 45, D] of the weighted clips, to scale."""
    rows = []
    for _ in range(max(1, round(_SHARE_FOR_COMPONENTS * clips / _CHUNK))):
        batch, _, _ = draw(_CHUNK)
        rows.append(_outputs(batch.R_grid[batch.recorded_grid.amin(-1) > 0]))
    data = torch.cat(rows)
    mean = data.mean(0)
    weight = torch.tensor(_REACH).repeat(5).repeat_interleave(3).repeat(vae.config.grid_size)
    _, singular, axes = torch.pca_lowrank(
        (data - mean) * weight, q=vae.config.latent_dim + 16, center=False, niter=3
    )
    keep = slice(0, vae.config.latent_dim)
    return mean, weight, axes[:, keep] * (singular[keep] / (len(data) - 1) ** 0.5)


def _regress(
    vae: MotionVae,
    draw: Callable[[int], tuple[ClipBatch, Tensor, Tensor]],
    clips: int,
    mean: Tensor,
    to_latent: Tensor,
) -> None:
    """Ridge regression of the latents ``(clip - mean) @ to_latent`` on the features of masked clips."""
    columns = torch.arange(15 * NUM_CHANNELS * vae.config.grid_size).view(15, NUM_CHANNELS, -1)
    used = columns[:, list(_REGRESSED_CHANNELS)].flatten()
    gram = torch.zeros(len(used) + 1, len(used) + 1)
    cross = torch.zeros(len(used) + 1, vae.config.latent_dim)
    step_s = vae.config.window_s / (vae.config.grid_size - 1)
    for _ in range(max(1, round(clips / _CHUNK))):
        batch, noisy, visible = draw(_CHUNK)
        whole = batch.recorded_grid.amin(-1) > 0
        latent = (_outputs(batch.R_grid[whole]) - mean) @ to_latent
        features = clip_features(noisy[whole], visible[whole], step_s, vae.bones).flatten(1)[:, used]
        inputs = torch.cat((features, torch.ones(len(features), 1)), dim=1)
        gram += inputs.T @ inputs
        cross += inputs.T @ latent
    gram += _RIDGE * gram.diagonal().mean() * torch.eye(len(gram))
    solution = torch.linalg.solve(gram, cross)
    vae.encoder.direct.weight.zero_()
    vae.encoder.direct.weight[:, used] = solution[:-1].T
    vae.encoder.direct.bias.copy_(solution[-1])
