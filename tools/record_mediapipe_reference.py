#!/usr/bin/env python3
# SPDX-FileCopyrightText: 2026 The hmp_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Record what the mediapipe package sees in a video, as the reference of the parity test.

Needs the ``mediapipe`` extra and a bundle of the two TFLite files::

    python tools/convert_mediapipe.py --task hand.task
    python tools/record_mediapipe_reference.py hand.task ../shared/data/video/dexr_hand.mp4 \\
        test/data/mediapipe_dexr_hand.npz

Runs MediaPipe's hand landmarker in VIDEO mode over the whole clip and keeps every third frame:
``frames`` [N] indices, ``keypoints_px`` float32 [N, 21, 2], ``landmarks_m`` float32 [N, 21, 3] in the image's axes
(as MediaPipe gives them, about the hand's centre), ``right`` bool [N], ``version`` of the package.
"""

import argparse
import importlib.metadata
from pathlib import Path
from typing import Final

import cv2
import mediapipe
import numpy as np
from mediapipe.tasks.python import BaseOptions, vision

STRIDE: Final = 3


def main() -> None:
    """Record one clip."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("task", type=Path)
    parser.add_argument("video", type=Path)
    parser.add_argument("out", type=Path)
    arguments = parser.parse_args()
    options = vision.HandLandmarkerOptions(
        base_options=BaseOptions(model_asset_path=str(arguments.task)),
        running_mode=vision.RunningMode.VIDEO,
        num_hands=1,
    )
    capture = cv2.VideoCapture(str(arguments.video))
    rate = capture.get(cv2.CAP_PROP_FPS)
    frames, keypoints, landmarks, right = [], [], [], []
    with vision.HandLandmarker.create_from_options(options) as landmarker:
        index = 0
        while True:
            read, image = capture.read()
            if not read:
                break
            picture = mediapipe.Image(mediapipe.ImageFormat.SRGB, cv2.cvtColor(image, cv2.COLOR_BGR2RGB))
            result = landmarker.detect_for_video(picture, round(1000 * index / rate))
            if result.hand_landmarks and index % STRIDE == 0:
                height, width = image.shape[:2]
                frames.append(index)
                keypoints.append([(point.x * width, point.y * height) for point in result.hand_landmarks[0]])
                landmarks.append([(point.x, point.y, point.z) for point in result.hand_world_landmarks[0]])
                right.append(result.handedness[0][0].category_name == "Right")
            index += 1
    np.savez_compressed(
        arguments.out,
        frames=np.array(frames),
        keypoints_px=np.array(keypoints, dtype=np.float32),
        landmarks_m=np.array(landmarks, dtype=np.float32),
        right=np.array(right),
        version=importlib.metadata.version("mediapipe"),
    )
    print(f"{arguments.out}: {len(frames)} of {index} frames")


if __name__ == "__main__":
    main()
