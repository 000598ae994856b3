# SPDX-FileCopyrightText: 2026 The hmp_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Frames, evidence and hands in Rerun, to be looked at live or from a file.

Importing this needs ``rerun-sdk``, an optional dependency (the extra ``view``).

| entity | what |
|---|---|
| ``camera``, ``camera/image`` | pinhole and image |
| ``camera/image/<side>/keypoints``, ``…/skeleton`` | raw keypoints; the output, projected through the lens |
| ``hands/<side>/skeleton``, ``…/joints``, ``…/sigma``, ``…/wrist_sigma``, ``…/surface`` | 3D, camera axes [m] |
| ``plots/<what>/<side>``, ``plots/work_ms/<stage>`` | curves |
| ``log`` | changes of status |

The timeline ``capture`` follows the stamps, ``frame`` counts.
"""

from collections.abc import Mapping
from typing import Final

import cv2
import numpy as np
import rerun as rr
import rerun.blueprint as rrb
import torch
from numpy.typing import NDArray
from scipy.spatial.transform import Rotation

from hmp_core.camera import Camera
from hmp_core.estimate import FrameEstimate, HandEstimate, HandStatus
from hmp_core.hand.mesh import HandMesh
from hmp_core.hand.model import HandModel
from hmp_core.hand.skeleton import PARENTS, WRIST, Side
from hmp_core.media.palette import STATUS_COLOURS, joint_colours
from hmp_core.media.vertex_normals import VertexNormals
from hmp_core.observation import FrameObservation, HandObservation
from hmp_core.perception.keypoint_model import KEYPOINTS_FROM_JOINTS

_BONES: Final = [(parent, joint) for joint, parent in enumerate(PARENTS) if parent >= 0]
_BONE_RADIUS_M: Final = 0.002
_JOINT_RADIUS_M: Final = 0.0045
_LINE_PX: Final = -2.0  # negative radii are in points of the screen
_KEYPOINT_PX: Final = -2.5
_SIGMA_ALPHA: Final = 40
_SURFACE_ALPHA: Final = 110
_JPEG_QUALITY: Final = 80
_HAND_PLOTS: Final = ("age_s", "reprojection_px", "sigma_mm")
_EPOCH_NS: Final = 10**18
"""Stamps below are times since the start of a recording, not dates."""


class RerunView:
    """Writes one stream of frames down.

    Args:
        stream: where to.
        model: right hand, for the surfaces; None leaves them out.
    """

    def __init__(self, stream: rr.RecordingStream, model: HandModel | None = None) -> None:
        self._stream = stream
        models = {} if model is None else {Side.RIGHT: model, Side.LEFT: model.mirrored()}
        self._meshes = {side: HandMesh(own) for side, own in models.items()}
        self._normals = {side: VertexNormals(own.faces, len(own.v_template)) for side, own in models.items()}
        self._camera: Camera | None = None
        self._statuses: dict[Side, HandStatus] = {}
        self._frames = 0
        stream.log("/", rr.ViewCoordinates.RDF, static=True)
        for side, mesh in self._meshes.items():
            faces = np.asarray(mesh.model.faces, dtype=np.uint32)
            stream.log(f"hands/{side.value}/surface", rr.Mesh3D.from_fields(triangle_indices=faces), static=True)

    def add(
        self,
        estimate: FrameEstimate,
        observation: FrameObservation | None = None,
        image: NDArray[np.uint8] | None = None,
    ) -> None:
        """Add one frame.

        Args:
            estimate: the hands.
            observation: evidence and camera of the same stamp.
            image: BGR [height, width, 3] of the same stamp.
        """
        self._set_time(estimate.stamp_ns)
        camera = None if observation is None else observation.camera
        if camera is not None:
            self._add_camera(camera)
        if image is not None:
            _, data = cv2.imencode(".jpg", image, [cv2.IMWRITE_JPEG_QUALITY, _JPEG_QUALITY])
            self._stream.log("camera/image", rr.EncodedImage(contents=data.tobytes(), media_type="image/jpeg"))
        hands = {hand.side: hand for hand in estimate.hands}
        seen = (
            {} if observation is None else {hand.side: hand for hand in observation.hands if hand.side is not None}
        )
        for side in Side:
            place = f"camera/image/{side.value}"
            if side in seen:
                points = rr.Points2D(seen[side].keypoints_px, radii=_KEYPOINT_PX, colors=(255, 255, 255))
                self._stream.log(f"{place}/keypoints", points)
            else:
                self._stream.log(f"{place}/keypoints", rr.Clear(recursive=False))
            if side in hands:
                self._add_hand(hands[side], camera)
                self._add_reprojection(hands[side], seen.get(side), camera)
            elif side in self._statuses:
                gone = (
                    f"hands/{side.value}",
                    f"{place}/skeleton",
                    *(f"plots/{plot}/{side.value}" for plot in _HAND_PLOTS),
                )
                for entity in gone:
                    self._stream.log(entity, rr.Clear(recursive=True))
            self._note_status(side, hands.get(side))
        for stage, spent_ms in estimate.stage_ms.items():
            self._stream.log(f"plots/work_ms/{stage}", rr.Scalars(spent_ms))

    def _set_time(self, stamp_ns: int) -> None:
        if stamp_ns >= _EPOCH_NS:
            self._stream.set_time("capture", timestamp=np.datetime64(stamp_ns, "ns"))
        else:
            self._stream.set_time("capture", duration=np.timedelta64(stamp_ns, "ns"))
        self._stream.set_time("frame", sequence=self._frames)
        self._frames += 1

    def _add_camera(self, camera: Camera) -> None:
        if camera != self._camera:
            self._camera = camera
            pinhole = rr.Pinhole(
                image_from_camera=camera.matrix,
                resolution=(camera.width, camera.height),
                camera_xyz=rr.ViewCoordinates.RDF,
                image_plane_distance=0.3,
            )
            self._stream.log("camera", pinhole)

    def _add_hand(self, hand: HandEstimate, camera: Camera | None) -> None:
        place, joints = f"hands/{hand.side.value}", hand.joints_camera
        colours, status = np.array(joint_colours(hand), dtype=np.uint8), STATUS_COLOURS[hand.status]
        bones = np.array([joints[list(bone)] for bone in _BONES])
        label = f"{hand.side.value} {hand.status.name.lower()}"
        self._stream.log(f"{place}/skeleton", rr.LineStrips3D(bones, radii=_BONE_RADIUS_M, colors=status))
        self._stream.log(
            f"{place}/joints",
            rr.Points3D(joints, radii=_JOINT_RADIUS_M, colors=np.where(hand.joint_observed[:, None], colours, 120)),
        )
        self._stream.log(
            f"{place}/label", rr.Points3D(joints[WRIST : WRIST + 1], radii=0.0, labels=label, colors=status)
        )
        self._add_sigmas(hand, place)
        if hand.side in self._meshes:
            self._add_surface(hand, place)
        self._stream.log(f"plots/age_s/{hand.side.value}", rr.Scalars(hand.since_observed_ns / 1e9))
        if camera is not None:
            pixels = camera.project(joints)
            if np.isfinite(pixels).all():
                lines = np.array([pixels[list(bone)] for bone in _BONES])
                ends = np.array([colours[joint] for _, joint in _BONES])
                self._stream.log(
                    f"camera/image/{hand.side.value}/skeleton",
                    rr.LineStrips2D(lines, radii=_LINE_PX, colors=ends),
                )

    def _add_reprojection(self, hand: HandEstimate, seen: HandObservation | None, camera: Camera | None) -> None:
        """Median distance between where the landmark network should see the output and where it saw the hand."""
        entity = f"plots/reprojection_px/{hand.side.value}"
        if seen is None or camera is None or not hand.joint_observed.any():
            self._stream.log(entity, rr.Clear(recursive=False))
            return
        expected = camera.project(KEYPOINTS_FROM_JOINTS @ hand.joints_camera)
        distances = np.linalg.norm(expected - seen.keypoints_px, axis=-1)[hand.joint_observed]
        self._stream.log(entity, rr.Scalars(float(np.nanmedian(distances))))

    def _add_sigmas(self, hand: HandEstimate, place: str) -> None:
        """One standard deviation: a ball around each joint, relative to the wrist, and the wrist's ellipsoid."""
        known = hand.joint_stddev_m > 0
        variances = np.diagonal(hand.wrist_covariance)[:3]
        if known.any():
            sigmas = hand.joint_stddev_m[known]
            balls = rr.Ellipsoids3D(
                centers=hand.joints_camera[known],
                half_sizes=np.repeat(sigmas[:, None], 3, axis=1),
                colors=(*STATUS_COLOURS[hand.status], _SIGMA_ALPHA),
                fill_mode="solid",
            )
            self._stream.log(f"{place}/sigma", balls)
            mean_mm = rr.Scalars(1e3 * float(sigmas.mean()))
            self._stream.log(f"plots/sigma_mm/{hand.side.value}", mean_mm)
        else:
            for entity in (f"{place}/sigma", f"plots/sigma_mm/{hand.side.value}"):
                self._stream.log(entity, rr.Clear(recursive=False))
        if (variances > 0).all():
            lengths, axes = np.linalg.eigh(hand.wrist_covariance[:3, :3])
            axes[:, 0] *= np.sign(np.linalg.det(axes))  # a rotation, not a reflection
            ellipsoid = rr.Ellipsoids3D(
                centers=hand.joints_camera[WRIST : WRIST + 1],
                half_sizes=np.sqrt(np.maximum(lengths, 0))[None],
                quaternions=Rotation.from_matrix(axes).as_quat()[None],
                colors=STATUS_COLOURS[hand.status],
            )
            self._stream.log(f"{place}/wrist_sigma", ellipsoid)
        else:
            self._stream.log(f"{place}/wrist_sigma", rr.Clear(recursive=False))

    def _add_surface(self, hand: HandEstimate, place: str) -> None:
        vertices = self._meshes[hand.side].vertices(
            torch.from_numpy(hand.mano.rotation_vectors)[None],
            torch.from_numpy(hand.mano.betas),
            torch.from_numpy(hand.mano.translation)[None],
        )
        points = vertices[0].numpy().astype(np.float32)
        surface = rr.Mesh3D.from_fields(
            vertex_positions=points,
            vertex_normals=self._normals[hand.side].of(points),
            albedo_factor=(*STATUS_COLOURS[hand.status], _SURFACE_ALPHA),
        )
        self._stream.log(f"{place}/surface", surface)

    def _note_status(self, side: Side, hand: HandEstimate | None) -> None:
        before, now = self._statuses.get(side), None if hand is None else hand.status
        if before is now:
            return
        if now is None:
            del self._statuses[side]
            self._stream.log("log", rr.TextLog(f"{side.value} is gone"))
        else:
            self._statuses[side] = now
            self._stream.log("log", rr.TextLog(f"{side.value} {now.name.lower()}", color=STATUS_COLOURS[now]))


def view_layout() -> rrb.Blueprint:
    """Image and 3D above, curves and changes of status below."""
    names: Mapping[str, str] = {
        "sigma_mm": "mean sigma (mm)",
        "age_s": "age of the last evidence (s)",
        "reprojection_px": "reprojection (px)",
        "work_ms": "work on an image (ms)",
    }
    curves = [rrb.TimeSeriesView(origin=f"plots/{origin}", name=name) for origin, name in names.items()]
    return rrb.Blueprint(
        rrb.Vertical(
            rrb.Horizontal(
                rrb.Spatial2DView(origin="camera/image", name="image"),
                rrb.Spatial3DView(origin="/", name="hands", contents=["hands/**", "camera"]),
            ),
            rrb.Horizontal(*curves, rrb.TextLogView(origin="log", name="status")),
            row_shares=[3, 1],
        ),
        collapse_panels=True,
    )
