# SPDX-FileCopyrightText: 2026 The hmp_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Fast forward kinematics of the 21 joints, with analytic Jacobians: all that fitting needs of a hand model.

The five fingertips are mesh vertices, skinned alone (pose correctives included), so that all 21 points equal the
full mesh's. The five fingers are computed side by side; the only loop is over the three bones of a finger.
"""

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional as F

from hmp_core.hand.model import HandModel
from hmp_core.hand.skeleton import (
    MANO_PARENTS,
    NUM_BETAS,
    NUM_FINGER_ROTATIONS,
    NUM_JOINTS,
    NUM_MANO_JOINTS,
    PUBLIC_FROM_MANO,
    TIPS,
)

_FINGERS = 5
_BONES = 3
_BONE_ROWS = 3 + 3 * _FINGERS * _BONES
# MANO's fingers are index, middle, pinky, ring, thumb; tips are thumb to pinky.
_TIP_ROWS = list(TIPS)


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
        self._tip_bones = tensor(bones)
        self._tip_weights = tensor(weights[..., None])
        correctives = model.posedirs[model.tip_vertices]
        self._tip_posedirs = tensor(correctives) if correctives.any() else None
        self._order = tensor(np.array(PUBLIC_FROM_MANO))
        self._identity = torch.eye(3, dtype=dtype, device=device)

        # follows[k, j]: share of public point k that turns with MANO joint j; the same per skinning bone for tips.
        descends = np.zeros((NUM_MANO_JOINTS, NUM_MANO_JOINTS))
        for joint in range(NUM_MANO_JOINTS):
            ancestor = joint
            while ancestor >= 0:
                descends[joint, ancestor] = 1.0
                ancestor = MANO_PARENTS[ancestor]
        tip_follows = weights[..., None] * descends[bones]
        follows = np.concatenate([descends, tip_follows.sum(axis=1)])
        self._follows = tensor(follows[list(PUBLIC_FROM_MANO)][..., None])
        self._tip_follows = tensor(tip_follows.swapaxes(1, 2))

    def rest_wrist(self, betas: Tensor) -> Tensor:
        """MANO's wrist joint at rest [..., 3] [m] for betas [..., 10]; posed wrist = this + translation."""
        return F.linear(betas, self._rest_by_betas[:3], self._rest[:3])

    def joints(self, rotations: Tensor, betas: Tensor, translation: Tensor) -> Tensor:
        """Joints [B, 21, 3] [m] of rotations [B, 16, 3, 3], betas [B, 10] or [10], translation [B, 3] [m]."""
        return self._pose(rotations, betas, translation)[0]

    def joints_and_jacobian(
        self, rotations: Tensor, betas: Tensor, translation: Tensor
    ) -> tuple[Tensor, Tensor, Tensor]:
        """Joints and their derivatives; arguments as in :meth:`joints`.

        Returns:
            joints: [B, 21, 3] [m].
            d_rotations: [B, 21, 3, 48] [m/rad]; columns 3j to 3j+2 belong to the tangent of MANO joint j in
                ``R_j <- R_j Exp(tangent)``.
            d_betas: [B, 21, 3, 10] [m].
            The derivative by the translation is the identity.
        """
        with torch.no_grad():
            joints, turned, moved, tip_parts = self._pose(rotations, betas, translation)
            return joints, self._d_rotations(joints, rotations, turned, moved, tip_parts), self._d_betas(turned)

    def _pose(self, rotations: Tensor, betas: Tensor, translation: Tensor) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        """Joints [B, 21, 3]; world rotations [B, 16, 3, 3] and positions [B, 16, 3]; tips per bone [B, 5, K, 3]."""
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
        if self._tip_posedirs is not None:
            features = (rotations[:, 1:] - self._identity).flatten(1)
            tips = tips + torch.einsum("taf,bf->bta", self._tip_posedirs, features)[:, :, None]
        tip_parts = (turned[:, self._tip_bones] @ tips[..., None])[..., 0] + moved[:, self._tip_bones]
        joints = torch.cat([moved, (self._tip_weights * tip_parts).sum(dim=2)], dim=1)[:, self._order]
        return joints, turned, moved, tip_parts

    def _at_rest(self, rest: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Wrist [..., 3], bones between joints [B, 5, 3, 3] and from joints to tips [B, 5, K, 3] of hands at rest.

        ``rest`` [..., R] is what was :attr:`_rest` before shaping; of a single hand B is 1.
        """
        bones, tips = rest[..., 3:_BONE_ROWS], rest[..., _BONE_ROWS:]
        return rest[..., :3], bones.reshape(-1, _FINGERS, _BONES, 3), tips.reshape(-1, *self._tip_shape)

    def _d_rotations(
        self, joints: Tensor, rotations: Tensor, turned: Tensor, moved: Tensor, tip_parts: Tensor
    ) -> Tensor:
        # Turning joint j by a world vector w moves a point that follows it by w x lever.
        reach = self._follows * joints[:, :, None]
        reach[:, _TIP_ROWS] = self._tip_follows @ tip_parts
        lever = reach - self._follows * moved[:, None]
        x, y, z = lever[..., None].unbind(dim=-2)
        axis_x, axis_y, axis_z = turned[:, None].unbind(dim=-2)  # rows of the joints' world axes
        derivative = lever.new_empty(len(joints), NUM_JOINTS, 3, NUM_MANO_JOINTS, 3)
        torch.sub(axis_y * z, axis_z * y, out=derivative[:, :, 0])
        torch.sub(axis_z * x, axis_x * z, out=derivative[:, :, 1])
        torch.sub(axis_x * y, axis_y * x, out=derivative[:, :, 2])
        if self._tip_posedirs is not None:
            derivative[:, _TIP_ROWS, :, 1:] += self._d_correctives(rotations, turned)
        return derivative.flatten(3)

    def _d_correctives(self, rotations: Tensor, turned: Tensor) -> Tensor:
        """What the pose correctives add to the tips' derivative [B, 5, 3, 15, 3]."""
        assert self._tip_posedirs is not None
        directions = self._tip_posedirs.reshape(_FINGERS, 3, NUM_FINGER_ROTATIONS, 3, 3)
        # d(R Exp(w)) = R [w]x; contracted with a coefficient matrix C it gives w . vee(A - A^T), A = R^T C.
        mixed = torch.einsum("bjmr,tajmc->btajrc", rotations[:, 1:], directions)
        local = torch.stack(
            [
                mixed[..., 2, 1] - mixed[..., 1, 2],
                mixed[..., 0, 2] - mixed[..., 2, 0],
                mixed[..., 1, 0] - mixed[..., 0, 1],
            ],
            dim=-1,
        )
        blended = (self._tip_weights[..., None] * turned[:, self._tip_bones]).sum(dim=2)
        return torch.einsum("btxa,btajc->btxjc", blended, local)

    def _d_betas(self, turned: Tensor) -> Tensor:
        wrist, bones, tips = self._at_rest(self._rest_by_betas.T)  # a hand for each beta
        root = turned[:, None, :1].expand(-1, _FINGERS, -1, -1, -1)
        fingers = torch.unflatten(turned[:, 1:], 1, (_FINGERS, _BONES))
        ways = torch.cat([root, fingers[:, :, :-1]], dim=2) @ bones.permute(1, 2, 3, 0)
        wrist = wrist.T.expand(len(turned), 1, 3, NUM_BETAS)
        moved = torch.cat([wrist, (wrist[:, None] + ways.cumsum(dim=2)).flatten(1, 2)], dim=1)
        parts = turned[:, self._tip_bones] @ tips.permute(1, 2, 3, 0) + moved[:, self._tip_bones]
        tip = (self._tip_weights[..., None] * parts).sum(dim=2)
        return torch.cat([moved, tip], dim=1)[:, self._order]
