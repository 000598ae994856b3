# SPDX-FileCopyrightText: 2026 The hmp_ros authors
# SPDX-License-Identifier: Apache-2.0
"""From 21 seen points to a MANO pose in the camera frame: where fitting starts from.

A network (``initializer.onnx``, see :mod:`hmp_core.training.initializer`) turns points into rotations and shape;
the place follows from the joints of that very pose and their viewing rays, so that pose and place agree. The
network takes the part of PyMAF-X in Duran et al. (WACV 2024).

Measured by ``tools/measure_initializer.py --scenes 12 --first-seed 600`` (rendered, the real detector, joints that
are not hidden, wrist-relative): 18.9 mm in the mean and 14.2 mm in the median, where the raw world points err by
32.7 mm and 29.7 mm; most of the gain is the palm's tilt, which the keypoints know better than the world points.
"""

from dataclasses import replace
from typing import Final

import numpy as np
import torch
from numpy.typing import NDArray

from hmp_core.assets import asset_path
from hmp_core.frame import Frame
from hmp_core.hand.ik_start import betas_from_bone_lengths
from hmp_core.hand.kinematics import HandKinematics
from hmp_core.hand.loading import load_hand_model
from hmp_core.hand.mirror import mirror_points, mirror_rotation_vector
from hmp_core.hand.model import HandModel
from hmp_core.hand.skeleton import NUM_BETAS, NUM_JOINTS, NUM_MANO_JOINTS, Side
from hmp_core.hand.so3 import logarithm
from hmp_core.observation import HandObservation, ManoPose
from hmp_core.perception.keypoint_model import KEYPOINTS_FROM_JOINTS
from hmp_core.perception.root import solve_wrist_position
from hmp_core.perception.sessions import open_session

INITIALIZER: Final = "initializer.onnx"
INPUTS: Final = ("landmarks_m", "ray_points_m", "view")
OUTPUTS: Final = ("rotations", "betas")
_BONE_SIGMA_M: Final = 0.0005
_MIN_DETERMINANT: Final = 0.9


class HandInitializer:
    """Finds a MANO pose for one hand in one image.

    Args:
        hand_model: right hand whose pose is wanted; None for the open hand.

    Raises:
        AssetError: when the shipped network is missing or altered.
    """

    def __init__(self, hand_model: HandModel | None = None) -> None:
        self._session = open_session(asset_path(INITIALIZER), INPUTS, OUTPUTS)
        open_hand = load_hand_model()
        self._kinematics = HandKinematics(hand_model or open_hand)
        foreign = hand_model is not None and not np.array_equal(hand_model.v_template, open_hand.v_template)
        self._shape_map = _ShapeMap(open_hand, self._kinematics) if foreign else None
        self._warm_up()

    def observe(self, frame: Frame, hand: HandObservation) -> HandObservation:
        """The observation with its pose, from its points alone; see ``PoseInitializer`` of the pipeline."""
        if hand.side is None:
            return hand
        rays, sigma = frame.camera.rays_and_sigmas(hand.keypoints_px, hand.keypoint_sigma_px)
        return replace(hand, initial=self.initialize(hand.landmarks_m, rays, sigma, hand.side))

    def initialize(
        self,
        landmarks_m: NDArray[np.floating],
        rays: NDArray[np.floating],
        ray_sigma: NDArray[np.floating],
        side: Side,
    ) -> ManoPose | None:
        """Find the pose that explains the points.

        Args:
            landmarks_m: [21, 3] relative to the wrist, camera axes [m].
            rays: [21, 2] undistorted, normalised image coordinates.
            ray_sigma: [21] standard deviation per axis in ray units; inf where a ray is no evidence.
            side: which hand it is.

        Returns:
            The pose in MANO's conventions for this side, or None where there is no honest one: points that are not
            finite, or rays that fix no place in front of the camera.
        """
        points, seen = np.asarray(landmarks_m, dtype=np.float64), np.asarray(rays, dtype=np.float64)
        if points.shape != (NUM_JOINTS, 3) or not np.isfinite(points).all():
            return None
        if side is Side.LEFT:
            points, seen = mirror_points(points), mirror_points(seen)
        pose = self._right_hand(np.asarray(points), np.asarray(seen), np.asarray(ray_sigma, dtype=np.float64))
        if pose is None or side is Side.RIGHT:
            return pose
        return ManoPose(
            np.asarray(mirror_rotation_vector(pose.rotation_vectors), dtype=np.float64),
            pose.betas,
            np.asarray(mirror_points(pose.translation), dtype=np.float64),
        )

    def _warm_up(self) -> None:
        """Find the pose of a flat hand: compiled loops are loaded, or even compiled, at their first call."""
        flat = torch.eye(3).expand(1, NUM_MANO_JOINTS, 3, 3)
        joints = self._kinematics.joints(flat, torch.zeros(NUM_BETAS), torch.tensor([[0.0, 0.0, 0.5]]))[0].numpy()
        self.initialize(joints - joints[0], joints[:, :2] / joints[:, 2:], np.full(NUM_JOINTS, 1e-3), Side.RIGHT)

    def _right_hand(
        self, points: NDArray[np.float64], rays: NDArray[np.float64], sigma: NDArray[np.float64]
    ) -> ManoPose | None:
        wrist = solve_wrist_position(points, rays, sigma)
        if wrist is None:
            return None
        moved, view = points_on_rays(points, rays, sigma, wrist.position)
        inputs = zip(INPUTS, (points, moved, view), strict=True)
        rotations, betas = self._session.run(
            list(OUTPUTS), {name: value[None].astype(np.float32) for name, value in inputs}
        )
        if not (np.isfinite(rotations).all() and np.isfinite(betas).all()):
            return None
        if np.linalg.det(rotations[0]).min() < _MIN_DETERMINANT:  # a palm without width has no orientation
            return None
        with torch.inference_mode():
            turns = torch.from_numpy(rotations)
            shape = torch.from_numpy(betas[0] if self._shape_map is None else self._shape_map(betas[0]))
            joints = self._kinematics.joints(turns, shape, torch.zeros(1, 3))[0].numpy()
            vectors = logarithm(turns[0].double()).numpy()
        # With no translation the wrist is at its place at rest, ``joints[0]``.
        # Keypoints do not lie on the model's joints; taken for these they put the hand a tenth too far away.
        placed = solve_wrist_position(KEYPOINTS_FROM_JOINTS @ (joints - joints[0]), rays, sigma)
        if placed is None:
            return None
        return ManoPose(vectors, shape.numpy().astype(np.float64), placed.position - joints[0])


