# SPDX-FileCopyrightText: 2026 The hmp_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Small made-up finger motion for tests of the prior's evaluation."""

import math
from pathlib import Path

import numpy as np
import roma
import torch

from hmp_core.hand.kinematics import HandKinematics
from hmp_core.hand.loading import load_hand_model
from hmp_core.training.motion import FingerMotion

RATE_HZ = 30.0


def steady_motion(recordings: int, frames: int, speed: float) -> FingerMotion:
    """Fingers that curl at constant speed [rad/s] about one axis each."""
    generator = torch.Generator().manual_seed(3)
    axis = torch.nn.functional.normalize(torch.randn(recordings, 15, 3, generator=generator), dim=-1)
    angle = speed * torch.arange(frames) / RATE_HZ - 0.5
    vectors = (angle[None, :, None, None] * axis[:, None]).flatten(0, 1)
    labels = tuple(f"sign {k % 4}" for k in range(recordings))
    return FingerMotion(vectors, torch.full((recordings,), frames), RATE_HZ, labels)


def waving_motion(recordings: int, frames: int, seed: int = 5) -> FingerMotion:
    """Fingers that curl up and down, each at its own pace, from a hand that is half closed."""
    generator = torch.Generator().manual_seed(seed)
    pace = 2.0 * math.pi * (0.3 + 0.5 * torch.rand(recordings, 1, 5, generator=generator))
    phase = 2.0 * math.pi * torch.rand(recordings, 1, 5, generator=generator)
    curl = 0.4 + 0.35 * torch.sin(pace * torch.arange(frames)[None, :, None] / RATE_HZ + phase)
    vectors = torch.zeros(recordings, frames, 15, 3)
    vectors[..., 2] = curl.repeat_interleave(3, dim=-1)
    labels = tuple(f"sign {k % 6}" for k in range(recordings))
    return FingerMotion(vectors.flatten(0, 1), torch.full((recordings,), frames), RATE_HZ, labels)


def write_joint_file(path: Path, motion: FingerMotion) -> None:
    """Write the joints of a motion in the format of 21-joint motion files."""
    kinematics = HandKinematics(load_hand_model())
    vectors = torch.cat((torch.zeros(len(motion.rotation_vectors), 1, 3), motion.rotation_vectors), dim=1)
    rotations = roma.rotvec_to_rotmat(vectors)
    count = len(rotations)
    joints = kinematics.joints(rotations, torch.zeros(count, 10), torch.zeros(count, 3)).numpy()
    unit_m = 2e-5
    np.savez(
        path,
        joints_q=np.round((joints - joints[:, :1]) / unit_m).astype(np.int16),
        unit_m=unit_m,
        lengths=motion.lengths.numpy(),
        side=np.full(len(motion.lengths), "right"),
        sign=np.array(motion.labels),
        rate_hz=motion.rate_hz,
    )
