# SPDX-FileCopyrightText: 2026 The hmp_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Solved windows on disk, so that a long fit goes on after an interruption."""

from dataclasses import fields
from pathlib import Path

import numpy as np
import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file

from hmp_core.fitting.trajectory import Trajectory
from hmp_core.whole_file import whole_file


class TrajectoryStore:
    """One safetensors file a window in ``folder``."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def load(self, name: str) -> Trajectory | None:
        """What was saved under a name; None where nothing was, or it cannot be read."""
        try:
            stored = load_file(self._folder / f"{name}.safetensors")
            times, origin = stored.pop("times_s"), stored.pop("origin_s")
            # In memory of their own: what a product rounds to depends on how its factors are aligned.
            own = {key: tensor.clone() for key, tensor in stored.items()}
            return Trajectory(times_s=times.numpy().astype(np.float64), origin_s=float(origin), **own)
        except (OSError, SafetensorError, KeyError, TypeError):
            return None

    def save(self, name: str, path: Trajectory) -> None:
        """Write a window whole."""
        tensors = {
            item.name: torch.as_tensor(getattr(path, item.name), dtype=torch.float64).contiguous().clone()
            for item in fields(path)
        }
        with whole_file(self._folder / f"{name}.safetensors") as partial:
            save_file(tensors, partial)
