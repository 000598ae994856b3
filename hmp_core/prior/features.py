# SPDX-FileCopyrightText: 2026 The hmp_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What the encoder sees of a motion: per joint and frame rotations, bone end, velocities, visibility."""

import roma
import torch
from torch import Tensor

from hmp_core.prior.chain import FingerBones, compose, rotations_in_wrist, seen_through_chain

NUM_CHANNELS = 19
_POSITION_SCALE = 10.0
_VELOCITY_SCALE = 2.0
_TURN_SCALE = 0.3


def clip_features(R_local: Tensor, visible: Tensor, step_s: float, bones: FingerBones) -> Tensor:
    """Features of clips on a regular time grid, zero wherever something unseen would enter.

    Per joint: its local rotation vector (3), 6-D rotation in the wrist frame minus the identity's (6), end of its
    bone relative to its place on the flat hand (3), that point's velocity (3), angular velocity in the wrist frame
    (3), visibility (1). All are scaled to order one. Velocities are central differences and need both neighbours
    seen; at the two ends of the window, and beside a gap, the one-sided difference is used.

    Args:
        R_local: [B, N, 15, 3, 3] local finger rotations; any value where unseen.
        visible: [B, N, 15] 1 or True where seen.
        step_s: distance of the grid's samples [s].
        bones: the rest hand.

    Returns:
        [B, 15, 19, N].
    """
    seen = seen_through_chain(visible).to(R_local.dtype)
    R_wrist = rotations_in_wrist(R_local)
    identity = torch.eye(3, dtype=R_local.dtype, device=R_local.device)
    six = (R_wrist - identity)[..., :2].flatten(-2)
    ends = bones(R_wrist) - bones(identity.expand(15, 3, 3))
    span, pair = _neighbour_spans(seen, step_s)
    earlier, later = _neighbours(R_wrist, seen)
    turn = compose(later, earlier.mT)
    spin = 0.5 * torch.stack(
        (turn[..., 2, 1] - turn[..., 1, 2], turn[..., 0, 2] - turn[..., 2, 0], turn[..., 1, 0] - turn[..., 0, 1]),
        dim=-1,
    )
    before, after = _neighbours(ends, seen)
    velocity = (after - before) * pair / span
    spin = spin * pair / span
    features = torch.cat(
        (
            roma.rotmat_to_rotvec(R_local) * seen.unsqueeze(-1),
            six * seen.unsqueeze(-1),
            _POSITION_SCALE * ends * seen.unsqueeze(-1),
            _VELOCITY_SCALE * velocity,
            _TURN_SCALE * spin,
            seen.unsqueeze(-1),
        ),
        dim=-1,
    )
    return features.permute(0, 2, 3, 1)


def _neighbours(values: Tensor, seen: Tensor) -> tuple[Tensor, Tensor]:
    """Values [B, N, 15, ...] one sample before and after; an unseen or absent neighbour is the sample itself."""
    mask = seen.view(*seen.shape, *([1] * (values.dim() - 3))) > 0
    previous = torch.cat((values[:, :1], values[:, :-1]), dim=1)
    following = torch.cat((values[:, 1:], values[:, -1:]), dim=1)
    previous_seen = torch.cat((mask[:, :1], mask[:, :-1]), dim=1)
    following_seen = torch.cat((mask[:, 1:], mask[:, -1:]), dim=1)
    return torch.where(previous_seen, previous, values), torch.where(following_seen, following, values)


def _neighbour_spans(seen: Tensor, step_s: float) -> tuple[Tensor, Tensor]:
    """Time between the neighbours that :func:`_neighbours` took [B, N, 15, 1] [s], and whether it is usable."""
    edge = torch.zeros_like(seen[:, :1])
    steps = torch.cat((edge, seen[:, :-1]), dim=1) + torch.cat((seen[:, 1:], edge), dim=1)
    usable = seen * (steps > 0)
    return step_s * steps.clamp_min(1.0).unsqueeze(-1), usable.unsqueeze(-1)
