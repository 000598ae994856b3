# SPDX-FileCopyrightText: 2026 The hmp_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The paper's multi-stage latent optimisation of a whole recorded sequence of one hand."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Final

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from hmp_core.fitting.adam import minimise_by_adam
from hmp_core.fitting.arrow import step_covariances
from hmp_core.fitting.config import FitterConfig
from hmp_core.fitting.evidence import StepEvidence, stack_evidence
from hmp_core.fitting.gauss_newton import minimise
from hmp_core.fitting.hand_sequence import HandSequence, InitialMotion, initial_motion
from hmp_core.fitting.interpolation import interpolate
from hmp_core.fitting.motion import encode
from hmp_core.fitting.objective import FreeUnknowns, Objective
from hmp_core.fitting.posterior import OFFLINE_INFLATION, step_posterior
from hmp_core.fitting.sequence_windows import Span, cut_windows, fade_rotations, fade_shares
from hmp_core.fitting.stage_terms import WindowProblem, build_terms
from hmp_core.fitting.stages import Stage, StageTable
from hmp_core.fitting.trajectory import RESIDUAL_DIM, Trajectory
from hmp_core.fitting.trajectory_store import TrajectoryStore
from hmp_core.fitting.window import HandWindow
from hmp_core.fitting.window_model import WindowModel
from hmp_core.hand.skeleton import NUM_FINGER_ROTATIONS, NUM_JOINTS

SOLVERS: Final = ("gn", "adam")
_COST_TOLERANCE: Final = 1e-4


@dataclass(frozen=True)
class FittedMotion:
    """A sequence's motion, T frames of a right hand.

    Attributes:
        R_camera_wrist: [T, 3, 3].
        p_camera_wrist: [T, 3] [m].
        R_finger: [T, 15, 3, 3].
        betas: [10].
        joint_stddev_m: [T, 21] per axis, relative to the wrist [m]; -1 where the solver could not say.
        wrist_covariance: [T, 6, 6] position [m] and rotation vector [rad], camera axes; diagonal -1 as above.
    """

    R_camera_wrist: Tensor
    p_camera_wrist: Tensor
    R_finger: Tensor
    betas: Tensor
    joint_stddev_m: NDArray[np.float64]
    wrist_covariance: NDArray[np.float64]


