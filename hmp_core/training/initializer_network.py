# SPDX-FileCopyrightText: 2026 The hmp_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The initializer's network: 21 points of a right hand to MANO rotations and shape, whole in one graph.

Global rotation and size are taken out before the multilayer perceptron and put back behind it, inside the
graph, so that the exported file needs no companion code and the network never has to learn either.
"""

from dataclasses import dataclass
from typing import Final

import torch
from torch import Tensor, nn
from torch.nn import functional

from hmp_core.hand.skeleton import NUM_BETAS, NUM_JOINTS, NUM_MANO_JOINTS, WRIST
from hmp_core.prior.six_d import gram_schmidt

KNUCKLES: Final = (5, 9, 13, 17)
_INDEX_MCP: Final = 5
_PINKY_MCP: Final = 17
_TYPICAL_PALM_M: Final = 0.09
_TINY: Final = 1e-9


@dataclass(frozen=True)
class NetworkConfig:
    """Sizes of the perceptron."""

    width: int = 256
    blocks: int = 3


class InitializerNetwork(nn.Module):
    """Wrist-relative points and their shifted copies on the viewing rays to a MANO pose."""

    def __init__(self, config: NetworkConfig = NetworkConfig()) -> None:
        super().__init__()
        inputs = 2 * 3 * (NUM_JOINTS - 1) + 1 + 3
        self.register_buffer("feature_mean", torch.zeros(inputs))
        self.register_buffer("feature_scale", torch.ones(inputs))
        self.feature_mean: Tensor
        self.feature_scale: Tensor
        self.enter = nn.Linear(inputs, config.width)
        self.blocks = nn.ModuleList(_Residual(config.width) for _ in range(config.blocks))
        self.leave = nn.Linear(config.width, 6 * NUM_MANO_JOINTS + NUM_BETAS)
        nn.init.zeros_(self.leave.bias)
        with torch.no_grad():
            self.leave.weight.mul_(0.1)

    def forward(self, landmarks: Tensor, ray_points: Tensor, view: Tensor) -> tuple[Tensor, Tensor]:
        """Predict a pose.

        Args:
            landmarks: [B, 21, 3] relative to the wrist, camera axes [m].
            ray_points: [B, 21, 3] the same points moved sideways onto their viewing rays, relative to the wrist so
                moved [m]; equal to ``landmarks`` where there is no ray.
            view: [B, 3] unit direction from the camera to the hand.

        Returns:
            rotations [B, 16, 3, 3], MANO order, global orientation in the camera frame first; betas [B, 10].
        """
        palm, features = self.canonical(landmarks, ray_points, view)
        hidden = self.enter((features - self.feature_mean) / self.feature_scale)
        for block in self.blocks:
            hidden = block(hidden)
        columns, betas = self.leave(hidden).split([6 * NUM_MANO_JOINTS, NUM_BETAS], dim=1)
        local = gram_schmidt(columns.reshape(-1, NUM_MANO_JOINTS, 3, 2) + torch.eye(3, 2))
        rotations = torch.cat([palm[:, None] @ local[:, :1], local[:, 1:]], dim=1)
        return rotations, betas

    def canonical(self, landmarks: Tensor, ray_points: Tensor, view: Tensor) -> tuple[Tensor, Tensor]:
        """Palm frames [B, 3, 3] in the camera frame and features [B, F] free of rotation and size."""
        knuckles = landmarks[:, list(KNUCKLES)].mean(dim=1)
        size = knuckles.norm(dim=-1, keepdim=True).clamp_min(_TINY)
        across = landmarks[:, _INDEX_MCP] - landmarks[:, _PINKY_MCP]
        palm = gram_schmidt(torch.stack([knuckles, across], dim=-1))
        points = (landmarks @ palm)[:, WRIST + 1 :] / size[..., None]
        offsets = ((ray_points - landmarks) @ palm)[:, WRIST + 1 :] / size[..., None]
        seen_from = (view[:, None] @ palm)[:, 0]
        return palm, torch.cat(
            [points.flatten(1), offsets.flatten(1), torch.log(size / _TYPICAL_PALM_M), seen_from], dim=1
        )

    @torch.no_grad()
    def standardise(self, landmarks: Tensor, ray_points: Tensor, view: Tensor) -> None:
        """Fix the features' mean and scale from a large batch of typical input."""
        features = self.canonical(landmarks, ray_points, view)[1]
        self.feature_mean.copy_(features.mean(dim=0))
        self.feature_scale.copy_(features.std(dim=0).clamp_min(1e-3))


class _Residual(nn.Module):
    """A pre-normalised two-layer residual block."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.norm = nn.LayerNorm(width)
        self.first = nn.Linear(width, width)
        self.second = nn.Linear(width, width)

    def forward(self, hidden: Tensor) -> Tensor:
        inner = functional.silu(self.first(self.norm(hidden)))
        out: Tensor = hidden + self.second(inner)
        return out
