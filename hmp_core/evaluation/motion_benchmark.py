# SPDX-FileCopyrightText: 2026 The hmp_ros authors
# SPDX-License-Identifier: Apache-2.0
"""``hmp eval motion``: all methods on the same simulated observations of recorded motion, judged by exact truth."""

from collections.abc import Callable, Mapping, Sequence
from typing import Final

import numpy as np
import torch

from hmp_core.estimate import FrameEstimate
from hmp_core.evaluation.baseline_models import BaselineModels
from hmp_core.evaluation.detector_model import DetectorModel
from hmp_core.evaluation.detector_simulation import DetectorSimulation
from hmp_core.evaluation.occluded_window import OccludedWindow
from hmp_core.evaluation.occlusion_report import HandRun, MethodOutput
from hmp_core.evaluation.pose_mixture import pose_mixtures
from hmp_core.evaluation.tracked_hand import track_hand
from hmp_core.evaluation.tracking_baselines import Baseline, TrackingParameters, baselines
from hmp_core.fitting.config import FitterConfig
from hmp_core.fitting.online import OnlineFitter
from hmp_core.fitting.sequence import ClipFitter
from hmp_core.fitting.stages import read_stage_table
from hmp_core.hand.kinematics import HandKinematics
from hmp_core.hand.model import HandModel
from hmp_core.hand.skeleton import NUM_JOINTS, Side
from hmp_core.observation import FrameObservation
from hmp_core.perception.initializer import HandInitializer
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


def offline(model: HandModel, prior: MotionPrior, table: str, solver: str) -> Method:
    """The sequence fitter, past and future in view."""
    fitter = ClipFitter(model, prior, read_stage_table(table), solver)
    return lambda frames: _collected(fitter.fit(frames))


def _collected(estimates: Sequence[FrameEstimate]) -> MethodOutput:
    """Joints and sigmas of one hand by frame, NaN where there is none."""
    joints = np.full((len(estimates), NUM_JOINTS, 3), np.nan)
    stddev, covariance = np.full((len(estimates), NUM_JOINTS), np.nan), np.full((len(estimates), 6, 6), np.nan)
    for index, estimate in enumerate(estimates):
        for hand in estimate.hands:
            joints[index], stddev[index] = hand.joints_camera, hand.joint_stddev_m
            covariance[index] = hand.wrist_covariance
    return MethodOutput(joints, stddev, covariance)


class MotionBenchmark:
    """Runs windows through all methods.

    Args:
        model: the right hand.
        detector: measured errors of the real detector.
        models: of hand poses, for the baselines ``pca`` and ``gmm``.
        parameters: of the baselines.
        fitters: further methods by name.

    Attributes:
        methods: names of all methods, baselines first.
    """

    def __init__(
        self,
        model: HandModel,
        detector: DetectorModel,
        models: BaselineModels,
        parameters: TrackingParameters,
        fitters: Mapping[str, Method],
    ) -> None:
        self._simulation = DetectorSimulation(detector, HandInitializer(model))
        self._kinematics = HandKinematics(model, torch.float64)
        self._baselines: dict[str, Baseline] = baselines(parameters, pose_mixtures(models))
        self._fitters = dict(fitters)
        self.methods = (*self._baselines, *self._fitters)

    def observe(self, window: OccludedWindow, seed: int) -> list[FrameObservation]:
        """What perception would have said of a window."""
        return self._simulation.observe(window.hand, np.random.default_rng(seed))

    def run(self, window: OccludedWindow, frames: Sequence[FrameObservation]) -> HandRun:
        """All methods on the observations of a window."""
        hand = track_hand(frames, self._kinematics)
        nothing = np.full(window.hand.joints.shape, np.nan)
        outputs = {
            name: MethodOutput(nothing if hand is None else method(hand))
            for name, method in self._baselines.items()
        }
        outputs |= {name: method(frames) for name, method in self._fitters.items()}
        return HandRun(
            side=Side.RIGHT,
            truth_camera=np.where(window.judged[:, None, None], window.hand.joints, np.nan),
            hidden=window.hand.hidden,
            active=np.full(len(frames), window.active),
            gap_s=np.where(window.in_gap, window.gap_s, np.nan),
            outputs=outputs,
        )
