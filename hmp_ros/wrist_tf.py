# SPDX-FileCopyrightText: 2026 The hmp_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Wrist frames on ``/tf``, where ``tf2_ros`` is installed."""

import importlib.util
from typing import Final

from geometry_msgs.msg import TransformStamped
from rclpy.node import Node

from hmp_core.errors import ConfigError
from hmp_ros.msg import ManoHand, ManoHandArray

_CHILD_FRAMES: Final = {ManoHand.SIDE_LEFT: "hand_left_wrist", ManoHand.SIDE_RIGHT: "hand_right_wrist"}


def build_transforms(message: ManoHandArray) -> list[TransformStamped]:
    """Camera to wrist (operator frame), the newest track of each side; a lost hand has no transform."""
    transforms: dict[str, TransformStamped] = {}
    for hand in sorted(message.hands, key=lambda hand: hand.track_id):
        if hand.status == ManoHand.STATUS_LOST or hand.side not in _CHILD_FRAMES:
            continue
        transform = TransformStamped(header=hand.header, child_frame_id=_CHILD_FRAMES[hand.side])
        position = hand.wrist_pose.pose.position
        transform.transform.translation.x = position.x
        transform.transform.translation.y = position.y
        transform.transform.translation.z = position.z
        transform.transform.rotation = hand.wrist_pose.pose.orientation
        transforms[transform.child_frame_id] = transform
    return list(transforms.values())


def require_tf() -> None:
    """See that transforms can be broadcast here.

    Raises:
        ConfigError: ``tf2_ros`` is not installed.
    """
    if importlib.util.find_spec("tf2_ros") is None:
        raise ConfigError("publish_tf needs tf2_ros: install it, or set publish_tf to false")


class WristBroadcaster:
    """Broadcasts the wrists."""

    def __init__(self, node: Node) -> None:
        from tf2_ros import TransformBroadcaster

        self._broadcaster = TransformBroadcaster(node)

    def broadcast(self, message: ManoHandArray) -> None:
        """Send the transforms of one message."""
        self._broadcaster.sendTransform(build_transforms(message))
