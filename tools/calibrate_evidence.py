#!/usr/bin/env python3
# SPDX-FileCopyrightText: 2026 The hmp_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Fit the factors of ``hmp_core/perception/evidence.py`` on rendered scenes with exact truth, and print them.

Run from the repository root::

    python tools/calibrate_evidence.py

Each scene shows one hand for six seconds at 12 Hz while things pass in front of it. The sigmas' terms are fitted by
maximum likelihood under Student's t with three degrees of freedom (the errors have long tails) on the scenes with
even seeds, then scaled together so that 95 % of the errors per axis lie within two sigmas; the coverage that is
printed is that of the scenes with odd seeds.
"""

import argparse
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize
from scipy.spatial.transform import Rotation
from scipy.stats import t as student

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from hmp_core.frame import Frame
from hmp_core.hand.loading import load_hand_model
from hmp_core.hand.model import HandModel
from hmp_core.hand.skeleton import Side
from hmp_core.media.scene import SceneConfig, make_scene
from hmp_core.media.synth import SceneRenderer
from hmp_core.perception.evidence import compare, second_look
from hmp_core.perception.landmark_frame import landmarks_from_crop
from hmp_core.perception.landmark_network import LandmarkNetwork
from hmp_core.perception.pipeline import HandPerception

FIELDS_OF_VIEW_DEG: Final = (50.0, 60.0, 70.0)
DEGREES_OF_FREEDOM: Final = 3


@dataclass(frozen=True)
class Measured:
    """Joints [N] of all sightings that lie inside the image, with what the sigmas are made of.

    Attributes:
        even: bool [N], from a scene with an even seed.
        hidden: bool [N], behind a thing.
        error: [N, 2] keypoint error over region size, or [N, 3] landmark error [m] beside the common rotation
            and scale.
        terms: [N, K] numbers whose hypotenuse, each times its factor, is the sigma.
    """

    even: NDArray[np.bool_]
    hidden: NDArray[np.bool_]
    error: NDArray[np.float64]
    terms: NDArray[np.float64]


def sight(seed: int, model: HandModel, network: LandmarkNetwork) -> list[tuple[NDArray[np.float64], ...]]:
    """What perception made of a scene: hidden [21], keypoint error [21, 2], landmark error [21, 3], terms."""
    config = SceneConfig(
        seconds=6, fps=12, width=640, height=480, passes=3, seed=seed,
        fov_deg=FIELDS_OF_VIEW_DEG[seed % 3], sides=(Side.RIGHT if seed % 2 else Side.LEFT,),
    )  # fmt: skip
    scene = make_scene(model, config)
    renderer, perception, rows = SceneRenderer(scene), HandPerception(), []
    for index, image in enumerate(renderer.frames()):
        stamp_ns = 1 + round(1e9 * scene.times_s[index])
        joints, hidden = scene.hands[0].joints[index], renderer.hidden[index, 0]
        truth_px = scene.camera.project(joints)
        for hand in perception.process(Frame(image, stamp_ns, scene.camera)).hands:
            first, second = (network.run(image, roi) for roi in (hand.roi, second_look(hand.roi)))
            moved = compare(first, second, scene.camera)
            points = landmarks_from_crop(first.points_crop, first.roi, scene.camera)
            mean = np.full(21, moved.keypoints.mean())
            keypoint_terms = [np.ones(21), moved.keypoints, mean]
            landmark_terms = [np.ones(21), moved.landmarks_m, moved.keypoints, mean]
            truth = joints - joints[0]
            inside = scene.camera.contains(truth_px)
            columns = (
                np.full(21, seed % 2 == 0), hidden, (first.keypoints_px - truth_px) / first.roi.size_px,
                aligned(points, truth, hidden) - truth, np.stack(keypoint_terms, 1), np.stack(landmark_terms, 1),
            )  # fmt: skip
            rows.append(tuple(column[inside] for column in columns))
    return rows


def aligned(
    points: NDArray[np.float64], truth: NDArray[np.float64], hidden: NDArray[np.bool_]
) -> NDArray[np.float64]:
    """Points [21, 3] turned and scaled about the wrist onto the truth, judged by the joints in view."""
    used = ~hidden if np.count_nonzero(~hidden) > 5 else np.ones(21, dtype=bool)
    turn, _ = Rotation.align_vectors(truth[used], points[used])
    turned = turn.apply(points)
    return np.asarray(turned * (turned[used] * truth[used]).sum() / (turned[used] ** 2).sum())


def fit(name: str, measured: Measured) -> None:
    """Fit the factors on the even scenes; print them with the coverage on the odd ones."""
    train, test = measured.even, ~measured.even

    def sigma(factors: NDArray[np.float64], rows: NDArray[np.bool_]) -> NDArray[np.float64]:
        return np.sqrt((measured.terms[rows] * factors) ** 2 @ np.ones(len(factors)))[:, None]

    def loss(logs: NDArray[np.float64]) -> float:
        scale = sigma(np.exp(logs), train)
        return float((np.log(scale) - student.logpdf(measured.error[train] / scale, DEGREES_OF_FREEDOM)).mean())

    start = np.log(np.full(measured.terms.shape[1], 0.3))
    start[0] = np.log(0.01)
    found = minimize(loss, start, method="Nelder-Mead", options={"maxiter": 5000, "fatol": 1e-7})
    factors = np.exp(found.x)
    factors *= np.percentile(np.abs(measured.error[train]) / sigma(factors, train), 95) / 2
    print(f"{name}: factors {np.array2string(factors, precision=4, suppress_small=True)}")
    for label, chosen in (("seen", test & ~measured.hidden), ("hidden", test & measured.hidden)):
        covered = (np.abs(measured.error[chosen]) <= 2 * sigma(factors, chosen)).mean()
        print(f"  {label}: {covered:.1%} of the errors within two sigmas, {np.count_nonzero(chosen)} joints")


def main() -> None:
    """Render, observe, fit."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--scenes", type=int, default=40)
    parser.add_argument("--first-seed", type=int, default=100)
    arguments = parser.parse_args()
    model, network, rows = load_hand_model(), LandmarkNetwork(), []
    for seed in range(arguments.first_seed, arguments.first_seed + arguments.scenes):
        rows += sight(seed, model, network)
        print(f"\r{len(rows)} sightings, scene {seed}", end="", flush=True)
    print()
    even, hidden, keypoint, landmark, keypoint_terms, landmark_terms = map(np.concatenate, zip(*rows, strict=True))
    fit("keypoints", Measured(even, hidden, keypoint, keypoint_terms))
    away = (landmark != 0).any(axis=1)  # the wrist is the origin and has no error
    fit("landmarks", Measured(even[away], hidden[away], landmark[away], landmark_terms[away]))


if __name__ == "__main__":
    main()
