# SPDX-FileCopyrightText: 2026 The hmp_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The five finger chains: local rotations, rotations in the wrist frame, bone ends.

The fifteen finger rotations of MANO order are five fingers of three, base to tip, so a chain is a reshape away.
Everything is a right hand; the wrist frame is MANO's, with the hand's global rotation taken out.
"""

import numpy as np
import torch
from torch import Tensor, nn

from hmp_core.hand.model import HandModel

NUM_FINGERS = 5
CHAIN_LENGTH = 3


def rotations_in_wrist(R_local: Tensor) -> Tensor:
    """Accumulate local (parent-relative) finger rotations [..., 15, 3, 3] into the wrist frame, same shape."""
    proximal, middle, distal = split_fingers(R_local, -3).unbind(-3)
    R_middle = compose(proximal, middle)
    R_distal = compose(R_middle, distal)
    return torch.stack((proximal, R_middle, R_distal), dim=-3).flatten(-4, -3)


def local_rotations(R_wrist: Tensor) -> Tensor:
    """Undo :func:`rotations_in_wrist`: wrist-frame rotations [..., 15, 3, 3] to local ones, same shape."""
    proximal, middle, distal = split_fingers(R_wrist, -3).unbind(-3)
    return torch.stack((proximal, compose(proximal.mT, middle), compose(middle.mT, distal)), dim=-3).flatten(-4, -3)


def split_fingers(values: Tensor, dim: int) -> Tensor:
    """View the dimension of 15 joints as 5 fingers times 3."""
    return torch.unflatten(values, dim, (NUM_FINGERS, CHAIN_LENGTH))


def compose(A: Tensor, B: Tensor) -> Tensor:
    """Matrix product of many small matrices [..., 3, 3]; on a CPU faster than one BLAS call per pair."""
    return (A.unsqueeze(-1) * B.unsqueeze(-3)).sum(-2)


class FingerBones(nn.Module):
    """Bone vectors of one rest hand, which turn wrist-frame rotations into the positions of the bone ends.

    The three bones of a finger end in its PIP and DIP joint and its tip (thumb: MCP, IP and tip). Tips move rigidly
    with the last bone here; the pose-dependent bulge of the skin, about a millimetre, matters to pixels and not to
    a prior. Bones are those of the mean shape: the prior is about motion, shape belongs to the fitter.
    """

    bases: Tensor
    bones: Tensor

    def __init__(self, bases: Tensor, bones: Tensor) -> None:
        """Take [5, 3] finger bases relative to the wrist and [15, 3] bone vectors at rest, both [m]."""
        super().__init__()
        self.register_buffer("bases", bases.clone())
        self.register_buffer("bones", bones.clone())

    @staticmethod
    def of(model: HandModel) -> "FingerBones":
        """Take the bones of a right hand's mean shape."""
        joints = model.J_regressor @ model.v_template
        # Tips come thumb to pinky, chains in MANO's order.
        tips = model.v_template[model.tip_vertices[[1, 2, 4, 3, 0]]]
        chains = np.concatenate((joints[1:].reshape(NUM_FINGERS, CHAIN_LENGTH, 3), tips[:, None]), axis=1)
        bones = (chains[:, 1:] - chains[:, :-1]).reshape(-1, 3)
        return FingerBones(torch.from_numpy(chains[:, 0] - joints[0]).float(), torch.from_numpy(bones).float())

    def forward(self, R_wrist: Tensor) -> Tensor:
        """Positions of bone ends relative to the wrist [..., 15, 3] [m] from rotations [..., 15, 3, 3]."""
        steps = split_fingers((R_wrist * self.bones.unsqueeze(-2)).sum(-1), -2)
        return (steps.cumsum(-2) + self.bases.unsqueeze(-2)).flatten(-3, -2)
