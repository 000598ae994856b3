# SPDX-FileCopyrightText: 2026 The hmp_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Collect what was seen and concluded, frame by frame, into arrays.

``hands.npz`` holds, for T frames and S = 2 slots (a slot belongs to one track while it lasts; NaN, or the value
in brackets, where a slot is empty or there was no evidence):

* ``stamps_ns`` int64 [T]; ``image_size`` int [T, 2] (width, height); ``intrinsics`` [T, 4] (fx, fy, cx, cy);
  ``calibrated`` bool [T];
* ``track_id`` int64 [T, S] (-1); ``side`` uint8 [T, S] (0; 1 left, 2 right); ``status`` uint8 [T, S] (0; values of
  ``ManoHand.msg``); ``side_score``, ``score`` [T, S]; ``since_observed_s`` [T, S] s;
* the output: ``joints_camera`` [T, S, 21, 3] m, ``joints_px`` [T, S, 21, 2] their projections,
  ``expected_keypoints_px`` [T, S, 21, 2] where the landmark network should see them, ``joint_stddev_m``
  [T, S, 21] (-1 when lost), ``joint_observed`` bool [T, S, 21], ``pose`` [T, S, 16, 3] rad, ``betas``
  [T, S, 10], ``translation`` [T, S, 3] m, ``R_camera_wrist`` [T, S, 3, 3], ``wrist_covariance`` [T, S, 6, 6];
* the evidence: ``keypoints_px`` [T, S, 21, 2], ``keypoint_sigma_px`` [T, S, 21], ``landmarks_m`` [T, S, 21, 3],
  ``landmark_sigma_m`` [T, S, 21], ``presence`` [T, S];
* the initializer: ``initial_pose``, ``initial_betas``, ``initial_translation``, and its joints
  ``initial_joints_camera`` [T, S, 21, 3] m;
