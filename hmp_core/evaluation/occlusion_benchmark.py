# SPDX-FileCopyrightText: 2026 The hmp_ros authors
# SPDX-License-Identifier: Apache-2.0
"""All methods on the same observations of occluded windows, judged by exact truth; who observed does not matter."""

from collections.abc import Mapping, Sequence

import numpy as np
import torch

from hmp_core.evaluation.baseline_models import BaselineModels
from hmp_core.evaluation.fitter_methods import Method
from hmp_core.evaluation.occluded_window import OccludedWindow
from hmp_core.evaluation.occlusion_report import HandRun, MethodOutput
from hmp_core.evaluation.pose_mixture import pose_mixtures
from hmp_core.evaluation.tracked_hand import track_hand
from hmp_core.evaluation.tracking_baselines import Baseline, TrackingParameters, baselines
from hmp_core.hand.kinematics import HandKinematics
from hmp_core.hand.model import HandModel
from hmp_core.hand.skeleton import Side
from hmp_core.observation import FrameObservation


class OcclusionBenchmark:
    """Runs windows through all methods.

    Args:
        model: the right hand.
        models: of hand poses, for the baselines ``pca`` and ``gmm``.
        parameters: of the baselines.
        fitters: further methods by name.

    Attributes:
        methods: names of all methods, baselines first.
    """

    def __init__(
        self,
        model: HandModel,
        models: BaselineModels,
        parameters: TrackingParameters,
        fitters: Mapping[str, Method],
    ) -> None:
        self._kinematics = HandKinematics(model, torch.float64)
        self._baselines: dict[str, Baseline] = baselines(parameters, pose_mixtures(models))
        self._fitters = dict(fitters)
        self.methods = (*self._baselines, *self._fitters)

    def run(self, window: OccludedWindow, frames: Sequence[FrameObservation]) -> HandRun:
        """All methods on the observations of a window, in which there is at most one hand an image."""
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
