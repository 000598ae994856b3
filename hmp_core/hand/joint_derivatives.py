# SPDX-FileCopyrightText: 2026 The hmp_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Joints of a posed hand and their derivatives, as compiled loops along MANO's tree."""

import numpy as np
from numpy.typing import NDArray

from hmp_core.compiled import compiled
from hmp_core.hand.skeleton import MANO_PARENTS, NUM_BETAS, NUM_JOINTS, NUM_MANO_JOINTS, PUBLIC_FROM_MANO

Array = NDArray[np.floating]

HAND_COLUMNS = 3 * NUM_MANO_JOINTS + NUM_BETAS
"""Of a derivative: three of each MANO joint's rotation, then the betas."""
_BETAS = 3 * NUM_MANO_JOINTS
_PARENTS = np.array(MANO_PARENTS)
_PUBLIC_ROWS = np.argsort(PUBLIC_FROM_MANO)
"""Public row of each of MANO's joints, then of the tips."""


@compiled
def joint_derivatives(
    rotations: Array,
    translation: Array,
    rest: Array,
    rest_by_betas: Array,
    tip_bones: NDArray[np.int64],
    tip_weights: Array,
    tip_posedirs: Array,
) -> tuple[Array, Array]:
    """Pose hands and derive.

    Args:
        rotations: [B, 16, 3, 3] local, the global one first.
        translation: [B, 3] [m].
        rest: [B or 1, R] of the hands at rest, three rows each: the wrist, offsets of the other joints from their
            parents, the offsets of the tips from each bone that holds them [m].
        rest_by_betas: [R, 10] its derivative.
        tip_bones: [5, K] MANO joints that hold each tip.
        tip_weights: [5, K] skinning weights.
        tip_posedirs: [5, 3, 135] pose correctives of the tips, or [0, 3, 135] where there are none.

    Returns:
        Joints [B, 21, 3] [m], and their derivatives [B, 21, 3, 58] by the rotations' right tangents and by betas.
    """
    joints = np.zeros((len(rotations), NUM_JOINTS, 3), dtype=rotations.dtype)
    by_hand = np.zeros((len(rotations), NUM_JOINTS, 3, HAND_COLUMNS), dtype=rotations.dtype)
    turned = np.empty((NUM_MANO_JOINTS, 3, 3), dtype=rotations.dtype)
    moved = np.empty((NUM_MANO_JOINTS, 3), dtype=rotations.dtype)
    moved_by_betas = np.empty((NUM_MANO_JOINTS, 3, NUM_BETAS), dtype=rotations.dtype)
    for b in range(len(rotations)):
        shape = rest[min(b, len(rest) - 1)]
        _pose_bones(rotations[b], translation[b], shape, turned, moved)
        moved_by_betas[0] = rest_by_betas[:3]
        for joint in range(1, NUM_MANO_JOINTS):
            parent = _PARENTS[joint]
            moved_by_betas[joint] = moved_by_betas[parent]
            bone = rest_by_betas[3 * joint : 3 * joint + 3]
            _add_turned_columns(turned[parent], bone, 1.0, moved_by_betas[joint])
        for joint in range(NUM_MANO_JOINTS):
            row = _PUBLIC_ROWS[joint]
            joints[b, row] = moved[joint]
            by_hand[b, row, :, _BETAS:] = moved_by_betas[joint]
            _add_levers(_PARENTS[joint], moved[joint], turned, moved, 1.0, by_hand[b, row])
        for tip in range(len(tip_bones)):
            row = _PUBLIC_ROWS[NUM_MANO_JOINTS + tip]
            _pose_tip(
                tip, rotations[b], shape, rest_by_betas, tip_bones, tip_weights, tip_posedirs,
                turned, moved, moved_by_betas, joints[b, row], by_hand[b, row],
            )  # fmt: skip
    return joints, by_hand


@compiled
def posed_joints(
    rotations: Array,
    translation: Array,
    rest: Array,
    tip_bones: NDArray[np.int64],
    tip_weights: Array,
    tip_posedirs: Array,
) -> Array:
    """The joints alone [B, 21, 3] [m]; arguments as in :func:`joint_derivatives`."""
    joints = np.zeros((len(rotations), NUM_JOINTS, 3), dtype=rotations.dtype)
    turned = np.empty((NUM_MANO_JOINTS, 3, 3), dtype=rotations.dtype)
    moved = np.empty((NUM_MANO_JOINTS, 3), dtype=rotations.dtype)
    part = np.empty(3, dtype=rotations.dtype)
    tips, bones = tip_bones.shape
    for b in range(len(rotations)):
        shape = rest[min(b, len(rest) - 1)]
        _pose_bones(rotations[b], translation[b], shape, turned, moved)
        for joint in range(NUM_MANO_JOINTS):
            joints[b, _PUBLIC_ROWS[joint]] = moved[joint]
        for tip in range(tips):
            corrective = _corrective(tip, rotations[b], tip_posedirs)
            for k in range(bones):
                bone, start = tip_bones[tip, k], 3 * (NUM_MANO_JOINTS + tip * bones + k)
                part[:] = moved[bone]
                _add_turned(turned[bone], shape[start : start + 3] + corrective, 1.0, part)
                joints[b, _PUBLIC_ROWS[NUM_MANO_JOINTS + tip]] += tip_weights[tip, k] * part
    return joints


