# SPDX-FileCopyrightText: 2026 The hmp_ros authors
# SPDX-License-Identifier: Apache-2.0
"""One person's way of moving: joints a little tilted, fingers tied to each other, own pace and steadiness."""

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
_RANGES: Final = ANGLE_RANGES.double().numpy()


@dataclass(frozen=True)
class Individual:
    """A person's constants.

    Attributes:
        tilt: [15, 3] tilt of joint axes against the mean hand's [rad].
        offset: [20] habitual angle offsets [rad].
        enslaving: [4, 4] rows sum to one; identity for a pianist.
        tip_ratio: [4] flexion of the last joint over that of the middle one, when free (2/3 in the mean:
            Rijpkema and Girard 1991).
        pace: factor on all durations.
        sway_rad: spread of slow wandering around a held posture [rad].
    """

    tilt: Tensor
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
            offset=rng.normal(0.0, np.deg2rad(4.0), 20),
            enslaving=(1.0 - strength) * np.eye(4) + strength * _ENSLAVING,
            tip_ratio=np.clip(rng.normal(0.67, 0.09) + rng.normal(0.0, 0.05, 4), 0.3, 1.0),
            pace=float(np.exp(rng.normal(0.0, 0.25))),
            sway_rad=float(np.deg2rad(rng.uniform(0.2, 1.6))),
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
            fingers[:, 3] = (1.0 - loose) * fingers[:, 3] + loose * self.tip_ratio * fingers[:, 2]
        return np.clip(angles, _RANGES[:, 0], _RANGES[:, 1])

    def sway(self, count: int, rate_hz: float, rng: np.random.Generator) -> NDArray[np.float64]:
        """Wandering [count, 20] [rad] that nobody intends: slow drift, joints partly together, and a faint tremor.

        The tremor's 8 to 12 Hz (Elble and Koller 1990) is at the edge of what cameras see; its amplitude here is
        a tenth of a degree.
        """
        together = np.eye(20) * 0.6 + 0.4 / np.sqrt(20) * rng.normal(size=(20, 20))
        drift = gaussian_filter1d(rng.normal(size=(count, 20)), 0.35 * rate_hz, axis=0, mode="wrap")
        drift /= drift.std(0) + 1e-9
        times = np.arange(count) / rate_hz
        tremor = np.sin(2.0 * np.pi * rng.uniform(8.0, 12.0) * times + rng.uniform(0.0, 6.28))
        fine = np.deg2rad(0.1) * tremor[:, None] * rng.normal(size=20)
        return np.asarray(self.sway_rad * drift @ together + fine)
