# SPDX-FileCopyrightText: 2026 The hmp_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Starting values for the prior: principal components, solved in closed form.

The encoder's completion is fitted once and stays. The field's straight path starts as the principal components of
clips, scaled so that their coordinates are N(0, I), and the encoder's as the projection of a filled clip onto them.
Training then spends its steps on what is not linear.
"""

from collections.abc import Callable

import torch

from hmp_core.prior.field import NUM_OUTPUTS
from hmp_core.prior.vae import MotionVae
from hmp_core.training.dataset import ClipBatch

_CHUNK = 512
_WAVE_RIDGE = 1e-4
_REACH = (1.0, 0.6, 0.3)
"""How much a finger's joints, base to tip, move its end: weights of their angles in the components."""


@torch.no_grad()
def warm_start(vae: MotionVae, draw: Callable[[int], ClipBatch], clips: int) -> None:
    """Set the completion, and the linear paths of encoder and field.

    Args:
        vae: freshly initialised.
        draw: gives a number of clips.
        clips: drawn for the components.
    """
    grid, latent_dim = vae.config.grid_size, vae.config.latent_dim
    rows = []
    for _ in range(max(1, round(clips / _CHUNK))):
        batch = draw(_CHUNK)
        rows.append(batch.vectors_grid[batch.recorded_grid.amin(-1) > 0].flatten(1))
    data = torch.cat(rows)
    vae.encoder.completion.fit(torch.unflatten(data, 1, (grid, -1, 3)))
    mean = data.mean(0)
    weight = torch.tensor(_REACH).repeat(5).repeat_interleave(3).repeat(grid)
    _, singular, axes = torch.pca_lowrank((data - mean) * weight, q=latent_dim + 16, center=False, niter=3)
    components = axes[:, :latent_dim] * (singular[:latent_dim] / (len(data) - 1) ** 0.5)
    to_latent = components * weight.unsqueeze(-1) / components.square().sum(0)
    vae.encoder.direct.weight.copy_(to_latent.T)
    vae.encoder.direct.bias.copy_(-mean @ to_latent)

    waves = vae.field.waves(vae.grid_times())
    gram = waves.T @ waves + _WAVE_RIDGE * grid * torch.eye(waves.shape[1])
    to_waves = torch.linalg.solve(gram, waves.T)  # [K, N]
    spread = to_waves @ (components / weight.unsqueeze(-1)).view(grid, NUM_OUTPUTS * latent_dim)
    vae.field.direct.weight.copy_(spread.view(-1, latent_dim))
    head_bias = vae.field.head.bias
    vae.field.direct.bias.copy_((to_waves @ (mean.view(grid, NUM_OUTPUTS) - head_bias)).flatten())
