# SPDX-FileCopyrightText: 2026 The hmp_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Write config/retargeting/allegro_left.urdf and allegro_right.urdf: ``python tools/make_allegro_urdf.py``.

A kinematic model of a four-fingered hand with the dimensions, joint limits and joint names of Wonik Robotics'
Allegro Hand, with boxes and spheres for its bodies. The figures are those of the manufacturer's public model,
allegro_hand_description in github.com/simlabrobotics/allegro_hand_ros_v4 (BSD-2-Clause); nothing else is taken
from it.
The left hand is the right one mirrored at the plane y = 0, its fingers numbered from the side of +y as there.
"""

import math
from pathlib import Path
from xml.etree import ElementTree as ET

FOLDER = Path(__file__).resolve().parents[1] / "config" / "retargeting"
Vector = tuple[float, float, float]

# Palm link: x out of the palm, y towards a right hand's thumb, z along the fingers, origin between the knuckles.
PALM_BOX: Vector = (0.0408, 0.1130, 0.0950)
PALM_CENTER: Vector = (-0.0093, 0.0, -0.0475)
FINGER_SPACING_M = 0.0435
OUTER_DROP_M, MIDDLE_RISE_M = -0.001542, 0.0007
OUTER_SPLAY = math.radians(5.0)
LINK_WIDTH = (0.0196, 0.0275)
TIP_RADIUS_M = 0.012

# Length of each link to the next joint (of the last one to the centre of the tip), then the joint before it: its
# axis and its limits [rad].
FINGER = (
    (0.0164, "0 0 1", -0.47, 0.47),
    (0.0540, "0 1 0", -0.196, 1.61),
    (0.0384, "0 1 0", -0.174, 1.709),
    (0.0267, "0 1 0", -0.227, 1.618),
)
# The thumb's first link is not straight: where the second joint lies in it.
THUMB_BASE: Vector = (-0.0182, 0.019333, -0.045987)
THUMB_PITCH = math.radians(-95.0)
THUMB_FIRST: Vector = (-0.027, 0.005, 0.0399)
THUMB_LIMITS = ((0.263, 1.396), (-0.105, 1.163), (-0.189, 1.644), (-0.162, 1.719))
THUMB_LENGTHS = (0.0177, 0.0514, 0.0423)
VELOCITY = 7.0
EFFORT = 15.0

HEADER = """
  SPDX-FileCopyrightText: 2026 The hmp_ros authors
  SPDX-License-Identifier: Apache-2.0

  Written by tools/make_allegro_urdf.py. Figures: the manufacturer's public model, allegro_hand_description in
  github.com/simlabrobotics/allegro_hand_ros_v4. Names and order of the joints are those of its ROS driver.
  For kinematics and display: no masses, and boxes and spheres for bodies.
