# SPDX-FileCopyrightText: 2026 The hmp_ros authors
# SPDX-License-Identifier: Apache-2.0
"""A hand that moves in front of a camera: exact truth and noisy observations, and what tests ask of the fitter."""

from dataclasses import dataclass, replace

import numpy as np
import roma
import torch
from scipy.spatial.transform import Rotation

from hmp_core.camera import Camera
from hmp_core.estimate import FrameEstimate, HandEstimate
from hmp_core.fitting.evidence import mirror_pose
from hmp_core.fitting.online import OnlineFitter
from hmp_core.hand.kinematics import HandKinematics
from hmp_core.hand.loading import load_hand_model
from hmp_core.hand.mirror import mirror_points
from hmp_core.hand.skeleton import Side
from hmp_core.observation import FrameObservation, HandObservation, ManoPose, Roi
from hmp_core.perception.keypoint_model import KEYPOINTS_FROM_JOINTS

CAMERA = Camera(1280, 720, 900.0, 900.0, 639.5, 359.5)
KEYPOINT_SIGMA_PX = 2.0
LANDMARK_SIGMA_M = 0.004
NOTHING = tuple(range(21))
"""Every joint hidden."""


@dataclass(frozen=True)
class HandScene:
    """One hand over T frames: opens and closes, turns and drifts.

    Attributes:
        stamps_ns: [T].
        joints_camera: [T, 21, 3] truth [m].
        poses: truth, per frame.
        side: which hand.
    """

    stamps_ns: np.ndarray
    joints_camera: np.ndarray
    poses: list[ManoPose]
    side: Side

    def observation(self, frame: int, seed: int = 0, hidden: tuple[int, ...] = (), side: Side | None = None):
        """The hand in one frame; joints ``hidden`` carry no evidence."""
        rng = np.random.default_rng([seed, frame])
        joints = self.joints_camera[frame]
        # The landmark network's keypoints lie beside the joints, in the measured way.
        keypoints = CAMERA.project(KEYPOINTS_FROM_JOINTS @ joints) + rng.normal(0, KEYPOINT_SIGMA_PX, (21, 2))
        landmarks = joints - joints[0] + rng.normal(0, LANDMARK_SIGMA_M, (21, 3))
        pixel_sigma, metric_sigma = np.full(21, KEYPOINT_SIGMA_PX), np.full(21, LANDMARK_SIGMA_M)
        pixel_sigma[list(hidden)] = metric_sigma[list(hidden)] = np.inf
        truth = self.poses[frame]
        initial = ManoPose(
            truth.rotation_vectors + rng.normal(0, 0.05, (16, 3)),
            truth.betas,
            truth.translation + rng.normal(0, 0.01, 3),
        )
        return HandObservation(
            track_id=1,
            side=self.side if side is None else side,
            side_score=0.99,
            presence=0.99,
            roi=Roi(keypoints.mean(axis=0), 250.0, 0.0),
            keypoints_px=keypoints,
            keypoint_sigma_px=pixel_sigma,
            landmarks_m=landmarks,
            landmark_sigma_m=metric_sigma,
            initial=initial,
        )

    def frame(self, frame: int, seed: int = 0, hidden: tuple[int, ...] = ()) -> FrameObservation:
        """One image's observation; all 21 joints hidden means that nothing was detected."""
        hands = () if len(hidden) == 21 else (self.observation(frame, seed, hidden),)
        return FrameObservation(int(self.stamps_ns[frame]), CAMERA, hands)

    def turned(self, angles_rad: np.ndarray) -> "HandScene":
        """The first frames with the hand turned about its wrist and the optical axis by angles [T] besides."""
        R = roma.rotvec_to_rotmat(torch.as_tensor(angles_rad)[:, None] * torch.tensor([0.0, 0.0, 1.0])).numpy()
        joints = self.joints_camera[: len(R)]
        wrist = joints[:, :1]
        poses = []
        for turn, pose in zip(R, self.poses, strict=False):
            vectors = pose.rotation_vectors.copy()
            vectors[0] = Rotation.from_matrix(turn @ Rotation.from_rotvec(vectors[0]).as_matrix()).as_rotvec()
            poses.append(replace(pose, rotation_vectors=vectors))
        return HandScene(self.stamps_ns[: len(R)], wrist + (joints - wrist) @ R.swapaxes(1, 2), poses, self.side)


