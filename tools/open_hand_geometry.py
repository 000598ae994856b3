# SPDX-FileCopyrightText: 2026 The hmp_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Geometry behind ``make_open_hand.py``: linear deformations that follow a skeleton, rims, regressors, tips."""

import numpy as np
from numpy.typing import NDArray
from scipy.spatial import cKDTree

Array = NDArray[np.float64]
Indices = NDArray[np.int64]

REGRESSOR_CALM_M = 1e-3
"""Displacement error [m] that weighs as much as a weight of one."""
PARENTS = (-1, 0, 1, 2, 0, 4, 5, 0, 7, 8, 0, 10, 11, 0, 13, 14)


def unit(vector: Array) -> Array:
    """Scale vectors [..., 3] to length one."""
    return vector / np.linalg.norm(vector, axis=-1, keepdims=True)


def frame(bone: Array, flexion: Array) -> Array:
    """Rotation whose columns are a bone's direction, its flexion axis, and their cross product."""
    bone = unit(bone)
    flexion = unit(flexion - bone * (flexion @ bone))
    return np.stack([bone, flexion, np.cross(bone, flexion)], axis=1)


def deform(
    vertices: Array, joints: Array, weights: Array, maps: Array, slides: Array | None = None
) -> tuple[Array, Array]:
    """Skin with a linear map [16, 3, 3] per bone, rotation or not, and slide joints [16, 3] on their parents.

    Children stay attached. Linear in the maps and slides (geometry fixed), and in the geometry (maps fixed).
    """
    slides = np.zeros((16, 3)) if slides is None else slides
    moved = joints + slides
    for joint in range(1, 16):
        parent = PARENTS[joint]
        moved[joint] = moved[parent] + maps[parent] @ (joints[joint] - joints[parent]) + slides[joint]
    offsets = moved - np.einsum("jab,jb->ja", maps, joints)
    return np.einsum("vj,jab,vb->va", weights, maps, vertices) + weights @ offsets, moved


def stretches(directions: Array, along: Array, across: Array) -> Array:
    """Maps [16, 3, 3] that scale each bone by factors [16] along its direction and across it."""
    outer = directions[:, :, None] * directions[:, None, :]
    return across[:, None, None] * np.eye(3) + (along - across)[:, None, None] * outer


def add_forearm(
    vertices: Array, weights: Array, faces: Indices, offsets_m: tuple[float, ...]
) -> tuple[Array, Array, Indices]:
    """Continue the open rim at the wrist along +x by a capped stump, so that nobody looks into the hand."""
    edges = faces[:, [0, 1, 1, 2, 2, 0]].reshape(-1, 2).tolist()
    known = {(a, b) for a, b in edges}
    following = {a: b for a, b in edges if (b, a) not in known}
    loop = [next(iter(following))]
    while following[loop[-1]] != loop[0]:
        loop.append(following[loop[-1]])
    rim, count, new_faces = np.array(loop), len(loop), [faces]
    base = vertices[rim]
    for offset in offsets_m:
        # The rim is not planar; the rings are, so that the cap is flat.
        ring = np.column_stack([np.full(count, base[:, 0].mean() + offset), base[:, 1:]])
        new = len(vertices) + np.arange(count)
        vertices = np.vstack([vertices, ring])
        ahead, new_ahead = np.roll(rim, -1), np.roll(new, -1)
        new_faces += [np.stack([ahead, rim, new], axis=1), np.stack([ahead, new, new_ahead], axis=1)]
        rim = new
    vertices = np.vstack([vertices, vertices[rim].mean(axis=0)])
    new_faces.append(np.stack([np.roll(rim, -1), rim, np.full(count, len(vertices) - 1)], axis=1))
    wrist_weights = np.zeros((len(vertices) - len(weights), 16))
    wrist_weights[:, 0] = 1.0
    return vertices, np.vstack([weights, wrist_weights]), np.vstack(new_faces)


def fingertip(vertices: Array, weights: Array, joint: int, bone: Array, dorsal: Array) -> int:
    """Most distal vertex of a distal phalanx, leaning a little to the pad's side."""
    reach = vertices @ (unit(bone) - 0.25 * unit(dorsal))
    return int(np.argmax(np.where(weights[:, joint] > 0.9, reach, -np.inf)))


def joint_regressor(vertices: Array, shapedirs: Array, joints: Array, joint_dirs: Array, count: int) -> Array:
    """Regressor [16, V] over the ``count`` nearest vertices of each joint.

    Least squares for the joints [16, 3] and their displacements per beta [16, 3, K], with weights drawn to
    uniform, so that a joint stays a calm average of vertices; at rest and in the sum of weights it is exact.
    """
    regressor = np.zeros((16, len(vertices)))
    for joint, near in enumerate(cKDTree(vertices).query(joints, count)[1]):
        exact = np.vstack([np.ones(count), vertices[near].T])
        fitted = shapedirs[near].reshape(count, -1).T
        weights = np.full(count, 1.0 / count)
        _, _, basis = np.linalg.svd(exact)
        null = basis[4:].T  # changes of the weights that keep the sum and the joint at rest
        weights += np.linalg.lstsq(exact, np.r_[1.0, joints[joint]] - exact @ weights, rcond=None)[0]
        rows = np.vstack([fitted @ null, REGRESSOR_CALM_M * np.eye(count - 4)])
        values = np.r_[joint_dirs[joint].ravel() - fitted @ weights, np.zeros(count - 4)]
        regressor[joint, near] = weights + null @ np.linalg.lstsq(rows, values, rcond=None)[0]
    return regressor
