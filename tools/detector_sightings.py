# SPDX-FileCopyrightText: 2026 The hmp_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Rendered hands as perception sees them, with exact truth; for ``measure_detector.py``."""

from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from hmp_core.camera import Camera
from hmp_core.evaluation.detector_model import RATE_HZ, REFERENCE_HAND_M
from hmp_core.evaluation.true_crop import true_crop
from hmp_core.frame import Frame
from hmp_core.hand.model import HandModel
from hmp_core.hand.skeleton import MIDDLE_MCP, NUM_JOINTS, Side
from hmp_core.media.scene import SceneConfig, make_scene
from hmp_core.media.synth import SceneRenderer
from hmp_core.perception.keypoint_model import KEYPOINTS_FROM_JOINTS
from hmp_core.perception.pipeline import HandPerception

FIELDS_OF_VIEW_DEG: Final = (50.0, 60.0, 70.0)


def sight(seed: int, model: HandModel) -> dict[str, NDArray[Any]]:
    """What perception made of a scene, left hands mirrored; rows of images without a hand are NaN."""
    side = Side.RIGHT if seed % 2 else Side.LEFT
    config = SceneConfig(
        seconds=6, fps=RATE_HZ, width=640, height=480, passes=4, seed=seed, fov_deg=FIELDS_OF_VIEW_DEG[seed % 3],
        sides=(side,),
    )  # fmt: skip
    scene, count = make_scene(model, config), round(6 * RATE_HZ)
    renderer, perception, camera = SceneRenderer(scene), HandPerception(), scene.camera
    truth = scene.hands[0].joints
    rows: dict[str, NDArray[Any]] = {
        "joints": truth.copy(), "seen": np.zeros(count, bool), "keypoints": np.full((count, NUM_JOINTS, 2), np.nan),
        "ksig": np.full((count, NUM_JOINTS), np.nan), "lm": np.full((count, NUM_JOINTS, 3), np.nan),
        "lsig": np.full((count, NUM_JOINTS), np.nan), "presence": np.zeros(count),
        "camera": np.array([camera.width, camera.height, camera.fx, camera.fy, camera.cx, camera.cy]),
    }  # fmt: skip
    for index, image in enumerate(renderer.frames()):
        hands = perception.process(Frame(image, 1 + round(1e9 * scene.times_s[index]), camera)).hands
        middle = camera.project(truth[index]).mean(axis=0)
        away = [float(np.linalg.norm(hand.roi.center_px - middle)) / hand.roi.size_px for hand in hands]
        if not away or min(away) > 1.0:
            continue
        hand = hands[int(np.argmin(away))]
        rows["seen"][index], rows["presence"][index] = True, hand.presence
        rows["keypoints"][index], rows["ksig"][index] = hand.keypoints_px, hand.keypoint_sigma_px
        rows["lm"][index], rows["lsig"][index] = hand.landmarks_m, hand.landmark_sigma_m
    rows["hidden"] = renderer.hidden[:, 0]
    if side is Side.LEFT:
        rows["joints"][..., 0] *= -1
        rows["lm"][..., 0] *= -1
        rows["keypoints"][..., 0] = 2 * camera.cx - rows["keypoints"][..., 0]
    return rows


@dataclass(frozen=True)
class Sightings:
    """Images with a hand, in crop axes.

    Attributes:
        scene, image: [N] where they come from.
        hidden: [N, 21].
        points, places: [N, 21, 3] true, wrist-relative, reference size [m]; [N, 21, 2] true keypoints, as shares of
            the region.
        keypoints, landmarks: [N, 21, 2] over region size, [N, 21, 3] [m], as seen.
        keypoint_sigma, landmark_sigma: [N, 21] as stated, the first over region size; inf outside the image.
        presence: [N].
    """

    scene: NDArray[np.int64]
    image: NDArray[np.int64]
    hidden: NDArray[np.bool_]
    points: NDArray[np.float64]
    places: NDArray[np.float64]
    keypoints: NDArray[np.float64]
    landmarks: NDArray[np.float64]
    keypoint_sigma: NDArray[np.float64]
    landmark_sigma: NDArray[np.float64]
    presence: NDArray[np.float64]


def in_crops(scenes: list[dict[str, NDArray[Any]]]) -> Sightings:
    """Bring all sightings into the crops in which the true hands would be seen."""
    columns: list[tuple[Any, ...]] = []
    for number, rows in enumerate(scenes):
        width, height, *rest = rows["camera"].tolist()
        camera = Camera(int(width), int(height), *rest)
        size = np.linalg.norm(rows["joints"][0, MIDDLE_MCP] - rows["joints"][0, 0])
        for index in np.flatnonzero(rows["seen"]):
            crop, joints = true_crop(rows["joints"][index], camera), rows["joints"][index]
            columns.append(
                (
                    number, index, rows["hidden"][index],
                    (joints - joints[0]) @ crop.R_camera_crop * (REFERENCE_HAND_M / size),
                    crop.from_image(camera.project(KEYPOINTS_FROM_JOINTS @ joints)),
                    crop.from_image(rows["keypoints"][index]), rows["lm"][index] @ crop.R_camera_crop,
                    rows["ksig"][index] / crop.roi.size_px, rows["lsig"][index], rows["presence"][index],
                )
            )  # fmt: skip
    return Sightings(*(np.array(column) for column in zip(*columns, strict=True)))
