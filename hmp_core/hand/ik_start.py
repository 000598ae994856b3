# SPDX-FileCopyrightText: 2026 The hmp_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Where inverse kinematics starts: a shape from bone lengths, rotations from bone directions, in closed form."""

from typing import Final

import roma
import torch
from torch import Tensor

from hmp_core.hand.kinematics import HandKinematics
from hmp_core.hand.skeleton import (
    MANO_PARENTS,
    NUM_BETAS,
    NUM_JOINTS,
    NUM_MANO_JOINTS,
    PARENTS,
    PUBLIC_FROM_MANO,
)
from hmp_core.hand.so3 import exponential

_PALM: Final = (0, 1, 5, 9, 13, 17)
_GAUSS_NEWTON_STEPS: Final = 5
_CHILDREN: Final = list(range(1, NUM_JOINTS))
_BASES: Final = [PARENTS[child] for child in _CHILDREN]


def betas_from_bone_lengths(kinematics: HandKinematics, points: Tensor, weight: Tensor, sigma_m: float) -> Tensor:
    """Most probable betas [10] given the median bone lengths of a sequence.

    Args:
        kinematics: of the hand model.
        points: [n, 21, 3] joints in any pose [m].
        weight: [n, 21]; a bone counts in the frames where both its ends have weight.
        sigma_m: standard deviation of a bone length [m].
    """
    seen = (weight[:, _CHILDREN] > 0) & (weight[:, _BASES] > 0)
    lengths = (points[:, _CHILDREN] - points[:, _BASES]).norm(dim=-1)
    median = torch.where(seen, lengths, torch.nan).nanmedian(dim=0).values
    known = torch.isfinite(median)
    betas = torch.zeros(NUM_BETAS, dtype=points.dtype)
    flat = torch.eye(3, dtype=points.dtype).expand(1, NUM_MANO_JOINTS, 3, 3)
    for _ in range(_GAUSS_NEWTON_STEPS):
        rest, _, by_beta = kinematics.joints_and_jacobian(flat, betas, points.new_zeros(1, 3))
        bones = rest[0, _CHILDREN] - rest[0, _BASES]
        modelled = bones.norm(dim=-1)
        jacobian = torch.einsum(
            "ba,bak->bk", bones / modelled[:, None], (by_beta[0, _CHILDREN] - by_beta[0, _BASES])
        )
        jacobian, residual = jacobian[known] / sigma_m, (modelled - median)[known] / sigma_m
        normal = jacobian.T @ jacobian + torch.eye(NUM_BETAS, dtype=points.dtype)
        betas = betas - torch.linalg.solve(normal, jacobian.T @ residual + betas)
    return betas


def rotations_from_bones(kinematics: HandKinematics, points: Tensor, betas: Tensor, weight: Tensor) -> Tensor:
    """Local rotations [n, 16, 3, 3] that turn the palm onto the points and each bone along its own, without twist.

    Args:
        kinematics: of the hand model.
        points: [n, 21, 3] joints [m].
        betas: [n, 10].
        weight: [n, 21]; bones of joints without weight stay as they are at rest.
    """
    count = len(points)
    flat = torch.eye(3, dtype=points.dtype).expand(count, NUM_MANO_JOINTS, 3, 3)
    rest = kinematics.joints(flat, betas, points.new_zeros(count, 3))
    palm = weight[:, _PALM, None]
    share = palm / palm.sum(dim=1, keepdim=True).clamp_min(1e-12)
    rest_palm, palm_points = rest[:, _PALM], points[:, _PALM]
    rest_palm = rest_palm - (share * rest_palm).sum(dim=1, keepdim=True)
    palm_points = palm_points - (share * palm_points).sum(dim=1, keepdim=True)
    root = roma.special_procrustes((share * palm_points).mT @ rest_palm)
    known = (weight > 0).to(points.dtype)
    turned: list[Tensor] = [root]
    local: list[Tensor] = [root]
    for joint in range(1, NUM_MANO_JOINTS):
        base = PUBLIC_FROM_MANO.index(joint)
        parent = turned[MANO_PARENTS[joint]]
        wanted = (parent.mT @ (points[:, base + 1] - points[:, base])[..., None])[..., 0]
        along = rest[:, base + 1] - rest[:, base]
        usable = (known[:, base] * known[:, base + 1])[:, None]
        swing = _swing(along, usable * wanted + (1 - usable) * along)
        local.append(swing)
        turned.append(parent @ swing)
    return torch.stack(local, dim=1)


def _swing(start: Tensor, end: Tensor) -> Tensor:
    """Smallest rotations [n, 3, 3] that turn vectors [n, 3] into the direction of others."""
    axis = torch.linalg.cross(start, end)
    norm = axis.norm(dim=-1, keepdim=True)
    angle = torch.atan2(norm, (start * end).sum(dim=-1, keepdim=True))
    swing: Tensor = exponential(axis / norm.clamp_min(1e-12) * angle)
    return swing
