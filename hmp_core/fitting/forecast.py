# SPDX-FileCopyrightText: 2026 The hmp_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The newest step carried ahead by the motion processes, with its growing uncertainty."""

from dataclasses import dataclass

import numpy as np

from hmp_core.fitting.arrow import Array
from hmp_core.fitting.config import FitterConfig
from hmp_core.fitting.hand_fitter import HandSolution
from hmp_core.fitting.motion import predict
from hmp_core.fitting.posterior import Posterior, newest_posterior
from hmp_core.fitting.process import IntegratedOrnsteinUhlenbeck, Matern32
from hmp_core.fitting.trajectory import (
    POSITION,
    RESIDUAL,
    RESIDUAL_RATE,
    ROTATION,
    ROTATION_RATE,
    STEP_DIM,
    VELOCITY,
    Trajectory,
)
from hmp_core.fitting.window_model import DecodedSteps, WindowModel
from hmp_core.hand.so3 import exponential, right_jacobian


@dataclass(frozen=True)
class Forecast:
    """A step ahead of the newest one.

    Attributes:
        step: trajectory of it alone.
        decoded: its joints.
        posterior: None where the newest step's is unknown.
    """

    step: Trajectory
    decoded: DecodedSteps
    posterior: Posterior | None


def forecast(model: WindowModel, config: FitterConfig, solution: HandSolution, time_s: float) -> Forecast:
    """Carry a solution's newest step and its uncertainty to ``time_s``, not before it."""
    newest = solution.newest
    step = predict(newest, time_s, config)
    if solution.result.solution is None:
        return Forecast(step, model.decode(step), None)
    transition, noise = _transition(newest, time_s - float(newest.times_s[0]), config)
    covariance = solution.result.solution.newest_covariance.copy()
    covariance[:STEP_DIM] = transition @ covariance[:STEP_DIM]
    covariance[:, :STEP_DIM] = covariance[:, :STEP_DIM] @ transition.T
    covariance[:STEP_DIM, :STEP_DIM] += noise
    decoded, jacobians = model.linearise(step, model.latent_jacobian(step.z, step.times_s, step.origin_s))
    relative = decoded.joints_wrist_relative[0].numpy()
    posterior = newest_posterior(step, relative, jacobians, covariance, config.size_spread)
    return Forecast(step, decoded, posterior)


def _transition(newest: Trajectory, h: float, config: FitterConfig) -> tuple[Array, Array]:
    """Linearised transition of a step's unknowns over ``h`` [s] and the covariance that it adds."""
    transition, noise = np.zeros((STEP_DIM, STEP_DIM)), np.zeros((STEP_DIM, STEP_DIM))
    processes: tuple[tuple[IntegratedOrnsteinUhlenbeck | Matern32, slice, slice], ...] = (
        (config.wrist_rotation, ROTATION, ROTATION_RATE),
        (config.wrist_translation, POSITION, VELOCITY),
        (config.finger_residual, RESIDUAL, RESIDUAL_RATE),
    )
    for process, place, rate in processes:
        phi, q = process.transition(np.array([h]))
        own = slice(place.start, rate.stop)
        eye = np.eye(place.stop - place.start)
        transition[own, own], noise[own, own] = np.kron(phi[0], eye), np.kron(q[0], eye)
    coast = float(transition[ROTATION.start, ROTATION_RATE.start])
    turned = coast * newest.rotation_rate[0]
    # R Exp(d) Exp(c (w + dw)) = R Exp(c w) Exp(Exp(-c w) d) Exp(Jr(c w) c dw)
    transition[ROTATION, ROTATION] = exponential(turned).T.numpy()
    transition[ROTATION, ROTATION_RATE] = coast * right_jacobian(turned).numpy()
    return transition, noise
