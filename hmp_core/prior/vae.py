# SPDX-FileCopyrightText: 2026 The hmp_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The motion VAE as it is trained: clip encoder and motion field around one latent."""

import roma
import torch
from torch import Tensor, nn

from hmp_core.hand.so3 import exponential
from hmp_core.prior.chain import FingerBones
from hmp_core.prior.config import PriorConfig
from hmp_core.prior.encoder import ClipCode, ClipEncoder
from hmp_core.prior.field import MotionField


class MotionVae(nn.Module):
    """Encoder, field and the rest hand's bones; latents here are the networks' own, not whitened."""

    def __init__(self, config: PriorConfig, bones: FingerBones) -> None:
        super().__init__()
        self.config = config
        self.bones = bones
        self.encoder = ClipEncoder(config)
        self.field = MotionField(config)

    def grid_times(self) -> Tensor:
        """Times of the encoder's samples [N] [s], both ends of the window included."""
        return torch.linspace(0.0, self.config.window_s, self.config.grid_size)

    def posterior(self, R_local: Tensor, visible: Tensor) -> ClipCode:
        """Latent Gaussian of rotations [B, N, 15, 3, 3] with visibility [B, N, 15], and the clip filled in."""
        code: ClipCode = self.encoder(roma.rotmat_to_rotvec(R_local), visible.to(R_local.dtype))
        return code

    def decode_local(self, z: Tensor, times_s: Tensor) -> Tensor:
        """Local finger rotations [B, T, 15, 3, 3] of latents [B, D] at times [B, T] [s]; differentiable."""
        R_local: Tensor = exponential(self.field(z, times_s))
        return R_local

    def local_with_jacobian(self, z: Tensor, times_s: Tensor, seed: Tensor) -> tuple[Tensor, Tensor]:
        """As :meth:`~hmp_core.prior.field.MotionField.local_with_jacobian`."""
        return self.field.local_with_jacobian(z, times_s, seed)
