# SPDX-FileCopyrightText: 2026 The hmp_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The paper's loss: angles of wrist and fingers, joint positions, and the latents' divergence on a ramp."""

from dataclasses import dataclass

import roma
import torch
from torch import Tensor

from hmp_core.hand.skeleton import NUM_FINGER_ROTATIONS, NUM_MANO_JOINTS
from hmp_core.prior.chain import FingerBones, rotations_in_wrist
from hmp_core.prior.hmp.features import joint_positions
from hmp_core.prior.hmp.vae import HmpPass

_LARGEST_HALF_SINE = 1.0 - 1e-7
"""Keeps the gradient of an angle finite at half a turn."""


@dataclass(frozen=True)
class HmpWeights:
    """Weights of the terms; the defaults are those of the paper's code.

    Attributes:
        orientation: of the wrist's angle.
        rotations: of the angles of the 16 wrist-frame rotations (the wrist's own is always right).
        positions: of the mean absolute error of the 16 joints' coordinates [1/m].
        divergence: of the divergence of both latents from N(0, I), at the end of the ramp.
        ramp_start: share of that weight in the first epoch.
        ramp_epochs: epochs until the weight is whole. (The code means to repeat the ramp every 50 epochs but never
            does, for its step counter is not reset.)
    """

    orientation: float = 1.0
    rotations: float = 1.0
    positions: float = 10.0
    divergence: float = 1e-5
    ramp_start: float = 0.01
    ramp_epochs: float = 25.0

    def ramp(self, epoch: float) -> float:
        """Share of the divergence's weight at an epoch, which counts from 0 and may be fractional."""
        return min(1.0, self.ramp_start + (1.0 - self.ramp_start) * epoch / self.ramp_epochs)


def hmp_loss(
    made: HmpPass, R_local: Tensor, R_world_wrist: Tensor, bones: FingerBones, weights: HmpWeights, epoch: float
) -> dict[str, Tensor]:
    """Terms of one batch.

    Args:
        made: what the networks made of it.
        R_local: [B, N, 15, 3, 3] true local finger rotations.
        R_world_wrist: [B, N, 3, 3] true wrist orientations.
        bones: the rest hand.
        weights: of the terms.
        epoch: for the ramp.

    Returns:
        Scalars: "total" with the divergence, to be minimised; "reconstruction" without, by which the paper selects
        its model; "orientation_deg", "angle_deg", "position_mm", and the divergences in nat.
    """
    R_fingers = rotations_in_wrist(R_local)
    # The wrist's rotation in its own frame and its position are never wrong but count in the paper's means.
    share = NUM_FINGER_ROTATIONS / NUM_MANO_JOINTS
    angle = share * _angle(made.R_wrist_fingers, R_fingers)
    orientation = _angle(made.R_world_wrist, R_world_wrist)
    gap = joint_positions(made.R_wrist_fingers, bones) - joint_positions(R_fingers, bones)
    position = gap.abs().mean()
    fingers = _divergence(made.mean, made.log_variance)
    wrist = _divergence(made.wrist_mean, made.wrist_log_variance)
    reconstruction = weights.orientation * orientation + weights.rotations * angle + weights.positions * position
    return {
        "total": reconstruction + weights.divergence * weights.ramp(epoch) * (fingers + wrist),
        "reconstruction": reconstruction,
        "orientation_deg": orientation.rad2deg(),
        "angle_deg": angle.rad2deg(),
        "position_mm": 1e3 * position,
        "divergence_nat": fingers,
        "wrist_divergence_nat": wrist,
    }


def _angle(R_made: Tensor, R_true: Tensor) -> Tensor:
    """Mean geodesic distance [rad]."""
    return torch.as_tensor(roma.rotmat_geodesic_distance(R_made, R_true, clamping=_LARGEST_HALF_SINE)).mean()


def _divergence(mean: Tensor, log_variance: Tensor) -> Tensor:
    """Kullback-Leibler divergence of N(mean, exp(log_variance)) [B, D] from N(0, I), mean over clips [nat]."""
    mean, log_variance = mean.float(), log_variance.float()
    return 0.5 * (mean.square() + log_variance.exp() - 1.0 - log_variance).sum(-1).mean()
