# SPDX-FileCopyrightText: 2026 The hmp_ros authors
# SPDX-License-Identifier: Apache-2.0
"""How well a motion prior reproduces, and fills in, recorded finger motion that it was not trained on."""

from dataclasses import dataclass
from typing import Final

import roma
import torch
from torch import Tensor

from hmp_core.hand.limits import limit_violation
from hmp_core.prior.chain import compose, rotations_in_wrist
from hmp_core.prior.prior import MotionPrior
from hmp_core.training.motion import FingerMotion

HIDDEN_FINGERS: Final = {
    "one": ((0,), (1,), (2,), (3,)),
    "three": ((0, 1, 2), (0, 1, 3), (0, 2, 3), (1, 2, 3)),
    "thumb": ((4,),),
    "all": ((0, 1, 2, 3, 4),),
}
"""Fingers of MANO order (index, middle, pinky, ring, thumb) that are hidden together."""
METHODS: Final = ("slerp", "hold", "encoder", "prior")
_ACTIVE_M_PER_S: Final = 0.03
_RESIDUAL_RAD: Final = 0.15
_RESIDUAL_S: Final = 1.5
_NOISE_RAD: Final = 0.06
"""Tuned on recordings of training signs: what the latent cannot follow, slowly and quickly changing."""
_GAUSS_NEWTON_STEPS: Final = 4
_MARGIN_S: Final = 0.2
_LIMIT_RAD: Final = 0.05
_SAMPLES: Final = 256


@dataclass(frozen=True)
class Window:
    """A piece of a recording and where it lies in the prior's window.

    Attributes:
        R: [T, 15, 3, 3] local rotations.
        times_s: [T] times in the window [s].
    """

    R: Tensor
    times_s: Tensor


def cut_windows(motion: FingerMotion, window_s: float, shortest_s: float, most: int) -> list[Window]:
    """Cut recordings into windows, centred where they are shorter, evenly picked down to ``most``."""
    windows, start = [], 0
    longest = int(window_s * motion.rate_hz + 1e-6) + 1
    for length in motion.lengths.tolist():
        for first in range(0, length, longest):
            vectors = motion.rotation_vectors[start + first : start + min(first + longest, length)]
            if len(vectors) > shortest_s * motion.rate_hz:
                times = torch.arange(len(vectors)) / motion.rate_hz
                times = times + 0.5 * (window_s - float(times[-1]))
                windows.append(Window(roma.rotvec_to_rotmat(vectors), times))
        start += length
    step = max(1.0, len(windows) / most)
    return [windows[int(i * step)] for i in range(min(most, len(windows)))]


def encode_window(prior: MotionPrior, window: Window, seen: Tensor) -> Tensor:
    """Latent [D] by one encoder pass; ``seen`` [T, 15] tells what it may use."""
    grid = prior.grid_times()
    # The grid takes the nearest recorded frame between its neighbours by interpolation, seen where both are.
    after = torch.searchsorted(window.times_s, grid.contiguous()).clamp(1, len(window.times_s) - 1)
    before = after - 1
    share = (grid - window.times_s[before]) / (window.times_s[after] - window.times_s[before])
    inside = (share > -0.05) & (share < 1.05)
    share = share.clamp(0.0, 1.0)
    step = roma.rotmat_to_rotvec(compose(window.R[before].mT, window.R[after]))
    R_grid = compose(window.R[before], roma.rotvec_to_rotmat(share[:, None, None] * step))
    visible = seen[before] * seen[after] * inside[:, None]
    return prior.encode(R_grid[None], visible[None])[0]


