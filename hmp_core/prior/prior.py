# SPDX-FileCopyrightText: 2026 The hmp_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The motion prior as fitters use it: whitened latents, seconds, local rotations of a right hand."""

from pathlib import Path

import torch
from torch import Tensor, nn

from hmp_core.assets import asset_path
from hmp_core.prior.checkpoint import Whitening, load_checkpoint
from hmp_core.prior.hmp.vae import HmpVae
from hmp_core.prior.vae import MotionVae

SHIPPED_PRIOR = "prior_realtime.safetensors"


class MotionPrior(nn.Module):
    """Finger motion in a window of time as a function of one latent that is N(0, I) over training motions.

    The posterior of a VAE is not a unit Gaussian, so z here is whitened: the training clips' posterior means have
    zero mean and unit covariance in these coordinates, in order of falling spread. A fitter's ``|z|^2`` is then a
    proper negative log-density.

    Attributes:
        window_s: length of the window [s]; times run from 0 to here.
        latent_dim: length of z.
        metadata: what the checkpoint says about its training.
    """

    whitening_mean: Tensor
    whitening_matrix: Tensor
    unwhitening_matrix: Tensor

    def __init__(self, vae: MotionVae | HmpVae, whitening: Whitening, metadata: dict[str, object]) -> None:
        super().__init__()
        self.vae = vae
        self.metadata = metadata
        self.window_s = vae.config.window_s
        self.latent_dim = vae.config.latent_dim
        self.register_buffer("whitening_mean", whitening.mean)
        self.register_buffer("whitening_matrix", whitening.to_white)
        self.register_buffer("unwhitening_matrix", whitening.from_white)
        self.eval()
        self.requires_grad_(False)

    def grid_times(self) -> Tensor:
        """Times of the encoder's samples [N] [s]."""
        return self.vae.grid_times().to(self.whitening_mean.dtype)

    def decode(self, z: Tensor, times_s: Tensor) -> Tensor:
        """Local finger rotations at any times; differentiable in z.

        Args:
            z: [B, D] whitened latents.
            times_s: [B, T] times in [0, window_s] [s], in any order.

        Returns:
            [B, T, 15, 3, 3] in MANO order, right hand.
        """
        return self.vae.decode_local(self.whitening_mean + z @ self.unwhitening_matrix.T, times_s)

    def decode_with_jacobian(
        self, z: Tensor, times_s: Tensor, directions: int | None = None
    ) -> tuple[Tensor, Tensor]:
        """Local finger rotations of one window and their derivative, without autograd, on the CPU.

        Args:
            z: [D] whitened latent.
            times_s: [T] times in [0, window_s] [s].
            directions: derive by the first E of z, which spread most; None for all.

        Returns:
            Rotations [T, 15, 3, 3] and J [T, 45, E], right tangent: ``R(z + dz) = R(z) Exp(J dz)``,
            rows 3j..3j+2 belonging to finger rotation j.
        """
        z_own = self.whitening_mean + self.unwhitening_matrix @ z
        return self.vae.local_with_jacobian(z_own, times_s, self.unwhitening_matrix[:, :directions])

    def encode(self, R_local: Tensor, visible: Tensor) -> Tensor:
        """Latent of a motion, unseen parts filled in by the network.

        Args:
            R_local: [B, N, 15, 3, 3] local finger rotations at :meth:`grid_times`; any rotation where unseen.
            visible: [B, N, 15] 1 or True where seen.

        Returns:
            Posterior mean of z [B, D], whitened.
        """
        return self.whiten(self.vae.posterior(R_local, visible)[0])

    def whiten(self, own: Tensor) -> Tensor:
        """Whitened latents [B, D] of those in the VAE's own coordinates [B, D]."""
        return (own - self.whitening_mean) @ self.whitening_matrix.T


def load_prior(path: Path | None = None) -> MotionPrior:
    """Load a prior; without a path the shipped real-time one.

    Raises:
        AssetError: when the file is missing, altered or not a prior of this package.
    """
    checkpoint = load_checkpoint(asset_path(SHIPPED_PRIOR) if path is None else path)
    with torch.no_grad():
        return MotionPrior(checkpoint.vae, checkpoint.whitening, checkpoint.metadata)
