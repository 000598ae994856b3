# SPDX-FileCopyrightText: 2026 The hmp_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What is believed of a hand's shape, carried from window to window."""

from dataclasses import dataclass, replace
from typing import Final

import torch
from torch import Tensor

from hmp_core.fitting.config import FitterConfig
from hmp_core.fitting.hand_length import betas_of_length, hand_length
from hmp_core.hand.kinematics import HandKinematics
from hmp_core.hand.skeleton import NUM_BETAS

_MOST_INFORMATION: Final = 1 / 0.02**2


@dataclass(frozen=True)
class HandShape:
    """Shape and size of a hand.

    Attributes:
        betas: [10].
        length_m: wrist to middle knuckle.
    """

    betas: tuple[float, ...]
    length_m: float


@dataclass(frozen=True)
class ShapePrior:
    """Gaussian belief about β before a window's evidence.

    Attributes:
        mean: [10].
        information: [10, 10].
        known: [10, 10] projector on the directions along which β was measured and is not learnt; None where it
            was along none.
    """

    mean: Tensor
    information: Tensor
    known: Tensor | None = None

    @classmethod
    def of_average_hand(cls, size_stddev: float, shape_stddev: float) -> "ShapePrior":
        """The average hand; the first β is size in the open hand and in MANO."""
        stddev = torch.full((NUM_BETAS,), shape_stddev, dtype=torch.float64)
        stddev[0] = size_stddev
        return cls(torch.zeros_like(stddev), torch.diag(1 / stddev**2))

    @classmethod
    def of_hand(cls, config: FitterConfig, kinematics: HandKinematics) -> "ShapePrior":
        """What is believed of anybody's hand, and its shape and length where they were measured."""
        belief = cls.of_average_hand(config.size_stddev, config.shape_stddev)
        if config.betas is not None:
            belief = belief.of_shape(torch.tensor(config.betas, dtype=torch.float64))
        return belief.of_length(kinematics, config.hand_length_m) if config.hand_length_m else belief

    def of_shape(self, betas: Tensor) -> "ShapePrior":
        """The same of a hand whose whole shape, ``betas`` [10], was found."""
        return replace(self, mean=betas, known=torch.eye(NUM_BETAS, dtype=torch.float64))._as_known(betas)

    def of_length(self, kinematics: HandKinematics, length_m: float) -> "ShapePrior":
        """The same of a hand whose length, wrist to middle knuckle, was measured [m]."""
        mean = betas_of_length(kinematics, length_m, self.mean)
        if self.known is not None:
            return replace(self, mean=mean)
        _, slope = hand_length(kinematics, mean)
        return replace(self, mean=mean, known=torch.outer(slope, slope) / slope.square().sum())._as_known(mean)

    def adopt(self, betas: Tensor, information: Tensor, share: float) -> "ShapePrior":
        """Move a ``share`` of the way to a window's posterior, ``betas`` [10] with ``information`` [10, 10]."""
        mixed = self.information + share * (information - self.information)
        weighted = self.information @ self.mean
        weighted = weighted + share * (information @ betas - weighted)
        mean = torch.linalg.solve(mixed, weighted)
        # What errs the same way in every frame does not average out: in no direction gets the belief sharper.
        values, directions = torch.linalg.eigh(mixed)
        sharpest = directions @ (values.clamp_max(_MOST_INFORMATION)[:, None] * directions.T)
        return replace(self, mean=mean, information=sharpest)._as_known(self.mean)

    def _as_known(self, earlier: Tensor) -> "ShapePrior":
        """With the mean of ``earlier`` [10] where β was measured, held as firmly as anything ever is."""
        if self.known is None:
            return self
        across = torch.eye(NUM_BETAS, dtype=self.known.dtype) - self.known
        information = across @ self.information @ across + _MOST_INFORMATION * self.known
        return replace(self, mean=across @ self.mean + self.known @ earlier, information=information)
