# SPDX-FileCopyrightText: 2026 The hmp_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The product's fitters as methods of a benchmark: a right hand's observations in, joints and sigmas out."""

from collections.abc import Callable, Sequence
from typing import Final

import numpy as np

from hmp_core.estimate import FrameEstimate
from hmp_core.evaluation.occlusion_report import MethodOutput
from hmp_core.fitting.config import FitterConfig
from hmp_core.fitting.online import OnlineFitter
from hmp_core.fitting.sequence import ClipFitter
from hmp_core.fitting.stages import StageTable
from hmp_core.hand.model import HandModel
from hmp_core.hand.skeleton import NUM_JOINTS, Side
from hmp_core.observation import FrameObservation
from hmp_core.prior.prior import MotionPrior

Method = Callable[[Sequence[FrameObservation]], MethodOutput]
"""From one hand's observations, image by image, to what it was; the fitters are such, and more can be added."""

UNLIMITED_S: Final = 3600.0


def online(model: HandModel, prior: MotionPrior) -> Method:
    """The product's real-time fitter, which never gives a hand up."""
    config = FitterConfig(infill_timeout_s=UNLIMITED_S)

    def run(frames: Sequence[FrameObservation]) -> MethodOutput:
        fitter = OnlineFitter(model, prior, config)
        return _collected([fitter.update(frame) for frame in frames])

    return run


def offline(model: HandModel, prior: MotionPrior, table: StageTable, solver: str) -> Method:
    """The sequence fitter, past and future in view."""
    fitter = ClipFitter(model, prior, table, solver)
    return lambda frames: _collected(fitter.fit(frames))


def _collected(estimates: Sequence[FrameEstimate]) -> MethodOutput:
    """Joints and sigmas of the right hand by frame, NaN where there is none."""
    joints = np.full((len(estimates), NUM_JOINTS, 3), np.nan)
    stddev, covariance = np.full((len(estimates), NUM_JOINTS), np.nan), np.full((len(estimates), 6, 6), np.nan)
    for index, estimate in enumerate(estimates):
        for hand in (hand for hand in estimate.hands if hand.side is Side.RIGHT):
            joints[index], stddev[index] = hand.joints_camera, hand.joint_stddev_m
            covariance[index] = hand.wrist_covariance
    return MethodOutput(joints, stddev, covariance)
