# SPDX-FileCopyrightText: 2026 The hmp_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Finger motion as the trainer eats it, wherever it comes from."""

from dataclasses import dataclass

import torch
from torch import Tensor


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

    def select(self, wanted: Tensor) -> "FingerMotion":
        """Keep the recordings where ``wanted`` [S] is true."""
        keep = torch.repeat_interleave(wanted, self.lengths)
        labels = tuple(label for label, want in zip(self.labels, wanted.tolist(), strict=True) if want)
        return FingerMotion(self.rotation_vectors[keep], self.lengths[wanted], self.rate_hz, labels)
