# SPDX-FileCopyrightText: 2026 The hmp_ros authors
# SPDX-License-Identifier: Apache-2.0
"""One hand from first sight to loss: evidence in, estimates with a status out; left hands mirrored both ways."""

from dataclasses import dataclass, replace

import numpy as np

from hmp_core.camera import Camera
from hmp_core.estimate import HandEstimate, HandStatus, WindowStatus
from hmp_core.fitting.config import FitterConfig
from hmp_core.fitting.continuity import ContinuousPose, HandPose
from hmp_core.fitting.evidence import StepEvidence, canonical_evidence
from hmp_core.fitting.hand_fitter import HandFitter, HandSolution
from hmp_core.fitting.published import observed_status, own_side, own_side_covariance, right_hand
from hmp_core.fitting.trajectory import Trajectory
from hmp_core.fitting.window_model import DecodedSteps, WindowModel
from hmp_core.hand.operator_frame import operator_frame
from hmp_core.hand.skeleton import NUM_JOINTS, Side
from hmp_core.observation import HandObservation

_GAP_S = 0.1


@dataclass(frozen=True)
class _Sighting:
    stamp_ns: int
    observation: HandObservation
    camera: Camera


class HandTrack:
    """Owns one track id of perception. Stamps are in nanoseconds and must not decrease."""

    def __init__(self, track_id: int, model: WindowModel, config: FitterConfig) -> None:
        self.track_id = track_id
        self._model = model
        self._config = config
        self._fitter = HandFitter(model, config)
        self._continuity = ContinuousPose(config.blend_speed)
        self._waiting: list[_Sighting] = []
        self._side: Side | None = None
        self._side_score = 0.5
        self._epoch_ns: int | None = None
        self._seen_ns: int | None = None
        self._focal_px = 1.0
        self._last: HandEstimate | None = None
        self._expected: HandPose | None = None
        self._published: HandPose
        self._given_up = False
        self._is_lost = False

    @property
    def last_seen_ns(self) -> int | None:
        """Stamp of the newest evidence that was taken in; None before the first."""
        return self._waiting[-1].stamp_ns if self._waiting else self._seen_ns

    def observe(self, stamp_ns: int, observation: HandObservation, camera: Camera) -> None:
        """Queue evidence; it waits until the side is decided."""
        self._waiting.append(_Sighting(stamp_ns, observation, camera))
        if self._side is None:
            self._side = observation.side
        self._side_score = observation.side_score

    def solve(self, stamp_ns: int) -> HandEstimate | None:
        """The hand at ``stamp_ns``; None before the side is decided or a pose exists."""
        if self._side is None:
            return None
        if not self._waiting and self._lost_at(stamp_ns):
            self._is_lost = True
            return self.lost(stamp_ns)
        if self._is_lost:
            # A hand that returns after LOST was published starts afresh, with the shape it had.
            self._fitter.restart()
            self._continuity = ContinuousPose(self._config.blend_speed)
            self._is_lost = False
        if self._epoch_ns is None and self._waiting:
            self._epoch_ns = self._waiting[0].stamp_ns
        evidence = self._take_in(stamp_ns)
        if not self._fitter.started:
            return None
        time_s = self._seconds(stamp_ns)
        restarts = self._fitter.restarts
        solution = self._fitter.solve()
        solved = self._coasting(time_s) or _pose(solution.newest, solution.decoded)
        if self._expected is not None:
            self._continuity.bridge(self._expected, solved, time_s)
        elif self._given_up:
            self._continuity.bridge(self._published, solved, time_s)
        self._given_up = self._fitter.restarts > restarts
        published = self._continuity.apply(solved, time_s)
        self._published = published
        self._last = self._estimate(stamp_ns, evidence, solution, published)
        return self._last

    def revise(self, stamp_ns: int, estimate: HandEstimate) -> HandEstimate:
        """An earlier estimate with the pose that the present window gives to its stamp.

        Status and sigmas stay those of the time, which errs on the safe side; so does the whole estimate where
        the window no longer reaches.
        """
        past = None if self._epoch_ns is None else self._fitter.at(self._seconds(stamp_ns))
        if past is None or estimate.status is HandStatus.LOST:
            return estimate
        published = own_side(right_hand(_pose(*past), past[0].betas, self._model.kinematics), estimate.side)
        joints = published.joints_camera
        R_camera_wrist = operator_frame(joints, estimate.side)
        return replace(estimate, joints_camera=joints, mano=published.mano, R_camera_wrist=R_camera_wrist)

    def lost(self, stamp_ns: int) -> HandEstimate | None:
        """The frozen last pose with status LOST; None when there never was one."""
        if self._last is None or self._seen_ns is None:
            return None
        return replace(
            self._last,
            status=HandStatus.LOST,
            score=0.0,
            since_observed_ns=stamp_ns - self._seen_ns,
            joint_stddev_m=np.full(NUM_JOINTS, -1.0),
            joint_observed=np.zeros(NUM_JOINTS, dtype=bool),
            wrist_covariance=np.diag(np.full(6, -1.0)),
            window=None,
        )

    def _coasting(self, time_s: float) -> HandPose | None:
        """The pose to show inside a gap: the forecast, slowing down to a rest; None when there is no gap.

        Nobody forecasts a whole hand for long: past ``coast_s`` or so, standing still errs least.
        """
        assert self._seen_ns is not None
        gap_s = time_s - self._seconds(self._seen_ns)
        coast_s = self._config.coast_s
        if gap_s <= 0:
            return None
        past = self._fitter.at(time_s - gap_s + coast_s * (1 - np.exp(-gap_s / coast_s)))
        return None if past is None else _pose(*past)

    def _lost_at(self, stamp_ns: int) -> bool:
        return self._seen_ns is not None and (stamp_ns - self._seen_ns) * 1e-9 > self._config.infill_timeout_s

    def _seconds(self, stamp_ns: int) -> float:
        assert self._epoch_ns is not None
        return (stamp_ns - self._epoch_ns) * 1e-9

    def _take_in(self, stamp_ns: int) -> StepEvidence | None:
        """Move waiting sightings into the window; the evidence at ``stamp_ns`` itself, if any.

        Notes what would have been published now had nothing been seen, when a gap ends here:
        the published pose will lead on from there.
        """
        assert self._side is not None
        self._expected = None
        newest: StepEvidence | None = None
        for sighting in self._waiting:
            newest = canonical_evidence(sighting.observation, sighting.camera, self._side, self._model.kinematics)
            after_gap = self._seen_ns is not None and (sighting.stamp_ns - self._seen_ns) * 1e-9 > _GAP_S
            if after_gap and self._fitter.started:
                time_s = self._seconds(stamp_ns)
                coasting = self._coasting(time_s)
                self._expected = self._continuity.expected(coasting, time_s) if coasting else None
            self._fitter.add(self._seconds(sighting.stamp_ns), newest)
            self._seen_ns = sighting.stamp_ns
            self._focal_px = sighting.camera.focal_px
        self._waiting.clear()
        if self._seen_ns == stamp_ns:
            return newest
        if self._fitter.started:
            self._fitter.add(self._seconds(stamp_ns), None)
        return None

    def _estimate(
        self, stamp_ns: int, evidence: StepEvidence | None, solution: HandSolution, published: HandPose
    ) -> HandEstimate:
        assert self._side is not None
        assert self._seen_ns is not None
        right = right_hand(published, solution.newest.betas, self._model.kinematics)
        joints = right.joints_camera
        status, observed = observed_status(evidence, float(joints[0, 2]), self._config.observed_sigma_m)
        # A pose that still leads from a bridged one is off by what it has yet to go.
        ahead = joints - joints[0] - solution.decoded.joints_wrist_relative[0].numpy()
        joint_stddev, covariance = np.full(NUM_JOINTS, -1.0), np.diag(np.full(6, -1.0))
        if solution.posterior is not None:
            joint_stddev = np.sqrt(solution.posterior.joint_stddev_m**2 + (ahead**2).mean(axis=-1))
            covariance = solution.posterior.wrist_covariance
        own = own_side(right, self._side)
        return HandEstimate(
            track_id=self.track_id,
            side=self._side,
            side_score=self._side_score,
            status=status,
            score=0.0 if evidence is None else evidence.presence,
            since_observed_ns=stamp_ns - self._seen_ns,
            joints_camera=own.joints_camera,
            joint_stddev_m=joint_stddev,
            joint_observed=observed,
            mano=own.mano,
            R_camera_wrist=operator_frame(own.joints_camera, self._side),
            wrist_covariance=own_side_covariance(covariance, self._side),
            window=self._window_status(evidence, solution),
        )

    def _window_status(self, evidence: StepEvidence | None, solution: HandSolution) -> WindowStatus:
        assert self._epoch_ns is not None
        result, times = solution.result, solution.result.trajectory.times_s
        rmse = float("nan")
        if evidence is not None:
            points = solution.decoded.keypoints_camera[0].numpy()
            error = (points[:, :2] / points[:, 2:] - evidence.rays) * self._focal_px
            seen = evidence.ray_information > 0
            rmse = float(np.sqrt((error[seen] ** 2).sum(axis=-1).mean())) if seen.any() else rmse
        return WindowStatus(
            track_id=self.track_id,
            first_stamp_ns=self._epoch_ns + round(times[0] * 1e9),
            last_stamp_ns=self._epoch_ns + round(times[-1] * 1e9),
            steps=len(times),
            steps_observed=solution.steps_observed,
            iterations=result.iterations,
            warm_started=solution.warm,
            converged=result.converged,
            initial_cost=result.initial_cost,
            final_cost=result.final_cost,
            reprojection_rmse_px=rmse,
        )


def _pose(trajectory: Trajectory, decoded: DecodedSteps) -> HandPose:
    return HandPose(trajectory.R_camera_wrist[-1], trajectory.p_camera_wrist[-1], decoded.R_finger[-1])
