# SPDX-FileCopyrightText: 2026 The hmp_ros authors
# SPDX-License-Identifier: Apache-2.0
"""How well one latent alone reproduces a window of which everything is seen."""

from dataclasses import dataclass

import roma
import torch
from torch import Tensor

from hmp_core.evaluation.prior_fill import fit_latents, on_grid
from hmp_core.evaluation.prior_gaps import GapWindows
from hmp_core.prior.prior import MotionPrior

_BATCH = 32


@dataclass(frozen=True)
class Reconstruction:
    """Windows reproduced by their latents.

    Attributes:
        encoded: [B, D] whitened latents by one encoder pass, before they are fitted.
        error_mm: [B] mean joint error [mm].
        acceleration: [B, 2] mean size of the second differences of decoded and of true joints [m per frame^2].
    """

    encoded: Tensor
    error_mm: Tensor
    acceleration: Tensor


def reconstruct(prior: MotionPrior, windows: GapWindows) -> Reconstruction:
    """Fit each window's latent, without the residual that the fitter adds, and decode it."""
    latents, errors, accelerations = [torch.empty(0, prior.latent_dim)], [torch.empty(0)], [torch.empty(0, 2)]
    for vectors, seen in zip(torch.split(windows.vectors, _BATCH), torch.split(windows.seen, _BATCH), strict=True):
        R_local = roma.rotvec_to_rotmat(vectors)
        latents.append(prior.encode(*on_grid(prior, R_local, seen, windows.times_s)))
        z = fit_latents(prior, latents[-1], R_local, seen, windows.times_s, residual_rad=0.0)
        decoded = roma.rotmat_to_rotvec(prior.decode(z, windows.times_s.expand(len(z), -1)))
        own, truth = prior.vae.bones.from_vectors(decoded), prior.vae.bones.from_vectors(vectors)
        recorded = seen[..., 0].float()
        distance = (own - truth).norm(dim=-1).mean(-1)
        errors.append(1e3 * (distance * recorded).sum(1) / recorded.sum(1))
        triple = recorded[:, 2:] * recorded[:, :-2]
        sizes = [ends.diff(n=2, dim=1).norm(dim=-1).mean(-1) for ends in (own, truth)]
        accelerations.append(torch.stack([(size * triple).sum(1) / triple.sum(1) for size in sizes], dim=1))
    return Reconstruction(torch.cat(latents), torch.cat(errors), torch.cat(accelerations))
