# SPDX-FileCopyrightText: 2026 The hmp_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What a robot hand is told at each instant: follow the operator, no faster than allowed, or hold."""

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from hmp_core.errors import ConfigError, DataError
from hmp_core.estimate import FrameEstimate, HandEstimate, HandStatus
from hmp_core.hand.skeleton import Side
from hmp_core.retargeting.retargeter import HandRetargeter

FOLLOWED: Final = frozenset({HandStatus.OBSERVED, HandStatus.PARTIAL, HandStatus.INFILLED, HandStatus.PREDICTED})
LONGEST_STEP_S: Final = 0.1
"""However long nothing was commanded, one command moves no farther than in this time [s]."""


@dataclass(frozen=True)
class RobotCommand:
    """Angles for the robot.

    Attributes:
        angles: [n] in the order of the robot's joint names [rad].
        held_because: why the robot is held, None while it follows.
    """

    angles: NDArray[np.float64]
    held_because: str | None


class Teleoperation:
    """Follows one operator's hand; holds still when there is none to follow.

    The first command starts from the neutral pose. Of several hands of a side the one that is followed stays
    the operator's until it is gone; then the one tracked longest takes over (the lowest track number).

    Args:
        retargeter: the robot hand.
        side: of the operator's hand.
        max_velocity: no commanded joint moves faster [rad/s]; a lower limit of the URDF counts as well.

    Raises:
        ConfigError: the velocity is not positive.
    """

    def __init__(self, retargeter: HandRetargeter, side: Side, max_velocity: float) -> None:
        self._retargeter = retargeter
        self._side = side
        self.limit_velocity(max_velocity)
        self._angles = retargeter.robot.neutral
        self._track: int | None = None
        self._following = False
        self._commanded_ns: int | None = None

    @property
    def joint_names(self) -> tuple[str, ...]:
        """Of the commanded joints, in the order of the angles."""
        return self._retargeter.robot.names

    def limit_velocity(self, max_velocity: float) -> None:
        """Let no joint move faster than this from now on [rad/s].

        Raises:
            ConfigError: it is not positive.
        """
        if not max_velocity > 0:
            raise ConfigError(f"the largest joint velocity must be positive, got {max_velocity}")
        self._speed = np.minimum(self._retargeter.robot.max_velocity, max_velocity)

    def update(self, estimate: FrameEstimate, now_ns: int) -> RobotCommand:
        """The command that answers an estimate.

        Args:
            estimate: all hands of an image.
            now_ns: on the clock that the robot moves by; velocities are measured on it [ns].
        """
        hand, reason = self._operator(estimate)
        if hand is None:
            return self.hold(reason, now_ns)
        if not self._following:
            self._retargeter.restart(self._angles)
        try:
            target = self._retargeter.solve(hand.joints_camera)
        except DataError as error:
            return self.hold(str(error), now_ns)
        elapsed_s = 0.0 if self._commanded_ns is None else (now_ns - self._commanded_ns) / 1e9
        reach = self._speed * np.clip(elapsed_s, 0.0, LONGEST_STEP_S)
        self._angles = self._angles + np.clip(target - self._angles, -reach, reach)
        self._commanded_ns, self._following = now_ns, True
        return RobotCommand(self._angles, None)

    def hold(self, reason: str, now_ns: int) -> RobotCommand:
        """The command to stay where the robot is; at the neutral pose before it ever followed."""
        self._following = False
        if self._commanded_ns is not None:
            self._commanded_ns = now_ns
        return RobotCommand(self._angles, reason)

    def _operator(self, estimate: FrameEstimate) -> tuple[HandEstimate | None, str]:
        """The hand to follow, or why there is none."""
        hands = {hand.track_id: hand for hand in estimate.hands if hand.side is self._side}
        followable = sorted(track for track, hand in hands.items() if hand.status in FOLLOWED)
        if self._track not in followable:
            self._track = followable[0] if followable else None
        if self._track is not None:
            return hands[self._track], ""
        statuses = sorted({hand.status.name for hand in hands.values()})
        return None, f"the {self._side.value} hand is {' and '.join(statuses) if statuses else 'not seen'}"
