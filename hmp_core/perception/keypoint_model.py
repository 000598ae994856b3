# SPDX-FileCopyrightText: 2026 The hmp_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Where the landmark network puts its keypoints, in terms of the hand model's joints.

The two differ in definition: the network's fingertips lie on the pad, a third of the last bone short of the
model's tip, its wrist 8 mm towards the fingers, its knuckles towards the palm. Measured by robust regression of
lateral keypoint errors on the neighbouring bones over 5,900 renders of the open hand (random shapes, poses, views,
skins and lights; presence above 0.5): the median error per axis falls from 4 to 8 mm before to 4 to 6 mm after.
"""

from typing import Final

import numpy as np
from numpy.typing import NDArray

from hmp_core.hand.skeleton import MIDDLE_MCP, NUM_JOINTS, PARENTS, WRIST

_TOWARDS_PARENT: Final = (
    0.00,
    0.27, 0.20, 0.23, 0.30,
    0.08, 0.18, 0.32, 0.31,
    0.12, 0.16, 0.25, 0.30,
    0.13, 0.14, 0.28, 0.32,
    0.09, 0.12, 0.22, 0.33,
)  # fmt: skip
_TOWARDS_CHILD: Final = (
    0.09,
    0.47, 0.33, 0.16, 0.00,
    0.09, 0.24, 0.29, 0.00,
    0.13, 0.19, 0.22, 0.00,
    0.22, 0.22, 0.27, 0.00,
    0.24, 0.24, 0.21, 0.00,
)  # fmt: skip
"""Fractions of the way to the next joint base-wards and tip-wards; the wrist's child is the middle knuckle."""


def _mixture() -> NDArray[np.float64]:
    mixture = np.eye(NUM_JOINTS)
    for joint in range(NUM_JOINTS):
        child = MIDDLE_MCP if joint == WRIST else min(joint + 1, NUM_JOINTS - 1)
        for neighbour, share in ((PARENTS[joint], _TOWARDS_PARENT[joint]), (child, _TOWARDS_CHILD[joint])):
            mixture[joint, joint] -= share
            mixture[joint, neighbour] += share
    return mixture


KEYPOINTS_FROM_JOINTS: Final = _mixture()
"""[21, 21], rows sum to 1: ``keypoints = KEYPOINTS_FROM_JOINTS @ joints``."""