class SequenceFitter:
    """Fits sequences under one stage table with one solver.

    Args:
        model: the hand under its prior.
        table: stages.
        solver: ``gn``, Gauss-Newton that stops when it has converged, or ``adam``, the paper's fixed schedule.
        config: what evidence and motion are known to do.
    """

    def __init__(self, model: WindowModel, table: StageTable, solver: str, config: FitterConfig) -> None:
        self._model = model
        self._table = table
        self._solver = solver
        self._config = config

    def fit(
        self, sequence: HandSequence, report: Callable[[int, int], None], store: TrajectoryStore | None = None
    ) -> FittedMotion:
        """Fit one sequence.

        Args:
            sequence: of one hand.
            report: called with windows done, over all stages, and windows in all.
            store: of this very fit; windows in it are not solved again.
        """
        initial = initial_motion(sequence, self._model.kinematics, self._config)
        seen = np.array([step is not None for step in sequence.steps])
        spans = cut_windows(sequence.times_s, seen, self._model.prior.window_s)
        paths = [self._start(sequence, initial, span) for span in spans]
        anchors = list(paths)
        total = len(spans) * len(self._table.stages)
        for number, stage in enumerate(self._table.stages):
            for index, span in enumerate(spans):
                tied = index > 0 and "seam" in stage.terms
                before = self._before(paths[index - 1], spans[index - 1], span) if tied else None
                problem = self._problem(sequence, anchors[index], span, before)
                name = f"{sequence.side.value}_{sequence.first}_stage_{number}_window_{index}"
                stored = store.load(name) if store else None
                paths[index] = stored or self._solve(stage, problem, paths[index])
                if store and stored is None:
                    store.save(name, paths[index])
                report(number * len(spans) + index + 1, total)
            betas = self._agreed_shape(sequence, spans, paths)
            paths = [replace(path, betas=betas) for path in paths]
        return self._join(sequence, spans, paths)

    def _start(self, sequence: HandSequence, initial: InitialMotion, span: Span) -> Trajectory:
        """The initialisation of a window, its latent the encoder's reading of what was seen."""
        frames, model = span.frames, self._model
        times = sequence.times_s[frames]
        rotations = torch.from_numpy(initial.rotations[frames])
        place = initial.p_camera_wrist[frames]
        grid = np.asarray(model.prior.grid_times(), dtype=np.float64) + times[0]
        window = HandWindow(tuple(times), sequence.steps[frames], (0.0,) * len(times))
        visible = window.observed_rotations(grid, place[:, 2], self._config.observed_sigma_m)
        z = encode(model, _resampled(rotations[:, 1:], times, grid), torch.from_numpy(visible))
        still = torch.zeros(len(times), 3, dtype=torch.float64)
        flat = torch.zeros(len(times), RESIDUAL_DIM, dtype=torch.float64)
        return Trajectory(
            times_s=times,
            origin_s=float(times[0]),
            R_camera_wrist=rotations[:, 0].contiguous(),
            rotation_rate=still,
            p_camera_wrist=torch.from_numpy(place),
            velocity=still,
            residual=flat,
            residual_rate=flat,
            z=z,
            z_mean=z,
            betas=torch.from_numpy(initial.betas),
        )

    def _problem(
        self, sequence: HandSequence, anchor: Trajectory, span: Span, before: tuple[Trajectory, Tensor] | None
    ) -> WindowProblem:
        steps = list(sequence.steps[span.frames])
        evidence = stack_evidence(steps, anchor.times_s, self._config.evidence_correlation_s)
        return WindowProblem(anchor, evidence, sequence.focal_px[span.frames], before)

    def _before(self, path: Trajectory, span: Span, later: Span) -> tuple[Trajectory, Tensor]:
        """What the window before made of the overlap."""
        shared = path.select(list(range(later.first - span.first, span.stop - span.first)))
        return shared, self._model.decode(shared).R_finger

    def _solve(self, stage: Stage, problem: WindowProblem, start: Trajectory) -> Trajectory:
        free = FreeUnknowns.of(stage.free, self._model.latent_dim)
        moves_latent = "latent" in stage.free
        model = self._model if moves_latent else self._model.holding(start)
        objective = Objective(model, build_terms(model, self._config, self._table, stage, problem), free)
        if self._solver == "adam":
            return minimise_by_adam(objective, start, free, stage.adam_iterations, self._table.adam)
        latent_jacobian = self._latent_jacobian if moves_latent else self._no_latent_jacobian
        with torch.inference_mode():
            result = minimise(objective, start, latent_jacobian, stage.gn_iterations, _COST_TOLERANCE)
        return result.trajectory

    def _latent_jacobian(self, path: Trajectory) -> Tensor:
        return self._model.latent_jacobian(path.z, path.times_s, path.origin_s)

    def _no_latent_jacobian(self, path: Trajectory) -> Tensor:
        """For a latent that does not move, which then is no unknown."""
        return torch.zeros(len(path.times_s), 3 * NUM_FINGER_ROTATIONS, 0, dtype=torch.float64)

    def _agreed_shape(self, sequence: HandSequence, spans: list[Span], paths: list[Trajectory]) -> Tensor:
        """One β for all windows: their mean, each counted by its frames with evidence."""
        seen = [sum(step is not None for step in sequence.steps[span.frames]) for span in spans]
        weights = torch.tensor(seen, dtype=torch.float64)
        betas = torch.stack([path.betas for path in paths])
        return (weights[:, None] * betas).sum(0) / weights.sum()

    def _join(self, sequence: HandSequence, spans: list[Span], paths: list[Trajectory]) -> FittedMotion:
        """Windows in a row, cross-faded where they overlap."""
        parts = [self._motion(sequence, span, path) for span, path in zip(spans, paths, strict=True)]
        joined = parts[0]
        for span, part in zip(spans[1:], parts[1:], strict=True):
            joined = _cross_faded(joined, part, span)
        return joined

    @torch.inference_mode()
    def _motion(self, sequence: HandSequence, span: Span, path: Trajectory) -> FittedMotion:
        """One window's frames up to its stop; across long gaps the wrist goes straight from end to end."""
        count = span.stop - span.first
        joint_stddev, wrist_covariance = self._sigmas(sequence, span, path)
        R_finger = self._model.decode(path).R_finger[:count]
        if self._table.residual:
            path = _straightened(path, sequence.steps[span.frames], self._config)
        return FittedMotion(
            path.R_camera_wrist[:count],
            path.p_camera_wrist[:count],
            R_finger,
            path.betas,
            joint_stddev[:count],
            wrist_covariance[:count],
        )

    def _sigmas(
        self, sequence: HandSequence, span: Span, path: Trajectory
    ) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Posterior of every step under the last stage's terms, over all that any stage has moved."""
        count, stage = len(path.times_s), self._table.stages[-1]
        free = FreeUnknowns.of(
            frozenset().union(*(each.free for each in self._table.stages)), self._model.latent_dim
        )
        terms = build_terms(
            self._model, self._config, self._table, stage, self._problem(sequence, path, span, None)
        )
        objective = Objective(self._model, terms, free)
        system, decoded, jacobians = objective.linearise(path, self._latent_jacobian(path))
        covariances = step_covariances(system)
        if covariances is None:
            return np.full((count, NUM_JOINTS), -1.0), np.tile(np.diag(np.full(6, -1.0)), (count, 1, 1))
        relative, size = decoded.joints_wrist_relative.numpy(), self._config.size_spread
        sigmas = [
            step_posterior(
                path, step, relative[step], jacobians, OFFLINE_INFLATION * free.spread_covariance(covariance), size
            )
            for step, covariance in enumerate(covariances)
        ]
        joint_stddev, wrist_covariance = zip(*sigmas, strict=True)
        return np.stack(joint_stddev), np.stack(wrist_covariance)