def fit_latent(
    prior: MotionPrior, window: Window, seen: Tensor, z: Tensor, residual_rad: float = _RESIDUAL_RAD
) -> Tensor:
    """Latent [D] that explains the seen rotations best under N(0, I), by Gauss-Newton from ``z``.

    What the latent cannot follow is a residual of ``residual_rad`` that changes slowly: its covariance over time
    weighs the evidence.
    """
    groups = _equally_seen(seen)
    for _ in range(_GAUSS_NEWTON_STEPS):
        R, J = prior.decode_with_jacobian(z, window.times_s)
        residual = roma.rotmat_to_rotvec(compose(window.R.mT, R))
        slopes = J.unflatten(1, (15, 3))  # type: ignore[no-untyped-call]
        normal, gradient = torch.eye(len(z)), z.clone()
        for frames, joints in groups:
            factor = torch.linalg.cholesky(_covariance(window.times_s[frames], residual_rad))
            by_z = slopes[frames][:, joints].flatten(1)
            rows = torch.linalg.solve_triangular(factor, by_z, upper=False).reshape(-1, len(z))
            misses = residual[frames][:, joints].flatten(1)
            misses = torch.linalg.solve_triangular(factor, misses, upper=False).flatten()
            normal += rows.T @ rows
            gradient += rows.T @ misses
        z = z - torch.linalg.solve(normal, gradient)
    return z


def with_residual(window: Window, decoded: Tensor, seen: Tensor) -> Tensor:
    """Decoded rotations plus, where hidden, what the seen frames lead one to expect that they miss."""
    offset = roma.rotmat_to_rotvec(compose(decoded.mT, window.R))
    filled = window.R.clone()
    for frames, joints in _equally_seen(seen):
        hidden = torch.nonzero(~torch.isin(torch.arange(len(seen)), frames)).flatten()
        if not len(hidden):
            continue
        times = window.times_s
        known = torch.linalg.solve(_covariance(times[frames], _RESIDUAL_RAD), offset[frames][:, joints].flatten(1))
        carried = (_RESIDUAL_RAD**2 * _correlation(times[hidden], times[frames]) @ known).view(
            len(hidden), len(joints), 3
        )
        where = (hidden[:, None], joints[None])
        filled[where] = compose(decoded[where], roma.rotvec_to_rotmat(carried))
    return filled


def _equally_seen(seen: Tensor) -> list[tuple[Tensor, Tensor]]:
    """Group joints by when they are seen: (frames, joints) index pairs; never-seen joints are left out."""
    patterns, which = torch.unique(seen > 0, dim=1, return_inverse=True)
    return [
        (torch.nonzero(patterns[:, k]).flatten(), torch.nonzero(which == k).flatten())
        for k in range(patterns.shape[1])
        if patterns[:, k].any()
    ]


def _correlation(a: Tensor, b: Tensor) -> Tensor:
    """Correlation of the residual between times."""
    return torch.exp(-(a[:, None] - b[None]).abs() / _RESIDUAL_S)


def _covariance(times_s: Tensor, residual_rad: float) -> Tensor:
    """Covariance of residual and noise at times [T], [T, T] [rad^2]."""
    return residual_rad**2 * _correlation(times_s, times_s) + _NOISE_RAD**2 * torch.eye(len(times_s))


def fill_slerp(window: Window, gap: slice) -> Tensor:
    """Rotations [T, 15, 3, 3] with the gap bridged by the shortest turn between its two sides."""
    left, right = window.R[gap.start - 1], window.R[gap.stop]
    span = window.times_s[gap.stop] - window.times_s[gap.start - 1]
    share = (window.times_s[gap] - window.times_s[gap.start - 1]) / span
    filled = window.R.clone()
    turn = roma.rotmat_to_rotvec(compose(left.mT, right))
    filled[gap] = compose(left, roma.rotvec_to_rotmat(share[:, None, None] * turn))
    return filled


