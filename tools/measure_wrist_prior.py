#!/usr/bin/env python3
# SPDX-FileCopyrightText: 2026 The hmp_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Measure whether wrist motion and gravity help a linear prior to fill in fingers and wrist; prints Markdown.

Run from the repository root, with a motion file whose vertical axis is y (Leap recordings and HUMOTO are such)::

    python tools/measure_wrist_prior.py --data leap_motion_60hz.npz --foreign humoto_30hz.npz

The prior is the closed form that the encoder starts from (``hmp_core/prior/completion.py``), with channels of the
wrist beside the finger rotations, so a gain or its absence is of the data and not of a training run. Signs are
dealt into folds; every figure is of signs that nothing was fitted on, mean and standard deviation over folds.
``--foreign`` is filled by what was fitted on all of ``--data``.
"""

import argparse
import sys
from collections import defaultdict
from pathlib import Path

import numpy as np
import roma
import torch
from torch import Tensor
from torch.nn import functional as F

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from wrist_clips import (
    FINGERS,
    GRAVITY,
    GRID,
    PATH,
    STEP_S,
    TURN,
    VELOCITY,
    Hands,
    gap_windows,
    read_hands,
    training_clips,
    turn,
)

from hmp_core.evaluation.prior_gaps import ACTIVE_M_PER_S, ACTIVITIES, HAND_M, HIDDEN, hand_scale
from hmp_core.hand.loading import load_hand_model
from hmp_core.prior.chain import FingerBones
from hmp_core.prior.gaps import bridge_gaps, tie_to_seen
from hmp_core.threads import use_one_thread

COMPONENTS, NOISE_RAD = 128, 0.1
GAPS_S = (0.5, 1.0)
FEWEST = 10
"""Windows of a fold that make a figure."""
CHANNELS = {
    "fingers": FINGERS,
    "+ gravity": (*FINGERS, GRAVITY),
    "+ rotation": (*FINGERS, TURN),
    "+ angular velocity": (*FINGERS, VELOCITY),
    "+ way": (*FINGERS, PATH),
    "+ all": (*FINGERS, GRAVITY, TURN, VELOCITY, PATH),
    "rotation": (TURN,),
    "rotation, gravity": (GRAVITY, TURN),
}
FILLS_FINGERS = tuple(CHANNELS)[:6]
FILLS_WRIST = ("rotation", "rotation, gravity", "+ rotation", "+ all")
WITH_WRIST, WRIST = "all and wrist", "wrist"
FINGERS_HIDDEN = ("one", "three", "thumb", "all")
CASES = {case: HIDDEN[case] for case in FINGERS_HIDDEN} | {WITH_WRIST: HIDDEN["all"], WRIST: ((),)}
DAMPING_S = (0.02, 0.05, 0.1, 0.2, 0.4, 0.8)
Cells = dict[tuple[str, str, str, str], list[Tensor]]
"""Errors [mm or degrees] of windows by what is filled in, span, activity and method."""


class ClipGaussian:
    """Clips of some channels as a Gaussian, conditioned as in :class:`hmp_core.prior.completion.ClipCompletion`."""

    def __init__(self, clips: Tensor, channels: tuple[int, ...], weight: float) -> None:
        """Fit to clips [n, N, 19, 3], the wrist's channels scaled by a weight beside the fingers'."""
        self._channels = list(channels)
        beside = weight if channels[0] == FINGERS[0] else 1.0
        self._scale = torch.tensor([1.0 if channel in FINGERS else beside for channel in channels])[:, None]
        data = (clips[:, :, self._channels] * self._scale).flatten(1)
        count, most = (min(size, data.shape[1]) for size in (COMPONENTS, COMPONENTS + 16))
        self._mean = data.mean(0)
        _, singular, axes = torch.pca_lowrank(data - self._mean, q=most, center=False, niter=2)
        self._components = axes[:, :count] * (singular[:count] / (len(data) - 1) ** 0.5)

    def fill(self, clips: Tensor, seen: Tensor) -> Tensor:
        """Clips [B, N, 19, 3], this model's channels filled in where not seen [B, N, 19]."""
        own, shown = clips[:, :, self._channels] * self._scale, seen[:, :, self._channels]
        patterns, which = torch.unique(shown.flatten(1), dim=0, return_inverse=True)
        mask = patterns.repeat_interleave(3, dim=-1)
        systems = torch.stack([(row[:, None] * self._components).T @ self._components for row in mask])
        factors = torch.linalg.cholesky(systems + NOISE_RAD**2 * torch.eye(systems.shape[-1]))
        right = (mask[which] * (own.flatten(1) - self._mean)) @ self._components
        weights = torch.cholesky_solve(right[..., None], factors[which])[..., 0]
        completed = (self._mean + weights @ self._components.T).view_as(own)
        filled = clips.clone()
        filled[:, :, self._channels] = tie_to_seen(completed, own, shown) / self._scale
        return filled