def _cross_faded(earlier: FittedMotion, later: FittedMotion, span: Span) -> FittedMotion:
    """Two motions as one; ``later`` begins at the span's first frame."""
    share, size = fade_shares(span.overlap), span.overlap
    keep, overlap = slice(0, span.first), slice(span.first, span.first + size)

    def rotations(before: Tensor, after: Tensor) -> Tensor:
        return torch.cat([before[keep], fade_rotations(before[overlap], after[:size], share), after[size:]])

    places, new_places = earlier.p_camera_wrist, later.p_camera_wrist
    between = torch.lerp(places[overlap], new_places[:size], share[:, None])
    return FittedMotion(
        rotations(earlier.R_camera_wrist, later.R_camera_wrist),
        torch.cat([places[keep], between, new_places[size:]]),
        rotations(earlier.R_finger, later.R_finger),
        later.betas,
        np.concatenate([earlier.joint_stddev_m[keep], later.joint_stddev_m]),
        np.concatenate([earlier.wrist_covariance[keep], later.wrist_covariance]),
    )


def _straightened(path: Trajectory, steps: tuple[StepEvidence | None, ...], config: FitterConfig) -> Trajectory:
    """The same with the wrist of unseen steps between the seen ones as :func:`interpolate` has it."""
    seen = [index for index, step in enumerate(steps) if step is not None]
    if not seen:
        return path
    known = path.select(seen)
    turned, moved = path.R_camera_wrist.clone(), path.p_camera_wrist.clone()
    for index in set(range(seen[0], seen[-1])) - set(seen):
        between = interpolate(known, float(path.times_s[index]), config)
        turned[index], moved[index] = between.R_camera_wrist[0], between.p_camera_wrist[0]
    return replace(path, R_camera_wrist=turned, p_camera_wrist=moved)


def _resampled(rotations: Tensor, times_s: NDArray[np.float64], at_s: NDArray[np.float64]) -> Tensor:
    """Rotations [K, ..., 3, 3] at other times [N], by SLERP; the ends hold."""
    if len(times_s) == 1:
        return rotations.expand(len(at_s), *rotations.shape[1:])
    after = np.searchsorted(times_s, at_s).clip(1, len(times_s) - 1)
    share = (at_s - times_s[after - 1]) / (times_s[after] - times_s[after - 1])
    return fade_rotations(rotations[after - 1], rotations[after], torch.from_numpy(share.clip(0.0, 1.0)))
