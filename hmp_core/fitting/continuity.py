# SPDX-FileCopyrightText: 2026 The hmp_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Keeping the published pose free of jumps when evidence returns or a window changes its mind."""

from typing import Final

import torch
from torch import Tensor

from hmp_core.fitting.hand_pose import HandPose
from hmp_core.hand.kinematics import HandKinematics
from hmp_core.hand.so3 import exponential, logarithm

_SHORTEST_S: Final = 0.1
_PACES: Final = 64
"""Into which the way is cut to find its fastest: the pace of a joint is known within 1 %."""


class ContinuousPose:
    """Adds an offset to the solved pose that makes it start where the published one was, and lets it fade.

    The offset fades evenly, within 0.1 s or so slowly that it moves no joint faster than ``speed``.

    Args:
        kinematics: of the hand.
        speed: see below.

    Attributes:
        speed: of the next bridge [m/s].
    """

    def __init__(self, kinematics: HandKinematics, speed: float) -> None:
        self._kinematics = kinematics
        self.speed = speed
        self._offset: tuple[Tensor, Tensor, Tensor] | None = None
        self._start_s = self._end_s = 0.0

    @property
    def leading(self) -> bool:
        """Whether what was published last was still on its way to the solved poses."""
        return self._offset is not None

    def bridge(self, published: HandPose, solved: HandPose, betas: Tensor, time_s: float) -> None:
        """From now on lead from ``published``, the pose that was to be expected, to the solved ones.

        ``betas`` [10] are those of the hand.
        """
        self._lead(published, solved, betas, time_s, time_s + _SHORTEST_S)

    def renew(self, published: HandPose, solved: HandPose, betas: Tensor, time_s: float) -> None:
        """Lead on from ``published`` where the solver has changed its mind; no later to arrive, if speed allows."""
        self._lead(published, solved, betas, time_s, self._end_s)

    def apply(self, solved: HandPose, time_s: float) -> HandPose:
        """The pose to publish at ``time_s``; call with increasing times."""
        self._offset = self._offset_at(time_s)
        self._start_s = time_s
        return self.carried(solved)

    def carried(self, solved: HandPose) -> HandPose:
        """A solved pose with what was left of the way at the last one."""
        return _shifted(solved, self._offset)

    def expected(self, predicted: HandPose, time_s: float) -> HandPose:
        """What would be published at ``time_s`` if ``predicted`` were solved; changes nothing."""
        return _shifted(predicted, self._offset_at(time_s))

    def _lead(self, published: HandPose, solved: HandPose, betas: Tensor, time_s: float, end_s: float) -> None:
        move = published.p_camera_wrist - solved.p_camera_wrist
        turn = logarithm(solved.R_camera_wrist.mT @ published.R_camera_wrist)
        flex = logarithm(solved.R_finger.mT @ published.R_finger)
        self._offset = (move, turn, flex)
        left = torch.linspace(0.0, 1.0, _PACES + 1, dtype=move.dtype)[:, None]
        turned = solved.R_camera_wrist @ exponential(left * turn)
        bent = solved.R_finger @ exponential(left[..., None] * flex)
        joints = self._kinematics.joints(torch.cat([turned[:, None], bent], dim=1), betas, left * move)
        way_m = _PACES * float(joints.diff(dim=0).norm(dim=-1).max())
        self._start_s, self._end_s = time_s, max(end_s, time_s + way_m / self.speed)

    def _offset_at(self, time_s: float) -> tuple[Tensor, Tensor, Tensor] | None:
        if self._offset is None or time_s >= self._end_s:
            return None
        left = (self._end_s - time_s) / (self._end_s - self._start_s)
        move, turn, flex = self._offset
        return left * move, left * turn, left * flex


def _shifted(pose: HandPose, offset: tuple[Tensor, Tensor, Tensor] | None) -> HandPose:
    if offset is None:
        return pose
    move, turn, flex = offset
    return HandPose(
        pose.R_camera_wrist @ exponential(turn),
        pose.p_camera_wrist + move,
        pose.R_finger @ exponential(flex),
    )