class Gap:
    """One hidden span, and what fills it."""

    def __init__(self, train: Hands, kind: str, gap_s: float, weight: float) -> None:
        """Fit all models on clips whose reference is the last frame before the gap."""
        torch.manual_seed(0)
        self.span = f"{kind} {gap_s:g} s"
        self.count = round(gap_s / STEP_S)
        self.first = (GRID - self.count) // 2 if kind == "infill" else GRID - self.count
        self.hidden = slice(self.first, self.first + self.count)
        self._past_s = torch.arange(1, self.count + 1)[:, None] * STEP_S
        clips = training_clips(train, self.first - 1)
        self._models = {name: ClipGaussian(clips, channels, weight) for name, channels in CHANNELS.items()}
        missed = [angle(self._coast(clips, damping), clips[:, self.hidden, TURN]).mean() for damping in DAMPING_S]
        self.damping_s = DAMPING_S[int(torch.stack(missed).argmin())]

    def fills(self, case: str, windows: Tensor, seen: Tensor) -> dict[str, Tensor]:
        """Windows as each method completes them; "line" is SLERP for the wrist."""
        line = bridge_gaps(windows, seen)
        names = FILLS_WRIST if case == WRIST else FILLS_FINGERS
        names = tuple(CHANNELS) if case == WITH_WRIST else names
        filled = {"line": line} | {name: self._models[name].fill(windows, seen) for name in names}
        if case in (WRIST, WITH_WRIST):
            filled |= {"hold": line.clone(), "velocity": line.clone()}
            filled["hold"][:, self.hidden, TURN] = 0.0
            filled["velocity"][:, self.hidden, TURN] = self._coast(windows, self.damping_s)
        return filled

    def seen(self, recorded: Tensor, joints: list[int], wrist: bool) -> Tensor:
        """Mark channels [B, N, 19] that a method sees, with these finger rotations and perhaps the wrist hidden."""
        shown = recorded[..., None].repeat(1, 1, PATH + 1)
        shown[:, self.hidden, joints + ([GRAVITY, TURN, PATH] if wrist else [])] = 0.0
        there = F.pad(shown[..., TURN], (1, 1))
        shown[..., VELOCITY] = there[:, :-2] * there[:, 1:-1] * there[:, 2:]
        return shown

    def _coast(self, clips: Tensor, damping_s: float) -> Tensor:
        """Turn [B, n, 3] of a wrist that keeps its last angular velocity, which dies down."""
        velocity = -clips[:, self.first - 2 : self.first - 1, TURN] / STEP_S
        return velocity * damping_s * (1.0 - (-self._past_s / damping_s).exp())


def angle(A: Tensor, B: Tensor) -> Tensor:
    """Degrees between rotation vectors [..., 3]."""
    return torch.rad2deg(turn(roma.rotvec_to_rotmat(A), roma.rotvec_to_rotmat(B)).norm(dim=-1))


def measure(train: Hands, test: Hands, bones: FingerBones, weight: float) -> Cells:
    """Fit on some recordings and fill gaps of others."""
    cells: Cells = defaultdict(list)
    for gap in (Gap(train, kind, gap_s, weight) for kind in ("infill", "forecast") for gap_s in GAPS_S):
        windows, recorded = gap_windows(test, gap.first, gap.count)
        ends, turns = bones.from_vectors(windows[:, gap.hidden, :15]), windows[:, gap.hidden, TURN]
        speed = ends.diff(dim=1).norm(dim=-1).mean(1) * (hand_scale(bones) / STEP_S)
        turning = torch.deg2rad(angle(turns[:, 1:], turns[:, :-1])).mean(1) / STEP_S > ACTIVE_M_PER_S / HAND_M
        for case, fingers in ((case, fingers) for case, kinds in CASES.items() for fingers in kinds):
            joints = [3 * finger + joint for finger in fingers for joint in range(3)]
            moving = speed[:, joints].mean(1) > ACTIVE_M_PER_S
            seen = gap.seen(recorded, joints, case in (WRIST, WITH_WRIST))
            for name, filled in gap.fills(case, windows, seen).items():
                channels = CHANNELS.get(name, (*FINGERS, TURN))
                if joints and channels[0] == 0:
                    apart = bones.from_vectors(filled[:, gap.hidden, :15]) - ends
                    _keep(cells, case, gap.span, name, 1e3 * apart.norm(dim=-1)[..., joints].mean((1, 2)), moving)
                if case in (WRIST, WITH_WRIST) and TURN in channels:
                    what = f"wrist, fingers {'hidden' if joints else 'seen'}"
                    _keep(cells, what, gap.span, name, angle(filled[:, gap.hidden, TURN], turns).mean(1), turning)
    return cells


