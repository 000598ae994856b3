# SPDX-FileCopyrightText: 2026 The hmp_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Every method's fill of the same gaps, and its error against the forward kinematics of the truth.

Errors are mean distances of the hidden fingers' joints beyond the knuckle (thumb: MCP, IP and tip), in the wrist
frame, over the hidden frames.
"""

from collections.abc import Iterator
from dataclasses import replace
from typing import Final

import roma
import torch
from torch import Tensor

from hmp_core.evaluation.baseline_fill import ClipCompletion
from hmp_core.evaluation.baseline_models import BaselineModels, BaselineParameters
from hmp_core.evaluation.prior_fill import fill_by_prior, on_grid
from hmp_core.evaluation.prior_gaps import Gaps, GapWindows, cut_windows, fits, sides
from hmp_core.evaluation.prior_interpolation import Edges, cubic, hold, slerp, velocity
from hmp_core.prior.chain import FingerBones
from hmp_core.prior.prior import MotionPrior
from hmp_core.training.motion import FingerMotion

METHODS: Final = ("prior", "encoder", "hold", "velocity", "slerp", "cubic", "pca", "gmm")
_BATCH: Final = 32


def interpolation_errors(
    motion: FingerMotion, gaps: Gaps, forecast: bool, parameters: BaselineParameters, bones: FingerBones
) -> dict[str, Tensor]:
    """Errors [B] [mm] of hold, velocity, slerp and cubic."""
    before, truth, after = sides(motion, gaps)
    edges = Edges(before, None if forecast else after, gaps.frames, motion.rate_hz)
    settings = parameters.interpolation
    filled = {
        "hold": hold(edges),
        "velocity": velocity(edges, settings),
        "slerp": slerp(edges),
        "cubic": cubic(edges, settings),
    }
    ends = bones.from_vectors(truth)
    return {
        method: _errors_mm(bones.from_vectors(vectors), ends, gaps.joints) for method, vectors in filled.items()
    }


def model_errors(
    motion: FingerMotion, gaps: Gaps, forecast: bool, models: BaselineModels, bones: FingerBones
) -> dict[str, Tensor]:
    """Errors [B] [mm] of pca and gmm; none where their window does not hold the gap."""
    if not fits(gaps.frames / motion.rate_hz, models.window_s, forecast):
        return {}
    windows = cut_windows(motion, gaps, models.window_s, forecast)
    filled = ClipCompletion(models, windows.times_s).fill(windows.vectors, windows.seen)
    truth = bones.from_vectors(sides(motion, gaps)[1])
    return {
        method: _errors_mm(bones.from_vectors(_in_gap(vectors, windows)), truth, gaps.joints)
        for method, vectors in filled.items()
    }


def prior_errors(
    motion: FingerMotion, gaps: Gaps, forecast: bool, prior: MotionPrior
) -> tuple[dict[str, Tensor], Tensor]:
    """Errors of the fitted prior and of its encoder, and how honest the encoder's variance is.

    Returns:
        Errors [B] [mm], none where the prior's window does not hold the gap. And, for infill, a ratio for each
        window: the mean over coordinates of the squared change of the latent's mean when the gap is seen, plus the
        variance that is left then, over the variance stated with the gap.
    """
    if not fits(gaps.frames / motion.rate_hz, prior.window_s, forecast):
        return {}, torch.empty(0)
    bones = prior.vae.bones
    errors: dict[str, list[Tensor]] = {"prior": [], "encoder": []}
    ratios = [torch.empty(0)]
    for some in _batches(gaps):
        windows = cut_windows(motion, some, prior.window_s, forecast)
        truth = bones.from_vectors(sides(motion, some)[1])
        R_seen = roma.rotvec_to_rotmat(windows.vectors)
        times = windows.times_s
        mean, log_variance = _posterior(prior, R_seen, windows)
        z = prior.whiten(mean)
        fitted = fill_by_prior(prior, z, R_seen, windows.seen, times)
        decoded = prior.decode(z, times.expand(len(z), -1))
        for method, R in (("prior", fitted), ("encoder", decoded)):
            vectors = _in_gap(roma.rotmat_to_rotvec(R), windows)
            errors[method].append(_errors_mm(bones.from_vectors(vectors), truth, some.joints))
        if not forecast:
            nothing = replace(some, joints=torch.zeros_like(some.joints))
            whole = cut_windows(motion, nothing, prior.window_s, forecast=False)
            true_mean, least_log_variance = _posterior(prior, roma.rotvec_to_rotmat(whole.vectors), whole)
            # By the law of total variance an honest posterior gives 1.
            change = (true_mean - mean).square() + least_log_variance.exp()
            ratios.append((change / log_variance.exp()).mean(-1))
    return {method: torch.cat(parts) for method, parts in errors.items()}, torch.cat(ratios)


def _posterior(prior: MotionPrior, R_local: Tensor, windows: GapWindows) -> tuple[Tensor, Tensor]:
    """Mean and log variance [B, D], both in the VAE's own coordinates, of rotations [B, T, 15, 3, 3] of windows."""
    mean, log_variance = prior.vae.posterior(*on_grid(prior, R_local, windows.seen, windows.times_s))[:2]
    return mean, log_variance


def _batches(gaps: Gaps) -> Iterator[Gaps]:
    for begin in range(0, len(gaps), _BATCH):
        some = slice(begin, begin + _BATCH)
        yield Gaps(gaps.first[some], gaps.frames, gaps.begin[some], gaps.end[some], gaps.joints[some])


def _in_gap(vectors: Tensor, windows: GapWindows) -> Tensor:
    """Hidden frames [B, n, 15, 3] of windows [B, T, 15, 3]."""
    return vectors[torch.arange(len(vectors))[:, None], windows.gap]


def _errors_mm(ends: Tensor, truth: Tensor, joints: Tensor) -> Tensor:
    """Mean distance [B] [mm] of bone ends [B, n, 15, 3] over frames and hidden joints [B, 15]."""
    distance = (ends - truth).norm(dim=-1).mean(1)
    errors: Tensor = 1e3 * (distance * joints).sum(-1) / joints.sum(-1)
    return errors