def infill_errors(prior: MotionPrior, windows: list[Window], hidden: str, gap_s: float) -> dict[str, object]:
    """Mean error of the hidden fingers' joints beyond the knuckle in the middle of a gap seen from both sides.

    Args:
        prior: to be measured.
        windows: recordings.
        hidden: key of :data:`HIDDEN_FINGERS`; its combinations take turns.
        gap_s: length of the gap [s].

    Returns:
        For ``active`` (hidden joints truly moving, above 30 mm/s) and ``quiet`` the mean error by method [mm] and
        the number of ``windows``.
    """
    sums = {activity: dict.fromkeys(METHODS, 0.0) for activity in ("active", "quiet")}
    counts = dict.fromkeys(sums, 0)
    combinations = HIDDEN_FINGERS[hidden]
    for index, window in enumerate(windows):
        middle = 0.5 * prior.window_s
        inside = torch.nonzero((window.times_s - middle).abs() <= 0.5 * gap_s).flatten()
        if len(inside) < 2 or window.times_s[-1] - window.times_s[0] < gap_s + 2.0 * _MARGIN_S:
            continue
        gap = slice(int(inside[0]), int(inside[-1]) + 1)
        joints = [3 * finger + k for finger in combinations[index % len(combinations)] for k in range(3)]
        seen = torch.ones(len(window.times_s), 15)
        seen[gap, joints] = 0.0
        start = encode_window(prior, window, seen)
        times = window.times_s[None]
        encoded = prior.decode(start[None], times)[0]
        fitted = prior.decode(fit_latent(prior, window, seen, start)[None], times)[0]
        held = window.R.clone()
        held[gap] = window.R[gap.start - 1]
        filled = {
            "slerp": fill_slerp(window, gap),
            "hold": held,
            "encoder": encoded,
            "prior": with_residual(window, fitted, seen),
        }
        truth = _ends(prior, window.R)[gap][:, joints]
        speed = truth.diff(dim=0).norm(dim=-1).mean() / (window.times_s[1] - window.times_s[0])
        activity = "active" if speed > _ACTIVE_M_PER_S else "quiet"
        counts[activity] += 1
        for method, R in filled.items():
            # Fingers that stay seen are taken as seen: only the hidden ones' joints are compared.
            error = (_ends(prior, R)[gap][:, joints] - truth).norm(dim=-1).mean()
            sums[activity][method] += 1e3 * float(error)
    return {
        activity: {method: round(total / max(1, counts[activity]), 3) for method, total in sums[activity].items()}
        | {"windows": counts[activity]}
        for activity in sums
    }


def reconstruction_errors(prior: MotionPrior, windows: list[Window]) -> dict[str, float]:
    """Mean joint error [mm] of encode-decode and of the fitted latent, and the ratio of accelerations."""
    encoded_mm, fitted_mm, accelerations = [], [], []
    for window in windows:
        seen = torch.ones(len(window.times_s), 15)
        start = encode_window(prior, window, seen)
        truth = _ends(prior, window.R)
        fitted = fit_latent(prior, window, seen, start, residual_rad=0.0)
        encoded_ends = _ends(prior, prior.decode(start[None], window.times_s[None])[0])
        fitted_ends = _ends(prior, prior.decode(fitted[None], window.times_s[None])[0])
        encoded_mm.append((encoded_ends - truth).norm(dim=-1).mean())
        fitted_mm.append((fitted_ends - truth).norm(dim=-1).mean())
        accelerations.append(
            torch.stack([ends.diff(n=2, dim=0).norm(dim=-1).mean() for ends in (fitted_ends, truth)])
        )
    ratio = torch.stack(accelerations).mean(0)
    return {
        "encode_mm": 1e3 * float(torch.stack(encoded_mm).mean()),
        "fitted_mm": 1e3 * float(torch.stack(fitted_mm).mean()),
        "acceleration_ratio": float(ratio[0] / ratio[1]),
    }


def sample_sanity(prior: MotionPrior, seed: int = 0) -> dict[str, float]:
    """Share of frames of N(0, I) samples with a joint more than 3 degrees outside its limits, and their speed."""
    generator = torch.Generator().manual_seed(seed)
    z = torch.randn(_SAMPLES, prior.latent_dim, generator=generator)
    times = torch.linspace(0.0, prior.window_s, 61).expand(_SAMPLES, -1)
    R = prior.decode(z, times)
    outside = limit_violation(roma.rotmat_to_rotvec(R)).abs().amax((-1, -2))
    speed = _ends(prior, R).diff(dim=1).norm(dim=-1) * 60.0 / prior.window_s
    return {
        "limit_violations": float((outside > _LIMIT_RAD).float().mean()),
        "mean_speed_mm_per_s": 1e3 * float(speed.mean()),
        "latent_spread_first": float(prior.unwhitening_matrix.norm(dim=0)[0]),
        "latent_spread_last": float(prior.unwhitening_matrix.norm(dim=0)[-1]),
    }


def _ends(prior: MotionPrior, R_local: Tensor) -> Tensor:
    """Bone ends [..., 15, 3] relative to the wrist [m]."""
    ends: Tensor = prior.vae.bones(rotations_in_wrist(R_local))
    return ends
