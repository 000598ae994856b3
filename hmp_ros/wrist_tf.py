# SPDX-FileCopyrightText: 2026 The hmp_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Wrist frames on ``/tf``, where ``tf2_ros`` is installed."""

import importlib.util

from geometry_msgs.msg import TransformStamped
from rclpy.node import Node

from hmp_core.errors import ConfigError
from hmp_ros.msg import ManoHandArray
from hmp_ros.wrist_pose import hands_by_side


def build_transforms(message: ManoHandArray, prefix: str = "") -> list[TransformStamped]:
    """From the frame of the hands to the wrist of each side (operator frame); a lost hand has no transform."""
    transforms = []
    for side, hand in hands_by_side(message).items():
        transform = TransformStamped(header=hand.header, child_frame_id=f"{prefix}hand_{side}_wrist")
        position = hand.wrist_pose.pose.position
        transform.transform.translation.x = position.x
        transform.transform.translation.y = position.y
        transform.transform.translation.z = position.z
        transform.transform.rotation = hand.wrist_pose.pose.orientation
        transforms.append(transform)
    return transforms


def require_tf() -> None:
    """See that transforms can be broadcast here.

    Raises:
        ConfigError: ``tf2_ros`` is not installed.
    """
    if importlib.util.find_spec("tf2_ros") is None:
        raise ConfigError("publish_tf needs tf2_ros: install it, or set publish_tf to false")


class WristBroadcaster:
    """Broadcasts the wrists; in a namespace as ``<namespace>/hand_left_wrist``, since all share one tree."""

    def __init__(self, node: Node) -> None:
        from tf2_ros import TransformBroadcaster

        self._broadcaster = TransformBroadcaster(node)
        namespace = node.get_namespace().strip("/")
        self._prefix = f"{namespace}/" if namespace else ""

    def broadcast(self, message: ManoHandArray) -> None:
        """Send the transforms of one message."""
        self._broadcaster.sendTransform(build_transforms(message, self._prefix))
