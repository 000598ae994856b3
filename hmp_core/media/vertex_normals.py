# SPDX-FileCopyrightText: 2026 The hmp_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Normals of a mesh whose vertices move."""

import numpy as np
from numpy.typing import NDArray
from scipy import sparse


class VertexNormals:
    """Normals at the vertices of triangle meshes with the same faces.

    Args:
        faces: [F, 3] vertex indices, counter-clockwise seen from outside.
        count: number of vertices.
    """

    def __init__(self, faces: NDArray[np.integer], count: int) -> None:
        self._faces = faces
        ones = np.ones(faces.size, dtype=np.float32)
        rows = faces.reshape(-1), np.arange(faces.size) // 3
        self._incidence = sparse.csr_array((ones, rows), (count, len(faces)))

    def of(self, vertices: NDArray[np.floating]) -> NDArray[np.float32]:
        """Unit normals [V, 3] of vertices [V, 3], each the mean of its faces' weighted by their areas."""
        corners = vertices[self._faces]
        face_normals = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
        normals = self._incidence @ face_normals
        return np.asarray(normals / np.maximum(np.linalg.norm(normals, axis=1, keepdims=True), 1e-12), np.float32)