* ``ms_detect``, ``ms_initialize``, ``ms_optimize`` [T]: wall time of the stages.
"""

from pathlib import Path
from typing import Any, Final

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.spatial.transform import Rotation

from hmp_core.estimate import FrameEstimate, HandEstimate
from hmp_core.hand.kinematics import HandKinematics
from hmp_core.hand.model import HandModel
from hmp_core.hand.skeleton import Side
from hmp_core.observation import FrameObservation, HandObservation, ManoPose
from hmp_core.perception.keypoint_model import KEYPOINTS_FROM_JOINTS

Arrays = dict[str, NDArray[Any]]

SLOTS: Final = 2
SIDE_CODES: Final = {None: 0, Side.LEFT: 1, Side.RIGHT: 2}
_STAGES: Final = ("detect", "initialize", "optimize")
_NAN: Final = float("nan")
SLOT_FIELDS: Final[dict[str, tuple[tuple[int, ...], type, float]]] = {
    "track_id": ((), np.int64, -1),
    "side": ((), np.uint8, 0),
    "status": ((), np.uint8, 0),
    "side_score": ((), np.float64, _NAN),
    "score": ((), np.float64, _NAN),
    "since_observed_s": ((), np.float64, _NAN),
    "joints_camera": ((21, 3), np.float64, _NAN),
    "joint_stddev_m": ((21,), np.float64, _NAN),
    "joint_observed": ((21,), np.bool_, False),
    "joints_px": ((21, 2), np.float64, _NAN),
    "expected_keypoints_px": ((21, 2), np.float64, _NAN),
    "pose": ((16, 3), np.float64, _NAN),
    "betas": ((10,), np.float64, _NAN),
    "translation": ((3,), np.float64, _NAN),
    "R_camera_wrist": ((3, 3), np.float64, _NAN),
    "wrist_covariance": ((6, 6), np.float64, _NAN),
    "keypoints_px": ((21, 2), np.float64, _NAN),
    "keypoint_sigma_px": ((21,), np.float64, _NAN),
    "landmarks_m": ((21, 3), np.float64, _NAN),
    "landmark_sigma_m": ((21,), np.float64, _NAN),
    "presence": ((), np.float64, _NAN),
    "initial_pose": ((16, 3), np.float64, _NAN),
    "initial_betas": ((10,), np.float64, _NAN),
    "initial_translation": ((3,), np.float64, _NAN),
    "initial_joints_camera": ((21, 3), np.float64, _NAN),
}
"""Shape within a slot, type, and the value of an empty slot."""


class HandRecorder:
    """Keeps every frame's observation and estimate as one row.

    Args:
        hand_model: right hand, for the initializer's joints.
    """

    def __init__(self, hand_model: HandModel) -> None:
        models = {Side.RIGHT: hand_model, Side.LEFT: hand_model.mirrored()}
        self._kinematics = {side: HandKinematics(model, torch.float64) for side, model in models.items()}
        self._slots: list[int | None] = [None] * SLOTS
        self._rows: list[dict[str, Any]] = []

    def __len__(self) -> int:
        return len(self._rows)

    def add(self, observation: FrameObservation, estimate: FrameEstimate) -> None:
        """Append one frame; both belong to the same stamp. A hand beyond the slots is left out."""
        row: dict[str, Any] = {
            name: np.full((SLOTS, *shape), empty, dtype=kind) for name, (shape, kind, empty) in SLOT_FIELDS.items()
        }
        camera = observation.camera
        row["stamps_ns"] = np.int64(observation.stamp_ns)
        row["image_size"] = np.array([camera.width, camera.height])
        row["intrinsics"] = np.array([camera.fx, camera.fy, camera.cx, camera.cy])
        row["calibrated"] = np.bool_(camera.calibrated)
        for stage in _STAGES:
            row[f"ms_{stage}"] = np.float64(estimate.stage_ms.get(stage, _NAN))
        tracks = [hand.track_id for hand in estimate.hands] + [hand.track_id for hand in observation.hands]
        self._assign_slots(tracks)
        for seen in observation.hands:
            if seen.track_id in self._slots:
                self._record_evidence(row, self._slots.index(seen.track_id), seen)
        for hand in estimate.hands:
            if hand.track_id in self._slots:
                slot = self._slots.index(hand.track_id)
                _record_output(row, slot, hand)
                row["joints_px"][slot] = camera.project(hand.joints_camera)
                expected = KEYPOINTS_FROM_JOINTS @ hand.joints_camera
                row["expected_keypoints_px"][slot] = camera.project(expected)
        self._rows.append(row)

    def arrays(self) -> Arrays:
        """All rows stacked, as the module describes; empty without rows."""
        return {name: np.stack([row[name] for row in self._rows]) for name in self._rows[0]} if self._rows else {}

    def save(self, path: Path) -> None:
        """Write ``hands.npz``."""
        arrays: dict[str, Any] = dict(self.arrays())
        np.savez_compressed(path, **arrays)

    def _assign_slots(self, track_ids: list[int]) -> None:
        """Free the slots of tracks that left, and seat new ones in the first free slot."""
        self._slots = [track if track in track_ids else None for track in self._slots]
        for track in track_ids:
            if track not in self._slots and None in self._slots:
                self._slots[self._slots.index(None)] = track

    def _record_evidence(self, row: dict[str, Any], slot: int, seen: HandObservation) -> None:
        row["track_id"][slot] = seen.track_id
        row["side"][slot] = SIDE_CODES[seen.side]
        row["side_score"][slot] = seen.side_score
        for name in ("keypoints_px", "keypoint_sigma_px", "landmarks_m", "landmark_sigma_m", "presence"):
            row[name][slot] = getattr(seen, name)
        if seen.initial is not None and seen.side is not None:
            row["initial_pose"][slot] = seen.initial.rotation_vectors
            row["initial_betas"][slot] = seen.initial.betas
            row["initial_translation"][slot] = seen.initial.translation
            row["initial_joints_camera"][slot] = self._joints(seen.initial, seen.side)

    def _joints(self, pose: ManoPose, side: Side) -> NDArray[np.float64]:
        rotations = torch.from_numpy(Rotation.from_rotvec(pose.rotation_vectors).as_matrix())[None]
        betas, translation = torch.as_tensor(pose.betas).double(), torch.as_tensor(pose.translation).double()
        return np.asarray(self._kinematics[side].joints(rotations, betas, translation[None])[0].numpy())


def _record_output(row: dict[str, Any], slot: int, hand: HandEstimate) -> None:
    row["track_id"][slot] = hand.track_id
    row["side"][slot] = SIDE_CODES[hand.side]
    row["status"][slot] = int(hand.status)
    row["since_observed_s"][slot] = hand.since_observed_ns / 1e9
    row["pose"][slot] = hand.mano.rotation_vectors
    row["betas"][slot] = hand.mano.betas
    row["translation"][slot] = hand.mano.translation
    for name in ("side_score", "score", "joints_camera", "joint_stddev_m", "joint_observed", "R_camera_wrist"):
        row[name][slot] = getattr(hand, name)
    row["wrist_covariance"][slot] = hand.wrist_covariance
