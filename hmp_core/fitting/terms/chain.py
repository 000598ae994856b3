# SPDX-FileCopyrightText: 2026 The hmp_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Motion between consecutive steps: wrist pose under a coasting process, finger residual under a stationary one.

This is where the paper's two smoothness terms live. The paper penalises velocities, which biases long gaps
towards standing still and asks for a fixed frame rate; a Gauss-Markov process in continuous time does neither.
"""

from dataclasses import dataclass

import roma
import torch
from torch import Tensor

from hmp_core.fitting.process import IntegratedOrnsteinUhlenbeck, Matern32, whitener
from hmp_core.hand.so3 import right_jacobian_inverse


@dataclass(frozen=True)
class ChainFactors:
    """A process over given steps, whitened: ``residual = earlier @ x_k + later @ x_(k+1)``.

    Attributes:
        phi: [K-1, 2, 2] transition.
        earlier, later: [K-1, 2, 2] factors of the (position, rate) of the earlier and the later step.
    """

    phi: Tensor
    earlier: Tensor
    later: Tensor


def chain_factors(process: IntegratedOrnsteinUhlenbeck | Matern32, h: Tensor) -> ChainFactors:
    """Factors of ``process`` over steps ``h`` [K-1] [s], positive."""
    phi, q = process.transition(h)
    later = whitener(q)
    return ChainFactors(phi, -later @ phi, later)


def linear_chain(position: Tensor, rate: Tensor, factors: ChainFactors) -> Tensor:
    """Whitened transitions [K-1, 2, n] of vector states [K, n]; the factors are their Jacobians."""
    state = torch.stack([position, rate], dim=1)
    return factors.earlier @ state[:-1] + factors.later @ state[1:]


def rotation_chain(R_camera_wrist: Tensor, rate: Tensor, factors: ChainFactors) -> tuple[Tensor, Tensor, Tensor]:
    """Whitened transitions of orientations with body rates; tangents are right-multiplied.

    Args:
        R_camera_wrist: [K, 3, 3].
        rate: [K, 3] body angular rate [rad/s].

    Returns:
        Residuals [K-1, 6] (pose part, then rate part) and Jacobians [K-1, 6, 6] with respect to (rotation, rate)
        of the earlier and of the later step.
    """
    relative = R_camera_wrist[:-1].mT @ R_camera_wrist[1:]
    turned = roma.rotmat_to_rotvec(relative)
    coast, fade = factors.phi[:, 0, 1, None], factors.phi[:, 1, 1, None]
    error = torch.stack([turned - coast * rate[:-1], rate[1:] - fade * rate[:-1]], dim=1)
    inverse = right_jacobian_inverse(turned)
    # Log(Exp(-a) R Exp(b)): a enters through the transposed relative rotation.
    back = -inverse @ relative.mT
    eye = torch.eye(3, dtype=rate.dtype)
    earlier = rate.new_zeros(len(turned), 2, 3, 2, 3)
    later = rate.new_zeros(len(turned), 2, 3, 2, 3)
    for row in range(2):
        # The whitener mixes the pose row (turned by the Jacobians) with the rate row, on which both are identities.
        root = factors.later[:, row, 0, None, None], factors.later[:, row, 1, None, None]
        earlier[:, row, :, 0] = root[0] * back
        earlier[:, row, :, 1] = -(root[0] * coast[..., None] + root[1] * fade[..., None]) * eye
        later[:, row, :, 0] = root[0] * inverse
        later[:, row, :, 1] = root[1] * eye
    shape = (len(turned), 6, 6)
    return (factors.later @ error).flatten(1), earlier.reshape(shape), later.reshape(shape)
