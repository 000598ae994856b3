# SPDX-FileCopyrightText: 2026 The hmp_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What the prior is trained on: rotations, bone ends, staying near the unit Gaussian, and hands that can exist."""

from dataclasses import dataclass

import roma
from torch import Tensor

from hmp_core.hand.limits import limit_violation
from hmp_core.prior.chain import FingerBones

_POSITION_WEIGHT = 10.0


@dataclass(frozen=True)
class MotionLoss:
    """Terms of one batch, each a scalar.

    Attributes:
        angle_rad: mean geodesic distance of wrist-frame rotations.
        position_m: mean absolute error of bone-end coordinates.
        divergence: mean KL divergence of the posterior from N(0, I) per clip [nat].
    """

    angle_rad: Tensor
    position_m: Tensor
    divergence: Tensor

    def total(self, divergence_weight: float) -> Tensor:
        """Weigh the terms as HMP does: angle + 10 position + weight · KL."""
        return self.angle_rad + _POSITION_WEIGHT * self.position_m + divergence_weight * self.divergence


def motion_loss(
    R_decoded: Tensor, R_true: Tensor, recorded: Tensor, mean: Tensor, log_variance: Tensor, bones: FingerBones
) -> MotionLoss:
    """Compare decoded with true wrist-frame rotations [B, T, 15, 3, 3] where ``recorded`` [B, T] is 1."""
    weight = recorded / recorded.sum().clamp_min(1.0)
    # sin(angle / 2) from the chord, which has a gradient at zero and loses nothing to rounding.
    half_sine = (R_decoded - R_true).square().sum((-2, -1)).clamp_min(1e-10).sqrt() / 8.0**0.5
    angle = 2.0 * half_sine.clamp_max(1.0 - 1e-6).asin()
    gap = (bones(R_decoded) - bones(R_true)).abs().mean((-2, -1))
    divergence = 0.5 * (mean.square() + log_variance.exp() - 1.0 - log_variance).sum(-1).mean()
    return MotionLoss((angle.mean(-1) * weight).sum(), (gap * weight).sum(), divergence)


def limit_excess(R_local: Tensor) -> Tensor:
    """Mean angle [rad] by which local rotations [..., 15, 3, 3] leave the joints' anatomical limits."""
    return limit_violation(roma.rotmat_to_rotvec(R_local)).abs().mean()
