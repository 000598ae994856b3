# SPDX-FileCopyrightText: 2026 The hmp_ros authors
# SPDX-License-Identifier: Apache-2.0
"""2D keypoints: projected joints against observed rays."""

from dataclasses import dataclass
from typing import Final

import torch
from torch import Tensor

from hmp_core.fitting.normal_equations import NormalEquations
from hmp_core.fitting.terms.evidence_derivatives import add_placed_points
from hmp_core.fitting.terms.robust import Kernel
from hmp_core.fitting.trajectory import Trajectory
from hmp_core.fitting.window_model import DecodedSteps, StepJacobians

_MIN_DEPTH_M: Final = 0.03


def reprojection(joints_camera: Tensor, rays: Tensor, information: Tensor) -> tuple[Tensor, Tensor]:
    """Whitened differences of normalised image coordinates.

    Args:
        joints_camera: [K, 21, 3] [m].
        rays: [K, 21, 2] observed (x/z, y/z), finite.
        information: [K, 21] reciprocal ray sigmas; 0 where there is no evidence.

    Returns:
        Residuals [K, 21, 2] and their derivative with respect to the joint [K, 21, 2, 3]. Joints closer than
        3 cm to the camera plane carry no weight: their projection says nothing.
    """
    projected, inverse_depth, weight = _projected(joints_camera, information)
    scale = weight * inverse_depth
    zero = torch.zeros_like(scale)
    jacobian = torch.stack(
        [
            torch.stack([scale, zero, -scale * projected[..., 0]], dim=-1),
            torch.stack([zero, scale, -scale * projected[..., 1]], dim=-1),
        ],
        dim=-2,
    )
    return weight[..., None] * (projected - rays), jacobian


def _projected(joints_camera: Tensor, information: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Image coordinates [K, 21, 2], inverse depths [K, 21] and the information that counts [K, 21]."""
    depth = joints_camera[..., 2]
    weight = torch.where(depth > _MIN_DEPTH_M, information, torch.zeros_like(information))
    inverse_depth = 1 / depth.clamp_min(_MIN_DEPTH_M)
    return joints_camera[..., :2] * inverse_depth[..., None], inverse_depth, weight


@dataclass(frozen=True)
class KeypointTerm:
    """Where the landmark network should see the joints, against where it did.

    Attributes:
        rays: [K, 21, 2] observed, finite.
        information: [K, 21] from rays to residuals: reciprocal sigmas, or the focal length for pixels; 0 where
            there is no evidence.
        weight: [K, 21] or [] of the costs.
        kernel: on a keypoint's two coordinates together, or on each.
        by_coordinate: whether on each.
    """

    rays: Tensor
    information: Tensor
    weight: Tensor
    kernel: Kernel
    by_coordinate: bool = False

    def cost(self, trajectory: Trajectory, decoded: DecodedSteps) -> Tensor:
        """See :class:`~hmp_core.fitting.terms.term.Term`."""
        return self.costs(decoded).sum()

    def costs(self, decoded: DecodedSteps) -> Tensor:
        """Cost [K] of each step."""
        projected, _, weight = _projected(decoded.keypoints_camera, self.information)
        pixel = weight[..., None] * (projected - self.rays)
        return (self.weight[..., None] * self._kernel(pixel)[0]).sum((1, 2))

    def add(
        self, trajectory: Trajectory, decoded: DecodedSteps, jacobians: StepJacobians, equations: NormalEquations
    ) -> None:
        """See :class:`~hmp_core.fitting.terms.term.Term`."""
        pixel, by_point = reprojection(decoded.keypoints_camera, self.rays, self.information)
        costs, factors = self._kernel(pixel)
        weighted = (self.weight[..., None] * factors)[..., None, :] * by_point.mT
        given = (jacobians.keypoints, weighted @ by_point, (weighted @ pixel[..., None])[..., 0])
        filled = (equations.hand_information, equations.hand_gradient)
        add_placed_points(*(tensor.numpy() for tensor in (*given, *filled)))
        equations.cost.add_((self.weight[..., None] * costs).sum())

    def _kernel(self, pixel: Tensor) -> tuple[Tensor, Tensor]:
        squares = pixel.square()
        return self.kernel(squares if self.by_coordinate else squares.sum(-1, keepdim=True))
