# SPDX-FileCopyrightText: 2026 The hmp_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The terms of the online fitter's windows."""

from functools import partial

import numpy as np
import torch

from hmp_core.fitting.config import FitterConfig
from hmp_core.fitting.evidence import StepEvidence, WindowEvidence, stack_evidence
from hmp_core.fitting.process import Array
from hmp_core.fitting.shape_prior import ShapePrior
from hmp_core.fitting.terms.chain import LinearChainTerm, RotationChainTerm
from hmp_core.fitting.terms.landmarks import LandmarkTerm
from hmp_core.fitting.terms.limits import LimitTerm
from hmp_core.fitting.terms.priors import LatentTerm, ShapeTerm
from hmp_core.fitting.terms.reprojection import KeypointTerm
from hmp_core.fitting.terms.robust import geman_mcclure
from hmp_core.fitting.terms.term import Term
from hmp_core.fitting.window_model import DecodedSteps, WindowModel


def online_terms(
    model: WindowModel,
    config: FitterConfig,
    times_s: Array,
    evidence: WindowEvidence,
    shape: ShapePrior,
    turn_variance: Array,
) -> list[Term]:
    """Evidence at the steps ``times_s`` [K] [s], motion between them, and what is believed of latent and shape.

    ``turn_variance`` [K-1] [rad^2] is that of the wrist's sudden turns between them.
    """
    h = np.diff(times_s)
    return [
        *evidence_terms(evidence, config.outlier_sigmas),
        LimitTerm(model.joint_axes, model.limits, config.limit_stddev_rad),
        RotationChainTerm.of(config.wrist_rotation, h, turn_variance),
        LinearChainTerm.of_wrist(config.wrist_translation, h),
        LinearChainTerm.of_residual(config.finger_residual, h),
        LatentTerm(config.latent_stddev**-2),
        ShapeTerm(shape.mean, shape.information),
    ]


def evidence_terms(evidence: WindowEvidence, outlier_sigmas: float) -> tuple[KeypointTerm, LandmarkTerm]:
    """What was seen, robustly."""
    kernel = partial(geman_mcclure, scale=outlier_sigmas)
    one = torch.ones((), dtype=torch.float64)
    return (
        KeypointTerm(evidence.rays, evidence.ray_information, one, kernel),
        LandmarkTerm(evidence.landmarks_m, evidence.landmark_information, evidence.nuisance, 1.0, kernel),
    )


def rejected_cost(evidence: StepEvidence, outlier_sigmas: float) -> float:
    """What :func:`evidence_cost` is at most: where every point is an outlier."""
    points = np.count_nonzero(evidence.ray_information) + np.count_nonzero(evidence.landmark_information)
    return points * outlier_sigmas**2 / 2


def evidence_cost(decoded: DecodedSteps, evidence: StepEvidence, outlier_sigmas: float) -> float:
    """Robust cost of the keypoints and landmarks of one step, decoded as [1, ...]."""
    stacked = stack_evidence([evidence], np.zeros(1), correlation_s=0.0)
    keypoints, landmarks = evidence_terms(stacked, outlier_sigmas)
    return float(keypoints.costs(decoded) + landmarks.costs(decoded))
