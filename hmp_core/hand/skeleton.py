# SPDX-FileCopyrightText: 2026 The hmp_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Names, orders and parents of the hand's joints.

Public order (every [21] array outside this folder; MediaPipe, dex-retargeting), base to tip::

             8   12   16   20      tips
             |    |    |    |
             7   11   15   19      DIP
             |    |    |    |
             6   10   14   18      PIP
        4    |    |    |    |
        |    5    9   13   17      MCP
        3     \\   |    |   /
         2     \\  |   /   /
           1 ___\\_|__/___/         thumb: 1 CMC, 2 MCP, 3 IP, 4 tip
                  0                wrist

MANO order (16 rotating joints, every [16] array): wrist, then index, middle, pinky, ring, thumb, three each.
"""

from enum import Enum
from typing import Final

JOINT_NAMES: Final = (
    "wrist",
    "thumb_cmc", "thumb_mcp", "thumb_ip", "thumb_tip",
    "index_mcp", "index_pip", "index_dip", "index_tip",
    "middle_mcp", "middle_pip", "middle_dip", "middle_tip",
    "ring_mcp", "ring_pip", "ring_dip", "ring_tip",
    "pinky_mcp", "pinky_pip", "pinky_dip", "pinky_tip",
)  # fmt: skip
NUM_JOINTS: Final = 21
WRIST: Final = 0
MIDDLE_MCP: Final = 9
TIPS: Final = (4, 8, 12, 16, 20)
FINGER_NAMES: Final = ("thumb", "index", "middle", "ring", "pinky")
FINGERS: Final = ((1, 2, 3, 4), (5, 6, 7, 8), (9, 10, 11, 12), (13, 14, 15, 16), (17, 18, 19, 20))
PARENTS: Final = (-1, 0, 1, 2, 3, 0, 5, 6, 7, 0, 9, 10, 11, 0, 13, 14, 15, 0, 17, 18, 19)
"""Parent of each public joint; also the list of drawn bones."""

MANO_JOINT_NAMES: Final = (
    "wrist",
    "index1", "index2", "index3",
    "middle1", "middle2", "middle3",
    "pinky1", "pinky2", "pinky3",
    "ring1", "ring2", "ring3",
    "thumb1", "thumb2", "thumb3",
)  # fmt: skip
NUM_MANO_JOINTS: Final = 16
NUM_FINGER_ROTATIONS: Final = 15
NUM_BETAS: Final = 10
MANO_PARENTS: Final = (-1, 0, 1, 2, 0, 4, 5, 0, 7, 8, 0, 10, 11, 0, 13, 14)
PUBLIC_FROM_MANO: Final = (0, 13, 14, 15, 16, 1, 2, 3, 17, 4, 5, 6, 18, 10, 11, 12, 19, 7, 8, 9, 20)
"""``joints_public = joints_mano[..., PUBLIC_FROM_MANO, :]``, where rows 16-20 of ``joints_mano`` are the thumb,
index, middle, ring and pinky tips (order of HaMeR's and manotorch's wrappers)."""
BONE_ENDS: Final = (6, 7, 8, 10, 11, 12, 18, 19, 20, 14, 15, 16, 2, 3, 4)
"""Public joint at the end of the bone that each of the fifteen finger rotations (MANO order) turns."""
MANO_TIP_VERTICES_RIGHT: Final = (745, 317, 444, 556, 673)
"""Fingertip vertices of MANO's own mesh, thumb to pinky (manotorch). Other models carry their own."""


class Side(str, Enum):
    """Which hand."""

    LEFT = "left"
    RIGHT = "right"
