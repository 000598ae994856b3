# SPDX-FileCopyrightText: 2026 The hmp_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Draw docs/retargeting.jpg, human hands above the robot hand that follows: ``python tools/draw_retargeting.py``.

The poses are those of test/core/operator_poses.py; the robot is the shipped URDF in the shipped configuration.
"""

import sys
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import cv2
import numpy as np
import pinocchio as pin
import pyvista as pv

REPOSITORY = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(REPOSITORY), str(REPOSITORY / "test" / "core")]

from operator_poses import POSES, operator_joints  # noqa: E402

from hmp_core.hand.operator_frame import operator_frame  # noqa: E402
from hmp_core.hand.skeleton import PARENTS, Side  # noqa: E402
from hmp_core.retargeting.configuration import read_configuration  # noqa: E402
from hmp_core.retargeting.retargeter import HandRetargeter  # noqa: E402

SIZE = (300, 300)
SETTLE = 60
SIDE = Side.RIGHT


def human(joints_operator: np.ndarray) -> pv.Plotter:
    """The hand's skeleton, thick."""
    plotter = _plotter()
    for joint, parent in enumerate(PARENTS):
        color = "#e0a080" if joint else "#c08060"
        plotter.add_mesh(pv.Sphere(0.008, joints_operator[joint]), color=color, smooth_shading=True)
        if parent >= 0:
            bone = pv.Line(joints_operator[parent], joints_operator[joint]).tube(0.006)
            plotter.add_mesh(bone, color="#e8b89c", smooth_shading=True)
    return plotter


def robot(urdf: Path, angles: dict[str, float]) -> pv.Plotter:
    """The bodies of a URDF."""
    plotter = _plotter()
    model = pin.buildModelFromUrdf(str(urdf))
    data = model.createData()
    q = pin.neutral(model)
    for name, angle in angles.items():
        q[model.joints[model.getJointId(name)].idx_q] = angle
    pin.framesForwardKinematics(model, data, q)
    for link in ET.parse(urdf).getroot().iterfind("link"):
        for visual in link.iterfind("visual"):
            mesh, tip = _body(visual)
            pose = data.oMf[model.getFrameId(link.get("name"))].homogeneous
            plotter.add_mesh(mesh.transform(pose, inplace=False), color="#f0f0f0" if tip else "#50545c")
    return plotter


def _body(visual: ET.Element) -> tuple[pv.PolyData, bool]:
    origin = visual.find("origin")
    center = (0.0, 0.0, 0.0) if origin is None else tuple(float(value) for value in origin.get("xyz", "").split())
    sphere = visual.find("geometry/sphere")
    if sphere is not None:
        return pv.Sphere(float(sphere.get("radius", "")), center), True
    x, y, z = (float(value) for value in visual.find("geometry/box").get("size").split())
    return pv.Cube(center, x, y, z), False


def _plotter() -> pv.Plotter:
    plotter = pv.Plotter(off_screen=True, window_size=SIZE)
    plotter.set_background("white")
    plotter.enable_anti_aliasing("ssaa")
    return plotter


def _shot(plotter: pv.Plotter, center: tuple[float, float, float], height: float) -> np.ndarray:
    """An image from before the palm and a little from the thumb's side."""
    plotter.camera.focal_point = center
    plotter.camera.position = tuple(np.add(center, (1.0, 0.55, 0.25)))
    plotter.camera.up = (0.0, 0.0, 1.0)
    plotter.camera.parallel_projection = True
    plotter.camera.parallel_scale = height / 2
    image = np.asarray(plotter.screenshot(return_img=True))
    plotter.close()
    return image


def main() -> None:
    """Draw all poses."""
    configuration = read_configuration(REPOSITORY / "config" / "retargeting" / f"allegro_vector_{SIDE.value}.yml")
    retargeter = HandRetargeter(configuration, SIDE)
    columns: list[Any] = []
    for pose in POSES:
        joints = operator_joints(pose, SIDE)
        for _ in range(SETTLE):
            angles = retargeter.solve(joints)
        named = dict(zip(retargeter.robot.names, angles, strict=True))
        points = (joints - joints[0]) @ operator_frame(joints, SIDE)
        above = _shot(human(points), (0.02, 0.01, 0.085), 0.21)
        below = _shot(robot(configuration.urdf_path, named), (0.03, 0.01, 0.02), 0.31)
        columns.append(np.vstack([above, below]))
        cv2.putText(columns[-1], pose, (12, 26), cv2.FONT_HERSHEY_SIMPLEX, 0.7, (60, 60, 60), 1, cv2.LINE_AA)
    image = np.hstack(columns)[..., ::-1]
    cv2.imwrite(str(REPOSITORY / "docs" / "retargeting.jpg"), image, [cv2.IMWRITE_JPEG_QUALITY, 85])


if __name__ == "__main__":
    main()