"""


def hand(side: str) -> ET.Element:
    """The <robot> of one side."""
    mirror = 1.0 if side == "right" else -1.0
    robot = ET.Element("robot", name=f"allegro_{side}")
    _link(robot, "palm_link", PALM_BOX, PALM_CENTER)
    _link(robot, "wrist")
    _joint(robot, "wrist_joint", "palm_link", "wrist", (0.0, 0.0, -PALM_BOX[2]))
    for finger, row in enumerate((1.0, 0.0, -1.0)):
        base = (0.0, row * FINGER_SPACING_M, OUTER_DROP_M if row else MIDDLE_RISE_M)
        _finger(robot, 4 * finger, base, -row * OUTER_SPLAY)
    _thumb(robot, 12, mirror)
    return robot


def _finger(robot: ET.Element, first: int, base: Vector, roll: float) -> None:
    parent, origin, rpy = "palm_link", base, (roll, 0.0, 0.0)
    for number, (length, axis, low, high) in enumerate(FINGER, start=first):
        link = f"link_{number}.0"
        _link(robot, link, (*LINK_WIDTH, length), (0.0, 0.0, length / 2))
        _joint(robot, f"joint_{number}.0", parent, link, origin, rpy, axis, (low, high))
        parent, origin, rpy = link, (0.0, 0.0, length), (0.0, 0.0, 0.0)
    _tip(robot, parent, origin)


def _thumb(robot: ET.Element, first: int, mirror: float) -> None:
    def mirrored(vector: Vector) -> Vector:
        return (vector[0], mirror * vector[1], vector[2])

    link = f"link_{first}.0"
    _link(robot, link, (0.0358, 0.0340, 0.0455), mirrored((-0.0179, 0.009, 0.0145)))
    turn = (0.0, THUMB_PITCH, -mirror * math.pi / 2)
    # A rotation's axis is a pseudo-vector: mirrored at y = 0 it keeps y and turns x and z around.
    axes = (f"{-mirror:g} 0 0", f"0 0 {mirror:g}", "0 1 0", "0 1 0")
    _joint(robot, f"joint_{first}.0", "palm_link", link, mirrored(THUMB_BASE), turn, axes[0], THUMB_LIMITS[0])
    parent, origin = link, mirrored(THUMB_FIRST)
    for index, length in enumerate(THUMB_LENGTHS, start=1):
        link = f"link_{first + index}.0"
        _link(robot, link, (*LINK_WIDTH, length), (0.0, 0.0, length / 2))
        _joint(robot, f"joint_{first + index}.0", parent, link, origin, None, axes[index], THUMB_LIMITS[index])
        parent, origin = link, (0.0, 0.0, length)
    _tip(robot, parent, origin)


def _tip(robot: ET.Element, parent: str, origin: Vector) -> None:
    link = ET.SubElement(robot, "link", name=f"{parent}_tip")
    for role in ("visual", "collision"):
        shape = ET.SubElement(ET.SubElement(link, role), "geometry")
        ET.SubElement(shape, "sphere", radius=f"{TIP_RADIUS_M:g}")
    _joint(robot, f"{parent.replace('link', 'joint')}_tip", parent, f"{parent}_tip", origin)


def _link(robot: ET.Element, name: str, box: Vector | None = None, center: Vector = (0.0, 0.0, 0.0)) -> None:
    link = ET.SubElement(robot, "link", name=name)
    for role in ("visual", "collision") if box else ():
        body = ET.SubElement(link, role)
        ET.SubElement(body, "origin", xyz=_text(center))
        ET.SubElement(ET.SubElement(body, "geometry"), "box", size=_text(box))


def _joint(
    robot: ET.Element,
    name: str,
    parent: str,
    child: str,
    origin: Vector,
    rpy: Vector | None = None,
    axis: str | None = None,
    limits: tuple[float, float] = (0.0, 0.0),
) -> None:
    joint = ET.SubElement(robot, "joint", name=name, type="revolute" if axis else "fixed")
    ET.SubElement(joint, "parent", link=parent)
    ET.SubElement(joint, "child", link=child)
    pose = ET.SubElement(joint, "origin", xyz=_text(origin))
    if rpy is not None and any(rpy):
        pose.set("rpy", _text(rpy))
    if axis:
        ET.SubElement(joint, "axis", xyz=axis)
        low, high = (f"{limit:g}" for limit in limits)
        ET.SubElement(joint, "limit", lower=low, upper=high, velocity=f"{VELOCITY:g}", effort=f"{EFFORT:g}")


def _text(vector: Vector) -> str:
    return " ".join(f"{value:.9g}" for value in vector)


def document(side: str) -> str:
    """The URDF file of one side."""
    robot = hand(side)
    robot.insert(0, ET.Comment(HEADER))
    ET.indent(robot)
    return '<?xml version="1.0"?>\n' + ET.tostring(robot, encoding="unicode") + "\n"


if __name__ == "__main__":
    for side in ("left", "right"):
        (FOLDER / f"allegro_{side}.urdf").write_text(document(side))
