# SPDX-FileCopyrightText: 2026 The hmp_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What a landmark network would have said about a hand: errors to train the initializer against.

The errors that matter are not independent per joint: a finger is seen wrong as a whole and most at its tip,
depth is guessed worse than what lies in the image, and bones keep a wrong length. The sizes are stated per palm
length, as networks see hands in crops.
"""

from dataclasses import dataclass

import roma
import torch
from torch import Generator, Tensor

from hmp_core.hand.skeleton import FINGERS, NUM_JOINTS, PARENTS
from hmp_core.perception.keypoint_model import KEYPOINTS_FROM_JOINTS
from hmp_core.training.initializer_hands import Perceived

_PALM_M = 0.09


@dataclass(frozen=True)
class LandmarkNoise:
    """Standard deviations of one landmark network's errors.

    Attributes:
        size: of the whole hand, as a fraction.
        tilt_rad: of the whole hand about axes across the view [rad]; the keypoints do not share it.
        bone: of each bone's length, as a fraction.
        finger: of a fingertip as its whole finger errs, across and along the view [palm lengths].
        joint: of each joint alone, across and along the view [palm lengths].
        keypoint_finger, keypoint_joint: the same for the 2D keypoints [palm lengths].
        shared: correlation of the keypoints' finger error with that of the points.
        lost_rays: share of hands that have lost the rays of some joints.
        depth_m: nearest and farthest hand [m].
        aside: largest offset of the hand from the optical axis of its own crop, as a fraction of its distance.
    """

    size: float = 0.1
    tilt_rad: float = 0.2
    bone: float = 0.07
    finger: tuple[float, float] = (0.06, 0.12)
    joint: tuple[float, float] = (0.015, 0.035)
    keypoint_finger: float = 0.04
    keypoint_joint: float = 0.012
    shared: float = 0.6
    lost_rays: float = 0.1
    depth_m: tuple[float, float] = (0.25, 1.5)
    aside: float = 0.05


def perceive(joints: Tensor, noise: LandmarkNoise, generator: Generator) -> Perceived:
    """Perceive hands [B, 21, 3] (relative to the wrist, camera axes [m]) that stand near the optical axis.

    Standing on the axis loses nothing: what the initializer network sees is the same from any direction.
    """
    batch = len(joints)

    def normal(*shape: int) -> Tensor:
        return torch.randn(batch, *shape, generator=generator)

    finger_error = normal(len(FINGERS), 3)
    across, along = noise.finger
    landmarks = _rescale_bones(joints, 1 + noise.bone * normal(NUM_JOINTS)) * (1 + noise.size * normal(1, 1))
    tilt = noise.tilt_rad * normal(3) * torch.tensor([1.0, 1.0, 0.2])
    landmarks = landmarks @ roma.rotvec_to_rotmat(tilt)
    landmarks = landmarks + _along_fingers(finger_error * torch.tensor([across, across, along])) * _PALM_M
    across, along = noise.joint
    landmarks = landmarks + normal(NUM_JOINTS, 3) * torch.tensor([across, across, along]) * _PALM_M
    landmarks = landmarks - landmarks[:, :1]

    own = normal(len(FINGERS), 3)
    mixed = noise.shared * finger_error + (1 - noise.shared**2) ** 0.5 * own
    keypoints = torch.from_numpy(KEYPOINTS_FROM_JOINTS).to(joints.dtype) @ joints
    keypoints = keypoints + _along_fingers(mixed) * noise.keypoint_finger * _PALM_M
    keypoints = keypoints + normal(NUM_JOINTS, 3) * noise.keypoint_joint * _PALM_M

    nearest, farthest = noise.depth_m
    depth = nearest * (farthest / nearest) ** torch.rand(batch, 1, generator=generator)
    wrist = torch.cat([noise.aside * depth * normal(2), depth], dim=1) - joints.mean(dim=1)
    placed = keypoints + wrist[:, None]
    rays = placed[..., :2] / placed[..., 2:]
    lost = torch.rand(batch, 1, generator=generator) < noise.lost_rays
    lost = lost & (torch.rand(batch, NUM_JOINTS, generator=generator) < 0.5)
    return _on_rays(landmarks, rays, lost)


def _on_rays(landmarks: Tensor, rays: Tensor, lost: Tensor) -> Perceived:
    """Place points by linear least squares, and move them sideways onto their rays where these are not lost."""
    weight = 1.0 - lost.to(landmarks.dtype)
    one, zero = torch.ones_like(rays[..., 0]), torch.zeros_like(rays[..., 0])
    rows = torch.stack(
        [torch.stack([one, zero, -rays[..., 0]], -1), torch.stack([zero, one, -rays[..., 1]], -1)], dim=2
    )
    right = rays * landmarks[..., 2:] - landmarks[..., :2]
    weighted = rows * weight[..., None, None]
    normal = torch.einsum("bnri,bnrj->bij", weighted, rows)
    wrist = torch.linalg.solve(normal, torch.einsum("bnri,bnr->bi", weighted, right))
    placed = landmarks + wrist[:, None]
    view = torch.nn.functional.normalize(placed.mean(dim=1), dim=-1)
    directions = torch.cat([rays, one[..., None]], dim=-1)
    along = (placed * view[:, None]).sum(-1) / (directions * view[:, None]).sum(-1)
    moved = torch.where(lost[..., None], placed, directions * along[..., None])
    return Perceived(landmarks, moved - moved[:, :1], view)


def _rescale_bones(joints: Tensor, factors: Tensor) -> Tensor:
    """Stretch the bone that ends in each joint by a factor [B, 21]."""
    stretched = [joints[:, 0]]
    for joint in range(1, NUM_JOINTS):
        parent = PARENTS[joint]
        bone = joints[:, joint] - joints[:, parent]
        stretched.append(stretched[parent] + bone * factors[:, joint, None])
    return torch.stack(stretched, dim=1)


def _along_fingers(errors: Tensor) -> Tensor:
    """Spread one error a finger [B, 5, 3] over its joints [B, 21, 3], growing from the knuckle to the tip."""
    spread = torch.zeros(len(errors), NUM_JOINTS, 3)
    for finger, joints in enumerate(FINGERS):
        for place, joint in enumerate(joints):
            spread[:, joint] = errors[:, finger] * (place + 1) / len(joints)
    return spread
