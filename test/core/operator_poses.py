# SPDX-FileCopyrightText: 2026 The hmp_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Exact poses of the shipped hand for teleoperation: open, fist, point, and a pinch whose tips touch."""

from functools import cache

import numpy as np
import torch
from numpy.typing import NDArray

from hmp_core.hand.kinematics import HandKinematics
from hmp_core.hand.loading import load_hand_model
from hmp_core.hand.mirror import mirror_points
from hmp_core.hand.skeleton import Side
from hmp_core.training.anatomy import NEUTRAL, AnatomicalHand
from hmp_core.training.postures import CURLED, STRAIGHT

OPEN, FIST, POINT, PINCH = POSES = ("open", "fist", "point", "pinch")
_THUMB_OUT, _THUMB_OVER = (3.0, 11.0, -13.0, -2.0), (10.0, 51.0, -10.0, 38.0)
_ANGLES_DEG = {
    OPEN: (_THUMB_OUT, STRAIGHT, STRAIGHT, STRAIGHT, STRAIGHT),
    FIST: (_THUMB_OVER, CURLED, CURLED, CURLED, CURLED),
    POINT: (_THUMB_OVER, STRAIGHT, CURLED, CURLED, CURLED),
    PINCH: ((34.0, 43.0, -5.0, 18.0), (0.0, 50.0, 45.0, 25.0), STRAIGHT, STRAIGHT, STRAIGHT),
}
_PINCH_M = 0.012
"""Between the tips' skin points of a closed pinch: the fingers' pulps are in between."""


@cache
def operator_joints(pose: str, side: Side = Side.RIGHT) -> NDArray[np.float64]:
    """Joints [21, 3] [m] in some camera's axes."""
    angles = torch.deg2rad(torch.tensor(_ANGLES_DEG[pose]).reshape(-1)) + NEUTRAL
    if pose == PINCH:
        angles = _closed(angles)
    joints = _joints(angles).detach().double().numpy()
    return mirror_points(joints) if side is Side.LEFT else joints


def between(first: str, second: str, steps: int, side: Side = Side.RIGHT) -> NDArray[np.float64]:
    """Joints [steps, 21, 3] on the way from one pose to another, along straight lines."""
    share = np.linspace(0.0, 1.0, steps)[:, None, None]
    return (1.0 - share) * operator_joints(first, side) + share * operator_joints(second, side)


def _closed(angles: torch.Tensor) -> torch.Tensor:
    """Thumb and index moved until their tips are a pulp's thickness apart."""
    moved = angles.clone().requires_grad_()
    optimizer = torch.optim.Adam([moved], lr=0.02)
    for _ in range(120):
        optimizer.zero_grad()
        joints = _joints(moved)
        gap = (joints[4] - joints[8]).norm()
        loss = ((gap - _PINCH_M) / 0.001) ** 2 + ((moved - angles)[:8] / 0.3).square().sum()
        loss.backward()
        moved.grad[8:] = 0.0
        optimizer.step()
    return moved


def _joints(angles: torch.Tensor) -> torch.Tensor:
    fingers = AnatomicalHand().rotations(angles)
    rotations = torch.cat([torch.eye(3)[None], fingers])[None]
    return _kinematics().joints(rotations, torch.zeros(10), torch.zeros(1, 3))[0]


@cache
def _kinematics() -> HandKinematics:
    return HandKinematics(load_hand_model())
