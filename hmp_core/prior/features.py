# SPDX-FileCopyrightText: 2026 The hmp_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What the encoder sees of a motion: per joint and frame rotations, bone end, velocities, visibility."""

import roma
import torch
from torch import Tensor

from hmp_core.prior.chain import FingerBones, compose, rotations_in_wrist

NUM_CHANNELS = 19
_POSITION_SCALE = 10.0
_VELOCITY_SCALE = 2.0
_TURN_SCALE = 0.3


def clip_features(R_local: Tensor, visible: Tensor, step_s: float, bones: FingerBones) -> Tensor:
    """Features of clips on a regular time grid; unseen rotations are first bridged from seen ones.

    Per joint: its local rotation vector (3), 6-D rotation in the wrist frame minus the identity's (6), end of its
    bone relative to its place on the flat hand (3), that point's velocity (3), angular velocity in the wrist frame
    (3), visibility (1). All are scaled to order one. Velocities are central differences, one-sided at the two ends.

    Args:
        R_local: [B, N, 15, 3, 3] local finger rotations; any value where unseen.
        visible: [B, N, 15] 1 or True where seen.
        step_s: distance of the grid's samples [s].
        bones: the rest hand.

    Returns:
        [B, 15, 19, N].
    """
    seen = visible.to(R_local.dtype)
    vectors = bridge_gaps(roma.rotmat_to_rotvec(R_local), seen)
    R_wrist = rotations_in_wrist(roma.rotvec_to_rotmat(vectors))
    identity = torch.eye(3, dtype=R_local.dtype, device=R_local.device)
    six = (R_wrist - identity)[..., :2].flatten(-2)
    ends = bones(R_wrist) - bones(identity.expand(15, 3, 3))
    steps = torch.full((R_wrist.shape[1], 1, 1), 2.0 * step_s, dtype=R_local.dtype, device=R_local.device)
    steps[[0, -1]] = step_s
    turn = compose(_after(R_wrist), _before(R_wrist).mT)
    spin = 0.5 * torch.stack(
        (turn[..., 2, 1] - turn[..., 1, 2], turn[..., 0, 2] - turn[..., 2, 0], turn[..., 1, 0] - turn[..., 0, 1]),
        dim=-1,
    )
    velocity = _after(ends) - _before(ends)
    features = torch.cat(
        (
            vectors,
            six,
            _POSITION_SCALE * ends,
            _VELOCITY_SCALE * velocity / steps,
            _TURN_SCALE * spin / steps,
            seen.unsqueeze(-1),
        ),
        dim=-1,
    )
    return features.permute(0, 2, 3, 1)


def bridge_gaps(vectors: Tensor, seen: Tensor) -> Tensor:
    """Straight lines across unseen spans, the nearest seen value at the window's ends, zero for a joint never seen.

    Args:
        vectors: [B, N, J, 3] rotation vectors at regular times [rad]; any value where unseen.
        seen: [B, N, J] above 0 where seen.
    """
    count = vectors.shape[1]
    index = torch.arange(count, device=vectors.device).view(1, -1, 1)
    shown = seen > 0
    last = torch.where(shown, index, -1).cummax(dim=1).values
    following = torch.where(shown, index, count).flip(1).cummin(dim=1).values.flip(1)
    never = last.eq(-1) & following.eq(count)
    left = torch.where(last < 0, following, last).clamp_max(count - 1)
    right = torch.where(following >= count, last, following).clamp_min(0)
    share = (index - left) / (right - left).clamp_min(1)

    def take(at: Tensor) -> Tensor:
        return vectors.gather(1, at.unsqueeze(-1).expand(-1, -1, -1, 3))

    bridged = torch.lerp(take(left), take(right), share.to(vectors.dtype).unsqueeze(-1))
    return torch.where(never.unsqueeze(-1), 0.0, bridged)


def _before(values: Tensor) -> Tensor:
    """Values [B, N, ...] one sample earlier, the first one twice."""
    return torch.cat((values[:, :1], values[:, :-1]), dim=1)


def _after(values: Tensor) -> Tensor:
    """Values [B, N, ...] one sample later, the last one twice."""
    return torch.cat((values[:, 1:], values[:, -1:]), dim=1)
