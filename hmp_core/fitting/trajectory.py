# SPDX-FileCopyrightText: 2026 The hmp_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The unknowns of one window."""

from dataclasses import dataclass, replace
from typing import Final

import numpy as np
import torch
from torch import Tensor

from hmp_core.hand.limits import JOINT_AXES
from hmp_core.hand.skeleton import NUM_BETAS
from hmp_core.hand.so3 import exponential, nearest_rotation


def _residual_basis() -> Tensor:
    """Anatomical axes along which fingers may leave the decoded pose, as columns of [45, E]."""
    columns = []
    for joint, axes in enumerate(JOINT_AXES):
        # Twist, abduction, flexion: all of them for the thumb, whose joints are oblique.
        free = axes if joint >= 12 else axes[1:] if joint % 3 == 0 else axes[2:]
        for axis in free:
            column = np.zeros((15, 3))
            column[joint] = axis
            columns.append(column.ravel())
    return torch.as_tensor(np.stack(columns, axis=1))


RESIDUAL_BASIS: Final = _residual_basis()
"""[45, 25] orthonormal: abduction and flexion of the long fingers' knuckles, flexion of their other joints, and all
axes of the thumb."""
RESIDUAL_DIM: Final = RESIDUAL_BASIS.shape[1]
STEP_DIM: Final = 12 + 2 * RESIDUAL_DIM
ROTATION, ROTATION_RATE, POSITION, VELOCITY = slice(0, 3), slice(3, 6), slice(6, 9), slice(9, 12)
RESIDUAL = slice(12, 12 + RESIDUAL_DIM)
RESIDUAL_RATE = slice(12 + RESIDUAL_DIM, STEP_DIM)


@dataclass(frozen=True)
class Trajectory:
    """K steps of one right hand and what they share; tensors are float64.

    Attributes:
        times_s: [K] numpy, seconds since the track's epoch, increasing.
        origin_s: time at which the prior's window starts; the latent belongs to it.
        R_camera_wrist: [K, 3, 3] MANO global orientation.
        rotation_rate: [K, 3] body angular rate [rad/s].
        p_camera_wrist: [K, 3] wrist joint [m].
        velocity: [K, 3] [m/s].
        residual, residual_rate: [K, 25] tangent on the decoded finger rotations [rad], [rad/s].
        z: [D] whitened latent.
        z_mean: [D] where its prior is centred: the encoder's reading of what was seen when the origin was set.
        betas: [10].
    """

    times_s: np.ndarray[tuple[int], np.dtype[np.float64]]
    origin_s: float
    R_camera_wrist: Tensor
    rotation_rate: Tensor
    p_camera_wrist: Tensor
    velocity: Tensor
    residual: Tensor
    residual_rate: Tensor
    z: Tensor
    z_mean: Tensor
    betas: Tensor

    def retract(self, step: Tensor, shared: Tensor) -> "Trajectory":
        """Move by tangents ``step`` [K, STEP_DIM] and ``shared`` [E + 10], which moves the first E of z."""
        turn = exponential(step[:, ROTATION])
        latent_dim = len(shared) - NUM_BETAS
        moved = self.z[:latent_dim] + shared[:latent_dim]
        return replace(
            self,
            R_camera_wrist=nearest_rotation(self.R_camera_wrist @ turn),
            rotation_rate=self.rotation_rate + step[:, ROTATION_RATE],
            p_camera_wrist=self.p_camera_wrist + step[:, POSITION],
            velocity=self.velocity + step[:, VELOCITY],
            residual=self.residual + step[:, RESIDUAL],
            residual_rate=self.residual_rate + step[:, RESIDUAL_RATE],
            z=torch.cat([moved, self.z[latent_dim:]]),
            betas=self.betas + shared[latent_dim:],
        )

    def select(self, keep: list[int]) -> "Trajectory":
        """Only the steps ``keep``."""
        index = torch.tensor(keep, dtype=torch.long)
        return replace(
            self,
            times_s=self.times_s[keep],
            R_camera_wrist=self.R_camera_wrist[index],
            rotation_rate=self.rotation_rate[index],
            p_camera_wrist=self.p_camera_wrist[index],
            velocity=self.velocity[index],
            residual=self.residual[index],
            residual_rate=self.residual_rate[index],
        )

    def append(self, other: "Trajectory") -> "Trajectory":
        """Steps of ``other`` behind these; what is shared stays this one's."""
        return replace(
            self,
            times_s=np.concatenate([self.times_s, other.times_s]),
            R_camera_wrist=torch.cat([self.R_camera_wrist, other.R_camera_wrist]),
            rotation_rate=torch.cat([self.rotation_rate, other.rotation_rate]),
            p_camera_wrist=torch.cat([self.p_camera_wrist, other.p_camera_wrist]),
            velocity=torch.cat([self.velocity, other.velocity]),
            residual=torch.cat([self.residual, other.residual]),
            residual_rate=torch.cat([self.residual_rate, other.residual_rate]),
        )


def residual_rotations(residual: Tensor) -> tuple[Tensor, Tensor]:
    """Residuals [K, 25] as rotation vectors [K, 15, 3] and rotations [K, 15, 3, 3]."""
    vectors = (residual @ RESIDUAL_BASIS.T).reshape(-1, 15, 3)
    return vectors, exponential(vectors)
