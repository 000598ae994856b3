# SPDX-FileCopyrightText: 2026 The hmp_ros authors
# SPDX-License-Identifier: Apache-2.0
"""How far finger joints turn: anatomical limits of MANO's finger rotations, right hand.

A rotation vector is split into three components along axes of its own joint: twist about the bone, abduction
about the direction of the nail, and flexion about their product. At rest the bones lie in fixed directions
(MANO's convention, which the open hand shares), so these axes are constants, oblique for pinky and thumb.

Sources of the ranges: American Academy of Orthopaedic Surgeons, "Joint Motion", 1965, and Hume et al.,
"Functional range of motion of the joints of the hand", J. Hand Surg. 15A, 1990 (finger flexion 0-100, 0-105,
0-85 degrees base to tip; thumb 0-56 and -5-73). The thumb's base: radial abduction to 70 degrees and flexion to 15
(AAOS), which from MANO's rest pose, its metacarpal 50 degrees off the fingers, are 20 of extension and 65 of
flexion; 42 between full adduction and full palmar abduction and 17 axial (Cooney et al., J. Bone Joint Surg. 63A,
1981), with the rest pose near neither end. Abduction of fingers is counted from MANO's rest pose, where the pinky
stands 34 degrees apart. About 10 degrees are added on both sides: passive hyperextension, individual spread, and
a model whose axes are not quite those of the person. This is the only table of ranges: the motion generator keeps
:data:`ACTIVE_MARGIN_RAD` inside it.
"""

from typing import Final

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

# Azimuth of the bones at rest from -x towards +z [deg] and the ranges of twist, abduction (positive towards the
# thumb; for the thumb out of the palm) and flexion [deg], MANO order, base to tip.
_TWIST_BASE, _SIDE, _PIP, _DIP = (-25, 25), (-12, 12), (-12, 115), (-20, 95)
_JOINTS: Final = (
    (4, _TWIST_BASE, (-25, 25), (-35, 100)), (0, _SIDE, _SIDE, _PIP), (0, _SIDE, _SIDE, _DIP),
    (-10, _TWIST_BASE, (-20, 22), (-35, 100)), (-10, _SIDE, _SIDE, _PIP), (-10, _SIDE, _SIDE, _DIP),
    (-34, _TWIST_BASE, (-20, 38), (-35, 100)), (-33, _SIDE, _SIDE, _PIP), (-33, _SIDE, _SIDE, _DIP),
    (-11, _TWIST_BASE, (-20, 22), (-35, 100)), (-17, _SIDE, _SIDE, _PIP), (-17, _SIDE, _SIDE, _DIP),
    (50, (-40, 40), (-30, 60), (-30, 75)), (33, (-15, 15), (-20, 20), (-42, 60)), (33, _SIDE, _SIDE, (-35, 90)),
)  # fmt: skip
_NAIL: Final = np.array([0.0, 1.0, 0.0])
_THUMB_NAIL: Final = np.array([1.0, 1.0, 1.0])  # manotorch's up axis of the thumb
_THUMB_JOINTS: Final = 3


def _joint_axes() -> NDArray[np.float64]:
    azimuth = np.radians([joint[0] for joint in _JOINTS])
    along = np.stack([-np.cos(azimuth), np.zeros(len(_JOINTS)), np.sin(azimuth)], axis=1)
    nail = np.tile(_NAIL, (len(_JOINTS), 1))
    nail[-_THUMB_JOINTS:] = _THUMB_NAIL
    nail -= along * np.sum(along * nail, axis=1, keepdims=True)
    nail /= np.linalg.norm(nail, axis=1, keepdims=True)
    return np.stack([-along, nail, np.cross(nail, along)], axis=1)


JOINT_AXES: Final = _joint_axes()
"""[15, 3, 3] rows: twist, abduction and flexion axis of every finger joint, in MANO's axes."""
ANATOMICAL_LIMITS: Final = np.radians([joint[1:] for joint in _JOINTS]).transpose(2, 0, 1)
"""[2, 15, 3] lower and upper twist, abduction and flexion [rad]."""
_AXES: Final = torch.from_numpy(JOINT_AXES)
_LIMITS: Final = torch.from_numpy(ANATOMICAL_LIMITS)
ACTIVE_MARGIN_RAD: Final = float(np.radians(5.0))
"""What people do by their own muscles stays this far inside the limits of abduction and flexion."""


def anatomical_components(rotation_vectors: Tensor) -> Tensor:
    """Twist, abduction and flexion [..., 15, 3] [rad] of finger rotation vectors [..., 15, 3] [rad]."""
    components: Tensor = _AXES.to(rotation_vectors) @ rotation_vectors[..., None]
    return components[..., 0]


def limit_violation(rotation_vectors: Tensor) -> Tensor:
    """How far finger rotations stand outside their limits.

    Args:
        rotation_vectors: [..., 15, 3] local axis-angle of a right hand's fingers [rad], MANO order.

    Returns:
        [..., 15, 3] along twist, abduction and flexion [rad]: 0 inside, negative below the lower limit,
        positive above the upper one.
    """
    angles = anatomical_components(rotation_vectors)
    lower, upper = _LIMITS.to(rotation_vectors)
    return angles - torch.clamp(angles, lower, upper)


def drawn_to_limits(rotation_vectors: Tensor, leak: float) -> Tensor:
    """Rotation vectors of which only the share ``leak`` of any excess over the limits is left.

    Args:
        rotation_vectors: [..., 15, 3] local axis-angle of a right hand's fingers [rad], MANO order.
        leak: above 0, so that motion beyond the limits still moves the result.
    """
    excess = limit_violation(rotation_vectors).unsqueeze(-2) @ _AXES.to(rotation_vectors)
    return rotation_vectors - (1.0 - leak) * excess.squeeze(-2)
