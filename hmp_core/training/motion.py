# SPDX-FileCopyrightText: 2026 The hmp_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Finger motion as the trainer eats it, wherever it comes from."""

import json
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor

from hmp_core.whole_file import whole_file


@dataclass(frozen=True)
class FingerMotion:
    """Recordings of a right hand's fingers, one after the other.

    Attributes:
        rotation_vectors: [F, 15, 3] float32 local finger rotations, MANO order [rad].
        lengths: [S] frames of each recording.
        rate_hz: frames a second.
        labels: S names, recordings of one sign or activity sharing one.
    """

    rotation_vectors: Tensor
    lengths: Tensor
    rate_hz: float
    labels: tuple[str, ...]

    def labelled(self, names: Collection[str]) -> Tensor:
        """Mask [S], true where a recording's label is one of these names; for :meth:`select`."""
        return torch.tensor([label in names for label in self.labels], dtype=torch.bool)

    def select(self, wanted: Tensor) -> "FingerMotion":
        """Keep the recordings where ``wanted`` [S] is true."""
        keep = torch.repeat_interleave(wanted, self.lengths)
        labels = tuple(label for label, want in zip(self.labels, wanted.tolist(), strict=True) if want)
        return FingerMotion(self.rotation_vectors[keep], self.lengths[wanted], self.rate_hz, labels)


def write_motion(path: Path, motion: FingerMotion) -> None:
    """Keep motion in a safetensors file, which appears whole or not at all."""
    tensors = {"rotation_vectors": motion.rotation_vectors, "lengths": motion.lengths}
    with whole_file(path) as partial:
        save_file(tensors, partial, metadata={"rate_hz": str(motion.rate_hz), "labels": json.dumps(motion.labels)})


def read_motion(path: Path) -> FingerMotion | None:
    """Motion of :func:`write_motion`; None where the file is missing or was cut short, to be made anew."""
    try:
        with safe_open(str(path), framework="pt") as stream:
            header = stream.metadata()
            vectors, lengths = stream.get_tensor("rotation_vectors"), stream.get_tensor("lengths")
    except (OSError, SafetensorError):
        return None
    return FingerMotion(vectors, lengths, float(header["rate_hz"]), tuple(json.loads(header["labels"])))
