# SPDX-FileCopyrightText: 2026 The hmp_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Estimates out of our messages, without ROS: the way back of :mod:`hmp_core.media.message_fields`."""

from typing import Any, Final

import numpy as np
from scipy.spatial.transform import Rotation

from hmp_core.errors import DataError
from hmp_core.estimate import FrameEstimate, HandEstimate, HandStatus
from hmp_core.hand.skeleton import Side
from hmp_core.media.message_reader import finite_array, nanoseconds
from hmp_core.observation import ManoPose

_SIDES: Final = {1: Side.LEFT, 2: Side.RIGHT}
_STAGES: Final = ("detect", "initialize", "optimize")


def estimate_from_message(message: Any) -> FrameEstimate:
    """Read anything shaped like ``ManoHandArray`` (rclpy or ``rosbags``); window statuses are left out.

    Raises:
        DataError: an undecided side, an unknown status, a wrist orientation that is none, or numbers that are not
            finite.
    """
    return FrameEstimate(
        stamp_ns=nanoseconds(message.header.stamp),
        hands=tuple(_hand(hand) for hand in message.hands),
        stage_ms={stage: nanoseconds(getattr(message.latency, stage)) / 1e6 for stage in _STAGES},
    )


def _hand(hand: Any) -> HandEstimate:
    if hand.side not in _SIDES:
        raise DataError(f"hand {hand.track_id} has side {hand.side}; published hands are 1 left or 2 right")
    if hand.status not in set(HandStatus):
        raise DataError(f"hand {hand.track_id} has the unknown status {hand.status}")
    turn = hand.wrist_pose.pose.orientation
    quaternion = finite_array([turn.x, turn.y, turn.z, turn.w], "wrist_pose")
    if not quaternion.any():
        raise DataError(f"hand {hand.track_id} has a wrist orientation of zeros, which is none")
    return HandEstimate(
        track_id=int(hand.track_id),
        side=_SIDES[hand.side],
        side_score=float(hand.side_score),
        status=HandStatus(hand.status),
        score=float(hand.score),
        since_observed_ns=nanoseconds(hand.since_observed),
        joints_camera=finite_array([(point.x, point.y, point.z) for point in hand.joints], "joints"),
        joint_stddev_m=finite_array(hand.joint_stddev, "joint_stddev"),
        joint_observed=np.asarray(hand.joint_observed, dtype=bool),
        mano=ManoPose(
            finite_array(hand.pose, "pose").reshape(-1, 3),
            finite_array(hand.betas, "betas"),
            finite_array(hand.translation, "translation"),
        ),
        R_camera_wrist=Rotation.from_quat(quaternion).as_matrix(),
        wrist_covariance=finite_array(hand.wrist_pose.covariance, "wrist_pose.covariance").reshape(6, 6),
    )
