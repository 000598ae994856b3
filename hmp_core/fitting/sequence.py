# SPDX-FileCopyrightText: 2026 The hmp_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The offline fitter: observations of a whole clip in, estimates of all hands in all frames out."""

import time
from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from hmp_core.estimate import FrameEstimate, HandEstimate
from hmp_core.fitting.config import FitterConfig
from hmp_core.fitting.hand_pose import HandPose
from hmp_core.fitting.hand_sequence import HandSequence, find_hands
from hmp_core.fitting.published import (
    PublishedPose,
    observed_status,
    own_side,
    own_side_covariance,
    right_hands,
)
from hmp_core.fitting.sequence_fitter import FittedMotion, SequenceFitter
from hmp_core.fitting.stages import StageTable
from hmp_core.fitting.trajectory_store import TrajectoryStore
from hmp_core.fitting.window_model import WindowModel
from hmp_core.hand.model import HandModel
from hmp_core.hand.operator_frame import operator_frame
from hmp_core.observation import FrameObservation
from hmp_core.prior.prior import MotionPrior

LONGEST_GAP_S = 2.0
"""A hand unseen for longer leaves the clip, as far as the fit is concerned."""


class ClipFitter:
    """Fits every hand of a clip with the past and the future in view; the same input gives the same output.

    Args:
        hand_model: right hand.
        prior: of finger motion.
        table: stages.
        solver: ``gn`` or ``adam``.
        config: what evidence and motion are known to do.
    """

    def __init__(
        self,
        hand_model: HandModel,
        prior: MotionPrior,
        table: StageTable,
        solver: str = "gn",
        config: FitterConfig | None = None,
    ) -> None:
        self._config = config if config is not None else FitterConfig()
        # Without a residual beside it the latent has to say everything.
        directions = self._config.latent_directions if table.residual else None
        self._model = WindowModel(hand_model, prior, directions)
        self._fitter = SequenceFitter(self._model, table, solver, self._config)

    def fit(
        self,
        observations: Sequence[FrameObservation],
        report: Callable[[int, int], None] = lambda done, total: None,
        store: TrajectoryStore | None = None,
    ) -> list[FrameEstimate]:
        """Estimates of all frames; a frame without a hand has an empty one.

        Args:
            observations: in order of their stamps.
            report: called with windows done and windows in all, hand after hand.
            store: of this very fit, which then goes on after an interruption.
        """
        began = time.perf_counter()
        found: list[list[HandEstimate]] = [[] for _ in observations]
        for sequence in find_hands(
            observations, self._model.kinematics, LONGEST_GAP_S, self._config.observed_sigma_m
        ):
            motion = self._fitter.fit(sequence, report, store)
            poses = HandPose(motion.R_camera_wrist, motion.p_camera_wrist, motion.R_finger)
            hands = right_hands(poses, motion.betas, self._model.kinematics)
            published = [own_side(hand, sequence.side) for hand in hands]
            frames = operator_frame(np.stack([own.joints_camera for own in published]), sequence.side)
            observed_ns = int(sequence.stamps_ns[0])
            for index, (own, R_camera_wrist) in enumerate(zip(published, frames, strict=True)):
                hand = self._estimate(sequence, motion, index, own, R_camera_wrist, observed_ns)
                observed_ns = int(sequence.stamps_ns[index]) - hand.since_observed_ns
                found[sequence.first + index].append(hand)
        spent_ms = (time.perf_counter() - began) * 1e3 / max(len(observations), 1)
        return [
            FrameEstimate(observation.stamp_ns, tuple(hands), {**observation.stage_ms, "optimize": spent_ms})
            for observation, hands in zip(observations, found, strict=True)
        ]

    def _estimate(
        self,
        sequence: HandSequence,
        motion: FittedMotion,
        index: int,
        own: PublishedPose,
        R_camera_wrist: NDArray[np.float64],
        observed_ns: int,
    ) -> HandEstimate:
        """The hand in one image; ``observed_ns`` is when a joint was last observed before."""
        evidence = sequence.steps[index]
        depth_m = float(motion.p_camera_wrist[index, 2])
        status, observed = observed_status(evidence, depth_m, self._config.observed_sigma_m)
        return HandEstimate(
            track_id=int(sequence.track_ids[index]),
            side=sequence.side,
            side_score=float(sequence.side_scores[index]),
            status=status,
            score=0.0 if evidence is None else evidence.presence,
            since_observed_ns=0 if observed.any() else int(sequence.stamps_ns[index]) - observed_ns,
            joints_camera=own.joints_camera,
            joint_stddev_m=motion.joint_stddev_m[index],
            joint_observed=observed,
            mano=own.mano,
            R_camera_wrist=R_camera_wrist,
            wrist_covariance=own_side_covariance(motion.wrist_covariance[index], sequence.side),
        )
