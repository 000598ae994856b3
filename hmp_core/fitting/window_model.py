# SPDX-FileCopyrightText: 2026 The hmp_ros authors
# SPDX-License-Identifier: Apache-2.0
"""From a window's unknowns to joints: prior, residual and hand model composed, with derivatives."""

from copy import copy
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from hmp_core.fitting.finger_derivatives import finger_derivatives
from hmp_core.fitting.trajectory import RESIDUAL_BASIS, Trajectory, residual_rotations
from hmp_core.hand.kinematics import HandKinematics
from hmp_core.hand.limits import ANATOMICAL_LIMITS, JOINT_AXES
from hmp_core.hand.model import HandModel
from hmp_core.perception.keypoint_model import KEYPOINTS_FROM_JOINTS
from hmp_core.prior.prior import MotionPrior

KEYPOINTS = torch.as_tensor(KEYPOINTS_FROM_JOINTS)


@dataclass(frozen=True)
class DecodedSteps:
    """Finger rotations and joints at K steps.

    Attributes:
        R_finger: [K, 15, 3, 3] local rotations, prior and residual composed.
        joints_wrist_relative: [K, 21, 3] camera axes [m].
        joints_camera: [K, 21, 3] [m].
        keypoints_camera: [K, 21, 3] where the landmark network should see them [m].
    """

    R_finger: Tensor
    joints_wrist_relative: Tensor
    joints_camera: Tensor
    keypoints_camera: Tensor

    def select(self, keep: list[int]) -> "DecodedSteps":
        """Only the steps ``keep``."""
        return DecodedSteps(*(tensor[keep] for tensor in vars(self).values()))


@dataclass(frozen=True)
class StepJacobians:
    """Derivatives at K steps; rotation tangents are right-multiplied.

    Attributes:
        joints: [K, 21, 3, 58] wrist-relative joints by (wrist rotation 3, finger rotations 45, betas 10).
        keypoints: [K, 21, 3, 58] keypoints by the same; their derivative by the wrist's place is the identity.
        finger_by_residual: [K, 45, 25] finger tangents by residual.
        finger_by_latent: [K, 45, D] finger tangents by latent.
    """

    joints: Tensor
    keypoints: Tensor
    finger_by_residual: Tensor
    finger_by_latent: Tensor


class WindowModel:
    """A right hand under the motion prior. Immutable; tensors are float64 except inside the prior.

    Args:
        hand_model: right hand.
        prior: of its fingers' motion.
        latent_directions: how many of the latent's coordinates may move, in the order of their spread; the others
            stay as the encoder read them. None for all.

    Attributes:
        latent_dim: coordinates that may move, D below.
    """

    def __init__(self, hand_model: HandModel, prior: MotionPrior, latent_directions: int | None = None) -> None:
        self.prior = prior
        self.latent_dim = min(latent_directions or prior.latent_dim, prior.latent_dim)
        self.kinematics = HandKinematics(hand_model, dtype=torch.float64)
        self.limits = torch.as_tensor(ANATOMICAL_LIMITS, dtype=torch.float64)
        self.joint_axes = torch.as_tensor(JOINT_AXES, dtype=torch.float64)
        self._dtype = next(prior.parameters()).dtype
        self._held: Tensor | None = None

    def holding(self, trajectory: Trajectory) -> "WindowModel":
        """The same for these steps and a latent that stays as it is: it is decoded once and for all."""
        held = copy(self)
        held._held = self.prior_rotations(trajectory.z, trajectory.times_s, trajectory.origin_s)
        return held

    def prior_rotations(self, z: Tensor, times_s: np.ndarray, origin_s: float) -> Tensor:
        """The latent's finger rotations [K, 15, 3, 3] at absolute times [K]; differentiable in z."""
        local = self._local(times_s, origin_s)
        return self.prior.decode(z.to(self._dtype)[None], local[None])[0].double()

    def latent_jacobian(self, z: Tensor, times_s: np.ndarray, origin_s: float) -> Tensor:
        """Derivative [K, 45, D] of the prior's finger rotations; their right tangents."""
        local = self._local(times_s, origin_s)
        with torch.no_grad():
            return self.prior.decode_with_jacobian(z.to(self._dtype), local, self.latent_dim)[1].double()

    def _local(self, times_s: np.ndarray, origin_s: float) -> Tensor:
        """Times on the prior's clock. Outside its window it was never trained: there its nearest end holds."""
        return torch.as_tensor(np.clip(times_s - origin_s, 0.0, self.prior.window_s), dtype=self._dtype)

    def decode(self, trajectory: Trajectory) -> DecodedSteps:
        """Joints at every step of the trajectory."""
        R_finger = self._latent_rotations(trajectory) @ residual_rotations(trajectory.residual)[1]
        rotations = torch.cat([trajectory.R_camera_wrist[:, None], R_finger], dim=1)
        joints = self.kinematics.joints(rotations, trajectory.betas, torch.zeros_like(trajectory.p_camera_wrist))
        return self._decoded(R_finger, joints, trajectory)

    def linearise(self, trajectory: Trajectory, latent_jacobian: Tensor) -> tuple[DecodedSteps, StepJacobians]:
        """Joints and derivatives; ``latent_jacobian`` [K, 45, D] may stem from a nearby latent."""
        R_latent = self._latent_rotations(trajectory)
        given = (R_latent.detach(), latent_jacobian, trajectory.residual, RESIDUAL_BASIS)
        composed = finger_derivatives(*(tensor.contiguous().numpy() for tensor in given))
        R_finger, by_residual, by_latent = (torch.from_numpy(array) for array in composed)
        rotations = torch.cat([trajectory.R_camera_wrist[:, None], R_finger], dim=1)
        joints, by_rotation, by_betas = self.kinematics.joints_and_jacobian(
            rotations, trajectory.betas, torch.zeros_like(trajectory.p_camera_wrist)
        )
        jacobian = torch.cat([by_rotation, by_betas], dim=-1)
        jacobian = jacobian - jacobian[:, :1]
        keypoint_jacobian = (KEYPOINTS @ jacobian.flatten(2)).reshape(jacobian.shape)
        decoded = self._decoded(R_finger, joints, trajectory)
        return decoded, StepJacobians(jacobian, keypoint_jacobian, by_residual, by_latent)

    def _decoded(self, R_finger: Tensor, joints: Tensor, trajectory: Trajectory) -> DecodedSteps:
        relative = joints - joints[:, :1]
        placed = relative + trajectory.p_camera_wrist[:, None]
        return DecodedSteps(R_finger, relative, placed, KEYPOINTS @ placed)

    def _latent_rotations(self, trajectory: Trajectory) -> Tensor:
        if self._held is not None:
            return self._held
        return self.prior_rotations(trajectory.z, trajectory.times_s, trajectory.origin_s)
