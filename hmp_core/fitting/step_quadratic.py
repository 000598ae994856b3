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
from hmp_core.fitting.terms.landmarks import landmark_rows, landmarks
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
    pixel, by_point = reprojection(decoded.keypoints_camera, evidence.rays, evidence.ray_information)
    pixel_cost, pixel_weight = geman_mcclure(pixel.square().sum(-1), outlier_sigmas)
    weighted = pixel_weight[..., None, None] * by_point.mT
    point_information = weighted @ by_point
    point_pull = (weighted @ pixel[..., None])[..., 0]

    metric, common = _landmarks(decoded, evidence)
    metric_cost, metric_weight = geman_mcclure(metric.square().sum(-1), outlier_sigmas)
    rows, common_rows = landmark_rows(jacobians.joints, evidence.landmark_information, evidence.nuisance)
    weighted_rows = (metric_weight[..., None, None] * rows).flatten(1, 2)

    by_hand = jacobians.keypoints.flatten(1, 2)
    information = by_hand.new_zeros(len(by_hand), 61, 61)
    information[:, RELATIVE, RELATIVE] = (
        by_hand.mT @ (point_information @ jacobians.keypoints).flatten(1, 2)
        + weighted_rows.mT @ rows.flatten(1, 2)
        + common_rows.mT @ common_rows
    )
    across = (point_information @ jacobians.keypoints).sum(1)
    information[:, PLACE, RELATIVE], information[:, RELATIVE, PLACE] = across, across.mT
    information[:, PLACE, PLACE] = point_information.sum(1)
    relative_pull = (
        by_hand.mT @ point_pull.flatten(1)[..., None]
        + weighted_rows.mT @ metric.flatten(1)[..., None]
        + common_rows.mT @ common[..., None]
    )
    gradient = torch.cat([relative_pull[..., 0], point_pull.sum(1)], dim=1)
    cost = pixel_cost.sum() + metric_cost.sum() + common.square().sum() / 2
    return StepQuadratic(information, gradient, float(cost))


def step_costs(decoded: DecodedSteps, evidence: WindowEvidence, outlier_sigmas: float) -> Tensor:
    """Robust cost [K] of the keypoints and landmarks of each step."""
    pixel, _ = reprojection(decoded.keypoints_camera, evidence.rays, evidence.ray_information)
    metric, common = _landmarks(decoded, evidence)
    pixel_cost, _ = geman_mcclure(pixel.square().sum(-1), outlier_sigmas)
    metric_cost, _ = geman_mcclure(metric.square().sum(-1), outlier_sigmas)
    return (pixel_cost + metric_cost).sum(-1) + common.square().sum(-1) / 2


def _landmarks(decoded: DecodedSteps, evidence: WindowEvidence) -> tuple[Tensor, Tensor]:
    relative, information = decoded.joints_wrist_relative, evidence.landmark_information
    return landmarks(relative, evidence.landmarks_m, information, evidence.nuisance)
