# SPDX-FileCopyrightText: 2026 The hmp_ros authors
# SPDX-License-Identifier: Apache-2.0
"""One pose of a human hand to one of a robot hand: the conventions around ``dex-retargeting``'s optimisers."""

from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from hmp_core.errors import ConfigError, DataError
from hmp_core.hand.operator_frame import operator_frame
from hmp_core.hand.skeleton import MIDDLE_MCP, NUM_JOINTS, WRIST, Side
from hmp_core.retargeting.configuration import RetargetingConfiguration
from hmp_core.retargeting.robot_hand import RobotHand, neutral_angles, urdf_joint_order
from hmp_core.threads import use_one_thread

REFERENCE_LENGTH_M: Final = 0.095
"""Wrist to middle knuckle of the hand that scaling factors and pinch distances are meant for. A camera alone does
not know an operator's size, and a robot hand does not care, so every operator is scaled to this length."""
_SHORTEST_M: Final = 1e-3


class HandRetargeter:
    """Joint angles of a robot hand that do what an operator's hand does.

    Each solve starts from the one before and is drawn to it a little, so that redundant joints do not wander.

    Args:
        configuration: which robot hand, and how.
        side: of the operator's hand.

    Attributes:
        robot: the joints that are commanded.

    Raises:
        ConfigError: ``dex-retargeting`` is not installed, or cannot use the configuration or the URDF.
    """

    def __init__(self, configuration: RetargetingConfiguration, side: Side) -> None:
        self._side = side
        self._R_root_operator = configuration.R_root_operator
        self._solver = solver = _build(configuration)
        optimizer = solver.optimizer
        all_names = list(solver.joint_names)
        limits = np.asarray(optimizer.robot.joint_limits, dtype=np.float64)
        start = neutral_angles(all_names, limits, configuration.neutral, configuration.path)
        solver.set_qpos(start.astype(np.float32))
        self._fixed = start[optimizer.idx_pin2fixed]
        # Pinocchio sorts joints by name (joint_12 before joint_4); drivers that ignore names expect the file's.
        order = urdf_joint_order(configuration.urdf_path)
        commanded = {all_names[index] for index in optimizer.idx_pin2target}
        names = tuple(name for name in order if name in commanded)
        self._rows = rows = np.array([all_names.index(name) for name in names])
        speeds = np.asarray(optimizer.robot.model.velocityLimit, dtype=np.float64)
        speeds = np.where(speeds > 0, speeds, np.inf)
        self.robot = RobotHand(names, limits[rows, 0], limits[rows, 1], speeds[rows], start[rows])
        self._origins, self._tasks = np.asarray(optimizer.target_link_human_indices, dtype=np.intp)
        if max(self._origins.max(), self._tasks.max()) >= NUM_JOINTS:
            raise ConfigError(f"{configuration.path}: target_link_human_indices go from 0 to {NUM_JOINTS - 1}")
        self._full = start

    def solve(self, joints: NDArray[np.floating]) -> NDArray[np.float64]:
        """Angles [n] for a hand, in the order of ``robot.names``, within their limits [rad].

        Args:
            joints: [21, 3] public order, any axes, any position, any size.

        Raises:
            DataError: the points are not finite, or wrist and middle knuckle coincide.
        """
        points = np.asarray(joints, dtype=np.float64) - joints[WRIST]
        length = float(np.linalg.norm(points[MIDDLE_MCP]))
        if not (np.isfinite(points).all() and length > _SHORTEST_M):
            raise DataError("a hand to follow needs 21 finite joints, its middle knuckle away from the wrist")
        joints_operator = points @ operator_frame(points, self._side) * (REFERENCE_LENGTH_M / length)
        joints_root = joints_operator @ self._R_root_operator.T
        self._full = self._solver.retarget(joints_root[self._tasks] - joints_root[self._origins], self._fixed)
        return self.robot.within_limits(np.asarray(self._full[self._rows], dtype=np.float64))

    def restart(self, angles: NDArray[np.float64]) -> None:
        """Let the next solve start from these angles [n]: where the robot was held meanwhile."""
        full = np.array(self._full)
        full[self._rows] = angles
        self._solver.set_qpos(full.astype(np.float32))
        if self._solver.filter is not None:
            self._solver.filter.reset()


def _build(configuration: RetargetingConfiguration) -> Any:
    """The ``SeqRetargeting`` of a configuration."""
    try:
        from dex_retargeting.retargeting_config import RetargetingConfig
    except ImportError as error:
        raise ConfigError(
            f"retargeting needs dex-retargeting ({error}): pip install 'hmp_ros[teleop]', with Python below 3.13"
        ) from error
    use_one_thread()  # it brought torch along
    entries = {**configuration.entries, "urdf_path": str(configuration.urdf_path.resolve())}
    try:
        return RetargetingConfig.from_dict(entries).build()
    except Exception as error:
        # It checks by assertion, by ValueError and by whatever its URDF readers raise.
        raise ConfigError(f"{configuration.path}: dex-retargeting cannot use it: {error}") from error
