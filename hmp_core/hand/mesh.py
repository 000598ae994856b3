# SPDX-FileCopyrightText: 2026 The hmp_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The full mesh of a posed hand, through ``smplx``: for rendering and mesh metrics, not for fitting."""

import contextlib
import io

import numpy as np
import smplx
import torch
from smplx.utils import Struct
from torch import Tensor

from hmp_core.hand.model import HandModel
from hmp_core.hand.skeleton import MANO_PARENTS, NUM_BETAS, NUM_FINGER_ROTATIONS, NUM_MANO_JOINTS, Side


class HandMesh:
    """Vertices of a posed and shaped hand.

    Args:
        model: left or right; no file is read.
    """

    def __init__(self, model: HandModel) -> None:
        self.model = model
        arrays = Struct(
            v_template=model.v_template,
            shapedirs=model.shapedirs,
            posedirs=model.posedirs,
            J_regressor=model.J_regressor,
            weights=model.weights,
            f=model.faces,
            kintree_table=np.array([MANO_PARENTS, range(NUM_MANO_JOINTS)]),
            hands_mean=np.zeros(3 * NUM_FINGER_ROTATIONS),
            hands_components=np.eye(3 * NUM_FINGER_ROTATIONS),
        )
        with contextlib.redirect_stdout(io.StringIO()):  # smplx prints a warning about ten betas
            self._layer = smplx.MANO(
                model_path="",
                data_struct=arrays,
                is_rhand=model.side is Side.RIGHT,
                use_pca=False,
                flat_hand_mean=True,
                num_betas=NUM_BETAS,
                dtype=torch.float64,
            )

    def vertices(self, rotation_vectors: Tensor, betas: Tensor, translation: Tensor) -> Tensor:
        """Vertices [B, V, 3] [m].

        Args:
            rotation_vectors: [B, 16, 3] axis-angle [rad], MANO order, global orientation first.
            betas: [B, 10] or [10].
            translation: [B, 3] [m].
        """
        batch = len(rotation_vectors)
        with torch.no_grad():
            posed = self._layer(
                betas=betas.double().expand(batch, NUM_BETAS),
                global_orient=rotation_vectors[:, 0].double(),
                hand_pose=rotation_vectors[:, 1:].double().reshape(batch, -1),
                transl=translation.double(),
            )
        vertices: Tensor = posed.vertices
        return vertices.to(rotation_vectors.dtype)
