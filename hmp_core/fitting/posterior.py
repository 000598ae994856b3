# SPDX-FileCopyrightText: 2026 The hmp_ros authors
# SPDX-License-Identifier: Apache-2.0
"""How sure the fit is: the Gauss-Newton posterior of a step, carried to joints and wrist."""

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from hmp_core.fitting.arrow import Array
from hmp_core.fitting.trajectory import POSITION, RESIDUAL, ROTATION, STEP_DIM, Trajectory
from hmp_core.fitting.window_model import StepJacobians
from hmp_core.hand.skeleton import NUM_BETAS

ONLINE_INFLATION: Final = 2.5
OFFLINE_INFLATION: Final = 4.2
"""How much larger squared errors are than the normal equations say.

Evidence counts as new after a tenth of a second, but a part of the detector's errors stays for seconds or for ever,
and the more images a window has, the more that matters. Measured by ``hmp eval motion`` on signs of the prior's
training: so that 95 % of the joints' coordinates, seen and hidden, lie within two sigmas.
"""


@dataclass(frozen=True)
class Posterior:
    """Uncertainty of one step.

    Attributes:
        joint_stddev_m: [21] per axis, relative to the wrist [m].
        wrist_covariance: [6, 6] position [m] and rotation vector [rad], camera axes.
        betas_information: [10, 10].
    """

    joint_stddev_m: NDArray[np.float64]
    wrist_covariance: NDArray[np.float64]
    betas_information: NDArray[np.float64]


def newest_posterior(
    trajectory: Trajectory,
    joints_wrist_relative: NDArray[np.float64],
    jacobians: StepJacobians,
    covariance: Array,
    hand_size_stddev: float,
) -> Posterior:
    """Marginalise onto the newest step; arguments as in :func:`step_posterior`."""
    newest = len(trajectory.times_s) - 1
    inflated = ONLINE_INFLATION * covariance
    joint_stddev, wrist = step_posterior(
        trajectory, newest, joints_wrist_relative, jacobians, inflated, hand_size_stddev
    )
    betas = covariance[-NUM_BETAS:, -NUM_BETAS:]
    betas_information = np.asarray(np.linalg.inv((betas + betas.T) / 2), dtype=np.float64)
    return Posterior(joint_stddev, wrist, betas_information)


def step_posterior(
    trajectory: Trajectory,
    step: int,
    joints_wrist_relative: NDArray[np.float64],
    jacobians: StepJacobians,
    covariance: NDArray[np.float64],
    hand_size_stddev: float,
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Joint sigmas [21] and wrist covariance [6, 6], as :class:`Posterior` has them.

    Args:
        trajectory: of the window.
        step: which of its steps.
        joints_wrist_relative: [21, 3] of that step [m].
        jacobians: of the window.
        covariance: [n + m, n + m] of the step's and the shared unknowns.
        hand_size_stddev: relative spread of hand sizes, unseen by one camera: it scales the hand and moves the
            wrist along its ray.
    """
    shared = STEP_DIM + jacobians.finger_by_latent.shape[2]
    to_hand = np.zeros((61, shared + NUM_BETAS))
    to_hand[:3, ROTATION] = to_hand[58:, POSITION] = np.eye(3)
    to_hand[3:48, RESIDUAL] = jacobians.finger_by_residual[step].numpy()
    to_hand[3:48, STEP_DIM:shared] = jacobians.finger_by_latent[step].numpy()
    to_hand[48:58, shared:] = np.eye(NUM_BETAS)
    # Rotation 3, fingers 45, betas 10, place 3.
    of_hand = to_hand @ covariance @ to_hand.T
    by_hand = jacobians.joints[step].numpy()
    joint_covariance = (by_hand @ of_hand[:58, :58] * by_hand).sum(axis=-1)
    joint_covariance += hand_size_stddev**2 * joints_wrist_relative**2
    to_camera = np.zeros((6, 61))
    to_camera[:3, 58:] = np.eye(3)
    to_camera[3:, :3] = trajectory.R_camera_wrist[step].numpy()
    wrist = to_camera @ of_hand @ to_camera.T
    place = trajectory.p_camera_wrist[step].numpy()
    wrist[:3, :3] += hand_size_stddev**2 * np.outer(place, place)
    variance = np.maximum(joint_covariance.mean(axis=1), 0.0)  # rounding can take the wrist's own below zero
    return np.sqrt(variance), (wrist + wrist.T) / 2
