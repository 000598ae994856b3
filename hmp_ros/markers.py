# SPDX-FileCopyrightText: 2026 The hmp_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Hands as RViz markers: a skeleton each, its colour telling how the pose came about."""

from typing import Final

from builtin_interfaces.msg import Duration
from std_msgs.msg import ColorRGBA
from visualization_msgs.msg import Marker, MarkerArray

from hmp_core.hand.skeleton import PARENTS
from hmp_ros.msg import ManoHand, ManoHandArray

_BONE_WIDTH_M: Final = 0.004
_JOINT_DIAMETER_M: Final = 0.009
_LIFETIME: Final = Duration(nanosec=500_000_000)

STATUS_COLOURS: Final = {
    ManoHand.STATUS_UNKNOWN: ColorRGBA(r=0.6, g=0.6, b=0.6, a=0.6),
    ManoHand.STATUS_OBSERVED: ColorRGBA(r=0.15, g=0.75, b=0.30, a=1.0),
    ManoHand.STATUS_PARTIAL: ColorRGBA(r=0.95, g=0.75, b=0.10, a=1.0),
    ManoHand.STATUS_INFILLED: ColorRGBA(r=0.95, g=0.40, b=0.10, a=0.9),
    ManoHand.STATUS_PREDICTED: ColorRGBA(r=0.25, g=0.50, b=0.95, a=0.9),
    ManoHand.STATUS_LOST: ColorRGBA(r=0.85, g=0.10, b=0.10, a=0.4),
}


def build_markers(message: ManoHandArray) -> MarkerArray:
    """Bones and joints of every hand; what is not renewed within half a second fades by itself."""
    markers = MarkerArray()
    for hand in message.hands:
        bones = _marker(hand, "bones", Marker.LINE_LIST)
        bones.scale.x = _BONE_WIDTH_M
        bones.points = [
            hand.joints[end] for joint, parent in enumerate(PARENTS) if parent >= 0 for end in (parent, joint)
        ]
        joints = _marker(hand, "joints", Marker.SPHERE_LIST)
        joints.scale.x = joints.scale.y = joints.scale.z = _JOINT_DIAMETER_M
        joints.points = list(hand.joints)
        markers.markers += [bones, joints]
    return markers


def _marker(hand: ManoHand, kind: str, shape: int) -> Marker:
    marker = Marker(header=hand.header, ns=f"hand_{kind}", id=hand.track_id % 2**31, type=shape)
    marker.action = Marker.ADD
    marker.pose.orientation.w = 1.0
    marker.color = STATUS_COLOURS.get(hand.status, STATUS_COLOURS[ManoHand.STATUS_UNKNOWN])
    marker.lifetime = _LIFETIME
    return marker
