# SPDX-FileCopyrightText: 2026 The hmp_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Keeping the published pose free of jumps when evidence returns or the latent moves to a new origin."""

from dataclasses import dataclass
from typing import Final

import roma
from torch import Tensor

_SHORTEST_S: Final = 0.1
_HAND_M: Final = 0.2
_LEVERS_M: Final = (0.1, 0.06, 0.03)
"""From a finger's first, second and third joint to its tip, of a large hand."""


@dataclass(frozen=True)
class HandPose:
    """A right hand's pose without its shape.

    Attributes:
        R_camera_wrist: [3, 3] MANO global orientation.
        p_camera_wrist: [3] wrist joint [m].
        R_finger: [15, 3, 3] local finger rotations.
    """

    R_camera_wrist: Tensor
    p_camera_wrist: Tensor
    R_finger: Tensor


class ContinuousPose:
    """Adds an offset to the solved pose that makes it start where the published one was, and lets it fade.

    The offset fades evenly, within 0.1 s or so slowly that it moves no joint faster than ``speed``.

    Attributes:
        speed: of the next bridge [m/s].
    """

    def __init__(self, speed: float) -> None:
        self.speed = speed
        self._offset: tuple[Tensor, Tensor, Tensor] | None = None
        self._duration_s = _SHORTEST_S
        self._time_s = 0.0

    def bridge(self, published: HandPose, solved: HandPose, time_s: float) -> None:
        """From now on lead from ``published``, the pose that was to be expected, to the solved ones."""
        move = published.p_camera_wrist - solved.p_camera_wrist
        turn = roma.rotmat_to_rotvec(solved.R_camera_wrist.mT @ published.R_camera_wrist)
        flex = roma.rotmat_to_rotvec(solved.R_finger.mT @ published.R_finger)
        self._offset = (move, turn, flex)
        bent = (flex.norm(dim=-1).reshape(-1, 3) @ flex.new_tensor(_LEVERS_M)).max()
        distance = float(move.norm() + _HAND_M * turn.norm() + bent)
        self._duration_s = max(_SHORTEST_S, distance / self.speed)
        self._time_s = time_s

    def apply(self, solved: HandPose, time_s: float) -> HandPose:
        """The pose to publish at ``time_s``; call with increasing times."""
        if self._offset is None:
            return solved
        left = 1.0 - (time_s - self._time_s) / self._duration_s
        if left <= 0.0:
            self._offset = None
            return solved
        move, turn, flex = (left * part for part in self._offset)
        return HandPose(
            solved.R_camera_wrist @ roma.rotvec_to_rotmat(turn),
            solved.p_camera_wrist + move,
            solved.R_finger @ roma.rotvec_to_rotmat(flex),
        )

    def expected(self, predicted: HandPose, time_s: float) -> HandPose:
        """What would be published at ``time_s`` if ``predicted`` were solved; changes nothing."""
        offset, result = self._offset, self.apply(predicted, time_s)
        self._offset = offset
        return result
