#!/usr/bin/env python3
# SPDX-FileCopyrightText: 2026 The hmp_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Measure the real detector's errors on rendered hands behind passing things: ``detector_model.safetensors``.

Run from the repository root::

    python tools/measure_detector.py --scenes 21

Each scene shows one hand for six seconds at 30 Hz while four things pass in front of it, every second one large
enough to hide all of it. Sightings are kept in ``--keep`` so that a run that was cut short goes on where it was.
"""

import argparse
import sys
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from rich.progress import track
from scipy.optimize import curve_fit
from scipy.spatial.transform import Rotation
from scipy.stats import norm

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from detector_sightings import Sightings, in_crops, sight

from hmp_core.assets.manifest import ASSETS_DIR, record_asset
from hmp_core.evaluation.detector_model import (
    COMMON,
    HALF,
    KEYPOINT,
    KEYPOINT_SIGMA,
    KINDS,
    LANDMARK,
    LANDMARK_SIGMA,
    LEVELS,
    NUMBERS,
    PLACES,
    RATE_HZ,
    SHIPPED_DETECTOR_MODEL,
    STATES,
    DetectorModel,
    error_size,
    joint_states,
    save_detector_model,
)  # fmt: skip
from hmp_core.hand.loading import load_hand_model
from hmp_core.hand.skeleton import NUM_JOINTS
from hmp_core.threads import use_one_thread

FEATURES, RIDGE = 8, 100.0
"""Least error on scenes left out."""
FOLDS: Final = 5
LEAST_IN_SIGHT: Final = 5
LEAST_ROWS: Final = 100
COVER_EDGES: Final = np.array([0.0, 0.01, 0.2, 0.4, 0.6, 0.8, 0.97, 1.01])
LAGS: Final = (1, 2, 3, 4, 6, 8, 11, 15, 20, 26)
_WHITE_DIFFERENCE: Final = 6.0
"""Variance of a second difference of white noise of unit variance."""


def common_part(
    landmarks: NDArray[np.float64], said: NDArray[np.float64], hidden: NDArray[np.bool_]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Rotation vector and log scale [4] that carry ``said`` onto the landmarks, and these without it [21, 3]."""
    used = ~hidden if np.count_nonzero(~hidden) > LEAST_IN_SIGHT else np.ones(NUM_JOINTS, dtype=bool)
    turn, _ = Rotation.align_vectors(landmarks[used], said[used])
    turned = turn.apply(said)
    scale = max((landmarks[used] * turned[used]).sum() / (turned[used] ** 2).sum(), 0.2)
    return np.append(turn.as_rotvec(), np.log(scale)), turn.inv().apply(landmarks) / scale


def shrinkage(seen: NDArray[np.float64], said: NDArray[np.float64], average: NDArray[np.float64],
              states: NDArray[np.int64]) -> NDArray[np.float64]:  # fmt: skip
    """Regression [5, 5] of what was seen on what would be said in plain sight, both from the average."""
    shrink = np.ones((STATES, 5))
    for state in range(1, STATES):
        for place in range(5):
            chosen = (states == state) & (place == PLACES)
            x, y = (said - average)[chosen], (seen - average)[chosen]
            # A few hundred numbers' worth of belief in 1 keeps rare states sensible.
            belief = 300 * (x**2).mean() if x.any() else 1.0
            shrink[state, place] = np.clip(((x * y).sum() + belief) / ((x**2).sum() + belief), 0.0, 1.0)
    return shrink


def scales(error: NDArray[np.float64], states: NDArray[np.int64]) -> NDArray[np.float64]:
    """Root mean square [5, 5] of errors by state and place, winsorised; rare ones take their state's."""
    size = np.ones((STATES, 5))
    for state in range(STATES):
        every = error[states == state]
        for place in range(5):
            own = error[(states == state) & (place == PLACES)]
            values = np.abs(own if len(own) > LEAST_ROWS and own.any() else every)
            values = values[np.isfinite(values).all(axis=-1)]
            size[state, place] = np.sqrt((np.minimum(values, np.percentile(values, 98)) ** 2).mean())
    return size


