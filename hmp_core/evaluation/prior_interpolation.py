# SPDX-FileCopyrightText: 2026 The hmp_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Fills that know nothing of hands: hold, constant velocity, SLERP and cubic, many gaps at once.

Each looks at the rotation of one joint alone. What the two-sided ones do in a forecast, where there is no other
side, is stated with each.
"""

from dataclasses import dataclass

import roma
import torch
from torch import Tensor

from hmp_core.prior.chain import compose


@dataclass(frozen=True)
class InterpolationParameters:
    """What is tuned on a validation part of the training motion; the defaults are that tuning's result.

    Attributes:
        slope_s: time over which a velocity at the gap's edge is measured [s].
        velocity_decay_s: time constant at which the constant velocity dies away [s].
        cubic_decay_s: time constant over gap lengths at which the cubic's end velocities die away [s].
        cubic_settle_s: time in which the cubic comes to rest in a forecast [s].
    """

    slope_s: float = 0.034
    velocity_decay_s: float = 0.02
    cubic_decay_s: float = 0.3
    cubic_settle_s: float = 0.05


@dataclass(frozen=True)
class Edges:
    """Gaps and what is seen at their edges.

    Attributes:
        before: [B, m, 15, 3] rotation vectors before the gap [rad].
        after: [B, m, 15, 3] after it; None in a forecast.
        frames: hidden frames.
        rate_hz: frames a second.
    """

    before: Tensor
    after: Tensor | None
    frames: int
    rate_hz: float

    @property
    def times_s(self) -> Tensor:
        """Time [n, 1, 1] of the hidden frames since the last one seen before [s]."""
        return torch.arange(1, self.frames + 1)[:, None, None] / self.rate_hz


def hold(edges: Edges) -> Tensor:
    """The last rotation seen, [B, n, 15, 3] [rad]."""
    return edges.before[:, -1:].expand(-1, edges.frames, -1, -1)


def velocity(edges: Edges, parameters: InterpolationParameters) -> Tensor:
    """The last rotation seen plus its velocity, which dies away exponentially; the past alone, in infill too."""
    slope = _slope(edges.before, parameters, edges.rate_hz)
    decay = parameters.velocity_decay_s
    return edges.before[:, -1:] - slope[:, None] * decay * torch.expm1(-edges.times_s / decay)


def slerp(edges: Edges) -> Tensor:
    """The shortest turn between the two sides at constant speed; in a forecast it never leaves the first one."""
    if edges.after is None:
        return hold(edges)
    left, right = roma.rotvec_to_rotmat(edges.before[:, -1:]), roma.rotvec_to_rotmat(edges.after[:, :1])
    share = edges.times_s * edges.rate_hz / (edges.frames + 1)
    turn = share * roma.rotmat_to_rotvec(compose(left.mT, right))
    filled: Tensor = roma.rotmat_to_rotvec(compose(left, roma.rotvec_to_rotmat(turn)))
    return filled


def cubic(edges: Edges, parameters: InterpolationParameters) -> Tensor:
    """Hermite's cubic in rotation vectors through both sides and their velocities, the less of these the longer.

    In a forecast the other end is a hand at rest: the cubic whose velocity and acceleration vanish
    ``cubic_settle_s`` after the last frame seen.
    """
    start, slope = edges.before[:, -1:], _slope(edges.before, parameters, edges.rate_hz)[:, None]
    if edges.after is None:
        settle = parameters.cubic_settle_s
        share = (edges.times_s / settle).clamp_max(1.0)
        return start + slope * settle * (1.0 - (1.0 - share) ** 3) / 3.0
    span = (edges.frames + 1) / edges.rate_hz
    share = edges.times_s / span
    end = edges.after[:, :1]
    end_slope = -_slope(edges.after.flip(1), parameters, edges.rate_hz)[:, None]
    kept = span * torch.exp(torch.tensor(-span / parameters.cubic_decay_s))
    rise = share.square() * (3.0 - 2.0 * share)
    return start + rise * (end - start) + kept * share * (1.0 - share) * ((1.0 - share) * slope - share * end_slope)


def _slope(vectors: Tensor, parameters: InterpolationParameters, rate_hz: float) -> Tensor:
    """Velocity [B, 15, 3] of rotation vectors [B, m, 15, 3] at their end [rad/s]."""
    steps = min(max(1, round(parameters.slope_s * rate_hz)), vectors.shape[1] - 1)
    return (vectors[:, -1] - vectors[:, -1 - steps]) * (rate_hz / steps)
