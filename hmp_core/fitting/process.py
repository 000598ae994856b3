# SPDX-FileCopyrightText: 2026 The hmp_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Gauss-Markov processes in continuous time: how wrists and finger residuals move between two evidence stamps.

Each process has a state (position, rate) per coordinate. Over a step of ``h`` seconds it moves by
``x' = Phi x + noise``, ``noise ~ N(0, Q)``; both are exact for any ``h``, so irregular and dropped frames need
no special case and unobserved instants need no state. Source of the closed forms: Särkkä & Solin, *Applied
Stochastic Differential Equations* (2019), chapters 6 and 12.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]


@dataclass(frozen=True)
class IntegratedOrnsteinUhlenbeck:
    """A position whose rate forgets itself: coasts for a while, then comes to rest.

    Attributes:
        rate_stddev: stationary standard deviation of the rate [unit/s].
        time_constant_s: memory of the rate [s].
    """

    rate_stddev: float
    time_constant_s: float

    def transition(self, h: Array) -> tuple[Array, Array]:
        """Phi and Q over steps ``h`` [K] [s]: two [K, 2, 2]."""
        tau, variance = self.time_constant_s, self.rate_stddev**2
        a = np.exp(-h / tau)
        phi, q = np.zeros((len(h), 2, 2)), np.empty((len(h), 2, 2))
        phi[:, 0, 0], phi[:, 0, 1], phi[:, 1, 1] = 1.0, tau * (1 - a), a
        q[:, 0, 0] = variance * tau**2 * (2 * h / tau - 3 + 4 * a - a**2)
        q[:, 0, 1] = q[:, 1, 0] = variance * tau * (1 - a) ** 2
        q[:, 1, 1] = variance * (1 - a**2)
        return phi, q

    def start_information(self) -> tuple[float, float]:
        """Prior precision of (position, rate) at the first step: the position is free."""
        return 0.0, 1 / self.rate_stddev**2


@dataclass(frozen=True)
class Matern32:
    """A stationary, once differentiable process around zero.

    Attributes:
        stddev: stationary standard deviation [unit].
        length_s: correlation length [s].
    """

    stddev: float
    length_s: float

    def transition(self, h: Array) -> tuple[Array, Array]:
        """Phi and Q over steps ``h`` [K] [s]: two [K, 2, 2]."""
        rate = 3**0.5 / self.length_s
        decay = np.exp(-rate * h)
        phi = np.empty((len(h), 2, 2))
        phi[:, 0, 0], phi[:, 0, 1] = decay * (1 + rate * h), decay * h
        phi[:, 1, 0], phi[:, 1, 1] = -decay * rate**2 * h, decay * (1 - rate * h)
        stationary = np.diag([1.0, rate**2]) * self.stddev**2
        return phi, stationary - phi @ stationary @ phi.transpose(0, 2, 1)

    def start_information(self) -> tuple[float, float]:
        """Prior precision of (position, rate) at the first step."""
        rate = 3**0.5 / self.length_s
        return 1 / self.stddev**2, 1 / (rate * self.stddev) ** 2


def whitener(covariance: Array) -> Array:
    """Square-root information ``W`` [..., n, n] with ``W^T W`` the inverse of ``covariance``."""
    return np.asarray(np.linalg.inv(np.linalg.cholesky(covariance)), dtype=np.float64)
