# SPDX-FileCopyrightText: 2026 The hmp_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Hands as RViz markers: skeletons whose colour tells how the pose came about, how sure it is, and their surface.

Each kind has its own namespace, so that a display can switch it off: ``hand_bones``, ``hand_joints``,
``hand_label``, ``hand_sigma`` (the joints, relative to the wrist), ``hand_wrist_sigma``, ``hand_mesh``. What is not
renewed within half a second fades by itself.
"""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Final

import numpy as np
from builtin_interfaces.msg import Duration
from geometry_msgs.msg import Point, Quaternion, Vector3
from scipy.spatial.transform import Rotation
from std_msgs.msg import ColorRGBA
from visualization_msgs.msg import Marker, MarkerArray

from hmp_core.estimate import HandStatus
from hmp_core.hand.skeleton import PARENTS, WRIST, Side
from hmp_core.media.message_reader import nanoseconds
from hmp_core.media.palette import STATUS_COLOURS
from hmp_ros.msg import ManoHand, ManoHandArray

if TYPE_CHECKING:  # brings torch along
    from hmp_ros.hand_surfaces import Surface

_BONE_WIDTH_M: Final = 0.004
_JOINT_DIAMETER_M: Final = 0.009
_LABEL_HEIGHT_M: Final = 0.018
_LABEL_BELOW_M: Final = 0.03
_LIFETIME: Final = Duration(nanosec=500_000_000)
_SIGMA_ALPHA: Final = 0.15
_MESH_ALPHA: Final = 0.8
_LOST_ALPHA: Final = 0.4
_SIDES: Final = {ManoHand.SIDE_LEFT: Side.LEFT, ManoHand.SIDE_RIGHT: Side.RIGHT}


def build_markers(message: ManoHandArray) -> MarkerArray:
    """Skeleton, label and one-sigma ellipsoids of every hand; where sigmas are unknown there are none."""
    markers = MarkerArray()
    for hand in message.hands:
        bones = _marker(hand, "bones", Marker.LINE_LIST)
        bones.scale.x = _BONE_WIDTH_M
        bones.points = [
            hand.joints[end] for joint, parent in enumerate(PARENTS) if parent >= 0 for end in (parent, joint)
        ]
        joints = _marker(hand, "joints", Marker.SPHERE_LIST)
        joints.scale = _ball(_JOINT_DIAMETER_M)
        joints.points = list(hand.joints)
        markers.markers += [bones, joints, _label(hand), *_joint_sigmas(hand), *_wrist_sigma(hand)]
    return markers


def build_mesh_markers(message: ManoHandArray, surfaces: "Mapping[int, Surface]") -> MarkerArray:
    """The surface of every hand, for ``hand/mesh_markers``.

    Args:
        message: the hands.
        surfaces: by track; a hand without one is left out.
    """
    markers = MarkerArray()
    for hand in message.hands:
        if hand.track_id in surfaces:
            mesh = _marker(hand, "mesh", Marker.TRIANGLE_LIST, _MESH_ALPHA)
            mesh.scale = _ball(1.0)
            surface = surfaces[hand.track_id]
            # Every corner that vertices share is one object: building messages is what takes the time here.
            points = [Point(x=x, y=y, z=z) for x, y, z in surface.vertices.tolist()]
            mesh.points = [points[vertex] for vertex in surface.faces.reshape(-1).tolist()]
            markers.markers.append(mesh)
    return markers


def _label(hand: ManoHand) -> Marker:
    """Side, status and age of the last evidence, under the wrist."""
    label = _marker(hand, "label", Marker.TEXT_VIEW_FACING)
    wrist = hand.joints[WRIST]
    # The camera's y points down; in a robot's frame the label is beside the wrist.
    label.pose.position = Point(x=wrist.x, y=wrist.y + _LABEL_BELOW_M, z=wrist.z)
    label.scale.z = _LABEL_HEIGHT_M
    label.text = " ".join([_SIDES[hand.side].value if hand.side in _SIDES else "hand", _status(hand).name.lower()])
    if nanoseconds(hand.since_observed):
        label.text += f" {nanoseconds(hand.since_observed) / 1e9:.2f} s"
    return label


def _joint_sigmas(hand: ManoHand) -> list[Marker]:
    """A ball around each joint, one standard deviation in radius."""
    balls = []
    for joint, sigma in enumerate(hand.joint_stddev):
        if sigma > 0:
            ball = _marker(hand, "sigma", Marker.SPHERE, _SIGMA_ALPHA)
            ball.id = ball.id * len(PARENTS) % 2**31 + joint
            ball.pose.position = hand.joints[joint]
            ball.scale = _ball(2.0 * float(sigma))
            balls.append(ball)
    return balls


def _wrist_sigma(hand: ManoHand) -> list[Marker]:
    """The wrist's ellipsoid of one standard deviation; along the line of sight it is longest."""
    covariance = np.asarray(hand.wrist_pose.covariance).reshape(6, 6)[:3, :3]
    if not (np.diagonal(covariance) > 0).all():
        return []
    variances, axes = np.linalg.eigh(covariance)
    axes[:, 0] *= np.sign(np.linalg.det(axes))  # a rotation, not a reflection
    x, y, z, w = Rotation.from_matrix(axes).as_quat().tolist()
    ellipsoid = _marker(hand, "wrist_sigma", Marker.SPHERE, _SIGMA_ALPHA)
    ellipsoid.pose.position = hand.wrist_pose.pose.position
    ellipsoid.pose.orientation = Quaternion(x=x, y=y, z=z, w=w)
    lengths = (2.0 * np.sqrt(np.maximum(variances, 0.0))).tolist()
    ellipsoid.scale = Vector3(x=lengths[0], y=lengths[1], z=lengths[2])
    return [ellipsoid]


def _marker(hand: ManoHand, kind: str, shape: int, alpha: float = 1.0) -> Marker:
    marker = Marker(header=hand.header, ns=f"hand_{kind}", id=hand.track_id % 2**31, type=shape)
    marker.action = Marker.ADD
    marker.pose.orientation.w = 1.0
    status = _status(hand)
    red, green, blue = (channel / 255 for channel in STATUS_COLOURS[status])
    faded = _LOST_ALPHA if status is HandStatus.LOST else 1.0
    marker.color = ColorRGBA(r=red, g=green, b=blue, a=alpha * faded)
    marker.lifetime = _LIFETIME
    return marker


def _status(hand: ManoHand) -> HandStatus:
    return HandStatus(hand.status) if hand.status in set(HandStatus) else HandStatus.UNKNOWN


def _ball(diameter: float) -> Vector3:
    return Vector3(x=diameter, y=diameter, z=diameter)
