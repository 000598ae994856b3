# SPDX-FileCopyrightText: 2026 The hmp_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What a rendered hand wears: skin with lighter palm and nails, and a sleeve that hides the cut wrist."""

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy.spatial.transform import Rotation

from hmp_core.hand.model import HandModel
from hmp_core.hand.skeleton import Side

SKIN_TONES: Final = (
    (240, 196, 172),
    (226, 172, 143),
    (204, 148, 119),
    (174, 114, 85),
    (132, 82, 60),
    (92, 58, 46),
)
"""RGB from light to dark."""

_NAIL_LENGTH_M: Final = 0.011
_SLEEVE_STEPS: Final = 24
_SLEEVE_FACETS: Final = 32
_SLEEVE_START_M: Final = 0.014
_SLEEVE_LENGTH_M: Final = 0.24
_BEND_LENGTH_M: Final = 0.06
_FOREARM_WIDENING: Final = 0.35
_CUFF_GAP_M: Final = 0.004


def skin_colours(model: HandModel, tone: tuple[int, int, int]) -> NDArray[np.uint8]:
    """RGB of each vertex [V, 3]: the tone, paler in the palm, redder towards the fingertips, pale nails."""
    base = np.array(tone, dtype=np.float64)
    normals = _vertex_normals(model)
    tips = model.v_template[model.tip_vertices]
    from_tip = np.linalg.norm(model.v_template[:, None] - tips, axis=-1).min(axis=1)
    # Palm and back face -y and +y at rest on both sides.
    palmar = np.clip(-normals[:, 1], 0.0, 1.0)[:, None]
    nail = ((from_tip < _NAIL_LENGTH_M) & (normals[:, 1] > 0.35))[:, None]
    red = np.exp(-((from_tip / 0.018) ** 2))[:, None]
    pale = base + (255 - base) * 0.12
    colour = base + palmar * 0.7 * (pale - base)
    colour = colour * (1 - 0.5 * red * np.array([0.02, 0.13, 0.12]))
    colour = np.where(
        nail, 0.45 * colour + 0.55 * np.array([236.0, 196.0, 184.0]) * (0.45 + base.mean() / 400), colour
    )
    return np.asarray(np.clip(colour, 0, 255), dtype=np.uint8)


@dataclass(frozen=True)
class Sleeve:
    """A cloth tube around the forearm: rings one behind the other, straight at rest.

    Attributes:
        vertices: [N, 3] in the hand model's rest axes [m].
        faces: [M, 3], counter-clockwise seen from outside.
    """

    vertices: NDArray[np.float64]
    faces: NDArray[np.int64]

    def bent(
        self,
        wrist_at_rest: NDArray[np.float64],
        R_camera_mano: NDArray[np.float64],
        wrist_camera: NDArray[np.float64],
        elbow_camera: NDArray[np.float64],
    ) -> NDArray[np.float64]:
        """Vertices [N, 3] in the camera frame, bent behind the wrist from the hand's direction to the elbow's.

        Args:
            wrist_at_rest: [3] the hand model's wrist joint [m].
            R_camera_mano: [3, 3] global orientation of the hand.
            wrist_camera, elbow_camera: [3] [m]; beyond the elbow the sleeve goes straight on.
        """
        rings = (self.vertices - wrist_at_rest).reshape(-1, _SLEEVE_FACETS, 3)
        offsets = rings[:, 0, 0].copy()
        forearm = R_camera_mano.T @ (elbow_camera - wrist_camera)
        axis = np.array([np.sign(offsets[-1]), 0.0, 0.0])
        turn = np.cross(axis, forearm / np.linalg.norm(forearm))
        angle = np.arctan2(np.linalg.norm(turn), axis @ forearm / np.linalg.norm(forearm))
        turn *= angle / max(float(np.linalg.norm(turn)), 1e-9)
        bend = np.clip((np.abs(offsets) - np.abs(offsets[1])) / _BEND_LENGTH_M, 0, 1)
        R_hand_ring = Rotation.from_rotvec(bend[:, None] * turn).as_matrix()
        rings[..., 0] = 0.0
        steps = np.diff(offsets, prepend=0.0)[:, None] * R_hand_ring[:, :, 0]
        placed = np.einsum("rab,rfb->rfa", R_hand_ring, rings) + np.cumsum(steps, axis=0)[:, None]
        return np.asarray(placed.reshape(-1, 3) @ R_camera_mano.T + wrist_camera)


def sleeve_for(model: HandModel) -> Sleeve:
    """Tailor a sleeve to the end of a hand's mesh, whichever model it is."""
    outward = 1.0 if model.side is Side.RIGHT else -1.0
    wrist = model.J_regressor[0] @ model.v_template
    along = (model.v_template[:, 0] - wrist[0]) * outward
    # The last two centimetres of mesh before its end give the wrist's cross-section.
    cut = model.v_template[along > min(0.0, along.max() - 0.02)]
    centre = 0.5 * (cut.min(axis=0) + cut.max(axis=0))
    radii = 0.5 * (cut.max(axis=0) - cut.min(axis=0))[1:] + _CUFF_GAP_M
    start = min(_SLEEVE_START_M, along.max() - 0.006)
    angles = np.linspace(0, 2 * np.pi, _SLEEVE_FACETS, endpoint=False)
    ring = np.stack([np.zeros_like(angles), radii[0] * np.cos(angles), radii[1] * np.sin(angles)], axis=1)
    reach = np.linspace(0.0, 1.0, _SLEEVE_STEPS)
    folds = 1 + 0.03 * np.sin(9 * np.pi * reach) * reach
    widths = (1 + _FOREARM_WIDENING * reach) * folds
    # The first ring turns inwards: the cuff has an edge and no view into the sleeve.
    widths = np.concatenate([[0.75], [0.95], widths])
    offsets = np.concatenate([[start + 0.002], [start], start + 0.001 + reach * _SLEEVE_LENGTH_M])
    rings = ring[None] * widths[:, None, None]
    rings[..., 1:] += centre[1:]
    rings[..., 0] = wrist[0] + outward * offsets[:, None]
    faces = _tube_faces(len(offsets), _SLEEVE_FACETS)
    return Sleeve(rings.reshape(-1, 3), faces if outward > 0 else faces[:, ::-1].copy())


def _tube_faces(rings: int, facets: int) -> NDArray[np.int64]:
    """Triangles between consecutive rings that run along +x, seen from outside."""
    first, around = np.meshgrid(np.arange(rings - 1), np.arange(facets), indexing="ij")
    a = first * facets + around
    b = first * facets + (around + 1) % facets
    quads = np.stack([a, b, b + facets, a, b + facets, a + facets], axis=-1)
    return quads.reshape(-1, 3)


def _vertex_normals(model: HandModel) -> NDArray[np.float64]:
    corners = model.v_template[model.faces]
    face_normals = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
    normals = np.zeros_like(model.v_template)
    np.add.at(normals, model.faces, face_normals[:, None, :])
    return np.asarray(normals / np.maximum(np.linalg.norm(normals, axis=1, keepdims=True), 1e-12))
