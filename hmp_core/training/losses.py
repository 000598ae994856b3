# SPDX-FileCopyrightText: 2026 The hmp_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What the real-time prior is trained on: gaps, reproduction, nearness to the unit Gaussian."""

from dataclasses import dataclass

import torch
from torch import Tensor

from hmp_core.prior.chain import FingerBones
from hmp_core.prior.encoder import ClipCode
from hmp_core.prior.gaps import bridge_gaps, tie_to_seen

_PER_METRE = 100.0
_PER_RADIAN = 3.0
"""A centimetre weighs as much as a third of a radian."""
_STILL_M = 0.004
"""A straight bridge that misses no more than this counts as right."""
_ENCODER_SHARE = 0.5
_FREE_TIME_SHARE = 0.3


@dataclass(frozen=True)
class TrueClip:
    """What a clip really did.

    Attributes:
        grid: [B, N, 15, 3] local rotation vectors on the encoder's grid [rad].
        times: [B, T, 15, 3] the same at the free times.
        recorded_grid: [B, N] 1 inside the recording.
        recorded_times: [B, T] as above.
    """

    grid: Tensor
    times: Tensor
    recorded_grid: Tensor
    recorded_times: Tensor


@dataclass(frozen=True)
class MotionLoss:
    """Terms of one batch, scalars.

    Attributes:
        gap: of what was hidden, filled by the latent and tied to what was seen; a half of the same for the
            encoder's own fill is in it.
        reproduction: of what was seen, by the latent alone.
        divergence: mean KL divergence of the posterior from N(0, I) per clip [nat].
        gap_mm: mean error of the bone ends in what was hidden, weighted as in the loss [mm].
        reproduction_mm: the same of what was seen.
    """

    gap: Tensor
    reproduction: Tensor
    divergence: Tensor
    gap_mm: Tensor
    reproduction_mm: Tensor


def motion_loss(
    code: ClipCode,
    decoded: Tensor,
    given: Tensor,
    seen: Tensor,
    truth: TrueClip,
    bones: FingerBones,
    evenness: float,
) -> MotionLoss:
    """Compare what the networks made of clips with the truth.

    Gaps are judged as a fitter fills them: by the decoded motion plus what it misses at the gap's ends, carried
    straight across. The latent then owes a gap its shape and not its offset, and a still hand costs nothing.

    Args:
        code: of the clips.
        decoded: [B, N + T, 15, 3] rotation vectors that a drawn latent gives on the grid and at the free times.
        given: [B, N, 15, 3] what the encoder got, errors included.
        seen: [B, N, 15] 1 where it got to see it.
        truth: of the same clips.
        bones: of the hand.
        evenness: from 0, a millimetre missed weighs the same in every gap, to 1, it weighs against what a
            straight bridge would miss in that clip's gaps.
    """
    grid = given.shape[1]
    tied = tie_to_seen(decoded[:, :grid], given, seen)
    everything = torch.cat((truth.grid, truth.times, decoded, tied, code.filled), dim=1)
    ends = bones.from_vectors(everything)
    sizes = [decoded.shape[1], decoded.shape[1], grid, grid]
    true_ends, decoded_ends, tied_ends, filled_ends = torch.split(ends, sizes, dim=1)
    recorded = truth.recorded_grid.unsqueeze(-1)
    hidden = (1.0 - seen) * recorded
    bridge_m = _bridge_misses(hidden, given, seen, true_ends[:, :grid], bones)
    hidden = hidden / (bridge_m + _STILL_M) ** evenness
    hidden = hidden / hidden.sum().clamp_min(1e-6)
    gap_m = _misses(tied_ends, true_ends[:, :grid], hidden)
    gap = _PER_METRE * gap_m + _PER_RADIAN * _step_misses(tied, truth.grid, hidden)
    filled = _PER_METRE * _misses(filled_ends, true_ends[:, :grid], hidden)
    gap = gap + _ENCODER_SHARE * (filled + _PER_RADIAN * _step_misses(code.filled, truth.grid, hidden))
    at_times = (_FREE_TIME_SHARE * truth.recorded_times).unsqueeze(-1).expand(-1, -1, given.shape[2])
    known = _normalised(torch.cat((seen * recorded, at_times), dim=1))
    reproduction_m = _misses(decoded_ends, true_ends, known)
    angles = (decoded - torch.cat((truth.grid, truth.times), dim=1)).abs().sum(-1)
    reproduction = _PER_METRE * reproduction_m + _PER_RADIAN * (angles * known).sum()
    spread = 0.5 * (code.mean.square() + code.log_variance.exp() - 1.0 - code.log_variance).sum(-1).mean()
    return MotionLoss(gap, reproduction, spread, 1e3 * gap_m, 1e3 * reproduction_m)


@torch.no_grad()
def _bridge_misses(hidden: Tensor, given: Tensor, seen: Tensor, true_ends: Tensor, bones: FingerBones) -> Tensor:
    """Mean error [B, 1, 1] of a straight bridge across each clip's gaps [m]."""
    bridged_ends = bones.from_vectors(bridge_gaps(given, seen))
    missed = ((bridged_ends - true_ends).norm(dim=-1) * hidden).sum((1, 2), keepdim=True)
    mean: Tensor = missed / hidden.sum((1, 2), keepdim=True).clamp_min(1.0)
    return mean


def _normalised(weight: Tensor) -> Tensor:
    return weight / weight.sum().clamp_min(1.0)


def _misses(points: Tensor, truth: Tensor, weight: Tensor) -> Tensor:
    """Weighted mean distance of points [B, N, 15, 3] [m]."""
    return ((points - truth).square().sum(-1).clamp_min(1e-12).sqrt() * weight).sum()


def _step_misses(vectors: Tensor, truth: Tensor, weight: Tensor) -> Tensor:
    """Weighted mean error of the change from frame to frame [rad]."""
    return ((vectors.diff(dim=1) - truth.diff(dim=1)).abs().sum(-1) * weight[:, 1:]).sum()
