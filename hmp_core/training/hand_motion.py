# SPDX-FileCopyrightText: 2026 The hmp_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Hand motion with the wrist's orientation, and clips of it, as the paper's configuration is trained on."""

from collections.abc import Sequence
from dataclasses import dataclass

import roma
import torch
from torch import Tensor

from hmp_core.errors import DataError
from hmp_core.training.motion import FingerMotion
from hmp_core.training.resampling import resample_rotations


@dataclass(frozen=True)
class HandMotion:
    """Recordings of right hands (left ones mirrored), one after the other.

    Attributes:
        rotation_vectors: [F, 15, 3] float32 local finger rotations, MANO order, zero for the flat hand [rad].
        R_world_wrist: [F, 3, 3] float32 wrist orientation in the recording's world.
        lengths: [S] frames of each recording.
        rate_hz: frames a second.
        labels: S names; the two hands of one sequence share one.
    """

    rotation_vectors: Tensor
    R_world_wrist: Tensor
    lengths: Tensor
    rate_hz: float
    labels: tuple[str, ...]

    @staticmethod
    def join(parts: Sequence["HandMotion"]) -> "HandMotion":
        """All recordings of several motions.

        Raises:
            DataError: there is none, or their rates differ.
        """
        rates = {part.rate_hz for part in parts}
        if len(rates) != 1:
            raise DataError(f"only motions of one rate can be joined; got {sorted(rates)} Hz")
        return HandMotion(
            torch.cat([part.rotation_vectors for part in parts]),
            torch.cat([part.R_world_wrist for part in parts]),
            torch.cat([part.lengths for part in parts]),
            rates.pop(),
            tuple(label for part in parts for label in part.labels),
        )

    @staticmethod
    def of_fingers(motion: FingerMotion, rate_hz: float) -> "HandMotion":
        """Motion whose wrist never turned, at another rate: recorded or generated fingers alone."""
        vectors, lengths = [], []
        for recording in torch.split(motion.rotation_vectors, motion.lengths.tolist()):
            R = roma.rotvec_to_rotmat(recording.double()).numpy()
            resampled = torch.from_numpy(resample_rotations(R, motion.rate_hz, rate_hz))
            vectors.append(roma.rotmat_to_rotvec(resampled).float())
            lengths.append(len(resampled))
        frames = sum(lengths)
        return HandMotion(
            torch.cat(vectors) if vectors else torch.zeros(0, 15, 3),
            torch.eye(3).repeat(frames, 1, 1),
            torch.tensor(lengths, dtype=torch.int64),
            rate_hz,
            motion.labels,
        )

    def fingers(self) -> FingerMotion:
        """The fingers alone."""
        return FingerMotion(self.rotation_vectors, self.lengths, self.rate_hz, self.labels)


class HandClips:
    """Consecutive clips of equal length that do not overlap; what is left of a recording is dropped.

    Attributes:
        fingers: [n, N, 15, 3] local finger rotation vectors [rad].
        R_world_wrist: [n, N, 3, 3] wrist orientations.
    """

    def __init__(self, motion: HandMotion, frames: int) -> None:
        """Cut the recordings.

        Raises:
            DataError: no recording is as long as a clip.
        """
        starts = motion.lengths.cumsum(0) - motion.lengths
        first = [
            start + frames * clip
            for start, length in zip(starts.tolist(), motion.lengths.tolist(), strict=True)
            for clip in range(length // frames)
        ]
        if not first:
            raise DataError(f"none of {len(motion.lengths)} recordings has the {frames} frames of a clip")
        index = torch.tensor(first)[:, None] + torch.arange(frames)
        self.fingers = motion.rotation_vectors[index]
        self.R_world_wrist = motion.R_world_wrist[index]

    def __len__(self) -> int:
        """Count the clips."""
        return len(self.fingers)

    def batch(self, chosen: Tensor) -> dict[str, Tensor]:
        """Give the clips with the numbers [B] as ``fingers`` [B, N, 15, 3] and ``R_world_wrist`` [B, N, 3, 3]."""
        return {"fingers": self.fingers[chosen], "R_world_wrist": self.R_world_wrist[chosen]}
