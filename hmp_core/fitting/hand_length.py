# SPDX-FileCopyrightText: 2026 The hmp_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The length of a hand, wrist to middle knuckle: the one measure that one camera lacks and a ruler gives."""

from typing import Final

import torch
from torch import Tensor

from hmp_core.hand.kinematics import HandKinematics
from hmp_core.hand.skeleton import MIDDLE_MCP, NUM_BETAS, NUM_MANO_JOINTS, WRIST
from hmp_core.observation import ManoPose

_ROUNDS: Final = 5
_SIZE: Final = 0


def hand_length(kinematics: HandKinematics, betas: Tensor) -> tuple[float, Tensor]:
    """Wrist to middle knuckle of a hand with ``betas`` [10] in float64: length [m] and derivative [10]."""
    rotations = torch.eye(3, dtype=torch.float64).expand(1, NUM_MANO_JOINTS, 3, 3)
    joints, _, by_betas = kinematics.joints_and_jacobian(rotations, betas, betas.new_zeros(1, 3))
    across = joints[0, MIDDLE_MCP] - joints[0, WRIST]
    length = across.norm()
    return float(length), (across / length) @ (by_betas[0, MIDDLE_MCP] - by_betas[0, WRIST])


def betas_of_length(kinematics: HandKinematics, length_m: float, shape: Tensor | None = None) -> Tensor:
    """A hand grown or shrunk along the first beta, which is size, to a length [m]: [10].

    Args:
        kinematics: of the hand model, in float64.
        length_m: wrist to middle knuckle.
        shape: [10] betas of the hand; None: the average one.
    """
    betas = torch.zeros(NUM_BETAS, dtype=torch.float64) if shape is None else shape.clone()
    for _ in range(_ROUNDS):  # Newton's; the length is nearly linear in the betas
        length, slope = hand_length(kinematics, betas)
        betas[_SIZE] += (length_m - length) / slope[_SIZE]
    return betas


def resized(kinematics: HandKinematics, pose: ManoPose, betas: Tensor) -> ManoPose:
    """The same gesture of a hand with ``betas`` [10], as near or far as it must be to look as large."""
    own = torch.as_tensor(pose.betas, dtype=torch.float64)
    ratio = hand_length(kinematics, betas)[0] / hand_length(kinematics, own)[0]
    wrist = torch.as_tensor(pose.translation) + kinematics.rest_wrist(own).reshape(3)
    translation = ratio * wrist - kinematics.rest_wrist(betas).reshape(3)
    return ManoPose(pose.rotation_vectors, betas.numpy(), translation.numpy())
