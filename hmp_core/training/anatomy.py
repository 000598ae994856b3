# SPDX-FileCopyrightText: 2026 The hmp_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The hand in a clinician's terms: twenty joint angles, their ranges, and what they mean as MANO rotations.

Axes are those of :mod:`hmp_core.hand.limits`. The ranges here lie inside the limits there: those are what a hand
can be found in, these are what people move through by themselves (Lin, Wu and Huang 2000, "Modeling the
constraints of human hand motion"; thumb base: Cooney et al. 1981). Abduction counts from MANO's rest pose, in which
fingers are spread and the little one stands far out; :data:`NEUTRAL` brings them side by side. Palmar abduction of
the thumb's base turns it a little about its own length (pronation).
"""

from typing import Final

import roma
import torch
from torch import Tensor

from hmp_core.hand.limits import JOINT_AXES
from hmp_core.prior.chain import CHAIN_LENGTH, NUM_FINGERS, FingerBones, split_fingers

NUM_ANGLES: Final = 20
_RANGES_DEG: Final = {
    #          abduction     base          middle       tip
    "thumb": ((-15.0, 45.0), (-25.0, 58.0), (-20.0, 60.0), (-20.0, 85.0)),
    "index": ((-22.0, 18.0), (-25.0, 92.0), (-4.0, 108.0), (-8.0, 75.0)),
    "middle": ((-12.0, 20.0), (-25.0, 92.0), (-4.0, 108.0), (-8.0, 75.0)),
    "ring": ((-15.0, 19.0), (-25.0, 92.0), (-4.0, 108.0), (-8.0, 75.0)),
    "pinky": ((-14.0, 34.0), (-25.0, 92.0), (-4.0, 108.0), (-8.0, 75.0)),
}
ANGLE_RANGES: Final = torch.deg2rad(torch.tensor(list(_RANGES_DEG.values()))).flatten(0, 1)
"""[20, 2] lowest and highest angle [rad]. Rows: thumb, index, middle, ring, pinky; four each: abduction (fingers:
positive towards the thumb; thumb: out of the palm), then flexion of base, middle and last joint."""
NEUTRAL: Final = torch.zeros(NUM_ANGLES)
"""[20] angles of a flat hand with its fingers side by side [rad]."""
NEUTRAL[4::4] = torch.deg2rad(torch.tensor([-5.0, 8.0, 5.0, 17.0]))
_PRONATION_PER_ABDUCTION: Final = 0.3
_FINGER_FROM_MANO: Final = torch.tensor([1, 2, 4, 3, 0])
"""MANO's finger order is index, middle, pinky, ring, thumb; angles use thumb to pinky."""


class AnatomicalHand:
    """Joint angles to MANO rotations for one rest hand, optionally an individual with slightly tilted joints."""

    def __init__(self, bones: FingerBones, tilt: Tensor | None = None) -> None:
        """Derive the joints' axes from the rest hand's bones.

        Args:
            bones: the rest hand.
            tilt: [15, 3] rotation vectors by which this individual's joint axes differ [rad].
        """
        self.bones = bones
        axes = torch.from_numpy(JOINT_AXES).float()
        if tilt is not None:
            axes = axes @ roma.rotvec_to_rotmat(tilt).mT
        self._twist, self._nail, self._bend = axes.unbind(-2)

    def rotations(self, angles: Tensor) -> Tensor:
        """Local MANO rotations [..., 15, 3, 3] of angles [..., 20] [rad]."""
        chains = torch.unflatten(angles, -1, (NUM_FINGERS, 4))[..., _FINGER_FROM_MANO, :]
        flexion = chains[..., 1:].flatten(-2)
        R = roma.rotvec_to_rotmat(flexion.unsqueeze(-1) * self._bend)
        spread = roma.rotvec_to_rotmat(chains[..., :1] * self._nail[::CHAIN_LENGTH])
        bases = spread @ R[..., ::CHAIN_LENGTH, :, :]
        # The thumb's pulp turns towards the finger tips as it leaves the palm.
        pronation = _PRONATION_PER_ABDUCTION * chains[..., -1, :1] * self._twist[-CHAIN_LENGTH]
        thumb = bases[..., -1:, :, :] @ roma.rotvec_to_rotmat(pronation).unsqueeze(-3)
        bases = torch.cat((bases[..., :-1, :, :], thumb), dim=-3)
        outer = split_fingers(R, -3)[..., 1:, :, :]
        return torch.cat((bases.unsqueeze(-3), outer), dim=-3).flatten(-4, -3)


def clamp_to_ranges(angles: Tensor) -> Tensor:
    """Angles [..., 20] moved into their ranges."""
    return torch.minimum(torch.maximum(angles, ANGLE_RANGES[:, 0]), ANGLE_RANGES[:, 1])