class _ShapeMap:
    """Betas of another model with about the bone lengths that betas of the open hand give; affine.

    Gestures need no such map: one pose vector means one gesture in all models.
    """

    def __init__(self, open_hand: HandModel, kinematics: HandKinematics) -> None:
        flat = torch.eye(3).repeat(1 + NUM_BETAS, NUM_MANO_JOINTS, 1, 1)
        betas = torch.cat([torch.zeros(1, NUM_BETAS), torch.eye(NUM_BETAS)])
        joints = HandKinematics(open_hand).joints(flat, betas, torch.zeros(len(betas), 3))
        weight = torch.ones(1, NUM_JOINTS)
        found = [betas_from_bone_lengths(kinematics, hand[None], weight, _BONE_SIGMA_M) for hand in joints]
        self._average = found[0].numpy()
        self._columns = (torch.stack(found[1:]) - found[0]).T.numpy()

    def __call__(self, betas: NDArray[np.float32]) -> NDArray[np.float32]:
        """Betas [10] of the other model."""
        return np.asarray(self._average + self._columns @ betas, dtype=np.float32)


def points_on_rays(
    points_m: NDArray[np.float64],
    rays: NDArray[np.float64],
    ray_sigma: NDArray[np.float64],
    wrist_position: NDArray[np.float64],
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Move points sideways onto their rays: the second opinion about the hand that the keypoints hold.

    Sideways means at the same depth along the direction in which the hand is seen; points without a ray stay.

    Args:
        points_m: [21, 3] relative to the wrist [m].
        rays: [21, 2]; ``ray_sigma``: [21], not finite where there is no ray.
        wrist_position: [3] in the camera frame [m].

    Returns:
        [21, 3] moved points relative to the moved wrist [m], and the unit direction [3] from camera to hand.
    """
    placed = points_m + wrist_position
    center = placed.mean(axis=0)
    view = center / np.linalg.norm(center)
    has_ray = np.isfinite(ray_sigma) & np.isfinite(rays).all(axis=1)
    directions = np.ones((len(rays), 3))
    directions[:, :2] = np.where(has_ray[:, None], rays, 0.0)
    along = (placed @ view) / (directions @ view)
    moved = np.where(has_ray[:, None], directions * along[:, None], placed)
    return moved - moved[0], view