def sigma_given_error(
    sigma: NDArray[np.float64], size: NDArray[np.float64], states: NDArray[np.int64], inside: NDArray[np.bool_]
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
    """Mean and spread [2, 5, 5] of the log of stated sigmas beside what the error explains of it, the slopes [5] of
    that on the error's size, and what remains as normal scores [N, 21]."""
    logs = np.where(inside, np.log(np.where(inside, sigma, 1.0)), np.nan)
    table, slopes, scores = np.zeros((2, STATES, 5)), np.zeros(STATES), np.full(sigma.shape, np.nan)
    for state in range(STATES):
        chosen = (states == state) & inside & (PLACES > 0)
        slopes[state] = np.polyfit(size[chosen], logs[chosen], 1)[0]
        rest = logs - slopes[state] * size
        for place in range(5):
            here = (states == state) & (place == PLACES)
            own = rest[here & inside]
            own = own if len(own) > LEAST_ROWS else rest[(states == state) & inside]
            table[:, state, place] = own.mean(), own.std()
            scores[here] = np.clip((rest[here] - own.mean()) / own.std(), -3, 3)
    return table, slopes, scores


def to_normal(values: NDArray[np.float64], quantiles: NDArray[np.float64]) -> NDArray[np.float64]:
    """Normal scores of values by a table of quantiles."""
    return np.asarray(norm.ppf(np.interp(values, quantiles, LEVELS)))


def measure(scenes: list[dict[str, NDArray[Any]]]) -> DetectorModel:
    """All figures of the model."""
    data = in_crops(scenes)
    states, share = joint_states(data.hidden), data.hidden.mean(axis=1)
    cover = np.where(share == 0, 0, np.where(share < HALF, 1, 2))
    clear = share == 0
    flat = data.points[:, 1:].reshape(-1, 60)
    mean = flat[clear].mean(axis=0)
    axes = np.linalg.svd(flat[clear] - mean, full_matrices=False)[2]
    features = (flat - mean) @ axes[:FEATURES].T
    deviation = features[clear].std(axis=0)
    design = np.concatenate([np.ones((len(flat), 1)), features / deviation], axis=1)
    true = np.concatenate([data.places.reshape(-1, 42), flat], axis=1)
    bias = np.concatenate([data.keypoints.reshape(-1, 42), data.landmarks[:, 1:].reshape(-1, 60)], axis=1) - true
    mapping = ridge(design[clear], bias[clear])
    # Errors are those of maps that have not seen the scene.
    said = np.zeros((len(flat), NUM_JOINTS, 2))
    said_3d = np.zeros((len(flat), NUM_JOINTS, 3))
    for fold in range(FOLDS):
        own = data.scene % FOLDS == fold
        told = true[own] + design[own] @ ridge(design[clear & ~own], bias[clear & ~own])
        said[own], said_3d[own, 1:] = told[:, :42].reshape(-1, NUM_JOINTS, 2), told[:, 42:].reshape(-1, 20, 3)
    average, average_3d = said[clear].mean(axis=0), said_3d[clear].mean(axis=0)
    parts = [common_part(*row) for row in zip(data.landmarks, said_3d, data.hidden, strict=True)]
    common, landmarks = np.array([part[0] for part in parts]), np.array([part[1] for part in parts])

    shrink = shrinkage(data.keypoints, said, average, states)
    shrink_3d = shrinkage(landmarks, said_3d, average_3d, states)
    by = shrink[states, PLACES][..., None]
    error = data.keypoints - average - by * (said - average)
    by = shrink_3d[states, PLACES][..., None]
    error_3d = landmarks - average_3d - by * (said_3d - average_3d)
    inside = np.isfinite(data.keypoint_sigma)
    error[~inside], error_3d[~inside] = np.nan, np.nan
    scale, scale_3d = scales(error, states), scales(error_3d, states)
    error /= scale[states, PLACES][..., None]
    error_3d /= scale_3d[states, PLACES][..., None]

    numbers = np.full((len(states), NUMBERS), np.nan)
    quantiles, quantiles_3d = np.zeros((STATES, len(LEVELS))), np.zeros((STATES, len(LEVELS)))
    for table, values, where in ((quantiles, error, KEYPOINT), (quantiles_3d, error_3d, LANDMARK)):
        scores = np.full(values.shape, np.nan)
        for state in range(STATES):
            chosen = (states == state) & inside & (np.arange(NUM_JOINTS) >= (where is LANDMARK))
            table[state] = np.quantile(values[chosen], LEVELS)
            scores[chosen] = to_normal(values[chosen], table[state])
        numbers[:, where] = scores.reshape(len(states), -1)[:, -(where.stop - where.start) :]
    common_quantiles = np.zeros((3, 4, len(LEVELS)))
    for some in range(3):
        for axis in range(4):
            values = common[cover == some, axis]
            common_quantiles[some, axis] = np.quantile(values, LEVELS)
            numbers[cover == some, COMMON.start + axis] = to_normal(values, common_quantiles[some, axis])
    stated, slopes = [], []
    for values, errors, where in (
        (data.keypoint_sigma, error, KEYPOINT_SIGMA), (data.landmark_sigma, error_3d, LANDMARK_SIGMA),
    ):  # fmt: skip
        table, slope, scores = sigma_given_error(values, error_size(errors), states, inside)
        stated.append(table)
        slopes.append(slope)
        numbers[:, where] = scores

    return DetectorModel(
        shape_mean=mean, shape_axes=axes[:FEATURES] / deviation[:, None],
        keypoint_map=mapping[:, :42], landmark_map=mapping[:, 42:],
        keypoint_average=average, landmark_average=average_3d,
        keypoint_shrink=shrink, landmark_shrink=shrink_3d, keypoint_scale=scale, landmark_scale=scale_3d,
        keypoint_quantiles=quantiles, landmark_quantiles=quantiles_3d, common_quantiles=common_quantiles,
        keypoint_sigma=stated[0], landmark_sigma=stated[1], keypoint_candour=slopes[0], landmark_candour=slopes[1],
        correlation=correlation(numbers),
        persistence=np.array(
            [[persistence(numbers[:, kind], data, chosen) for kind in KINDS] for chosen in (clear, ~clear)]
        ),
        presence=np.array([data.presence[cover == some].mean() for some in range(3)]),
        **detection(scenes),
    )  # fmt: skip


def correlation(numbers: NDArray[np.float64]) -> NDArray[np.float64]:
    """Correlation matrix of columns with gaps, made positive definite."""
    valid = np.isfinite(numbers)
    filled = np.where(valid, numbers, 0.0)
    both = np.maximum(valid.T.astype(float) @ valid, 1.0)
    raw = filled.T @ filled / both
    raw /= np.sqrt(np.outer(np.diag(raw), np.diag(raw)))
    values, vectors = np.linalg.eigh(raw)
    fixed = (vectors * np.maximum(values, 1e-3)) @ vectors.T
    return np.asarray(fixed / np.sqrt(np.outer(np.diag(fixed), np.diag(fixed))))


def ridge(design: NDArray[np.float64], seen: NDArray[np.float64]) -> NDArray[np.float64]:
    """Linear map from features [N, 1 + F] to what was seen [N, D]; the constant is not penalised."""
    penalty = np.diag([0.0] + [RIDGE] * FEATURES)
    return np.asarray(np.linalg.solve(design.T @ design + penalty, design.T @ seen))


def persistence(
    numbers: NDArray[np.float64], data: Sightings, chosen: NDArray[np.bool_]
) -> tuple[float, float, float]:
    """Share that stays, share that fades, and its time constant [s], from correlations over time.

    What is new in every image shows in the second differences, where the rest hardly does; correlations, which rare
    jumps lower, would tell too much of it.
    """
    keys = list(zip(data.scene.tolist(), data.image.tolist(), strict=True))
    at = {key: row for row, key in enumerate(keys) if chosen[row]}
    valid = np.isfinite(numbers)
    filled = np.where(valid, numbers, 0.0)
    found = []
    for lag in LAGS:
        pairs = np.array(
            [(row, at[scene, image + lag]) for (scene, image), row in at.items() if (scene, image + lag) in at]
        )
        one, two = pairs.T
        both = valid[one] & valid[two]
        power = np.sqrt((filled[one] ** 2 * both).sum() * (filled[two] ** 2 * both).sum())
        found.append((filled[one] * filled[two]).sum() / power)
    times = np.array(LAGS) / RATE_HZ

    def course(t: NDArray[np.float64], stays: float, fades: float, tau: float) -> NDArray[np.float64]:
        return np.asarray(stays + fades * (1 + t / tau) * np.exp(-t / tau))

    bounds = ([0, 0, 0.02], [0.95, 1, 2])
    (stays, fades, tau), _ = curve_fit(course, times, found, (0.2, 0.6, 0.2), bounds=bounds, sigma=np.sqrt(times))
    triples = np.array(
        [
            (at[scene, image - 1], row, at[scene, image + 1])
            for (scene, image), row in at.items()
            if (scene, image - 1) in at and (scene, image + 1) in at
        ]
    )
    before, now, after = (numbers[rows] for rows in triples.T)
    seen = np.nanmean((before - 2 * now + after) ** 2) / _WHITE_DIFFERENCE
    once, twice = course(np.array([1.0, 2.0]) / RATE_HZ, 0.0, 1.0, tau)
    fresh = max(seen - fades * (6 - 8 * once + 2 * twice) / _WHITE_DIFFERENCE, 0.0)
    total = (stays + fades) / (1 - fresh)
    return stays / total, fades / total, tau


def detection(scenes: list[dict[str, NDArray[Any]]]) -> dict[str, NDArray[np.float64]]:
    """Chances per image of losing a hand that was seen and of finding one that was not, by share hidden."""
    bins = len(COVER_EDGES) - 1
    counts = np.zeros((2, 2, bins))  # seen before, seen now
    middles = np.zeros((2, bins))
    for rows in scenes:
        share = rows["hidden"].mean(axis=1)
        kind = np.digitize(share, COVER_EDGES) - 1
        np.add.at(counts, (rows["seen"][:-1].astype(int), rows["seen"][1:].astype(int), kind[1:]), 1)
        np.add.at(middles, (0, kind), share)
        np.add.at(middles, (1, kind), 1)
    total = counts.sum(axis=1) + 1
    return {
        "cover": middles[0] / np.maximum(middles[1], 1),
        "lose": (counts[1, 0] + 0.05) / total[1],
        "find": (counts[0, 1] + 0.05) / total[0],
    }


def print_figures(model: DetectorModel) -> None:
    """The figures that the model's documentation quotes."""
    with np.printoptions(precision=3, suppress=True, linewidth=140):
        for name in ("keypoint_shrink", "landmark_shrink", "keypoint_scale", "landmark_scale", "keypoint_candour",
                     "landmark_candour", "persistence", "presence", "cover", "lose", "find"):  # fmt: skip
            print(name, getattr(model, name), sep="\n")
        print("keypoint sigma, share of the region", np.exp(model.keypoint_sigma[0]), sep="\n")
        print("landmark sigma [mm]", 1e3 * np.exp(model.landmark_sigma[0]), sep="\n")


def enter_into_manifest(scenes: int, first_seed: int) -> None:
    """Say in the manifest what the shipped file is."""
    record_asset(
        SHIPPED_DETECTOR_MODEL,
        licence="Apache-2.0",
        source="Measured by the hmp_ros authors on renders of the open hand (CC0-1.0), seen by its own perception",
        tool=f"python tools/measure_detector.py --scenes {scenes} --first-seed {first_seed}",
        description="Error statistics of perception in sight and under cover, for the simulated detector of "
        "`hmp eval motion`; see hmp_core/evaluation/detector_model.py.",
    )


def main() -> None:
    """Render, see, measure, write."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--out", type=Path, help="file to write; by default the shipped one and its manifest entry")
    parser.add_argument("--scenes", type=int, default=21)
    parser.add_argument("--first-seed", type=int, default=1000)
    parser.add_argument("--keep", type=Path, help="folder of sightings that are kept between runs")
    arguments = parser.parse_args()
    use_one_thread()
    model, scenes = load_hand_model(), []
    for seed in track(range(arguments.first_seed, arguments.first_seed + arguments.scenes), "scenes"):
        kept = arguments.keep / f"{seed}.npz" if arguments.keep else None
        if kept and kept.exists():
            with np.load(kept) as file:
                scenes.append(dict(file))
            continue
        scenes.append(sight(seed, model))
        if kept:
            kept.parent.mkdir(parents=True, exist_ok=True)
            np.savez_compressed(kept, **scenes[-1])
    figures = measure(scenes)
    save_detector_model(arguments.out or ASSETS_DIR / SHIPPED_DETECTOR_MODEL, figures)
    if arguments.out is None:
        enter_into_manifest(arguments.scenes, arguments.first_seed)
    print_figures(figures)


if __name__ == "__main__":
    main()
