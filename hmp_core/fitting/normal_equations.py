# SPDX-FileCopyrightText: 2026 The hmp_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Normal equations of a window, which its terms add to one by one.

A term about the hand at a step writes into a quadratic in the hand's own 61 coordinates: wrist rotation 3, finger
rotations 45, betas 10 and wrist position 3. Only :meth:`NormalEquations.assemble` carries these to the unknowns
through the prior's derivative, which keeps the cost of many keypoints and of a long latent apart. Terms about the
unknowns themselves write into the blocks of :class:`~hmp_core.fitting.arrow.ArrowSystem` directly.
"""

from dataclasses import dataclass
from typing import Final

import torch
from torch import Tensor

from hmp_core.fitting.arrow import ArrowSystem
from hmp_core.fitting.trajectory import POSITION, RESIDUAL, ROTATION, STEP_DIM
from hmp_core.fitting.window_model import StepJacobians
from hmp_core.hand.skeleton import NUM_BETAS

WRIST: Final = slice(0, 3)
FINGERS: Final = slice(3, 48)
BETAS: Final = slice(48, 58)
RELATIVE: Final = slice(0, 58)
PLACE: Final = slice(58, 61)
HAND_DIM: Final = 61

_BODY: Final = ((ROTATION, WRIST), (POSITION, PLACE))
"""Unknowns of a step that are the hand's own coordinates."""


@dataclass(frozen=True)
class NormalEquations:
    """``cost + gradient . x + x . information . x / 2`` in two sets of coordinates; terms add in place.

    Attributes:
        hand_information: [K, 61, 61] in the hand's own coordinates.
        hand_gradient: [K, 61].
        diagonal: [K, n, n] in a step's unknowns.
        lower: [K-1, n, n] between a step (rows: the later one) and the one before.
        step_gradient: [K, n].
        latent_information: [L, L] prior information of the whole latent, D of whose coordinates are unknowns.
        latent_gradient: [L].
        shape_information: [10, 10] prior information of β.
        shape_gradient: [10].
        cost: [] summed.
    """

    hand_information: Tensor
    hand_gradient: Tensor
    diagonal: Tensor
    lower: Tensor
    step_gradient: Tensor
    latent_information: Tensor
    latent_gradient: Tensor
    shape_information: Tensor
    shape_gradient: Tensor
    cost: Tensor

    @classmethod
    def zeros(cls, steps: int, latent_dim: int) -> "NormalEquations":
        """No term yet."""
        shapes = (
            (steps, HAND_DIM, HAND_DIM), (steps, HAND_DIM), (steps, STEP_DIM, STEP_DIM),
            (steps - 1, STEP_DIM, STEP_DIM), (steps, STEP_DIM), (latent_dim, latent_dim), (latent_dim,),
            (NUM_BETAS, NUM_BETAS), (NUM_BETAS,), (),
        )  # fmt: skip
        return cls(*(torch.zeros(shape, dtype=torch.float64) for shape in shapes))

    def assemble(self, jacobians: StepJacobians) -> ArrowSystem:
        """All of it in the unknowns; a latent by which nothing is derived is none of them."""
        diagonal, border, step_gradient = self._of_steps(jacobians)
        corner, shared_gradient = self._of_shared(jacobians)
        return ArrowSystem(
            diagonal.numpy(), self.lower.numpy(), border.numpy(), corner.numpy(),
            step_gradient.numpy(), shared_gradient.numpy(), float(self.cost),
        )  # fmt: skip

    def _of_steps(self, jacobians: StepJacobians) -> tuple[Tensor, Tensor, Tensor]:
        """Blocks of the steps' own unknowns, their border towards the shared ones, and their gradient."""
        by_residual, by_latent = jacobians.finger_by_residual, jacobians.finger_by_latent
        steps, _, latent_dim = by_latent.shape
        information, gradient = self.hand_information, self.hand_gradient
        towards_residual = information[:, :, FINGERS] @ by_residual
        towards_latent = information[:, :, FINGERS] @ by_latent
        diagonal, step_gradient = self.diagonal, self.step_gradient
        border = torch.zeros(steps, STEP_DIM, latent_dim + NUM_BETAS, dtype=torch.float64)
        for own, part in _BODY:
            for other, other_part in _BODY:
                diagonal[:, own, other] += information[:, part, other_part]
            diagonal[:, own, RESIDUAL] += towards_residual[:, part]
            diagonal[:, RESIDUAL, own] += towards_residual[:, part].mT
            border[:, own, :latent_dim] = towards_latent[:, part]
            border[:, own, latent_dim:] = information[:, part, BETAS]
            step_gradient[:, own] += gradient[:, part]
        diagonal[:, RESIDUAL, RESIDUAL] += by_residual.mT @ towards_residual[:, FINGERS]
        border[:, RESIDUAL, :latent_dim] = by_residual.mT @ towards_latent[:, FINGERS]
        border[:, RESIDUAL, latent_dim:] = towards_residual[:, BETAS].mT
        step_gradient[:, RESIDUAL] += (by_residual.mT @ gradient[:, FINGERS, None])[..., 0]
        return diagonal, border, step_gradient

    def _of_shared(self, jacobians: StepJacobians) -> tuple[Tensor, Tensor]:
        """Block and gradient of latent and β."""
        by_latent = jacobians.finger_by_latent
        latent_dim = by_latent.shape[2]
        flat = by_latent.flatten(0, 1)
        latent, shape = slice(0, latent_dim), slice(latent_dim, latent_dim + NUM_BETAS)
        corner = torch.zeros(latent_dim + NUM_BETAS, latent_dim + NUM_BETAS, dtype=torch.float64)
        towards_latent = (self.hand_information[:, FINGERS, FINGERS] @ by_latent).flatten(0, 1)
        corner[latent, latent] = self.latent_information[latent, latent] + flat.T @ towards_latent
        corner[shape, latent] = (self.hand_information[:, BETAS, FINGERS] @ by_latent).sum(0)
        corner[latent, shape] = corner[shape, latent].T
        corner[shape, shape] = self.shape_information + self.hand_information[:, BETAS, BETAS].sum(0)
        latent_pull = self.latent_gradient[latent] + flat.T @ self.hand_gradient[:, FINGERS].flatten()
        shape_pull = self.shape_gradient + self.hand_gradient[:, BETAS].sum(0)
        return corner, torch.cat([latent_pull, shape_pull])