def _keep(cells: Cells, what: str, span: str, name: str, error: Tensor, active: Tensor) -> None:
    cells[what, span, "active", name].append(error[active])
    cells[what, span, "quiet", name].append(error[~active])


def print_tables(folds: list[Cells]) -> None:
    """Print errors of fingers and wrist: of one method, and how much more or less the others err."""
    fingers, wrist = (*FINGERS_HIDDEN, WITH_WRIST), ("wrist, fingers hidden", "wrist, fingers seen")
    for activity in ACTIVITIES:
        _print_table(folds, activity, fingers, "mm", ("fingers", "line", *FILLS_FINGERS[1:]))
    for activity in ACTIVITIES:
        _print_table(folds, activity, wrist, "degrees", ("line", "hold", "velocity", *FILLS_WRIST))


def _print_table(
    folds: list[Cells], activity: str, rows: tuple[str, ...], unit: str, names: tuple[str, ...]
) -> None:
    """Errors of the first method, mean of folds; differences of the others from it, mean and deviation of folds."""
    print(f"\n| {activity} (windows) | {names[0]}, {unit} | {' | '.join(names[1:])} |")
    print("|---|" + "---|" * len(names))
    for what, span in ((what, span) for what in rows for span in dict.fromkeys(key[1] for key in folds[0])):
        errors = {name: [torch.cat(fold[what, span, activity, name]) for fold in folds] for name in names}
        used = [fold for fold, error in enumerate(errors[names[0]]) if len(error) >= FEWEST]
        means = {name: np.array([float(error[fold].mean()) for fold in used]) for name, error in errors.items()}
        if used:
            differences = [100.0 * (means[name] / means[names[0]] - 1.0) for name in names[1:]]
            shown = [
                f"{each.mean():+.1f} %" + (f" ± {each.std():.1f}" if len(used) > 1 else "") for each in differences
            ]
            count = sum(len(errors[names[0]][fold]) for fold in used)
            print(f"| {what}, {span} ({count}) | {means[names[0]].mean():.1f} | {' | '.join(shown)} |")


def main() -> None:
    """Measure on held-out folds of the data, then on the foreign file."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True, help="motion file whose signs are dealt into folds")
    parser.add_argument("--foreign", type=Path, help="motion file that nothing is fitted on")
    parser.add_argument("--cache", type=Path, default=Path("~/.cache/hmp_ros"), help="folder of retargeted motion")
    parser.add_argument("--folds", type=int, default=5, help="parts that the signs are split into")
    parser.add_argument("--weight", type=float, default=0.3, help="of the wrist's channels beside the fingers")
    arguments = parser.parse_args()
    use_one_thread()
    cache, bones = arguments.cache.expanduser(), FingerBones.of(load_hand_model())
    hands = read_hands(arguments.data, cache)
    signs = np.array(hands.fingers.labels)
    names = np.random.default_rng(0).permutation(sorted(set(hands.fingers.labels)))
    folds = []
    for fold in range(arguments.folds):
        held = torch.from_numpy(np.isin(signs, names[fold :: arguments.folds]))
        folds.append(measure(hands.select(~held), hands.select(held), bones, arguments.weight))
        print(f"fold {fold + 1} of {arguments.folds}", file=sys.stderr, flush=True)
    print(f"{arguments.data.name}, {arguments.folds} folds over signs")
    print_tables(folds)
    if arguments.foreign:
        print(f"\n{arguments.foreign.name}, fitted on {arguments.data.name}")
        print_tables([measure(hands, read_hands(arguments.foreign, cache), bones, arguments.weight)])


if __name__ == "__main__":
    main()
