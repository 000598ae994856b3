# SPDX-FileCopyrightText: 2026 The hmp_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What a prior makes up by itself: how varied, how close to motion that exists, how possible.

Clips are made up from random latents by the prior, by the linear model and by the mixture, and compared with
recorded ones:

* ``diversity``: as HMP measures it, the mean distance of the encoder's (whitened) latents over random pairs of
  clips. A prior that varies as much as recorded motion has the diversity of that motion; it is near the square
  root of twice the latent's size where latents are N(0, I).
* ``nearest_training_mm``: mean over clips of the mean joint distance to the nearest of the training clips that
  ship with the baselines, frame by frame. Far below that of recorded motion: copies; far above: inventions.
* ``limit_violations``: share of frames with a joint more than three degrees outside its anatomical limits.
"""

from dataclasses import dataclass
from typing import Final

import roma
import torch
from torch import Tensor

from hmp_core.evaluation.baseline_models import BaselineModels
from hmp_core.evaluation.prior_fill import on_grid
from hmp_core.hand.limits import limit_violation
from hmp_core.prior.prior import MotionPrior

SAMPLES: Final = 256
_LIMIT_RAD: Final = 0.05
_FRAMES: Final = 61
_COMPARED_TIMES: Final = 12
_CANDIDATES: Final = 64
_SEED: Final = 0


@dataclass(frozen=True)
class ClipFigures:
    """Figures of made-up or recorded clips; None where they could not be measured."""

    diversity: float | None
    nearest_training_mm: float | None
    limit_violations: float


def draw_prior(prior: MotionPrior) -> Tensor:
    """Clips [:data:`SAMPLES`, T, 15, 3] of rotation vectors from latents of N(0, I), over the prior's window."""
    generator = torch.Generator().manual_seed(_SEED)
    z = torch.randn(SAMPLES, prior.latent_dim, generator=generator)
    vectors: Tensor = roma.rotmat_to_rotvec(prior.decode(z, clip_times(prior).expand(SAMPLES, -1)))
    return vectors


def draw_baseline(models: BaselineModels, method: str, prior: MotionPrior) -> Tensor | None:
    """The same from ``pca`` or ``gmm``; None where their window is shorter than the prior's."""
    if models.window_s < prior.window_s - 1e-6:
        return None
    generator = torch.Generator().manual_seed(_SEED)
    return models.curves(models.sample(method, SAMPLES, generator), clip_times(prior))


def clip_times(prior: MotionPrior) -> Tensor:
    """Times [T] of the clips that are compared [s]."""
    return torch.linspace(0.0, prior.window_s, _FRAMES)


def resample(vectors: Tensor, from_s: Tensor, to_s: Tensor) -> Tensor:
    """Rotation vectors [B, T, 15, 3] at times [T] to times [T'] by straight lines, the ends' values beyond them."""
    after = torch.searchsorted(from_s, to_s).clamp(1, len(from_s) - 1)
    share = ((to_s - from_s[after - 1]) / (from_s[after] - from_s[after - 1])).clamp(0.0, 1.0)
    return torch.lerp(vectors[:, after - 1], vectors[:, after], share[:, None, None])


def measure_clips(
    prior: MotionPrior, vectors: Tensor, times_s: Tensor, models: BaselineModels | None
) -> ClipFigures:
    """Figures of clips.

    Args:
        prior: whose encoder measures diversity.
        vectors: [B, T, 15, 3] rotation vectors [rad].
        times_s: [T] their times in the prior's window [s].
        models: with the training clips.
    """
    outside = limit_violation(vectors).abs().amax((-1, -2)) > _LIMIT_RAD
    nearest = None if models is None else _nearest_mm(prior, vectors, times_s, models)
    return ClipFigures(_diversity(prior, vectors, times_s), nearest, float(outside.float().mean()))


def _diversity(prior: MotionPrior, vectors: Tensor, times_s: Tensor) -> float | None:
    """Mean distance over pairs at random, each clip in two of them."""
    if len(vectors) < 2:
        return None
    seen = torch.ones(vectors.shape[:3], dtype=torch.bool)
    z = prior.encode(*on_grid(prior, roma.rotvec_to_rotmat(vectors), seen, times_s))
    order = torch.randperm(len(z), generator=torch.Generator().manual_seed(_SEED))
    return float((z[order] - z[order.roll(1)]).norm(dim=-1).mean())


def _nearest_mm(prior: MotionPrior, vectors: Tensor, times_s: Tensor, models: BaselineModels) -> float | None:
    span = min(prior.window_s, models.window_s)
    frames = torch.linspace(0, int((times_s <= span + 1e-6).sum()) - 1, _COMPARED_TIMES).round().long()
    bones = prior.vae.bones
    known = bones.from_vectors(models.curves(models.clips, times_s[frames])).flatten(1, 2)
    own = bones.from_vectors(vectors[:, frames]).flatten(1, 2)
    if not len(own):
        return None
    # The mean distance is taken to those that are nearest in the mean square, which a matrix product finds.
    close = torch.cdist(own.flatten(1), known.flatten(1)).topk(min(_CANDIDATES, len(known)), largest=False).indices
    distances = [(clip - known[rows]).norm(dim=-1).mean(-1).amin() for clip, rows in zip(own, close, strict=True)]
    return 1e3 * float(torch.stack(distances).mean())
