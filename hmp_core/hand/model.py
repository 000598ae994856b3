# SPDX-FileCopyrightText: 2026 The hmp_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The arrays of a MANO-schema hand: what a model file holds, whichever file it was."""

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from hmp_core.errors import HandModelError
from hmp_core.hand.mirror import mirror_points, mirror_rotation
from hmp_core.hand.skeleton import NUM_BETAS, NUM_FINGER_ROTATIONS, NUM_MANO_JOINTS, Side

NUM_POSE_FEATURES = 9 * NUM_FINGER_ROTATIONS
"""Elements of the fifteen finger rotation matrices minus identity, which drive ``posedirs``."""


@dataclass(frozen=True)
class HandModel:
    """One hand in MANO's schema (Romero et al., "Embodied Hands", 2017).

    Axes at rest, right hand: fingers along -x, palm facing -y, thumb towards +z. Joint-local axes equal these
    axes, so flexing a long finger is a positive rotation about +z. A left hand is the mirror image in x.
    All arrays are float64 (faces and tips int64), checked on construction and meant to be read only.

    Attributes:
        name: which model, for messages and manifests.
        side: which hand.
        v_template: [V, 3] rest vertices of the average hand, flat, fingers straight [m].
        shapedirs: [V, 3, 10] vertex displacement for one population standard deviation of each beta [m].
        posedirs: [V, 3, 135] pose correctives: displacement per element of (R_1 - I, ..., R_15 - I), each
            matrix row by row, joints in MANO order without the wrist [m].
        J_regressor: [16, V] joint = weighted sum of shaped vertices.
        weights: [V, 16] linear blend skinning weights, rows sum to 1.
        faces: [F, 3] vertex indices, counter-clockwise seen from outside.
        tip_vertices: [5] fingertip vertices, thumb to pinky.

    Raises:
        HandModelError: an array has the wrong shape, is not finite, or has indices out of range.
    """

    name: str
    side: Side
    v_template: NDArray[np.float64]
    shapedirs: NDArray[np.float64]
    posedirs: NDArray[np.float64]
    J_regressor: NDArray[np.float64]
    weights: NDArray[np.float64]
    faces: NDArray[np.int64]
    tip_vertices: NDArray[np.int64]

    def __post_init__(self) -> None:
        if self.v_template.ndim != 2:
            raise HandModelError(f"hand model {self.name}: v_template must be [V, 3]; got {self.v_template.shape}.")
        vertices = len(self.v_template)
        expected = {
            "v_template": (vertices, 3),
            "shapedirs": (vertices, 3, NUM_BETAS),
            "posedirs": (vertices, 3, NUM_POSE_FEATURES),
            "J_regressor": (NUM_MANO_JOINTS, vertices),
            "weights": (vertices, NUM_MANO_JOINTS),
            "faces": (len(self.faces), 3),
            "tip_vertices": (5,),
        }
        for field, shape in expected.items():
            array = getattr(self, field)
            if array.shape != shape:
                raise HandModelError(f"hand model {self.name}: {field} must have shape {shape}; got {array.shape}.")
            if not np.isfinite(array).all():
                raise HandModelError(f"hand model {self.name}: {field} holds values that are not finite.")
        for field in ("faces", "tip_vertices"):
            indices = getattr(self, field)
            if indices.size == 0 or indices.min() < 0 or indices.max() >= vertices:
                raise HandModelError(f"hand model {self.name}: {field} must index the {vertices} vertices.")
        if not np.allclose(self.weights.sum(axis=1), 1.0, atol=1e-3):
            raise HandModelError(f"hand model {self.name}: the skinning weights of a vertex must sum to 1.")

    def mirrored(self) -> "HandModel":
        """Return the other hand: the mirror image in x, which takes the same betas with the same sign."""
        posedirs = self.posedirs.reshape(-1, 3, NUM_FINGER_ROTATIONS, 3, 3)
        # Mirroring a rotation flips the sign of its elements that mix x with y or z.
        posedirs = mirror_rotation(posedirs).reshape(self.posedirs.shape)
        other = Side.LEFT if self.side is Side.RIGHT else Side.RIGHT
        return replace(
            self,
            side=other,
            v_template=mirror_points(self.v_template),
            shapedirs=mirror_points(self.shapedirs.swapaxes(1, 2)).swapaxes(1, 2),
            posedirs=mirror_points(posedirs.swapaxes(1, 2)).swapaxes(1, 2),
            faces=self.faces[:, ::-1].copy(),
        )
