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
_SMALLEST_SQUARE_RAD = 1e-12


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

    def from_vectors(self, vectors: Tensor) -> Tensor:
        """Positions of bone ends relative to the wrist [..., 15, 3] [m] from local rotation vectors, same shape.

        What forward gives for their rotations, at a fifth of its price with gradients: only points are turned, and
        each coordinate of all hands lies side by side in memory.
        """
        turns = split_fingers(vectors, -2).movedim((-2, -1), (0, 1)).contiguous()  # [joint, xyz, ..., finger]
        square = turns.square().sum(1).clamp_min(_SMALLEST_SQUARE_RAD)
        angle = square.sqrt()
        sine, versine = angle.sin() / angle, (1.0 - angle.cos()) / square
        bones = split_fingers(self.bones, -2).movedim((-2, -1), (0, 1))
        shape = (1, *angle.shape[1:])
        points: list[Tensor] = [bones.new_zeros((0, *shape[1:]))] * 3
        for joint in reversed(range(CHAIN_LENGTH)):
            # Ends of this bone and, beyond it, of the outer ones.
            own = [bone.expand(shape) for bone in bones[joint]]
            points = [torch.cat((o, o + outer)) for o, outer in zip(own, points, strict=True)]
            points = _turned(points, turns[joint], sine[joint], versine[joint])
        ends = torch.stack(points, dim=-1) + self.bases
        return ends.movedim(0, -2).flatten(-3, -2)


def _turned(points: list[Tensor], turn: Tensor, sine: Tensor, versine: Tensor) -> list[Tensor]:
    """Rodrigues' formula on points given as x, y, z [P, ...], for one turn [3, ...]."""
    across = _cross(turn, points)
    twice = _cross(turn, across)
    return [p + sine * a + versine * b for p, a, b in zip(points, across, twice, strict=True)]


def _cross(a: Tensor | list[Tensor], b: list[Tensor]) -> list[Tensor]:
    return [a[1] * b[2] - a[2] * b[1], a[2] * b[0] - a[0] * b[2], a[0] * b[1] - a[1] * b[0]]
