# SPDX-FileCopyrightText: 2026 The hmp_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Normal equations of a window, which its terms add to one by one.

A term about the hand at a step writes into a quadratic in the hand's own 61 coordinates: wrist rotation 3, finger
rotations 45, betas 10 and wrist position 3. Only :meth:`NormalEquations.assemble` carries these to the unknowns
through the prior's derivative, which keeps the cost of many keypoints and of a long latent apart. Terms about the
unknowns themselves write into the blocks of :class:`~hmp_core.fitting.arrow.ArrowSystem` directly.
"""

from dataclasses import dataclass

import torch
from torch import Tensor

from hmp_core.fitting.arrow import ArrowSystem
from hmp_core.fitting.assembly import carry_to_unknowns
from hmp_core.fitting.hand_coordinates import HAND_DIM
from hmp_core.fitting.trajectory import STEP_DIM
from hmp_core.fitting.window_model import StepJacobians
from hmp_core.hand.skeleton import NUM_BETAS


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
        border = torch.zeros(len(self.diagonal), STEP_DIM, shape.stop, dtype=torch.float64)
        corner = torch.zeros(shape.stop, shape.stop, dtype=torch.float64)
        corner[latent, latent] = self.latent_information[latent, latent]
        corner[shape, shape] = self.shape_information
        shared_gradient = torch.cat([self.latent_gradient[latent], self.shape_gradient])
        carry_to_unknowns(
            self.hand_information.numpy(), self.hand_gradient.numpy(),
            jacobians.finger_by_residual.contiguous().numpy(), jacobians.finger_by_latent.contiguous().numpy(),
            self.diagonal.numpy(), border.numpy(), corner.numpy(),
            self.step_gradient.numpy(), shared_gradient.numpy(),
        )  # fmt: skip
        return ArrowSystem(
            self.diagonal.numpy(), self.lower.numpy(), border.numpy(), corner.numpy(),
            self.step_gradient.numpy(), shared_gradient.numpy(), float(self.cost),
        )  # fmt: skip
