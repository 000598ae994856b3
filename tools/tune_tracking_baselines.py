#!/usr/bin/env python3
# SPDX-FileCopyrightText: 2026 The hmp_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Tune the baselines of ``hmp eval motion`` on windows that are never reported, and print their parameters.

Run from the repository root::

    python tools/tune_tracking_baselines.py leap_motion_60hz.npz --split config/prior_split.json

Windows are drawn from the recordings that the split does not hold out, with a seed of their own. Each parameter is
doubled, halved, and moved by a quarter in turn as long as the sum of the mean errors of observed joints, partly and
wholly hidden hands (wrist-relative, active windows) falls.
"""

import argparse
import sys
from collections.abc import Callable
from dataclasses import asdict, dataclass, fields, is_dataclass, replace
from functools import reduce
from pathlib import Path
from typing import Any, Final

import numpy as np
import torch

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from hmp_core.evaluation.baseline_models import shipped_baselines
from hmp_core.evaluation.detector_model import load_detector_model
from hmp_core.evaluation.detector_simulation import DetectorSimulation
from hmp_core.evaluation.metrics import wrist_aligned
from hmp_core.evaluation.occluded_window import OccludedWindow, occluded_windows
from hmp_core.evaluation.occlusion_report import parts_of
from hmp_core.evaluation.pose_mixture import pose_mixtures
from hmp_core.evaluation.recorded_motion import read_recorded_motion
from hmp_core.evaluation.tracked_hand import TrackedHand, track_hand
from hmp_core.evaluation.tracking_baselines import TrackingParameters, baselines
from hmp_core.hand.kinematics import HandKinematics
from hmp_core.hand.loading import load_hand_model
from hmp_core.perception.initializer import HandInitializer
from hmp_core.threads import use_one_thread
from hmp_core.training.corpus import read_held_out
from hmp_core.training.sources import read_joint_motion

SEED: Final = 77
FACTORS: Final = (2.0, 0.5, 1.25, 0.8)
ROUNDS: Final = 2
LARGEST: Final = 30.0
MOST_DRAWN: Final = 6
"""Windows drawn for one that is active."""
METHODS: Final = {
    "hold": ("hold",),
    "slerp": ("slerp",),
    "one_euro": ("one_euro_trust", "one_euro_fingers", "one_euro_wrist", "one_euro_turn"),
    "kalman": ("kalman",),
    "kalman_rts": ("kalman_rts",),
    "pca": ("pca",),
    "gmm": ("gmm",),
}


@dataclass(frozen=True)
class Case:
    """A window and what was seen of it."""

    window: OccludedWindow
    hand: TrackedHand


def error(method: Callable[[TrackedHand], Any], cases: list[Case]) -> float:
    """Sum over parts of the mean wrist-relative error [mm]."""
    sums = np.zeros((3, 2))
    for case in cases:
        truth = case.window.hand.joints
        with np.errstate(all="ignore"):
            distance = 1e3 * np.linalg.norm(wrist_aligned(method(case.hand)) - wrist_aligned(truth), axis=-1)
        for row, mask in enumerate(parts_of(case.window.hand.hidden).values()):
            values = distance[mask & case.window.judged[:, None]]
            sums[row] += values.sum(), len(values)
    total = float((sums[:, 0] / np.maximum(sums[:, 1], 1)).sum())
    return total if np.isfinite(total) else float("inf")


def numbers(parameters: Any, place: tuple[str, ...]) -> list[tuple[str, ...]]:
    """Where the numbers of nested parameters are."""
    if not is_dataclass(parameters):
        return [place]
    inside = ((getattr(parameters, item.name), (*place, item.name)) for item in fields(parameters))
    return [path for value, own in inside for path in numbers(value, own)]


def number_at(parameters: Any, path: tuple[str, ...]) -> float:
    """The number at a place."""
    return float(reduce(getattr, path, parameters))


def with_number(parameters: Any, path: tuple[str, ...], value: float) -> Any:
    """Parameters with another number at a place."""
    inner = with_number(getattr(parameters, path[0]), path[1:], value) if len(path) > 1 else value
    return replace(parameters, **{path[0]: inner})


def tuned(name: str, parameters: TrackingParameters, cases: list[Case], mixtures: Any) -> TrackingParameters:
    """The parameters with those of one method at a minimum."""
    best = error(baselines(parameters, mixtures)[name], cases)
    for _ in range(ROUNDS):
        before = best
        for path in [path for group in METHODS[name] for path in numbers(getattr(parameters, group), (group,))]:
            for factor in FACTORS:
                value = factor * number_at(parameters, path)
                if value > LARGEST:
                    continue
                tried = with_number(parameters, path, value)
                found = error(baselines(tried, mixtures)[name], cases)
                if found < best:
                    best, parameters = found, tried
        if best > 0.999 * before:
            break
    print(
        f"{name}: {best:.2f} mm", {group: asdict(getattr(parameters, group)) for group in METHODS[name]}, flush=True
    )
    return parameters


def main() -> None:
    """Draw windows, tune each method, print the result."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("file", type=Path, help="motion file")
    parser.add_argument("--split", type=Path, required=True, help="JSON file of the signs to leave out")
    parser.add_argument("--cache", type=Path, default=Path("~/.cache/hmp_ros"), help="folder of retargeted motion")
    parser.add_argument("--windows", type=int, default=26, help="active windows to tune on")
    parser.add_argument("--detector", type=Path, help="measured errors; by default the shipped ones")
    parser.add_argument("--methods", default=",".join(METHODS), help="which, with commas between")
    arguments = parser.parse_args()
    use_one_thread()
    models = shipped_baselines()
    if models is None:
        sys.exit("the pose models are missing; see hmp eval prior")
    model = load_hand_model()
    signs = frozenset(read_joint_motion(arguments.file).signs) - read_held_out(arguments.split)
    motion = read_recorded_motion(arguments.file, model, arguments.cache.expanduser(), signs)
    simulation = DetectorSimulation(load_detector_model(arguments.detector), HandInitializer(model))
    kinematics, cases = HandKinematics(model, torch.float64), []
    for number, window in enumerate(occluded_windows(motion, model, MOST_DRAWN * arguments.windows, SEED)):
        if not window.active or len(cases) == arguments.windows:
            continue
        frames = simulation.observe(window.hand, np.random.default_rng((SEED, number)))
        hand = track_hand(frames, kinematics)
        if hand is not None:
            cases.append(Case(window, hand))
    print(f"{len(cases)} active windows", flush=True)
    parameters, mixtures = TrackingParameters(), pose_mixtures(models)
    for name in ("detector", "initializer"):
        print(f"{name}: {error(baselines(parameters, mixtures)[name], cases):.2f} mm")
    for name in arguments.methods.split(","):
        parameters = tuned(name, parameters, cases, mixtures)
    print(parameters)


if __name__ == "__main__":
    main()
