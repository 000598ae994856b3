# SPDX-FileCopyrightText: 2026 The hmp_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The hand in a clinician's terms: twenty joint angles, their ranges, and what they mean as MANO rotations.

Axes and ranges are those of :mod:`hmp_core.hand.limits`; people move within them up to a margin. Abduction counts
from MANO's rest pose, in which fingers are spread and the little one stands far out; :data:`NEUTRAL` brings them
side by side. Palmar abduction of the thumb's base turns it a little about its own length (pronation).
"""

from typing import Final

import roma
import torch
from torch import Tensor

from hmp_core.hand.limits import ACTIVE_MARGIN_RAD, ANATOMICAL_LIMITS, JOINT_AXES, anatomical_components
from hmp_core.prior.chain import CHAIN_LENGTH, NUM_FINGERS, split_fingers

NUM_ANGLES: Final = 20
_FINGER_FROM_MANO: Final = torch.tensor([1, 2, 4, 3, 0])
"""MANO's finger order is index, middle, pinky, ring, thumb; angles use thumb to pinky."""
_MANO_FROM_FINGER: Final = torch.tensor([4, 0, 1, 3, 2])


def _angle_ranges() -> Tensor:
    lower, upper = split_fingers(torch.from_numpy(ANATOMICAL_LIMITS).float(), 1)[:, _MANO_FROM_FINGER]
    fingers = torch.stack((lower + ACTIVE_MARGIN_RAD, upper - ACTIVE_MARGIN_RAD), dim=-1)
    return torch.cat((fingers[:, :1, 1], fingers[:, :, 2]), dim=1).flatten(0, 1)


ANGLE_RANGES: Final = _angle_ranges()
"""[20, 2] lowest and highest angle [rad]. Rows: thumb, index, middle, ring, pinky; four each: abduction (fingers:
positive towards the thumb; thumb: out of the palm), then flexion of base, middle and last joint."""
NEUTRAL: Final = torch.zeros(NUM_ANGLES)
"""[20] angles of a flat hand with its fingers side by side [rad]."""
NEUTRAL[4::4] = torch.deg2rad(torch.tensor([-5.0, 8.0, 5.0, 17.0]))
_PRONATION_PER_ABDUCTION: Final = 0.3


class AnatomicalHand:
    """Joint angles to MANO rotations, of the mean hand or of an individual with joints of its own."""

    def __init__(self, tilt: Tensor | None = None, bow: Tensor | None = None) -> None:
        """Take the joints' axes.

        Args:
            tilt: [15, 3] rotation vectors by which this individual's joint axes differ [rad].
            bow: [15] angle to the side at which this individual's bones stand on their joints [rad].
        """
        self._bow = torch.zeros(NUM_FINGERS * CHAIN_LENGTH) if bow is None else bow
        axes = torch.from_numpy(JOINT_AXES).float()
        if tilt is not None:
            axes = axes @ roma.rotvec_to_rotmat(tilt).mT
        self._twist, self._nail, self._bend = axes.unbind(-2)

    def rotations(self, angles: Tensor) -> Tensor:
        """Local MANO rotations [..., 15, 3, 3] of angles [..., 20] [rad]."""
        chains = torch.unflatten(angles, -1, (NUM_FINGERS, 4))[..., _FINGER_FROM_MANO, :]
        flexion = chains[..., 1:].flatten(-2)
        R = roma.rotvec_to_rotmat(flexion.unsqueeze(-1) * self._bend)
        R = R @ roma.rotvec_to_rotmat(self._bow.unsqueeze(-1) * self._nail)
        spread = roma.rotvec_to_rotmat(chains[..., :1] * self._nail[::CHAIN_LENGTH])
        bases = spread @ R[..., ::CHAIN_LENGTH, :, :]
        # The thumb's pulp turns towards the finger tips as it leaves the palm.
        pronation = _PRONATION_PER_ABDUCTION * chains[..., -1, :1] * self._twist[-CHAIN_LENGTH]
        thumb = bases[..., -1:, :, :] @ roma.rotvec_to_rotmat(pronation).unsqueeze(-3)
        bases = torch.cat((bases[..., :-1, :, :], thumb), dim=-3)
        outer = split_fingers(R, -3)[..., 1:, :, :]
        return torch.cat((bases.unsqueeze(-3), outer), dim=-3).flatten(-4, -3)


def within_limits(rotation_vectors: Tensor) -> Tensor:
    """Finger rotation vectors [..., 15, 3] [rad] moved inside the anatomical limits.

    An individual's own axes, and fingers bent and spread at once, can leave them with every angle in its range.
    """
    lower, upper = torch.from_numpy(ANATOMICAL_LIMITS).to(rotation_vectors)
    allowed = anatomical_components(rotation_vectors).clamp(lower, upper)
    inside: Tensor = allowed.unsqueeze(-2) @ torch.from_numpy(JOINT_AXES).to(rotation_vectors)
    return inside.squeeze(-2)


def clamp_to_ranges(angles: Tensor) -> Tensor:
    """Angles [..., 20] moved into their ranges."""
    return torch.minimum(torch.maximum(angles, ANGLE_RANGES[:, 0]), ANGLE_RANGES[:, 1])
