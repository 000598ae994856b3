# SPDX-FileCopyrightText: 2026 The hmp_ros authors
# SPDX-License-Identifier: Apache-2.0
"""One person's way of moving: joints a little tilted, fingers tied to each other, own pace and steadiness."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter1d
from torch import Tensor

from hmp_core.training.anatomy import ANGLE_RANGES

_ENSLAVING: Final = np.array(
    [[0.93, 0.05, 0.015, 0.005], [0.08, 0.78, 0.11, 0.03], [0.03, 0.16, 0.66, 0.15], [0.01, 0.06, 0.20, 0.73]]
)
"""Share of each finger's flexion (rows: index, middle, ring, little) that follows another finger's command. Sized
after the order and spread of individuation in Häger-Ross and Schieber (2000): the index finger moves nearly alone,
the ring finger least so, and neighbours follow more than others."""
_HABIT_DEG: Final = (0.0, 0.0, 0.0, 8.0)
_HABIT_SPREAD_DEG: Final = (1.0, 6.0, 5.0, 10.0)
_FINGER_SPREAD_DEG: Final = (4.0, 3.0, 4.0, 5.0)
_THUMB_SPREAD_DEG: Final = (10.0, 7.0, 8.0, 9.0)
"""Habitual offsets of abduction and flexion base to tip: mean and spread of what a person's four fingers share,
spread of each, and of the thumb. Sized after two real sources that share neither people nor skeleton: their last
joints rest 5 and 15 degrees above two thirds of the middle ones."""
_TIP_SPREAD_DEG: Final = (7.0, 6.0)
"""How far last joints stray from the middle ones at each attempt, together and one by one: in those sources the two
correlate by 0.7 to 0.8, since contact and the intrinsic muscles move either alone."""
_RANGES: Final = ANGLE_RANGES.double().numpy()


@dataclass(frozen=True)
class Individual:
    """A person's constants.

    Attributes:
        tilt: [15, 3] tilt of joint axes against the mean hand's [rad].
        bow: [15] angle to the side at which bones stand on their joints [rad]: a shape, or a skeleton, that is not
            quite the model's.
        offset: [20] habitual angle offsets [rad].
        enslaving: [4, 4] rows sum to one; identity for a pianist.
        tip_ratio: [4] flexion of the last joint over that of the middle one, when free (2/3: Rijpkema and Girard
            1991).
        pace: factor on all durations.
        sway_rad: spread of slow wandering around a held posture [rad].
    """

    tilt: Tensor
    bow: Tensor
    offset: NDArray[np.float64]
    enslaving: NDArray[np.float64]
    tip_ratio: NDArray[np.float64]
    pace: float
    sway_rad: float

    @staticmethod
    def draw(rng: np.random.Generator) -> "Individual":
        """Draw somebody."""
        strength = rng.uniform(0.2, 1.3)
        return Individual(
            tilt=torch.from_numpy(rng.normal(0.0, np.deg2rad(3.5), (15, 3))).float(),
            bow=torch.from_numpy(rng.normal(0.0, np.deg2rad(4.0), 15)).float(),
            offset=np.deg2rad(
                np.concatenate(
                    (
                        rng.normal(0.0, _THUMB_SPREAD_DEG),
                        (
                            rng.normal(_HABIT_DEG, _HABIT_SPREAD_DEG) + rng.normal(0.0, _FINGER_SPREAD_DEG, (4, 4))
                        ).flat,
                    )
                )
            ),
            enslaving=(1.0 - strength) * np.eye(4) + strength * _ENSLAVING,
            tip_ratio=np.clip(rng.normal(0.7, 0.12) + rng.normal(0.0, 0.08, 4), 0.3, 1.1),
            pace=float(np.exp(rng.normal(0.0, 0.25))),
            sway_rad=float(np.deg2rad(np.exp(rng.uniform(np.log(0.08), np.log(2.0))))),
        )

    def shape(self, posture: NDArray[np.float64], free: bool, rng: np.random.Generator) -> NDArray[np.float64]:
        """How this person takes a posture [20] [rad].

        Args:
            posture: the ideal.
            free: whether no object dictates the joints: then fingers follow each other and last joints their
                middle ones.
            rng: every attempt differs a little.
        """
        angles = posture + self.offset * (1.0 if free else 0.3)
        angles = angles + rng.normal(0.0, np.deg2rad(3.5 if free else 1.5), 20)
        if free:
            fingers = angles.reshape(5, 4)[1:]
            fingers[:, 1:3] = self.enslaving @ fingers[:, 1:3]
            loose = rng.uniform(0.6, 1.0)
            tied = self.tip_ratio * fingers[:, 2] + self.offset[7::4]
            together, each = np.deg2rad(_TIP_SPREAD_DEG)
            astray = rng.normal(0.0, together) + rng.normal(0.0, each, 4)
            fingers[:, 3] = (1.0 - loose) * fingers[:, 3] + loose * tied + astray
        return np.clip(angles, _RANGES[:, 0], _RANGES[:, 1])

    def alone(
        self, held: NDArray[np.float64], target: NDArray[np.float64], digits: Sequence[int]
    ) -> NDArray[np.float64]:
        """Posture [20] [rad] in which only some digits went to a target; fingers tied to them follow a little.

        Args:
            held: [20] the posture before.
            target: [20] where the moving digits go.
            digits: those that move, 0 the thumb to 4 the little finger.
        """
        moved = held.copy().reshape(5, 4)
        moved[list(digits)] = target.reshape(5, 4)[list(digits)]
        still = [finger for finger in range(4) if finger + 1 not in digits]
        pull = self.enslaving @ (moved - held.reshape(5, 4))[1:, 1:]
        moved[1:, 1:][still] += pull[still]
        return np.clip(moved.reshape(-1), _RANGES[:, 0], _RANGES[:, 1])

    def sway(self, count: int, rate_hz: float, rng: np.random.Generator) -> NDArray[np.float64]:
        """Wandering [count, 20] [rad] that nobody intends: slow drift, joints partly together, and a faint tremor.

        The tremor's 8 to 12 Hz (Elble and Koller 1990) is at the edge of what cameras see; its amplitude here is
        at most a tenth of a degree.
        """
        together = np.eye(20) * 0.6 + 0.4 / np.sqrt(20) * rng.normal(size=(20, 20))
        drift = gaussian_filter1d(rng.normal(size=(count, 20)), 0.35 * rate_hz, axis=0, mode="wrap")
        drift /= drift.std(0) + 1e-9
        times = np.arange(count) / rate_hz
        tremor = np.sin(2.0 * np.pi * rng.uniform(8.0, 12.0) * times + rng.uniform(0.0, 6.28))
        fine = np.deg2rad(rng.uniform(0.0, 0.1)) * tremor[:, None] * rng.normal(size=20)
        return np.asarray(self.sway_rad * drift @ together + fine)
