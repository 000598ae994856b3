# SPDX-FileCopyrightText: 2026 The hmp_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Settings of the online fitter."""

import math
from dataclasses import dataclass, field, fields
from typing import Final

from hmp_core.errors import ConfigError
from hmp_core.fitting.process import IntegratedOrnsteinUhlenbeck, Matern32
from hmp_core.hand.skeleton import NUM_BETAS

_SHORTEST_HAND_M: Final = 0.05
_LONGEST_HAND_M: Final = 0.15
_LENGTH_STDDEV: Final = 0.02
"""Relative error of a hand's length as people measure it: 2 mm of 9 cm."""


@dataclass(frozen=True)
class FitterConfig:
    """How windows are cut, weighted and solved.

    Attributes:
        window_s: time span of the evidence [s].
        dense_s: the newest part of it that keeps (nearly) every step [s].
        max_steps: steps in a window at most.
        iterations: Gauss-Newton iterations a frame at most, once a track is warm; one nearly always suffices.
        start_iterations: iterations at a track's first solve and after every re-anchoring.
        infill_timeout_s: age of the last evidence after which a hand is LOST [s].
        coast_s: how long the forecast of an unseen hand keeps moving before it rests [s].
        lost_duration_s: how long LOST is published before the hand leaves the list [s].
        observed_sigma_m: a joint whose evidence sigma is below this counts as observed [m].
        evidence_correlation_s: correlation time of the detector's errors; denser steps share its information [s].
        outlier_sigmas: whitened residual norm at which the robust kernel turns over.
        limit_stddev_rad: softness of the anatomical joint limits [rad].
        size_stddev, shape_stddev: prior standard deviation of β's first direction, which is size, and of the
            others. Far below the population's 1 for size, of which one camera sees nothing.
        shape_memory_s: time over which β adopts what the window says about it [s].
        hand_size_stddev: relative spread of hand size in the population; one camera cannot see size, so the
            wrist's depth sigma carries it, unless the hand was measured.
        hand_length_m: wrist to middle knuckle of the one who is seen, 0.05 to 0.15; 0: not measured [m].
        betas: shape of the hand that is seen, as a calibration found it, [10], which is held; resized where the
            length is given, too. None: every track learns its own.
        wrist_rotation, wrist_translation: coasting of the wrist [rad/s], [m/s].
        finger_residual: what the latent cannot express, per joint axis [rad].
        latent_stddev: how far the latent may leave the encoder's reading, in units of its spread over all motion.
        latent_directions: how many directions of the latent a solve moves, in the order of their spread over all
            motion; what is finer stays as the encoder read it and is left to the finger residual.
        blend_speed: fastest correction of a published joint after a gap [m/s].
    """

    window_s: float = 1.7
    dense_s: float = 0.2
    max_steps: int = 14
    iterations: int = 2
    start_iterations: int = 8
    infill_timeout_s: float = 1.0
    coast_s: float = 0.06
    lost_duration_s: float = 0.5
    observed_sigma_m: float = 0.012
    evidence_correlation_s: float = 0.1
    outlier_sigmas: float = 6.0
    limit_stddev_rad: float = 0.1
    size_stddev: float = 0.1
    shape_stddev: float = 1.0
    shape_memory_s: float = 2.0
    hand_size_stddev: float = 0.07
    hand_length_m: float = 0.0
    betas: tuple[float, ...] | None = None
    latent_stddev: float = 0.5
    latent_directions: int = 32
    blend_speed: float = 1.0
    wrist_rotation: IntegratedOrnsteinUhlenbeck = field(default=IntegratedOrnsteinUhlenbeck(0.8, 0.15))
    wrist_translation: IntegratedOrnsteinUhlenbeck = field(default=IntegratedOrnsteinUhlenbeck(0.3, 0.2))
    finger_residual: Matern32 = field(default=Matern32(0.4, 0.8))

    def __post_init__(self) -> None:
        allowed = {
            "window_s": (0.5, 10.0),
            "dense_s": (0.05, 1.0),
            "max_steps": (6, 128),
            "iterations": (1, 50),
            "start_iterations": (1, 100),
            "infill_timeout_s": (0.05, 3600.0),
            "coast_s": (0.01, 10.0),
            "lost_duration_s": (0.0, 60.0),
            "observed_sigma_m": (0.001, 0.1),
            "evidence_correlation_s": (0.0, 1.0),
            "outlier_sigmas": (1.0, 100.0),
            "limit_stddev_rad": (0.001, 10.0),
            "size_stddev": (0.001, 10.0),
            "shape_stddev": (0.01, 10.0),
            "shape_memory_s": (0.1, 1000.0),
            "hand_size_stddev": (0.0, 0.5),
            "latent_stddev": (0.01, 10.0),
            "latent_directions": (1, 1024),
            "blend_speed": (0.05, 100.0),
        }
        for item in fields(self):
            if item.name not in allowed:
                continue
            low, high = allowed[item.name]
            value = getattr(self, item.name)
            if not low <= value <= high:
                raise ConfigError(f"{item.name} must lie between {low} and {high}, got {value}")
        length_m = self.hand_length_m
        if length_m != 0 and not _SHORTEST_HAND_M <= length_m <= _LONGEST_HAND_M:
            raise ConfigError(
                f"a hand's length is {_SHORTEST_HAND_M} to {_LONGEST_HAND_M} metres from wrist to middle knuckle, "
                f"or 0 where nobody measured it; hand_length_m is {length_m}"
            )
        if self.betas is not None and not (len(self.betas) == NUM_BETAS and all(map(math.isfinite, self.betas))):
            raise ConfigError(f"betas must be {NUM_BETAS} finite numbers, got {self.betas}")

    @property
    def size_spread(self) -> float:
        """Relative standard deviation of the hand's size that no camera takes away."""
        return _LENGTH_STDDEV if self.hand_length_m else self.hand_size_stddev
