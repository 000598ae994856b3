# SPDX-FileCopyrightText: 2026 The hmp_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What the paper's encoders see of a clip: 15 numbers for each of 16 joints, and the wrist's orientation."""

import torch
from torch import Tensor

from hmp_core.hand.skeleton import NUM_MANO_JOINTS
from hmp_core.prior.chain import CHAIN_LENGTH, FingerBones, compose, rotations_in_wrist, split_fingers

CHANNELS_PER_JOINT = 15
NUM_CHANNELS = NUM_MANO_JOINTS * CHANNELS_PER_JOINT


def joint_positions(R_wrist: Tensor, bones: FingerBones) -> Tensor:
    """MANO's sixteen joints relative to the wrist [..., 16, 3] [m] from wrist-frame rotations [..., 15, 3, 3]."""
    ends = split_fingers(bones(R_wrist), -2)
    bases = bones.bases.unsqueeze(-2).expand(*ends.shape[:-2], 1, 3)
    chains = torch.cat((bases, ends[..., : CHAIN_LENGTH - 1, :]), dim=-2).flatten(-3, -2)
    return torch.cat((torch.zeros_like(chains[..., :1, :]), chains), dim=-2)


def six_rows(R: Tensor) -> Tensor:
    """First two rows of rotations [..., 3, 3] as [..., 6], the six-number form that the paper's code uses."""
    return R[..., :2, :].flatten(-2)


def local_features(R_local: Tensor, rate_hz: float, bones: FingerBones) -> Tensor:
    """Features of the fingers with the wrist's orientation taken out.

    Per joint: position (3) [m], velocity (3) [m/s], rotation in the wrist frame (first two rows, 6), angular
    velocity of the parent-relative rotation (3) [rad/s]. The wrist comes first and never moves.

    Args:
        R_local: [B, N, 15, 3, 3] local finger rotations at regular times.
        rate_hz: their rate.
        bones: the rest hand.

    Returns:
        [B, 240, N], the numbers of a joint next to each other.
    """
    R_wrist = rotations_in_wrist(R_local)
    positions = joint_positions(R_wrist, bones)
    wrist = torch.eye(3, dtype=R_local.dtype, device=R_local.device).expand(*R_local.shape[:2], 1, 3, 3)
    turning = compose(_rate_of_change(R_local, rate_hz), R_local.mT)
    spin = 0.5 * torch.stack(
        (
            turning[..., 2, 1] - turning[..., 1, 2],
            turning[..., 0, 2] - turning[..., 2, 0],
            turning[..., 1, 0] - turning[..., 0, 1],
        ),
        dim=-1,
    )
    parts = (
        positions,
        _rate_of_change(positions, rate_hz),
        six_rows(torch.cat((wrist, R_wrist), dim=2)),
        torch.cat((torch.zeros_like(spin[:, :, :1]), spin), dim=2),
    )
    return torch.cat(parts, dim=-1).flatten(2).mT


def _rate_of_change(values: Tensor, rate_hz: float) -> Tensor:
    """Time derivative of [B, N, ...]: central differences, one-sided at the two ends."""
    ahead = torch.cat((values[:, 1:], values[:, -1:]), dim=1)
    behind = torch.cat((values[:, :1], values[:, :-1]), dim=1)
    change = 0.5 * rate_hz * (ahead - behind)
    return torch.cat((2.0 * change[:, :1], change[:, 1:-1], 2.0 * change[:, -1:]), dim=1)
