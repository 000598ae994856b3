# SPDX-FileCopyrightText: 2026 The hmp_ros authors
# SPDX-License-Identifier: Apache-2.0
"""One wrist a side, for the inverse kinematics of an arm: ``hand/left/wrist_pose``, ``hand/right/wrist_pose``."""

from typing import Final

from geometry_msgs.msg import PoseStamped

from hmp_core.media.message_reader import nanoseconds
from hmp_ros import qos
from hmp_ros.msg import ManoHand, ManoHandArray
from hmp_ros.topics import Topics

SIDE_NAMES: Final = {ManoHand.SIDE_LEFT: "left", ManoHand.SIDE_RIGHT: "right"}


def hands_by_side(message: ManoHandArray) -> dict[str, ManoHand]:
    """The hand of each side that was seen last; a LOST one counts for nothing."""
    hands: dict[str, ManoHand] = {}
    present = [hand for hand in message.hands if hand.status != ManoHand.STATUS_LOST and hand.side in SIDE_NAMES]
    for hand in sorted(present, key=lambda hand: (-nanoseconds(hand.since_observed), hand.track_id)):
        hands[SIDE_NAMES[hand.side]] = hand
    return hands


def build_wrist_poses(message: ManoHandArray) -> dict[str, PoseStamped]:
    """The wrist of each side in the operator frame, in the frame of the hands."""
    return {
        side: PoseStamped(header=hand.header, pose=hand.wrist_pose.pose)
        for side, hand in hands_by_side(message).items()
    }


class WristPoses:
    """Publishes the wrists of every message of ``hand/mano``; silence on a side means that it is lost or unseen."""

    def __init__(self, topics: Topics) -> None:
        self._publishers = {
            side: topics.publisher(PoseStamped, f"hand/{side}/wrist_pose", qos.HANDS)
            for side in SIDE_NAMES.values()
        }

    def publish(self, message: ManoHandArray) -> None:
        """Send the wrists of one message."""
        for side, pose in build_wrist_poses(message).items():
            self._publishers[side].publish(pose)