@compiled
def _pose_bones(rotations: Array, translation: Array, shape: Array, turned: Array, moved: Array) -> None:
    """Fill world rotations ``turned`` [16, 3, 3] and places ``moved`` [16, 3] of one hand's joints."""
    turned[0] = rotations[0]
    moved[0] = shape[:3] + translation
    for joint in range(1, NUM_MANO_JOINTS):
        parent = _PARENTS[joint]
        moved[joint] = moved[parent]
        _add_turned(turned[parent], shape[3 * joint : 3 * joint + 3], 1.0, moved[joint])
        turned[joint] = 0.0
        _add_turned_columns(turned[parent], rotations[joint], 1.0, turned[joint])


@compiled
def _corrective(tip: int, rotations: Array, tip_posedirs: Array) -> Array:
    """How far the pose moves a tip [3] before it is skinned."""
    moved = np.zeros(3, dtype=rotations.dtype)
    if len(tip_posedirs):
        for axis in range(3):
            for joint in range(1, NUM_MANO_JOINTS):
                for r in range(3):
                    for c in range(3):
                        off = rotations[joint, r, c] - (1.0 if r == c else 0.0)
                        moved[axis] += tip_posedirs[tip, axis, 9 * (joint - 1) + 3 * r + c] * off
    return moved


@compiled
def _pose_tip(
    tip: int,
    rotations: Array,
    shape: Array,
    rest_by_betas: Array,
    tip_bones: NDArray[np.int64],
    tip_weights: Array,
    tip_posedirs: Array,
    turned: Array,
    moved: Array,
    moved_by_betas: Array,
    point: Array,
    by_hand: Array,
) -> None:
    """Skin one tip: fill its place ``point`` [3] and derivative ``by_hand`` [3, 58], which are zero before."""
    bones = tip_bones.shape[1]
    corrective = _corrective(tip, rotations, tip_posedirs)
    blended = np.zeros((3, 3), dtype=rotations.dtype)
    part = np.empty(3, dtype=rotations.dtype)
    for k in range(bones):
        weight, bone = tip_weights[tip, k], tip_bones[tip, k]
        if weight == 0.0:
            continue
        start = 3 * (NUM_MANO_JOINTS + tip * bones + k)
        own = slice(start, start + 3)
        part[:] = moved[bone]
        _add_turned(turned[bone], shape[own] + corrective, 1.0, part)
        point += weight * part
        blended += weight * turned[bone]
        by_hand[:, _BETAS:] += weight * moved_by_betas[bone]
        _add_turned_columns(turned[bone], rest_by_betas[own], weight, by_hand[:, _BETAS:])
        _add_levers(bone, part, turned, moved, weight, by_hand)
    if len(tip_posedirs):
        for joint in range(1, NUM_MANO_JOINTS):
            for axis in range(3):
                # The columns of R hat(e) are two of R's own, one of them negative.
                ahead, behind = (axis + 1) % 3, (axis + 2) % 3
                for x in range(3):
                    slope = 0.0
                    for r in range(3):
                        place = 9 * (joint - 1) + 3 * r
                        slope += tip_posedirs[tip, x, place + ahead] * rotations[joint, r, behind]
                        slope -= tip_posedirs[tip, x, place + behind] * rotations[joint, r, ahead]
                    for y in range(3):
                        by_hand[y, 3 * joint + axis] += blended[y, x] * slope


@compiled
def _add_levers(joint: int, point: Array, turned: Array, moved: Array, weight: float, by_hand: Array) -> None:
    """Derivative of a point held by ``joint`` by its rotation and those of all joints before it.

    Turning about a world axis w moves the point by w x lever.
    """
    while joint >= 0:
        x = weight * (point[0] - moved[joint, 0])
        y = weight * (point[1] - moved[joint, 1])
        z = weight * (point[2] - moved[joint, 2])
        for axis in range(3):
            a, b, c = turned[joint, 0, axis], turned[joint, 1, axis], turned[joint, 2, axis]
            by_hand[0, 3 * joint + axis] += b * z - c * y
            by_hand[1, 3 * joint + axis] += c * x - a * z
            by_hand[2, 3 * joint + axis] += a * y - b * x
        joint = _PARENTS[joint]


@compiled
def _add_turned(rotation: Array, vector: Array, weight: float, total: Array) -> None:
    for r in range(3):
        for c in range(3):
            total[r] += weight * rotation[r, c] * vector[c]


@compiled
def _add_turned_columns(rotation: Array, columns: Array, weight: float, total: Array) -> None:
    for r in range(3):
        for c in range(3):
            for k in range(columns.shape[1]):
                total[r, k] += weight * rotation[r, c] * columns[c, k]
