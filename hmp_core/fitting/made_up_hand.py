# SPDX-FileCopyrightText: 2026 The hmp_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Images of a hand that nobody saw, for a fitter to get ready with."""

from typing import Final

import numpy as np
import torch

from hmp_core.camera import Camera
from hmp_core.hand.kinematics import HandKinematics
from hmp_core.hand.skeleton import NUM_BETAS, NUM_JOINTS, NUM_MANO_JOINTS, Side
from hmp_core.observation import FrameObservation, HandObservation, ManoPose
from hmp_core.perception.keypoint_model import KEYPOINTS_FROM_JOINTS
from hmp_core.perception.roi import roi_from_landmarks

_CAMERA: Final = Camera(640, 480, 600.0, 600.0, 320.0, 240.0)
_PLACE_M: Final = np.array([0.0, 0.0, 0.5])
_PERIOD_NS: Final = 33_333_333
_SEEN: Final = (True, True, False, True, True)
_SIGMA_PX: Final = 2.0
_SIGMA_M: Final = 0.005


def made_up_images(kinematics: HandKinematics) -> list[FrameObservation]:
    """A flat right hand that stands still and is hidden for one image."""
    pose = ManoPose(np.zeros((NUM_MANO_JOINTS, 3)), np.zeros(NUM_BETAS), _PLACE_M)
    flat = torch.eye(3, dtype=torch.float64).expand(1, NUM_MANO_JOINTS, 3, 3)
    joints = kinematics.joints(flat, torch.from_numpy(pose.betas), torch.from_numpy(_PLACE_M)[None])[0].numpy()
    keypoints = _CAMERA.project(KEYPOINTS_FROM_JOINTS @ joints)
    hand = HandObservation(
        track_id=0,
        side=Side.RIGHT,
        side_score=1.0,
        presence=1.0,
        roi=roi_from_landmarks(keypoints),
        keypoints_px=keypoints,
        keypoint_sigma_px=np.full(NUM_JOINTS, _SIGMA_PX),
        landmarks_m=joints - joints[0],
        landmark_sigma_m=np.full(NUM_JOINTS, _SIGMA_M),
        initial=pose,
    )
    return [
        FrameObservation(index * _PERIOD_NS, _CAMERA, (hand,) if seen else ()) for index, seen in enumerate(_SEEN)
    ]
