# SPDX-FileCopyrightText: 2026 The hmp_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The surface of the hands in a message. Importing this brings torch along, which takes seconds."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from hmp_core.hand.loading import load_hand_model
from hmp_core.hand.mesh import HandMesh
from hmp_core.threads import use_one_thread
from hmp_ros.msg import ManoHand, ManoHandArray


@dataclass(frozen=True)
class Surface:
    """A triangle mesh.

    Attributes:
        vertices: [V, 3] [m].
        faces: [F, 3] vertex indices.
    """

    vertices: NDArray[np.float64]
    faces: NDArray[np.int64]


class HandSurfaces:
    """Poses both hands' meshes.

    Args:
        mano_path: the user's MANO file or its folder; None for the open hand.

    Raises:
        AssetError: the shipped model is missing or altered.
        HandModelError: the MANO file is unusable.
    """

    def __init__(self, mano_path: Path | None) -> None:
        use_one_thread()
        right = load_hand_model(mano_path)
        self._meshes = {
            ManoHand.SIDE_RIGHT: HandMesh(right),
            ManoHand.SIDE_LEFT: HandMesh(right.mirrored()),
        }

    def of(self, message: ManoHandArray) -> dict[int, Surface]:
        """By track, the surface of each hand in the frame of its translation."""
        return {hand.track_id: self._surface(hand) for hand in message.hands if hand.side in self._meshes}

    def _surface(self, hand: Any) -> Surface:
        mesh = self._meshes[hand.side]
        pose = torch.from_numpy(np.asarray(hand.pose, dtype=np.float64)).reshape(1, -1, 3)
        betas = torch.from_numpy(np.asarray(hand.betas, dtype=np.float64))
        place = torch.from_numpy(np.asarray(hand.translation, dtype=np.float64))[None]
        return Surface(mesh.vertices(pose, betas, place)[0].numpy(), np.asarray(mesh.model.faces))
