# SPDX-FileCopyrightText: 2026 The hmp_ros authors
# SPDX-License-Identifier: Apache-2.0
"""A training run of seconds; as a script it trains until it is killed: ``small_training.py FOLDER``."""

import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch

from hmp_core.hand.loading import load_hand_model
from hmp_core.prior.chain import FingerBones
from hmp_core.prior.config import PriorConfig
from hmp_core.training.config import TrainingConfig
from hmp_core.training.dataset import ClipSampler
from hmp_core.training.motion import FingerMotion
from hmp_core.training.realtime_task import RealtimeTask
from hmp_core.training.task import MachineConfig
from hmp_core.training.trainer import train

SMALL = PriorConfig(
    latent_dim=8,
    grid_size=16,
    completion_dim=1,  # poor on purpose: leaves the network something to learn
    encoder_width=24,
    encoder_layers=2,
    encoder_heads=3,
    code_dim=8,
    field_width=24,
    harmonics=5,
)
CONFIG = TrainingConfig(
    prior=SMALL,
    start_clips=1024,
    steps=180,
    batch=16,
    free_times=6,
    save_minutes=1e-3,
    learning_rate=2e-3,
    machine=MachineConfig(accelerator="cpu", devices=1),
)


def waving_fingers() -> np.ndarray:
    """Fingers that flex together, at one of a few rhythms: [3000, 15, 3] rotation vectors at 60 Hz."""
    rng = np.random.default_rng(0)
    times = np.arange(3000) / 60.0
    flexion = 0.6 + 0.5 * np.sin(2.0 * np.pi * (0.4 + 0.3 * np.sin(times / 7.0)) * times)
    vectors = np.zeros((3000, 15, 3), np.float32)
    vectors[..., 2] = flexion[:, None] * rng.uniform(0.4, 1.0, 15)
    return vectors


def small_task(**changes) -> RealtimeTask:
    motion = FingerMotion(torch.from_numpy(waving_fingers()), torch.tensor([3000]), 60.0, ("wave",))
    bones = FingerBones.of(load_hand_model())
    return RealtimeTask(replace(CONFIG, **changes), bones, ClipSampler([(motion, 1.0)], SMALL.window_s), {})


if __name__ == "__main__":
    torch.set_num_threads(1)
    train(small_task(), Path(sys.argv[1]))
