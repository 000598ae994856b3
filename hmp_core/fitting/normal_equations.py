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
from hmp_core.fitting.trajectory import POSITION, RESIDUAL, RESIDUAL_DIM, ROTATION, STEP_DIM
from hmp_core.fitting.window_model import StepJacobians
from hmp_core.hand.skeleton import NUM_BETAS

WRIST: Final = slice(0, 3)
FINGERS: Final = slice(3, 48)
BETAS: Final = slice(48, 58)
RELATIVE: Final = slice(0, 58)
PLACE: Final = slice(58, 61)
HAND_DIM: Final = 61

_BODY: Final = torch.tensor([*range(WRIST.start, WRIST.stop), *range(PLACE.start, PLACE.stop)])
"""The hand's own coordinates that are unknowns of a step as well."""
_OWN: Final = torch.tensor([*range(ROTATION.start, ROTATION.stop), *range(POSITION.start, POSITION.stop)])
"""Where these stand among the step's unknowns."""


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
        latent_dim = jacobians.finger_by_latent.shape[2]
        latent, shape = slice(0, latent_dim), slice(latent_dim, latent_dim + NUM_BETAS)
        # Of the fingers, by the residual and by the latent side by side.
        by_both = torch.cat([jacobians.finger_by_residual, jacobians.finger_by_latent], dim=2)
        towards_both = self.hand_information[:, :, FINGERS] @ by_both
        of_both = by_both.mT @ towards_both[:, FINGERS]
        pull = (by_both.mT @ self.hand_gradient[:, FINGERS, None])[..., 0]

        diagonal, step_gradient = self.diagonal, self.step_gradient
        border = torch.zeros(len(diagonal), STEP_DIM, latent_dim + NUM_BETAS, dtype=torch.float64)
        diagonal[:, _OWN[:, None], _OWN] += self.hand_information[:, _BODY[:, None], _BODY]
        across = towards_both[:, _BODY]
        diagonal[:, _OWN, RESIDUAL] += across[:, :, :RESIDUAL_DIM]
        diagonal[:, RESIDUAL, _OWN] += across[:, :, :RESIDUAL_DIM].mT
        diagonal[:, RESIDUAL, RESIDUAL] += of_both[:, :RESIDUAL_DIM, :RESIDUAL_DIM]
        border[:, _OWN, latent] = across[:, :, RESIDUAL_DIM:]
        border[:, _OWN, shape] = self.hand_information[:, _BODY, BETAS]
        border[:, RESIDUAL, latent] = of_both[:, :RESIDUAL_DIM, RESIDUAL_DIM:]
        border[:, RESIDUAL, shape] = towards_both[:, BETAS, :RESIDUAL_DIM].mT
        step_gradient[:, _OWN] += self.hand_gradient[:, _BODY]
        step_gradient[:, RESIDUAL] += pull[:, :RESIDUAL_DIM]

        corner = torch.empty(latent_dim + NUM_BETAS, latent_dim + NUM_BETAS, dtype=torch.float64)
        corner[latent, latent] = self.latent_information[latent, latent] + of_both[
            :, RESIDUAL_DIM:, RESIDUAL_DIM:
        ].sum(0)
        corner[shape, latent] = towards_both[:, BETAS, RESIDUAL_DIM:].sum(0)
        corner[latent, shape] = corner[shape, latent].T
        corner[shape, shape] = self.shape_information + self.hand_information[:, BETAS, BETAS].sum(0)
        latent_pull = self.latent_gradient[latent] + pull[:, RESIDUAL_DIM:].sum(0)
        shape_pull = self.shape_gradient + self.hand_gradient[:, BETAS].sum(0)
        return ArrowSystem(
            diagonal.numpy(), self.lower.numpy(), border.numpy(), corner.numpy(),
            step_gradient.numpy(), torch.cat([latent_pull, shape_pull]).numpy(), float(self.cost),
        )  # fmt: skip
