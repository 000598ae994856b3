# SPDX-FileCopyrightText: 2026 The hmp_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Random clips from recordings held in memory: any place, any pace, any times."""

from dataclasses import dataclass

import torch
from torch import Tensor

from hmp_core.errors import DataError
from hmp_core.training.motion import FingerMotion


@dataclass(frozen=True)
class ClipBatch:
    """Clips on the encoder's grid and at free times.

    Attributes:
        vectors_grid: [B, N, 15, 3] local rotation vectors on the grid [rad].
        recorded_grid: [B, N] 1 inside the recording, 0 beyond its ends.
        times_s: [B, T] times in the window [s].
        vectors_times: [B, T, 15, 3] local rotation vectors at those times [rad].
        recorded_times: [B, T] as above.
    """

    vectors_grid: Tensor
    recorded_grid: Tensor
    times_s: Tensor
    vectors_times: Tensor
    recorded_times: Tensor


class ClipSampler:
    """Draws clips from several sources at fixed shares; recordings in proportion to their length.

    Recordings shorter than the window lie somewhere inside it, and the rest of the window counts as not recorded.
    """

    def __init__(self, sources: list[tuple[FingerMotion, float]], window_s: float) -> None:
        """Take the sources with their shares.

        Raises:
            DataError: there is nothing to draw from.
        """
        if not any(len(motion.lengths) for motion, _ in sources):
            raise DataError("there is no motion to train on; give a motion file or let the generator make some")
        self._window_s = window_s
        self._frames = torch.cat([motion.rotation_vectors for motion, _ in sources])
        self._lengths = torch.cat([motion.lengths for motion, _ in sources])
        self._rate_hz = torch.cat([torch.full(m.lengths.shape, m.rate_hz) for m, _ in sources])
        self._offsets = self._lengths.cumsum(0) - self._lengths
        self._weights = torch.cat([share * m.lengths / m.lengths.sum() for m, share in sources if len(m.lengths)])

    def draw(self, count: int, grid_s: Tensor, free_times: int, pace: tuple[float, float]) -> ClipBatch:
        """Draw clips with torch's global generator.

        Args:
            count: clips.
            grid_s: [N] times of the regular grid [s].
            free_times: T, times drawn uniformly from the window for each clip.
            pace: slowest and fastest playing speed, drawn log-uniformly.
        """
        recording = torch.multinomial(self._weights, count, replacement=True)
        slow, fast = torch.tensor(pace).log().tolist()
        speed = (slow + (fast - slow) * torch.rand(count)).exp()
        rate = speed * self._rate_hz[recording]
        slack = (self._lengths[recording] - 1) / rate - self._window_s
        start = slack * torch.rand(count)
        times = torch.rand(count, free_times).sort(-1).values * self._window_s
        everything = torch.cat((grid_s.expand(count, -1), times), dim=1)
        vectors, recorded = self._at((start[:, None] + everything) * rate[:, None], recording)
        split = len(grid_s)
        return ClipBatch(vectors[:, :split], recorded[:, :split], times, vectors[:, split:], recorded[:, split:])

    def _at(self, frame: Tensor, recording: Tensor) -> tuple[Tensor, Tensor]:
        """Rotation vectors at fractional frames [B, T] of recordings [B], and whether they were recorded."""
        last = (self._lengths[recording] - 1)[:, None].to(frame.dtype)
        recorded = ((frame >= -1e-3) & (frame <= last + 1e-3)).float()
        inside = torch.minimum(frame.clamp_min(0.0), last)
        before = torch.minimum(inside.floor(), last - 1.0)
        index = before.long() + self._offsets[recording][:, None]
        share = (inside - before)[..., None, None]
        # Neighbouring frames differ by little: between them a straight line in rotation vectors will do.
        return torch.lerp(self._frames[index], self._frames[index + 1], share), recorded
