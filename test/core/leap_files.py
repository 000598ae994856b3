# SPDX-FileCopyrightText: 2026 The hmp_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Recordings in the form of the Leap sensor's public originals, for tests."""

import json
from pathlib import Path

import numpy as np

FINGERS = ("thumb", "index", "middle", "ring", "pinky")
BONES = ("metacarpal", "proximal", "intermediate", "distal")


def leap_hand(points_mm: np.ndarray, hand_id: int = 7) -> dict:
    """One hand from 21 points."""
    joints = points_mm[1:].reshape(5, 4, 3).tolist()
    return {
        "hand_id": hand_id,
        "arm": {"wrist_position": points_mm[0].tolist(), "direction": [0.0, 0.0, -1.0]},
        "fingers": {
            finger: {"bones": {bone: {"next_joint": joints[f][b]} for b, bone in enumerate(BONES)}, "length": 40.0}
            for f, finger in enumerate(FINGERS)
        },
    }


def write_leap_recording(path: Path, joints: np.ndarray, rate_hz: float) -> Path:
    """One right hand [F, 21, 3] [m] as a recording of its own."""
    frames = [
        {"frame_id": n, "timestamp": 931465716532 + round(1e6 * n / rate_hz), "hands": {"right": leap_hand(points)}}
        for n, points in enumerate(1e3 * joints)
    ]
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(frames), encoding="utf-8")
    return path
