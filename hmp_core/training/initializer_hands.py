# SPDX-FileCopyrightText: 2026 The hmp_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Hands to train the initializer on: the true ones, and what a landmark network makes of them."""

from dataclasses import dataclass

import numpy as np
import roma
import torch
from numpy.typing import NDArray
from torch import Generator, Tensor

from hmp_core.hand.kinematics import HandKinematics
from hmp_core.hand.skeleton import NUM_BETAS, NUM_FINGER_ROTATIONS
from hmp_core.perception.initializer import points_on_rays
from hmp_core.perception.root import solve_wrist_position

_RAY_SIGMA = 2e-3
_ACROSS_VIEW = 0.7
_POINTING_KEPT = 0.3


@dataclass(frozen=True)
class Hands:
    """True right hands: rotations [B, 16, 3, 3], betas [B, 10], wrist-relative joints [B, 21, 3] [m]."""

    rotations: Tensor
    betas: Tensor
    joints: Tensor

    def rows(self, index: Tensor) -> "Hands":
        """Some of the hands."""
        return Hands(self.rotations[index], self.betas[index], self.joints[index])

    def joined(self, other: "Hands") -> "Hands":
        """These hands and others behind them."""
        mine, theirs = vars(self).values(), vars(other).values()
        return Hands(*(torch.cat(pair) for pair in zip(mine, theirs, strict=True)))


@dataclass(frozen=True)
class Perceived:
    """The network's input; see ``InitializerNetwork.forward``."""

    landmarks: Tensor
    ray_points: Tensor
    view: Tensor

    def rows(self, index: Tensor) -> "Perceived":
        """Some of the hands."""
        return Perceived(self.landmarks[index], self.ray_points[index], self.view[index])

    def joined(self, other: "Perceived") -> "Perceived":
        """These hands and others behind them."""
        mine, theirs = vars(self).values(), vars(other).values()
        return Perceived(*(torch.cat(pair) for pair in zip(mine, theirs, strict=True)))


class HandSampler:
    """Draws right hands in random orientation from a pool of finger poses.

    Args:
        poses: [N, 15, 3, 3] local finger rotations.
        kinematics: of the hand model.
        shuffled: share of hands whose fingers come from different poses.
        wobble_rad: standard deviation of a rotation added to every joint [rad].
        generator: source of randomness.
    """

    def __init__(
        self, poses: Tensor, kinematics: HandKinematics, shuffled: float, wobble_rad: float, generator: Generator
    ) -> None:
        self._poses = poses
        self._kinematics = kinematics
        self._shuffled = shuffled
        self._wobble_rad = wobble_rad
        self._generator = generator

    @torch.no_grad()
    def draw(self, batch: int) -> Hands:
        """Draw a batch of hands."""
        wobble = self._wobble_rad * self._normal(batch, NUM_FINGER_ROTATIONS, 3)
        local = self._draw_poses(batch) @ roma.rotvec_to_rotmat(wobble)
        turn = roma.unitquat_to_rotmat(torch.nn.functional.normalize(self._normal(batch, 4), dim=-1))
        rotations = torch.cat([turn[:, None], local], dim=1)
        betas = self._normal(batch, NUM_BETAS)
        return Hands(rotations, betas, relative_joints(self._kinematics, rotations, betas))

    def draw_as_shown(self, count: int) -> Hands:
        """Draw hands as they are shown to cameras: few point straight at the camera or away from it."""
        hands = self.draw(3 * count)
        # At rest the fingers run along -x, so the first column tells how far they point along the view.
        along_view = hands.rotations[:, 0, 2, 0].abs()
        kept = (along_view < _ACROSS_VIEW) | (torch.rand(3 * count, generator=self._generator) < _POINTING_KEPT)
        return hands.rows(kept.nonzero()[:count, 0])

    def _draw_poses(self, batch: int) -> Tensor:
        """Whole poses, or one pose a finger; MANO's chains are three rotations each, finger after finger."""
        rows = torch.randint(len(self._poses), (batch, 5), generator=self._generator)
        whole = torch.rand(batch, 1, generator=self._generator) >= self._shuffled
        rows = torch.where(whole, rows[:, :1], rows).repeat_interleave(3, dim=1)
        return self._poses[rows, torch.arange(NUM_FINGER_ROTATIONS)]

    def _normal(self, *shape: int) -> Tensor:
        return torch.randn(*shape, generator=self._generator)


def relative_joints(kinematics: HandKinematics, rotations: Tensor, betas: Tensor) -> Tensor:
    """Joints [B, 21, 3] relative to the wrist [m]."""
    joints = kinematics.joints(rotations, betas, torch.zeros(len(rotations), 3, dtype=rotations.dtype))
    return joints - joints[:, :1]


def perceived_from_rays(landmarks_m: NDArray[np.float64], rays: NDArray[np.float64]) -> tuple[Perceived, Tensor]:
    """The network's input for seen points [N, 21, 3] and rays [N, 21, 2], made as the initializer makes it.

    Returns:
        The input of the hands that have a place in front of the camera, and their numbers [M].
    """
    rows, moved, views = [], [], []
    sigma = np.full(landmarks_m.shape[1], _RAY_SIGMA)
    for row, (points, seen) in enumerate(zip(landmarks_m, rays, strict=True)):
        wrist = solve_wrist_position(points, seen, sigma)
        if wrist is not None:
            on_rays, view = points_on_rays(points, seen, sigma, wrist.position)
            rows.append(row)
            moved.append(on_rays)
            views.append(view)
    seen = Perceived(
        torch.from_numpy(landmarks_m[rows]).float(),
        torch.from_numpy(np.array(moved)).float(),
        torch.from_numpy(np.array(views)).float(),
    )
    return seen, torch.tensor(rows)
