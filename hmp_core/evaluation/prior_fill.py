# SPDX-FileCopyrightText: 2026 The hmp_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What a motion prior makes of a window of which parts are hidden, many windows at once.

:func:`fill_by_prior` is what a fitter does on complete rotations: the latent near the encoder's that explains best
what is seen, plus a residual that keeps the detail which one latent blurs and carries it into the gap.
"""

from typing import Final

import roma
import torch
from torch import Tensor

from hmp_core.fitting.config import FitterConfig
from hmp_core.prior.chain import compose
from hmp_core.prior.gaps import tie_to_seen
from hmp_core.prior.prior import MotionPrior

_RESIDUAL_RAD: Final = 0.15
_RESIDUAL_S: Final = 1.5
_NOISE_RAD: Final = 0.06
"""Tuned on recordings of training signs: what the latent cannot follow, slowly and quickly changing."""
_STEPS: Final = 4
_MOST_TIMES: Final = 32
"""Times at which the latent is fitted; the residual is kept at all."""


def fill_by_prior(prior: MotionPrior, encoded: Tensor, R_local: Tensor, seen: Tensor, times_s: Tensor) -> Tensor:
    """Rotations where nothing is seen, from the fitted latent and the residual.

    Args:
        prior: the motion prior.
        encoded: [B, D] whitened latents of the encoder, for what is seen.
        R_local: [B, T, 15, 3, 3] local rotations, any where not seen.
        seen: [B, T, 15] True where seen.
        times_s: [T] increasing, regular times in the prior's window [s].

    Returns:
        [B, T, 15, 3, 3]; as given where seen.
    """
    z = fit_latents(prior, encoded, R_local, seen, times_s, _RESIDUAL_RAD)
    decoded = prior.decode(z, times_s.expand(len(z), -1))
    tied = tie_to_seen(roma.rotmat_to_rotvec(decoded), roma.rotmat_to_rotvec(R_local), seen)
    return torch.where(seen[..., None, None], R_local, roma.rotvec_to_rotmat(tied))


def on_grid(prior: MotionPrior, R_local: Tensor, seen: Tensor, times_s: Tensor) -> tuple[Tensor, Tensor]:
    """The encoder's inputs: its grid of times filled from the nearest frames.

    Args:
        prior: whose grid it is.
        R_local: [B, T, 15, 3, 3] local rotations.
        seen: [B, T, 15] True where seen.
        times_s: [T] increasing times [s].

    Returns:
        Rotations [B, N, 15, 3, 3] and visibility [B, N, 15], 1 where seen, on the grid.
    """
    grid = prior.grid_times()
    after = torch.searchsorted(times_s, grid.contiguous()).clamp(1, len(times_s) - 1)
    before = after - 1
    share = (grid - times_s[before]) / (times_s[after] - times_s[before])
    # A grid point just outside the first or last frame is worth that frame.
    inside = (share > -0.5) & (share < 1.5)
    share = share.clamp(0.0, 1.0)[:, None]
    # A frame that a grid point coincides with is enough; otherwise both neighbours must be seen.
    visible = (seen[:, before] | (share > 0.99)) & (seen[:, after] | (share < 0.01)) & inside[:, None]
    step = roma.rotmat_to_rotvec(compose(R_local[:, before].mT, R_local[:, after]))
    R_grid = compose(R_local[:, before], roma.rotvec_to_rotmat(share[..., None] * step))
    return R_grid, visible.float()


def fit_latents(
    prior: MotionPrior, encoded: Tensor, R_local: Tensor, seen: Tensor, times_s: Tensor, residual_rad: float
) -> Tensor:
    """Latents [B, D] that explain the seen rotations best under a Gaussian around ``encoded``, by Gauss-Newton.

    What a latent cannot follow is white noise plus a residual of ``residual_rad`` that changes slowly: its
    covariance over time weighs the evidence. The derivative is renewed for the first step only: the decoder bends
    little between the encoder's latent and the fitted one.
    """
    z, information = encoded, FitterConfig().latent_stddev ** -2
    stride = -(-len(times_s) // _MOST_TIMES)
    R_local, seen, times_s = R_local[:, ::stride], seen[:, ::stride], times_s[::stride].contiguous()
    J = torch.stack([prior.decode_with_jacobian(latent, times_s)[1] for latent in z])
    by_joint = J.unflatten(2, (15, 3)).permute(0, 2, 1, 3, 4)  # type: ignore[no-untyped-call]  # [B, 15, T, 3, D]
    weighted = _precision(times_s, seen, residual_rad) @ by_joint.flatten(3)
    rows, weighted = by_joint.flatten(1, 3), weighted.view_as(by_joint.flatten(3)).reshape(len(z), -1, z.shape[1])
    factor = torch.linalg.cholesky(weighted.mT @ rows + information * torch.eye(z.shape[1]))
    for _ in range(_STEPS):
        decoded = prior.decode(z, times_s.expand(len(z), -1))
        misses = seen[..., None] * roma.rotmat_to_rotvec(compose(R_local.mT, decoded))
        gradient = weighted.mT @ misses.transpose(1, 2).reshape(len(z), -1, 1)
        gradient += information * (z - encoded)[..., None]
        z = z - torch.cholesky_solve(gradient, factor)[..., 0]
    return z


def _correlation(times_s: Tensor) -> Tensor:
    """Correlation [T, T] of the residual between times [T] [s]."""
    return torch.exp(-(times_s[:, None] - times_s[None]).abs() / _RESIDUAL_S)


def _precision(times_s: Tensor, seen: Tensor, residual_rad: float) -> Tensor:
    """Inverse covariance [B, 15, T, T] of residual and noise among the seen times, zero elsewhere [1/rad^2]."""
    covariance = residual_rad**2 * _correlation(times_s) + _NOISE_RAD**2 * torch.eye(len(times_s))
    # Joints of a finger, and windows with the same gap, share one pattern.
    patterns, which = torch.unique(seen.transpose(1, 2).flatten(0, 1), dim=0, return_inverse=True)
    both = patterns[:, :, None] & patterns[:, None]
    padded = torch.where(both, covariance, torch.eye(len(times_s)))
    inverse: Tensor = torch.where(both, torch.linalg.inv(padded), 0.0)[which]
    return inverse.unflatten(0, (len(seen), -1))  # type: ignore[no-untyped-call,no-any-return]
