# SPDX-FileCopyrightText: 2026 The hmp_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The wrist frame of teleoperation: the operator frame that AnyTeleop and dex-retargeting expect."""

from typing import Final

import numpy as np
from numpy.typing import NDArray

from hmp_core.hand.skeleton import MIDDLE_MCP, WRIST, Side

_INDEX_MCP: Final = 5
_PINKY_MCP: Final = 17
_MIN_SINE: Final = 1e-3
"""Smallest sine between the two directions that span the palm."""


def operator_frame(joints: NDArray[np.floating], side: Side) -> NDArray[np.float64]:
    """Wrist axes from the palm's points.

    x points out of the palm, z from the wrist to the middle knuckle, y from the pinky to the thumb on a right
    hand and from the thumb to the pinky on a left one (so that both are right-handed frames). Equals
    dex-retargeting's ``R_wrist @ OPERATOR2MANO`` for right hands; one definition serves both sides.

    Args:
        joints: [..., 21, 3] public order, any unit, any axes.
        side: which hand.

    Returns:
        [..., 3, 3] rotations whose columns are x, y and z in the axes of the joints. Where wrist, index and
        middle knuckle lie on one line the pinky knuckle takes the index's place; where nothing spans a palm
        the roll is arbitrary, and the frame is the identity where the wrist coincides with the middle
        knuckle. NaN points give NaN.
    """
    points = np.asarray(joints, dtype=np.float64)
    wrist, middle = points[..., WRIST, :], points[..., MIDDLE_MCP, :]
    forward = middle - wrist
    length = np.linalg.norm(forward, axis=-1, keepdims=True)
    z = forward / np.where(length > 0, length, 1.0)
    across = _off_axis(points[..., _INDEX_MCP, :] - middle, z)
    across = np.where(_degenerate(across, length), _off_axis(middle - points[..., _PINKY_MCP, :], z), across)
    any_direction = np.eye(3)[np.argmin(np.abs(z), axis=-1)]
    across = np.where(_degenerate(across, length), _off_axis(any_direction, z), across)
    norm = np.linalg.norm(across, axis=-1, keepdims=True)
    y = across / np.where(norm > 0, norm, 1.0)
    if side is Side.LEFT:
        y = -y
    frame = np.stack([np.cross(y, z), y, z], axis=-1)
    frame = np.where((length == 0)[..., None], np.eye(3), frame)
    unknown = np.isnan(points[..., (WRIST, MIDDLE_MCP, _INDEX_MCP), :]).any(axis=(-2, -1), keepdims=True)
    return np.where(unknown, np.nan, frame)


def _off_axis(vector: NDArray[np.float64], axis: NDArray[np.float64]) -> NDArray[np.float64]:
    """Component of vectors [..., 3] perpendicular to unit axes [..., 3]."""
    return np.asarray(vector - axis * np.sum(vector * axis, axis=-1, keepdims=True))


def _degenerate(across: NDArray[np.float64], length: NDArray[np.float64]) -> NDArray[np.bool_]:
    return np.asarray(~(np.linalg.norm(across, axis=-1, keepdims=True) > _MIN_SINE * length))
