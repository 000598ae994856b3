# SPDX-FileCopyrightText: 2026 The hmp_ros authors
# SPDX-License-Identifier: Apache-2.0
"""One right hand followed through time: its window, its trajectory, its solves."""

from dataclasses import dataclass, replace
from typing import Final

import numpy as np
import torch
from torch import Tensor

from hmp_core.fitting.config import FitterConfig
from hmp_core.fitting.evidence import StepEvidence, stack_evidence
from hmp_core.fitting.gauss_newton import GaussNewtonResult, minimise
from hmp_core.fitting.hand_length import resized
from hmp_core.fitting.interpolation import interpolate
from hmp_core.fitting.manoeuvre import carried_on
from hmp_core.fitting.motion import predict, reanchor, start
from hmp_core.fitting.objective import Objective
from hmp_core.fitting.online_terms import evidence_cost, online_terms, rejected_cost
from hmp_core.fitting.posterior import Posterior, newest_posterior
from hmp_core.fitting.shape_prior import ShapePrior
from hmp_core.fitting.trajectory import Trajectory
from hmp_core.fitting.window import HandWindow
from hmp_core.fitting.window_model import DecodedSteps, WindowModel

_REANCHOR_ITERATIONS: Final = 2
"""In the solve that follows; one where :meth:`HandFitter.prepare` has done the first."""
_COST_TOLERANCE: Final = 3e-2
_LEAST_STEP_S: Final = 1e-3
"""Stamps closer than this are one instant: the first evidence counts. No process moves in that time."""
_LONG_STEP_S: Final = 0.15
_DOUBT_PRESENCE: Final = 0.8
_DOUBT_COST: Final = 25.0
_DOUBT_FRAMES: Final = 3
_DOUBT_PAUSE_FRAMES: Final = 10
_RIVAL_ADVANTAGE: Final = 0.5
_EXPLAINED: Final = 0.25
"""Of what a step costs whose evidence is rejected as a whole."""


@dataclass(frozen=True)
class HandSolution:
    """The newest step after a solve.

    Attributes:
        newest: trajectory of the newest step alone.
        decoded: its joints.
        posterior: None when the normal equations could not be solved.
        result: of the solver; its trajectory is the whole window.
        settled: the solver has converged, to a pose that explains what the newest step saw.
        steps_observed: steps with evidence in the window.
        warm: the solve started from an earlier one.
    """

    newest: Trajectory
    decoded: DecodedSteps
    posterior: Posterior | None
    result: GaussNewtonResult
    settled: bool
    steps_observed: int
    warm: bool