def moving_hand(
    frames: int = 60,
    rate_hz: float = 30.0,
    side: Side = Side.RIGHT,
    times_s: np.ndarray | None = None,
    betas: tuple[float, ...] = (),
) -> HandScene:
    """A smooth, seeded motion of the shipped hand, 0.5 m in front of the camera; ``times_s`` overrides the rate.

    The initializer takes every hand for the average one, whatever its ``betas``.
    """
    kinematics = HandKinematics(load_hand_model(None), dtype=torch.float64)
    times = np.arange(frames) / rate_hz if times_s is None else times_s
    frames = len(times)
    shape = torch.zeros(10).double()
    shape[: len(betas)] = torch.tensor(betas)
    flex = 0.5 - 0.45 * np.cos(2 * np.pi * 0.6 * times)
    pose = np.zeros((frames, 16, 3))
    pose[:, 1:13, 2] = flex[:, None]
    pose[:, 13:, 1] = -0.3 * flex[:, None]
    # Fingers up and the palm towards the camera: MANO's -x is up in the image.
    upright = roma.rotvec_to_rotmat(torch.tensor([0.0, 0.0, np.pi / 2], dtype=torch.float64))
    turn = torch.as_tensor(np.stack([0.2 * np.sin(times), 0.3 * np.sin(1.3 * times), 0 * times], axis=1))
    pose[:, 0] = roma.rotmat_to_rotvec(upright @ roma.rotvec_to_rotmat(turn)).numpy()
    translation = np.stack([0.05 * np.sin(1.5 * times), 0.02 * np.cos(times), 0.5 + 0.03 * np.sin(times)], axis=1)
    joints = kinematics.joints(
        roma.rotvec_to_rotmat(torch.as_tensor(pose)), shape, torch.as_tensor(translation)
    ).numpy()
    poses = [ManoPose(pose[t], np.zeros(10), translation[t]) for t in range(frames)]
    if side is Side.LEFT:
        joints, poses = mirror_points(joints), [mirror_pose(p) for p in poses]
    return HandScene((1_000_000_000 + times * 1e9).astype(np.int64), joints, poses, side)


def relative(joints: np.ndarray) -> np.ndarray:
    """Joints relative to the wrist."""
    return joints - joints[..., :1, :]


def error_mm(estimate: HandEstimate, scene: HandScene, frame: int) -> float:
    """Mean wrist-relative joint error."""
    off = relative(estimate.joints_camera) - relative(scene.joints_camera[frame])
    return float(np.linalg.norm(off, axis=-1).mean() * 1e3)


def run(fitter: OnlineFitter, scene: HandScene, frames: range, gap: range = range(0)) -> list[FrameEstimate]:
    """Feed frames to the fitter; nothing is detected in those of ``gap``."""
    return [fitter.update(scene.frame(t, hidden=NOTHING if t in gap else ())) for t in frames]


def assert_sound(frame: FrameEstimate) -> None:
    """Everything finite, and a hand, not a zero pose."""
    for hand in frame.hands:
        assert np.isfinite(hand.joints_camera).all()
        assert np.isfinite(hand.joint_stddev_m).all()
        assert np.isfinite(hand.wrist_covariance).all()
        assert np.linalg.norm(relative(hand.joints_camera)[1:], axis=-1).min() > 0.01  # never a zero pose
        np.testing.assert_allclose(hand.R_camera_wrist @ hand.R_camera_wrist.T, np.eye(3), atol=1e-6)
