# SPDX-FileCopyrightText: 2026 The hmp_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What the evidence says about each step, condensed to a quadratic in the hand's own 61 coordinates.

The coordinates are wrist rotation 3, finger rotations 45, betas 10 and wrist position 3. Only afterwards is the
quadratic carried to the unknowns through the prior's derivative, which keeps the cost of many keypoints and of a
long latent apart.
"""

from dataclasses import dataclass
from typing import Final

import torch
from torch import Tensor

from hmp_core.fitting.evidence import WindowEvidence
from hmp_core.fitting.terms.landmarks import landmarks
from hmp_core.fitting.terms.reprojection import reprojection
from hmp_core.fitting.terms.robust import geman_mcclure
from hmp_core.fitting.window_model import DecodedSteps, StepJacobians

WRIST: Final = slice(0, 3)
FINGERS: Final = slice(3, 48)
BETAS: Final = slice(48, 58)
RELATIVE: Final = slice(0, 58)
PLACE: Final = slice(58, 61)


@dataclass(frozen=True)
class StepQuadratic:
    """``cost + gradient . x + x . information . x / 2`` at each of K steps.

    Attributes:
        information: [K, 61, 61].
        gradient: [K, 61].
        cost: summed over the steps.
    """

    information: Tensor
    gradient: Tensor
    cost: float


def condense(
    decoded: DecodedSteps, jacobians: StepJacobians, evidence: WindowEvidence, outlier_sigmas: float
) -> StepQuadratic:
    """Keypoints and landmarks, robustly weighted, as quadratics."""
    pixel, by_joint = reprojection(decoded.joints_camera, evidence.rays, evidence.ray_information)
    pixel_cost, pixel_weight = geman_mcclure(pixel.square().sum(-1), outlier_sigmas)
    metric = landmarks(decoded.joints_wrist_relative, evidence.landmarks_m, evidence.landmark_information)
    metric_cost, metric_weight = geman_mcclure(metric.square().sum(-1), outlier_sigmas)

    # Per joint: information [K, 21, 3, 3] and pull [K, 21, 3]; landmarks do not see the wrist's place.
    weighted = pixel_weight[..., None, None] * by_joint.mT
    pixel_information = weighted @ by_joint
    pixel_pull = (weighted @ pixel[..., None])[..., 0]
    metric_scale = metric_weight * evidence.landmark_information
    metric_information = torch.diag_embed(
        (metric_scale * evidence.landmark_information)[..., None].expand(-1, -1, 3)
    )
    joint_information = pixel_information + metric_information
    joint_pull = pixel_pull + metric_scale[..., None] * metric

    by_hand = jacobians.joints.flatten(1, 2)
    information = by_hand.new_zeros(len(by_hand), 61, 61)
    information[:, RELATIVE, RELATIVE] = by_hand.mT @ (joint_information @ jacobians.joints).flatten(1, 2)
    across = (pixel_information @ jacobians.joints).sum(1)
    information[:, PLACE, RELATIVE], information[:, RELATIVE, PLACE] = across, across.mT
    information[:, PLACE, PLACE] = pixel_information.sum(1)
    gradient = torch.cat([(by_hand.mT @ joint_pull.flatten(1)[..., None])[..., 0], pixel_pull.sum(1)], dim=1)
    return StepQuadratic(information, gradient, float(pixel_cost.sum() + metric_cost.sum()))


def step_costs(decoded: DecodedSteps, evidence: WindowEvidence, outlier_sigmas: float) -> Tensor:
    """Robust cost [K] of the keypoints and landmarks of each step."""
    pixel, _ = reprojection(decoded.joints_camera, evidence.rays, evidence.ray_information)
    metric = landmarks(decoded.joints_wrist_relative, evidence.landmarks_m, evidence.landmark_information)
    pixel_cost, _ = geman_mcclure(pixel.square().sum(-1), outlier_sigmas)
    metric_cost, _ = geman_mcclure(metric.square().sum(-1), outlier_sigmas)
    return (pixel_cost + metric_cost).sum(-1)
