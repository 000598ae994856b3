# SPDX-FileCopyrightText: 2026 The hmp_ros authors
# SPDX-License-Identifier: Apache-2.0
"""2D keypoints: projected joints against observed rays."""

from typing import Final

import torch
from torch import Tensor

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
    depth = joints_camera[..., 2]
    weight = torch.where(depth > _MIN_DEPTH_M, information, torch.zeros_like(information))
    inverse_depth = 1 / depth.clamp_min(_MIN_DEPTH_M)
    projected = joints_camera[..., :2] * inverse_depth[..., None]
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