class HandFitter:
    """Feed it steps in time order, ask it to solve; times are seconds since any epoch of the caller's.

    Attributes:
        restarts: how often a window was found to be locked in a wrong pose and given up.
    """

    def __init__(self, model: WindowModel, config: FitterConfig) -> None:
        self._model = model
        self._config = config
        self._shape = ShapePrior.of_hand(config, model.kinematics)
        self.restarts = 0
        self.restart()

    def reconfigure(self, config: FitterConfig) -> None:
        """Another configuration; the window stays, the belief about the shape too unless that is given anew."""
        if (config.hand_length_m, config.betas) != (self._config.hand_length_m, self._config.betas):
            self._shape = ShapePrior.of_hand(config, self._model.kinematics)
            self._due = config.start_iterations
        self._config = config

    def restart(self) -> None:
        """Forget the motion, keep the hand's shape."""
        self._window = HandWindow()
        self._trajectory: Trajectory | None = None
        self._latent_jacobian = torch.empty(0)
        self._due = 0  # iterations owed to a start or a re-anchoring
        self._warm = False
        self._new_steps = 0  # at the end of the window, whose latent derivative is not known
        self._next_refresh = 0
        self._doubtful = 0

    @property
    def started(self) -> bool:
        """Whether a pose exists."""
        return self._trajectory is not None

    def add(self, time_s: float, evidence: StepEvidence | None) -> None:
        """Append a step; before the first one with an initial pose nothing happens."""
        if evidence is not None and evidence.initial is not None and self._shape.known is not None:
            initial = resized(self._model.kinematics, evidence.initial, self._shape.mean)
            evidence = replace(evidence, initial=initial)
        if self._trajectory is None:
            if evidence is not None and evidence.initial is not None:
                self._start(time_s, evidence)
            return
        if self._window.steps[-1] is None and len(self._window.steps) > 1:
            self._keep(list(range(len(self._window.steps) - 1)))
        if time_s - self._window.times_s[-1] < _LEAST_STEP_S:
            return
        if time_s - self._trajectory.origin_s > self._model.prior.window_s:
            self._move_origin(self._trajectory, time_s)
            self._due = _REANCHOR_ITERATIONS
        step = predict(self._trajectory, time_s, self._config)
        turn = 0.0
        if evidence is not None:
            after_gap = time_s - self._window.times_s[-1] >= _LONG_STEP_S
            if after_gap:
                self._doubtful = -_DOUBT_PAUSE_FRAMES  # let the window settle
            unsure = after_gap or self._doubtful != 0
            step, turn = carried_on(self._model, step, evidence, self._config, unsure)
        self._trajectory = self._trajectory.append(step)
        self._window = self._window.append(time_s, evidence, turn)
        blank = self._latent_jacobian.new_zeros(1, *self._latent_jacobian.shape[1:])
        self._latent_jacobian = torch.cat([self._latent_jacobian, blank])
        self._new_steps += 1
        config = self._config
        self._keep(self._window.kept_steps(config.window_s, config.dense_s, config.max_steps))

    def at(self, time_s: float) -> tuple[Trajectory, DecodedSteps] | None:
        """The pose that the present window gives to a time within it or ahead of it; None before it."""
        if self._trajectory is None or time_s < self._window.times_s[0]:
            return None
        carry = interpolate if time_s <= self._window.times_s[-1] else predict
        step = carry(self._trajectory, time_s, self._config)
        return step, self._model.decode(step)

    def ahead(self, time_s: float) -> tuple[Trajectory, DecodedSteps] | None:
        """The newest step with evidence, carried to a later time by the motion processes."""
        if self._trajectory is None:
            return None
        seen = [k for k, step in enumerate(self._window.steps) if step is not None]
        step = predict(self._trajectory.select(seen), time_s, self._config)
        return step, self._model.decode(step)

    def solve(self) -> HandSolution:
        """Spend this frame's iterations and report the newest step."""
        if self._trajectory is None:
            raise RuntimeError("no pose yet: add evidence with an initial pose first")
        result = self._minimise(self._trajectory, max(self._due, self._config.iterations))
        last = [len(self._window.steps) - 1]
        newest, decoded = result.trajectory.select(last), result.decoded.select(last)
        posterior = None
        if result.solution is not None:
            size = self._config.size_spread
            relative = decoded.joints_wrist_relative[0].numpy()
            covariance = result.solution.newest_covariance
            posterior = newest_posterior(result.trajectory, relative, result.jacobians, covariance, size)
        cost, seen = self._newest_cost(decoded), self._window.steps[-1]
        explained = seen is None or cost <= _EXPLAINED * rejected_cost(seen, self._config.outlier_sigmas)
        settled = result.converged and explained
        solution = HandSolution(newest, decoded, posterior, result, settled, self._window.observed, self._warm)
        self._due, self._warm = 0, True
        self._adopt_shape(posterior)
        self._doubt(cost)
        return solution

    def prepare(self, time_s: float) -> None:
        """Between two images, move the latent's origin if the next one, at ``time_s``, would ask for it.

        That takes longer than a solve. Nothing is published from here, and no pause is foreseen: a latent whose
        origin lies ahead of what was seen knows nothing.
        """
        if self._trajectory is None or time_s - self._window.times_s[-1] > _LONG_STEP_S:
            return
        if time_s - self._trajectory.origin_s > self._model.prior.window_s:
            self._minimise(self._move_origin(self._trajectory, time_s), _REANCHOR_ITERATIONS - 1)

    def _minimise(self, trajectory: Trajectory, iterations: int) -> GaussNewtonResult:
        """Iterate on the present window; the trajectory moves to where that ends."""
        times, turns = self._window.times, np.array(self._window.turns[1:])
        evidence = stack_evidence(list(self._window.steps), times, self._config.evidence_correlation_s)
        terms = online_terms(self._model, self._config, times, evidence, self._shape, turns)
        objective = Objective(self._model, terms)
        latent_jacobian = self._current_latent_jacobian
        result = minimise(objective, trajectory, latent_jacobian, iterations, _COST_TOLERANCE)
        self._trajectory = result.trajectory
        return result

    def _start(self, time_s: float, evidence: StepEvidence) -> None:
        assert evidence.initial is not None
        self._trajectory = start(self._model, evidence.initial, time_s)
        self._window = HandWindow((time_s,), (evidence,), (0.0,))
        self._latent_jacobian = self._refreshed(self._trajectory, [0])
        self._due = self._config.start_iterations

    def _keep(self, steps: list[int]) -> None:
        assert self._trajectory is not None
        if len(steps) < len(self._window.steps):
            self._trajectory = self._trajectory.select(steps)
            self._window = self._window.select(steps)
            self._latent_jacobian = self._latent_jacobian[steps]

    def _move_origin(self, trajectory: Trajectory, time_s: float) -> Trajectory:
        """Give the window an origin that serves an image at ``time_s``; no latent derivative is known any more."""
        self._new_steps = len(self._window.steps)
        origin_s, sigma_m = time_s - self._config.window_s, self._config.observed_sigma_m
        self._trajectory = moved = reanchor(self._model, trajectory, origin_s, self._window, sigma_m)
        return moved

    def _current_latent_jacobian(self, trajectory: Trajectory) -> Tensor:
        """Cached derivatives: the newest and one other renewed a frame, all once after a re-anchoring.

        During the first solve, which moves far, all are renewed at every iteration.
        """
        steps = len(trajectory.times_s)
        if not self._warm:
            self._latent_jacobian = self._refreshed(trajectory, list(range(steps)))
            self._new_steps = 0
            return self._latent_jacobian
        if self._new_steps:
            renewed = sorted({self._next_refresh % steps, *range(max(steps - self._new_steps, 0), steps)})
            self._latent_jacobian[renewed] = self._refreshed(trajectory, renewed)
            self._new_steps = 0
            self._next_refresh += 1
        return self._latent_jacobian

    def _refreshed(self, trajectory: Trajectory, steps: list[int]) -> Tensor:
        return self._model.latent_jacobian(trajectory.z, trajectory.times_s[steps], trajectory.origin_s)

    def _adopt_shape(self, posterior: Posterior | None) -> None:
        """Let the belief about β follow the window: its evidence enters once per memory span."""
        if posterior is None or self._window.observed < 2 or self._window.steps[-1] is None:
            return
        assert self._trajectory is not None
        elapsed = self._window.times_s[-1] - self._window.times_s[-2]
        share = min(elapsed / self._config.shape_memory_s, 1.0)
        information = torch.from_numpy(posterior.betas_information)
        self._shape = self._shape.adopt(self._trajectory.betas, information, share)

    def _newest_cost(self, decoded: DecodedSteps) -> float:
        evidence = self._window.steps[-1]
        return 0.0 if evidence is None else evidence_cost(decoded, evidence, self._config.outlier_sigmas)

    def _doubt(self, cost: float) -> None:
        """When confident evidence has been explained badly for some frames, let a fresh start compete.

        A window can be locked into a wrong pose, its older steps pulling each new one back. A rival that knows
        only the newest evidence starts from the initializer; if it explains that far better, it takes over.
        """
        evidence = self._window.steps[-1]
        if evidence is None or evidence.initial is None or evidence.presence < _DOUBT_PRESENCE:
            return
        self._doubtful = self._doubtful + 1 if cost > _DOUBT_COST else 0
        if self._doubtful < _DOUBT_FRAMES:
            return
        self._doubtful = -_DOUBT_PAUSE_FRAMES
        rival = HandFitter(self._model, self._config)
        rival.add(self._window.times_s[-1], evidence)
        if rival._newest_cost(rival.solve().decoded) < _RIVAL_ADVANTAGE * cost:
            restarts = self.restarts + 1
            vars(self).update(vars(rival))
            self.restarts = restarts
