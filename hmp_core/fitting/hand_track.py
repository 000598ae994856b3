# SPDX-FileCopyrightText: 2026 The hmp_ros authors
# SPDX-License-Identifier: Apache-2.0
"""One hand from first sight to loss: evidence in, estimates with a status out."""

from dataclasses import dataclass, replace

import numpy as np

from hmp_core.camera import Camera
from hmp_core.estimate import HandEstimate, HandStatus
from hmp_core.fitting.config import FitterConfig
from hmp_core.fitting.evidence import StepEvidence, canonical_evidence
from hmp_core.fitting.forecast import forecast
from hmp_core.fitting.hand_fitter import HandFitter, HandSolution
from hmp_core.fitting.hand_pose import HandPose
from hmp_core.fitting.hand_smoother import HandSmoother
from hmp_core.fitting.published import observed_status
from hmp_core.fitting.re_entry import ReEntry
from hmp_core.fitting.readout import published_sigmas, read_out, window_status
from hmp_core.fitting.window_model import WindowModel
from hmp_core.hand.skeleton import NUM_JOINTS, Side
from hmp_core.observation import HandObservation


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
        self._re_entry = self._first_sight()
        self._smoother = HandSmoother(model, self._fitter, config.blend_speed)
        self._waiting: list[_Sighting] = []
        self._side: Side | None = None
        self._side_score = 0.5
        self._epoch_ns: int | None = None
        self._seen_ns: int | None = None
        self._observed_ns: int | None = None  # of the newest solve in which a joint counted; the first sight before
        self._evidence: StepEvidence | None = None
        self._focal_px = 1.0
        self._last: HandEstimate | None = None
        self._solution: HandSolution | None = None
        self._is_lost = False

    @property
    def last_seen_ns(self) -> int | None:
        """Stamp of the newest evidence that was taken in; None before the first."""
        return self._waiting[-1].stamp_ns if self._waiting else self._seen_ns

    def reconfigure(self, config: FitterConfig) -> None:
        """Another configuration; what it changes about the pose is led over to."""
        self._re_entry.unsettle()
        self._config = config
        self._fitter.reconfigure(config)
        self._re_entry.continuity.speed = self._smoother.continuity.speed = config.blend_speed

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
        timeout_ns = self._config.infill_timeout_s * 1e9
        if not self._waiting and self._seen_ns is not None and stamp_ns - self._seen_ns > timeout_ns:
            self._is_lost = True
            return self.lost(stamp_ns)
        if self._is_lost:
            # A hand that returns after LOST was published starts afresh, with the shape it had.
            self._fitter.restart()
            self._re_entry = self._first_sight()
            self._is_lost = False
        if self._epoch_ns is None:
            self._epoch_ns = self._observed_ns = self._waiting[0].stamp_ns
        time_s = self._seconds(stamp_ns)
        if self._waiting:
            self._re_entry.foresee(time_s)
        evidence = self._take_in(stamp_ns)
        if not self._fitter.started:
            return None
        self._solution = solution = self._fitter.solve()
        solved = self._coasting(time_s) or HandPose.newest(solution.newest, solution.decoded)
        published = self._re_entry.publish(solved, solution, time_s)
        self._last = self._estimate(stamp_ns, evidence, solution, published)
        self._re_entry.count(int(self._last.joint_observed.sum()))
        return self._last

    def prepare(self, stamp_ns: int) -> None:
        """Get ready for an image at ``stamp_ns``; what was published does not change."""
        if self._epoch_ns is not None and not self._is_lost:
            self._fitter.prepare(self._seconds(stamp_ns))

    def revise(self, stamp_ns: int, estimate: HandEstimate) -> HandEstimate:
        """An earlier estimate with the pose that the present window gives to its stamp."""
        return estimate if self._epoch_ns is None else self._smoother.revise(self._seconds(stamp_ns), estimate)

    def smooth(self, stamp_ns: int, estimate: HandEstimate) -> HandEstimate:
        """As :meth:`revise`, for stamps that increase, without jumps where the window has changed its mind."""
        return estimate if self._epoch_ns is None else self._smoother.smooth(self._seconds(stamp_ns), estimate)

    def predict(self, stamp_ns: int, estimate: HandEstimate, horizon_s: float) -> HandEstimate:
        """What :meth:`solve` gave at ``stamp_ns``, ``horizon_s`` ahead; sigmas grow as the processes say."""
        since_ns = estimate.since_observed_ns + round(horizon_s * 1e9)
        if estimate.status is HandStatus.LOST or self._solution is None:
            return replace(estimate, since_observed_ns=since_ns)
        time_s = self._seconds(stamp_ns)
        ahead = forecast(self._model, self._config, self._solution, time_s + horizon_s)
        pose = self._coasting(time_s, horizon_s) or HandPose.newest(ahead.step, ahead.decoded)
        pose = self._re_entry.continuity.expected(pose, time_s + horizon_s)
        hand = read_out(self._model, pose, ahead.step.betas, estimate.side)
        stddev, covariance = published_sigmas(
            ahead.posterior, ahead.step, ahead.decoded, pose, hand.joints_camera, estimate.side
        )
        infilled = estimate.status is HandStatus.INFILLED
        return replace(
            estimate,
            status=HandStatus.INFILLED if infilled else HandStatus.PREDICTED,
            score=0.0,
            since_observed_ns=since_ns,
            joint_stddev_m=stddev,
            joint_observed=np.zeros(NUM_JOINTS, dtype=bool),
            wrist_covariance=covariance,
            **vars(hand),
        )

    def lost(self, stamp_ns: int) -> HandEstimate | None:
        """The frozen last pose with status LOST; None when there never was one."""
        if self._last is None or self._observed_ns is None:
            return None
        return self._last.lost(stamp_ns - self._observed_ns)

    def _first_sight(self) -> ReEntry:
        return ReEntry(self._fitter, self._model.kinematics, self._config.blend_speed, self._coasting)

    def _coasting(self, time_s: float, horizon_s: float = 0.0) -> HandPose | None:
        """The pose to show inside a gap: the forecast, slowing down to a rest; None when there is no gap.

        Nobody forecasts a whole hand for long: past ``coast_s`` or so, standing still errs least.

        Args:
            time_s: present time.
            horizon_s: how far ahead of it to look; the forecast slows down alike.
        """
        assert self._seen_ns is not None
        seen_s, coast_s = self._seconds(self._seen_ns), self._config.coast_s
        if time_s <= seen_s:
            return None
        pace = float(np.exp((seen_s - time_s) / coast_s))
        ahead = self._fitter.ahead(seen_s + coast_s * (1 - pace) + horizon_s * pace)
        return None if ahead is None else HandPose.newest(*ahead)

    def _seconds(self, stamp_ns: int) -> float:
        assert self._epoch_ns is not None
        return (stamp_ns - self._epoch_ns) * 1e-9

    def _take_in(self, stamp_ns: int) -> StepEvidence | None:
        """Move waiting sightings into the window; the evidence at ``stamp_ns`` itself, if any."""
        assert self._side is not None
        for sighting in self._waiting:
            evidence = canonical_evidence(
                sighting.observation,
                sighting.camera,
                self._side,
                self._model.kinematics,
                self._config.observed_sigma_m,
            )
            self._fitter.add(self._seconds(sighting.stamp_ns), evidence)
            self._evidence = evidence
            self._seen_ns = sighting.stamp_ns
            self._focal_px = sighting.camera.focal_px
        self._waiting.clear()
        if self._seen_ns == stamp_ns:
            return self._evidence
        if self._fitter.started:
            self._fitter.add(self._seconds(stamp_ns), None)
        return None

    def _estimate(
        self, stamp_ns: int, evidence: StepEvidence | None, solution: HandSolution, published: HandPose
    ) -> HandEstimate:
        assert self._side is not None
        assert self._observed_ns is not None
        assert self._epoch_ns is not None
        hand = read_out(self._model, published, solution.newest.betas, self._side)
        depth_m = float(hand.joints_camera[0, 2])
        status, observed = observed_status(evidence, depth_m, self._config.observed_sigma_m)
        if observed.any():
            self._observed_ns = stamp_ns
        stddev, covariance = published_sigmas(
            solution.posterior, solution.newest, solution.decoded, published, hand.joints_camera, self._side
        )
        return HandEstimate(
            track_id=self.track_id,
            side=self._side,
            side_score=self._side_score,
            status=status,
            score=0.0 if evidence is None else evidence.presence,
            since_observed_ns=stamp_ns - self._observed_ns,
            joint_stddev_m=stddev,
            joint_observed=observed,
            wrist_covariance=covariance,
            window=window_status(self.track_id, self._epoch_ns, solution, evidence, self._focal_px),
            **vars(hand),
        )
