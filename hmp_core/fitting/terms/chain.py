# SPDX-FileCopyrightText: 2026 The hmp_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Motion between consecutive steps: wrist pose under a coasting process, finger residual under a stationary one.

This is where the paper's two smoothness terms live. The paper penalises velocities, which biases long gaps
towards standing still and asks for a fixed frame rate; a Gauss-Markov process in continuous time does neither.
"""

import roma
import torch
from torch import Tensor

from hmp_core.fitting.process import IntegratedOrnsteinUhlenbeck, Matern32, whitener
from hmp_core.fitting.so3 import right_jacobian_inverse


def linear_chain(
    position: Tensor, rate: Tensor, h: Tensor, process: IntegratedOrnsteinUhlenbeck | Matern32
) -> tuple[Tensor, Tensor, Tensor]:
    """Whitened transitions of vector states.

    Args:
        position, rate: [K, n].
        h: [K-1] steps [s], positive.
        process: its Phi and Q apply to every coordinate alike.

    Returns:
        Residuals [K-1, 2, n] and the two factors [K-1, 2, 2] that multiply (position, rate) of the earlier and
        of the later step: ``residual = earlier @ x_k + later @ x_(k+1)``, so they are the Jacobians as well.
    """
    phi, q = process.transition(h)
    later = whitener(q)
    earlier = -later @ phi
    state = torch.stack([position, rate], dim=1)
    return earlier @ state[:-1] + later @ state[1:], earlier, later


def rotation_chain(
    R_camera_wrist: Tensor, rate: Tensor, h: Tensor, process: IntegratedOrnsteinUhlenbeck
) -> tuple[Tensor, Tensor, Tensor]:
    """Whitened transitions of orientations with body rates; tangents are right-multiplied.

    Args:
        R_camera_wrist: [K, 3, 3].
        rate: [K, 3] body angular rate [rad/s].
        h: [K-1] steps [s].

    Returns:
        Residuals [K-1, 6] (pose part, then rate part) and Jacobians [K-1, 6, 6] with respect to (rotation, rate)
        of the earlier and of the later step.
    """
    phi, q = process.transition(h)
    root = whitener(q)
    relative = R_camera_wrist[:-1].transpose(-1, -2) @ R_camera_wrist[1:]
    turned = roma.rotmat_to_rotvec(relative)
    error = torch.cat([turned - phi[:, 0, 1, None] * rate[:-1], rate[1:] - phi[:, 1, 1, None] * rate[:-1]], dim=-1)
    inverse = right_jacobian_inverse(turned)
    eye = torch.eye(3, dtype=rate.dtype).expand_as(inverse)
    zero = torch.zeros_like(inverse)
    # Log(Exp(-a) R Exp(b)): a enters through the transposed relative rotation.
    earlier = _blocks(
        -inverse @ relative.transpose(-1, -2),
        -phi[:, 0, 1, None, None] * eye,
        zero,
        -phi[:, 1, 1, None, None] * eye,
    )
    later = _blocks(inverse, zero, zero, eye)
    spread = _kron3(root)
    return (spread @ error[..., None])[..., 0], spread @ earlier, spread @ later


def _blocks(a: Tensor, b: Tensor, c: Tensor, d: Tensor) -> Tensor:
    return torch.cat([torch.cat([a, b], dim=-1), torch.cat([c, d], dim=-1)], dim=-2)


def _kron3(matrix: Tensor) -> Tensor:
    eye = torch.eye(3, dtype=matrix.dtype)
    return torch.einsum("kij,ab->kiajb", matrix, eye).reshape(-1, 6, 6)
