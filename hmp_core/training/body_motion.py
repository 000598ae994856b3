# SPDX-FileCopyrightText: 2026 The hmp_ros authors
# SPDX-License-Identifier: Apache-2.0
"""From bodies in motion to right hands in motion: the paper's trimming, activity filter, mirroring, resampling."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.spatial.transform import Rotation

from hmp_core.errors import ConfigError, DataError
from hmp_core.hand.mirror import mirror_rotation, mirror_rotation_vector
from hmp_core.hand.skeleton import NUM_FINGER_ROTATIONS, Side
from hmp_core.training.hand_motion import HandMotion
from hmp_core.training.resampling import resample_rotations

_TO_WRIST = {Side.LEFT: (0, 3, 6, 9, 13, 16, 18, 20), Side.RIGHT: (0, 3, 6, 9, 14, 17, 19, 21)}
"""Pelvis, spine, collar, shoulder, elbow, wrist: joint numbers that SMPL, SMPL-H and SMPL-X share."""


@dataclass(frozen=True)
class BodyMotion:
    """Both hands of one captured sequence.

    Attributes:
        label: its name.
        rate_hz: frames a second.
        fingers: per side [F, 15, 3] local finger rotations, MANO order, zero for the flat hand [rad].
        R_world_wrist: per side [F, 3, 3] orientation of the wrist.
    """

    label: str
    rate_hz: float
    fingers: Mapping[Side, NDArray[np.float64]]
    R_world_wrist: Mapping[Side, NDArray[np.float64]]


@dataclass(frozen=True)
class Preparation:
    """What is kept of captured sequences; the defaults are HMP's.

    Attributes:
        middle: share of a sequence that is kept, around its middle; actors begin and end in a T-pose.
        shortest_s: shorter sequences are left out [s].
        least_variance: a hand whose mean variance over its 45 rotation vector entries is lower did not move, and is
            left out [rad^2].
        rate_hz: frame rate of the result.
    """

    middle: float = 0.9
    shortest_s: float = 1.0
    least_variance: float = 5e-3
    rate_hz: float = 30.0

    def __post_init__(self) -> None:
        """Refuse what cannot work.

        Raises:
            ConfigError: naming the value and the allowed range.
        """
        if not 0.0 < self.middle <= 1.0:
            raise ConfigError(f"middle is {self.middle}, allowed is above 0 and at most 1")
        if self.shortest_s <= 0.0 or self.rate_hz <= 0.0:
            raise ConfigError(f"shortest_s {self.shortest_s} and rate_hz {self.rate_hz} must be above 0")


def wrist_orientations(body: NDArray[np.float64]) -> dict[Side, NDArray[np.float64]]:
    """Orientation of both wrists [F, 3, 3] from the first 22 rotation vectors of a SMPL body [F, 22, 3] [rad]."""
    R = Rotation.from_rotvec(body.reshape(-1, 3)).as_matrix().reshape(*body.shape[:2], 3, 3)
    orientations = {}
    for side, chain in _TO_WRIST.items():
        orientation = R[:, chain[0]]
        for joint in chain[1:]:
            orientation = orientation @ R[:, joint]
        orientations[side] = orientation
    return orientations


def prepare_hands(sequences: Iterable[BodyMotion], preparation: Preparation) -> HandMotion:
    """Trim, leave out the short and the still, mirror left hands, resample.

    Raises:
        DataError: nothing is left.
    """
    hands, looked_at = [], []
    for sequence in sequences:
        looked_at.append(sequence.label)
        for side in Side:
            hand = _prepare(sequence, side, preparation)
            if hand is not None:
                hands.append(hand)
    if not hands:
        raise DataError(
            f"no hand of {len(looked_at)} sequences ({', '.join(looked_at[:3])}{', ...' if looked_at[3:] else ''}) "
            f"moved for {preparation.shortest_s} s with a variance above {preparation.least_variance} rad^2"
        )
    return HandMotion.join(hands)


def _prepare(sequence: BodyMotion, side: Side, preparation: Preparation) -> HandMotion | None:
    fingers, R_wrist = sequence.fingers[side], sequence.R_world_wrist[side]
    count = len(fingers)
    margin = round(0.5 * (1.0 - preparation.middle) * count)
    fingers, R_wrist = fingers[margin : count - margin], R_wrist[margin : count - margin]
    # Two frames are needed to interpolate.
    if len(fingers) < max(2.0, preparation.shortest_s * sequence.rate_hz):
        return None
    if fingers.var(axis=0).mean() <= preparation.least_variance:
        return None
    if side is Side.LEFT:
        fingers, R_wrist = mirror_rotation_vector(fingers), mirror_rotation(R_wrist)
    R = Rotation.from_rotvec(fingers.reshape(-1, 3)).as_matrix().reshape(-1, NUM_FINGER_ROTATIONS, 3, 3)
    everything = np.concatenate((R_wrist[:, None], R), axis=1)
    resampled = resample_rotations(everything, sequence.rate_hz, preparation.rate_hz)
    vectors = Rotation.from_matrix(resampled[:, 1:].reshape(-1, 3, 3)).as_rotvec()
    return HandMotion(
        torch.from_numpy(vectors.reshape(-1, NUM_FINGER_ROTATIONS, 3)).float(),
        torch.from_numpy(resampled[:, 0]).float(),
        torch.tensor([len(resampled)]),
        preparation.rate_hz,
        (sequence.label,),
    )
