#!/usr/bin/env python3
# SPDX-FileCopyrightText: 2026 The hmp_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Measure the initializer against the raw world points, on rendered scenes and on a video, and print a table.

Run from the repository root::

    python tools/measure_initializer.py --scenes 14 --video hand.mp4

Scenes show one hand, left and right in turn, for five seconds at 10 Hz; errors are wrist-relative, of joints that
are not hidden, against exact truth. A video has no truth: there the posed joints are compared with the keypoints
and with the raw points.
"""

import argparse
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from rich.console import Console
from rich.table import Table
from scipy.spatial.transform import Rotation

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from hmp_core.camera import Camera
from hmp_core.frame import Frame
from hmp_core.hand.kinematics import HandKinematics
from hmp_core.hand.loading import load_hand_model
from hmp_core.hand.skeleton import Side
from hmp_core.media.scene import SceneConfig, make_scene
from hmp_core.media.sources import open_source
from hmp_core.media.synth import SceneRenderer
from hmp_core.observation import HandObservation, ManoPose
from hmp_core.perception.initializer import HandInitializer
from hmp_core.perception.keypoint_model import KEYPOINTS_FROM_JOINTS
from hmp_core.perception.pipeline import HandPerception

FIELDS_OF_VIEW_DEG = (50.0, 60.0, 70.0)


class Poser:
    """Joints [21, 3] of a pose of either side [m]."""

    def __init__(self) -> None:
        model = load_hand_model()
        self._kinematics = {
            Side.RIGHT: HandKinematics(model, torch.float64),
            Side.LEFT: HandKinematics(model.mirrored(), torch.float64),
        }

    def joints(self, pose: ManoPose, side: Side) -> NDArray[np.float64]:
        """Joints in the camera frame."""
        rotations = torch.from_numpy(Rotation.from_rotvec(pose.rotation_vectors).as_matrix())[None]
        translation = torch.from_numpy(pose.translation)[None]
        return self._kinematics[side].joints(rotations, torch.from_numpy(pose.betas), translation)[0].numpy()


def scene_sightings(seed: int) -> Iterator[tuple[HandObservation, Camera, NDArray[np.float64], NDArray[np.bool_]]]:
    """What perception sees of a scene, without initializer, with true joints and which of them are hidden."""
    side = Side.RIGHT if seed % 2 else Side.LEFT
    config = SceneConfig(
        seconds=5, fps=10, width=640, height=480, passes=1, seed=seed,
        fov_deg=FIELDS_OF_VIEW_DEG[seed % 3], sides=(side,),
    )  # fmt: skip
    scene = make_scene(load_hand_model(), config)
    renderer, perception = SceneRenderer(scene), HandPerception()
    for index, image in enumerate(renderer.frames()):
        stamp_ns = 1 + round(1e9 * scene.times_s[index])
        for hand in perception.process(Frame(image, stamp_ns, scene.camera)).hands:
            if hand.side is side:
                yield hand, scene.camera, scene.hands[0].joints[index], renderer.hidden[index, 0]


def measure_scenes(first_seed: int, count: int, console: Console) -> None:
    """Print errors against truth."""
    initializer, poser, rows, without, spent = HandInitializer(), Poser(), [], 0, []
    blank = np.zeros((1, 1, 3), np.uint8)
    for seed in range(first_seed, first_seed + count):
        for hand, camera, joints, hidden in scene_sightings(seed):
            started = time.process_time()
            pose = initializer.observe(Frame(blank, 0, camera), hand).initial
            spent.append(1e3 * (time.process_time() - started))
            seen = ~hidden & (np.arange(len(hidden)) > 0)
            if pose is None or hand.side is None or not seen.any():
                without += 1
                continue
            found, true = poser.joints(pose, hand.side), joints - joints[0]
            rows.append(
                (
                    1e3 * np.linalg.norm(hand.landmarks_m - true, axis=1)[seen].mean(),
                    1e3 * np.linalg.norm(found - found[0] - true, axis=1)[seen].mean(),
                    np.linalg.norm(hand.keypoints_px - camera.project(joints), axis=1)[seen].mean(),
                    np.linalg.norm(camera.project(found) - camera.project(joints), axis=1)[seen].mean(),
                    1e3 * abs(found[0, 2] - joints[0, 2]),
                    1e3 * np.linalg.norm(found[0, :2] - joints[0, :2] * found[0, 2] / joints[0, 2]),
                )
            )
        console.print(f"scene {seed}: {len(rows)} sightings", end="\r")
    table = Table("", "mean", "median", "p90", title=f"{len(rows)} sightings in {count} scenes, {without} without")
    names = ("raw points (mm)", "initializer (mm)", "keypoints (px)", "initializer's joints (px)")
    values = np.array(rows).T
    for name, value in zip((*names, "wrist depth (mm)", "wrist across (mm)"), values, strict=True):
        table.add_row(name, *(f"{x:.2f}" for x in (value.mean(), np.median(value), np.percentile(value, 90))))
    table.add_row("initializer / raw", f"{values[1].mean() / values[0].mean():.3f}",
                  f"{np.median(values[1]) / np.median(values[0]):.3f}", "")  # fmt: skip
    table.add_row(
        "CPU time (ms)", f"{np.mean(spent):.2f}", f"{np.median(spent):.2f}", f"{np.percentile(spent, 90):.2f}"
    )
    console.print(table)


def measure_video(path: Path, console: Console) -> None:
    """Print how far the posed joints are from the keypoints and the raw points."""
    perception, poser, pixels, metric = HandPerception(initializer=HandInitializer()), Poser(), [], []
    for frame in open_source(str(path)):
        for hand in perception.process(frame).hands:
            if hand.initial is not None and hand.side is not None:
                found = poser.joints(hand.initial, hand.side)
                keypoints = frame.camera.project(KEYPOINTS_FROM_JOINTS @ found)
                pixels.append(np.linalg.norm(keypoints - hand.keypoints_px, axis=1))
                metric.append(1e3 * np.linalg.norm(found - found[0] - hand.landmarks_m, axis=1)[1:])
    table = Table("", "mean", "median", "p95", title=f"{path.name}: {len(pixels)} poses")
    for name, value in (
        ("from the keypoints (px)", np.array(pixels)),
        ("from the raw points (mm)", np.array(metric)),
    ):
        table.add_row(name, *(f"{x:.2f}" for x in (value.mean(), np.median(value), np.percentile(value, 95))))
    console.print(table)


def main() -> None:
    """Measure what was asked for."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--scenes", type=int, default=14)
    parser.add_argument("--first-seed", type=int, default=500)
    parser.add_argument("--video", type=Path, action="append", default=[])
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    console = Console(width=100)
    measure_scenes(arguments.first_seed, arguments.scenes, console)
    for path in arguments.video:
        measure_video(path, console)


if __name__ == "__main__":
    main()
