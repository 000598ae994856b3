# SPDX-FileCopyrightText: 2026 The hmp_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Finger rotations with the wrist's motion beside them, and clips of both; for ``measure_wrist_prior.py``."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import roma
import torch
from torch import Tensor
from torch.nn import functional as F

from hmp_core.evaluation.prior_gaps import MARGIN_S
from hmp_core.evaluation.recorded_motion import read_recorded_motion
from hmp_core.hand.loading import load_hand_model
from hmp_core.training.motion import FingerMotion

WINDOW_S, GRID = 2.0, 32
STEP_S = WINDOW_S / (GRID - 1)
CLIPS, WINDOWS, PACE = 2000, 100, (0.6, 1.6)
FINGERS = tuple(range(15))
GRAVITY, TURN, VELOCITY, PATH = 15, 16, 17, 18
"""Channels of three numbers after the finger rotations: direction of gravity in the wrist frame; rotation [rad] and
way [0.1 m] since the last frame before the gap, in that frame's wrist axes; angular velocity [rad in 0.25 s]."""


@dataclass(frozen=True)
class Hands:
    """Finger rotations, and the wrist's rotation [F, 3, 3] and position [F, 3] [m] in axes whose y points up."""

    fingers: FingerMotion
    R_world_wrist: Tensor
    wrist_world: Tensor

    def select(self, wanted: Tensor) -> "Hands":
        """Keep the recordings where ``wanted`` [S] is true."""
        keep = torch.repeat_interleave(wanted, self.fingers.lengths)
        return Hands(self.fingers.select(wanted), self.R_world_wrist[keep], self.wrist_world[keep])

    def clips(self, recording: Tensor, start_s: Tensor, pace: Tensor, reference: int) -> tuple[Tensor, Tensor]:
        """Clips [B, N, 19, 3] of recordings [B] from times [B] on, and [B, N] 1 where they were recorded."""
        motion = self.fingers
        last = (motion.lengths[recording] - 1)[:, None]
        frame = (start_s[:, None] + torch.arange(GRID) * STEP_S) * pace[:, None] * motion.rate_hz
        recorded = ((frame >= -1e-3) & (frame <= last + 1e-3)).float()
        inside = frame.clamp_min(0.0).minimum(last)
        before = inside.floor().minimum(last - 1.0)
        share = (inside - before)[..., None]
        index = before.long() + (motion.lengths.cumsum(0) - motion.lengths)[recording][:, None]
        fingers = torch.lerp(motion.rotation_vectors[index], motion.rotation_vectors[index + 1], share[..., None])
        R = self.R_world_wrist[index]
        R = R @ roma.rotvec_to_rotmat(share * turn(R, self.R_world_wrist[index + 1]))
        position = torch.lerp(self.wrist_world[index], self.wrist_world[index + 1], share)
        R_reference = R[:, reference : reference + 1]
        way = (R_reference.mT @ (position - position[:, reference : reference + 1])[..., None])[..., 0]
        velocity = F.pad(turn(R[:, :-2], R[:, 2:]) * (0.125 / STEP_S), (0, 0, 1, 1))
        wrist = torch.stack((-R[..., 1, :], turn(R_reference, R), velocity, 10.0 * way), dim=2)
        return torch.cat((fingers, wrist), dim=2), recorded


def turn(A: Tensor, B: Tensor) -> Tensor:
    """Rotation vector from A to B, in A's axes."""
    return roma.rotmat_to_rotvec(A.mT @ B)


def read_hands(path: Path, cache: Path) -> Hands:
    """Retargeted fingers with the wrist of the same frames, from wrist and knuckles laid over the rest hand's."""
    motion = read_recorded_motion(path, load_hand_model(), cache)
    assert motion.wrist is not None, f"{path} holds no joints"
    R, position = motion.wrist.R_world_wrist, motion.wrist.position
    return Hands(motion.fingers, torch.from_numpy(R).float(), torch.from_numpy(position).float())


def training_clips(hands: Hands, reference: int) -> Tensor:
    """Clips [n, N, 19, 3] that recordings wholly cover, at any pace, as the trainer draws them."""
    length_s = (hands.fingers.lengths - 1) / hands.fingers.rate_hz
    recording = torch.multinomial(length_s.float(), 8 * CLIPS, replacement=True)
    slow, fast = np.log(PACE)
    pace = (slow + (fast - slow) * torch.rand(len(recording))).exp()
    slack = length_s[recording] / pace - WINDOW_S
    chosen = torch.nonzero(slack > 0).flatten()[:CLIPS]
    start = (slack * torch.rand(len(slack)))[chosen]
    return hands.clips(recording[chosen], start, pace[chosen], reference)[0]


def gap_windows(hands: Hands, first: int, count: int) -> tuple[Tensor, Tensor]:
    """Windows with samples ``first`` to ``first + count`` inside a recording, evenly over signs, as ``clips``."""
    motion, after = hands.fingers, first + count < GRID
    slack = (motion.lengths - 1) / motion.rate_hz - (count - 1) * STEP_S - (2 if after else 1) * MARGIN_S
    labels = sorted({label for label, room in zip(motion.labels, slack.tolist(), strict=True) if room > 0})
    choices = [[i for i, own in enumerate(motion.labels) if own == label and slack[i] > 0] for label in labels]
    rng = np.random.default_rng(0)
    recording = torch.tensor([int(rng.choice(choices[i % len(choices)])) for i in range(WINDOWS)])
    gap_start = MARGIN_S + slack[recording] * torch.from_numpy(rng.random(WINDOWS)).float()
    clips, recorded = hands.clips(recording, gap_start - first * STEP_S, torch.ones(WINDOWS), first - 1)
    # What is seen beside the gap comes in few lengths, so that few linear systems have to be solved.
    beside = (recorded[:, :first].flip(1), recorded[:, first + count :])
    shown = [torch.arange(part.shape[1]) < _rounded_down(part.sum(1), part.shape[1])[:, None] for part in beside]
    inside = torch.ones(WINDOWS, count, dtype=torch.bool)
    return clips, torch.cat((shown[0].flip(1), inside, shown[1]), dim=1).float()


def _rounded_down(samples: Tensor, all_of_them: int) -> Tensor:
    lengths = torch.tensor([0, int(MARGIN_S / STEP_S), 8, all_of_them])
    return lengths[torch.bucketize(samples, lengths, right=True) - 1]
