# SPDX-FileCopyrightText: 2026 The hmp_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Fast forward kinematics of the 21 joints, with analytic Jacobians: all that fitting needs of a hand model.

The five fingertips are mesh vertices, skinned alone (pose correctives included), so that all 21 points equal the
full mesh's. In tensors the five fingers are computed side by side, and the only loop is over the three bones of a
finger; derivatives, and joints in inference mode, come from compiled loops.
"""

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional as F

from hmp_core.hand.joint_derivatives import Array, joint_derivatives, posed_joints
from hmp_core.hand.model import HandModel
from hmp_core.hand.skeleton import (
    MANO_PARENTS,
    NUM_BETAS,
    PUBLIC_FROM_MANO,
)

_FINGERS = 5
_BONES = 3
_BONE_ROWS = 3 + 3 * _FINGERS * _BONES


class HandKinematics:
    """Joints of a posed and shaped hand, in public order.

    Rotations are local matrices in MANO order, the global one first; a translation is MANO's ``transl``, added
    to every point. Nothing here is a parameter; values are differentiable by autograd as well.

    Args:
        model: left or right.
        dtype: float32 for speed, float64 for checks.
        device: where its constants live.
    """

    def __init__(
        self, model: HandModel, dtype: torch.dtype = torch.float32, device: torch.device | str = "cpu"
    ) -> None:
        self.model = model
        self.dtype = dtype

        def tensor(array: NDArray[np.generic]) -> Tensor:
            floating = array.dtype.kind == "f"
            return torch.as_tensor(array, dtype=dtype if floating else torch.int64, device=device)

        # Everything at rest is affine in the betas: column 10 of these arrays is the average hand.
        vertices = np.concatenate([model.shapedirs, model.v_template[..., None]], axis=2)
        joints = np.einsum("jv,vab->jab", model.J_regressor, vertices)
        tips = vertices[model.tip_vertices]
        tip_weights = model.weights[model.tip_vertices]
        # Skin each tip with the joints that hold it, the same number for every tip (the rest weigh zero).
        count = int((tip_weights != 0).sum(axis=1).max())
        bones = np.argsort(-np.abs(tip_weights), axis=1, kind="stable")[:, :count]
        weights = np.take_along_axis(tip_weights, bones, axis=1)
        bone_offsets = joints[1:] - joints[list(MANO_PARENTS[1:])]
        tip_offsets = tips[:, None] - joints[bones]
        at_rest = [joints[0], *(offsets.reshape(-1, NUM_BETAS + 1) for offsets in (bone_offsets, tip_offsets))]
        affine = tensor(np.concatenate(at_rest))
        self._rest, self._rest_by_betas = affine[:, NUM_BETAS], affine[:, :NUM_BETAS].contiguous()
        self._tip_shape = (_FINGERS, count, 3)
        self._tip_bones = tensor(bones).contiguous()
        self._tip_weights = tensor(weights)
        correctives = model.posedirs[model.tip_vertices]
        self._tip_posedirs = tensor(correctives if correctives.any() else correctives[:0])
        self._order = tensor(np.array(PUBLIC_FROM_MANO))
        self._identity = torch.eye(3, dtype=dtype, device=device)

    def rest_wrist(self, betas: Tensor) -> Tensor:
        """MANO's wrist joint at rest [..., 3] [m] for betas [..., 10]; posed wrist = this + translation."""
        return F.linear(betas, self._rest_by_betas[:3], self._rest[:3])

    def joints(self, rotations: Tensor, betas: Tensor, translation: Tensor) -> Tensor:
        """Joints [B, 21, 3] [m] of rotations [B, 16, 3, 3], betas [B, 10] or [10], translation [B, 3] [m]."""
        if torch.is_inference_mode_enabled() and rotations.device.type == "cpu":
            posed, skin = self._arrays(rotations, betas, translation)
            return torch.from_numpy(posed_joints(*posed, *skin))
        root, fingers = rotations[:, 0], torch.unflatten(rotations[:, 1:], 1, (_FINGERS, _BONES))
        wrist, bones, tips = self._at_rest(F.linear(betas, self._rest_by_betas, self._rest))
        turns = [root[:, None].expand(-1, _FINGERS, -1, -1)]
        for bone in range(_BONES):
            turns.append(turns[-1] @ fingers[:, :, bone])
        turn = torch.stack(turns, dim=2)
        # Every bone is held by the joint before it.
        ways = (turn[:, :, :-1] @ bones[..., None])[..., 0]
        wrist = (wrist + translation).expand(len(rotations), 3)[:, None]
        moved = torch.cat([wrist, (wrist[:, None] + ways.cumsum(dim=2)).flatten(1, 2)], dim=1)
        turned = torch.cat([root[:, None], turn[:, :, 1:].flatten(1, 2)], dim=1)
        if len(self._tip_posedirs):
            features = (rotations[:, 1:] - self._identity).flatten(1)
            tips = tips + torch.einsum("taf,bf->bta", self._tip_posedirs, features)[:, :, None]
        tip_parts = (turned[:, self._tip_bones] @ tips[..., None])[..., 0] + moved[:, self._tip_bones]
        return torch.cat([moved, (self._tip_weights[..., None] * tip_parts).sum(dim=2)], dim=1)[:, self._order]

    def joints_and_jacobian(
        self, rotations: Tensor, betas: Tensor, translation: Tensor
    ) -> tuple[Tensor, Tensor, Tensor]:
        """Joints and their derivatives, on the CPU and without autograd; arguments as in :meth:`joints`.

        Returns:
            joints: [B, 21, 3] [m].
            d_rotations: [B, 21, 3, 48] [m/rad]; columns 3j to 3j+2 belong to the tangent of MANO joint j in
                ``R_j <- R_j Exp(tangent)``.
            d_betas: [B, 21, 3, 10] [m].
            The derivative by the translation is the identity.
        """
        posed, skin = self._arrays(rotations, betas, translation)
        derived = joint_derivatives(*posed, self._rest_by_betas.numpy(), *skin)
        joints, by_hand = (torch.from_numpy(array) for array in derived)
        return joints, by_hand[..., :-NUM_BETAS], by_hand[..., -NUM_BETAS:]

    def _arrays(
        self, rotations: Tensor, betas: Tensor, translation: Tensor
    ) -> tuple[tuple[Array, Array, Array], tuple[NDArray[np.int64], Array, Array]]:
        """What compiled loops take: rotations, translations and hands at rest; how tips are skinned."""
        rest = F.linear(betas, self._rest_by_betas, self._rest).reshape(-1, len(self._rest))
        moved = translation.expand(len(rotations), 3)
        skin = (self._tip_bones.numpy(), self._tip_weights.numpy(), self._tip_posedirs.numpy())
        return (_array(rotations), _array(moved), _array(rest)), skin

    def _at_rest(self, rest: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Wrist [..., 3], bones between joints [B, 5, 3, 3] and from joints to tips [B, 5, K, 3] of hands at rest.

        ``rest`` [..., R] is what was :attr:`_rest` before shaping; of a single hand B is 1.
        """
        bones, tips = rest[..., 3:_BONE_ROWS], rest[..., _BONE_ROWS:]
        return rest[..., :3], bones.reshape(-1, _FINGERS, _BONES, 3), tips.reshape(-1, *self._tip_shape)


def _array(tensor: Tensor) -> Array:
    return np.asarray(tensor.detach().contiguous().numpy())
