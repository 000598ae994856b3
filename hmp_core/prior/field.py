# SPDX-FileCopyrightText: 2026 The hmp_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The neural motion field: one latent and a time in, fifteen finger rotations out (after NeMF, He et al. 2022).

Changes against NeMF's decoder, for the price of the Jacobian with respect to z, which a Gauss-Newton fitter needs
many times a second, and for what a latent of about a hundred numbers can carry:

* The latent first passes through a small network of its own, once per window, and the field's first layer mixes
  the time encoding with weights made from that code. Time and latent multiply at once, which saves layers, and
  the first layer's derivative costs one small product.
* RMS normalisation in place of layer normalisation: its derivative needs one dot product less.
* The time encoding has evenly spaced frequencies up to a cap, in place of octaves: hands move up to about 6 Hz,
  and nothing far above that can be decoded. Its period is longer than the window, since a shared period would tie
  the window's end, which is now, to its beginning.
* The output is each joint's own rotation vector in place of six numbers in the wrist frame. Finger joints never
  come near half a turn, so vectors are continuous here; and a finger that curls is a straight line in them, but a
  curve of sines and cosines in the wrist frame. With 64 principal components of clips the mean joint error on
  held-out signs falls from 4.5 to 3.5 mm. Losses stay in the wrist frame.
* Of what would lie outside the joints' anatomical limits nineteen twentieths are taken back: samples are hands.

The code is added again before every layer (NeMF's skip), and its product is computed once per window. Beside the
layers runs one straight path from z times the time encoding to the output: it carries what principal components of
clips would (and starts as them), the layers add what is not linear.
"""

import math

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from hmp_core.hand.limits import drawn_to_limits, drawn_to_limits_slope
from hmp_core.hand.so3 import exponential, right_jacobian
from hmp_core.prior.config import PriorConfig
from hmp_core.prior.precision import full_precision

NUM_OUTPUTS = 45
_NORM_EPSILON = 1e-6
_LEAK = 0.05
"""Share of an excess over the joints' limits that is let through."""


class MotionField(nn.Module):
    """Decoder: z and times to rotations, with an analytic Jacobian."""

    frequencies: Tensor

    def __init__(self, config: PriorConfig) -> None:
        super().__init__()
        self.window_s = config.window_s
        num_waves = 2 * config.harmonics + 2
        width, code = config.field_width, config.code_dim
        period_s = config.period_windows * config.window_s
        self.register_buffer(
            "frequencies", torch.arange(1, config.harmonics + 1) * (2.0 * math.pi / period_s), persistent=False
        )
        self.code_linear = nn.Linear(config.latent_dim, code)
        self.code_hidden = nn.Linear(config.latent_dim, width)
        self.code_out = nn.Linear(width, code, bias=False)
        self.direct = nn.Linear(config.latent_dim, num_waves * NUM_OUTPUTS)
        self.mix = nn.Linear(code, num_waves * width)
        later = config.field_layers - 1
        self.layers = nn.ModuleList(nn.Linear(width, width, bias=False) for _ in range(later))
        self.code_skips = nn.ModuleList(nn.Linear(code, width) for _ in range(later))
        self.norms = nn.ModuleList(nn.RMSNorm(width, eps=_NORM_EPSILON) for _ in range(config.field_layers))
        self.head = nn.Linear(width, NUM_OUTPUTS)
        with torch.no_grad():
            # Start from the flat hand that never moves.
            self.head.weight.mul_(0.01)
            self.head.bias.zero_()
            self.direct.weight.mul_(0.1)
            self.direct.bias.zero_()

    def waves(self, times_s: Tensor) -> Tensor:
        """Time encoding [..., K] of times [...] [s]: 1, t scaled to ±1, then sines and cosines up to the cap."""
        centered = times_s - 0.5 * self.window_s
        phase = centered.unsqueeze(-1) * self.frequencies.to(times_s.dtype)
        line = (2.0 / self.window_s) * centered
        return torch.cat((torch.stack((torch.ones_like(line), line), -1), phase.sin(), phase.cos()), dim=-1)

    def forward(self, z: Tensor, times_s: Tensor) -> Tensor:
        """Decode.

        Args:
            z: [B, D] latents (the network's own coordinates, not whitened).
            times_s: [B, T] times in the window [s].

        Returns:
            [B, T, 15, 3] local rotation vectors [rad].
        """
        with full_precision(z):
            waves = self.waves(times_s)
            code = self.code_linear(z) + self.code_out(F.silu(self.code_hidden(z)))
            mixed = waves @ torch.unflatten(self.mix(code), -1, (waves.shape[-1], -1))
            linear = waves @ torch.unflatten(self.direct(z), -1, (waves.shape[-1], NUM_OUTPUTS))
        hidden = F.silu(self.norms[0](mixed))
        for layer, skip, norm in zip(self.layers, self.code_skips, self.norms[1:], strict=True):
            hidden = F.silu(norm((layer(hidden) + skip(code).unsqueeze(-2)).to(z.dtype)))
        return drawn_to_limits(torch.unflatten(self.head(hidden).to(z.dtype) + linear, -1, (15, 3)), _LEAK)

    @torch.no_grad()
    def local_with_jacobian(self, z: Tensor, times_s: Tensor, seed: Tensor) -> tuple[Tensor, Tensor]:
        """Decode one window and differentiate it, forward mode.

        Args:
            z: [D] latent, own coordinates.
            times_s: [T] times [s].
            seed: [D, E] derivative of z with respect to the caller's variables (its whitening).

        Returns:
            Local rotations [T, 15, 3, 3], and their right tangents' derivative [T, 45, E]:
            ``R(x + dx) = R(x) Exp(J dx)``, three rows a joint.
        """
        waves = self.waves(times_s)
        num_waves = waves.shape[1]
        hidden_code, slope = _silu_and_slope(self.code_hidden(z))
        code = self.code_linear(z) + self.code_out(hidden_code)
        d_code = seed.T @ (
            self.code_linear.weight.T + (self.code_hidden.weight * slope.unsqueeze(-1)).T @ self.code_out.weight.T
        )  # [E, C]
        values = waves @ self.mix(code).view(num_waves, -1)
        tangents = _mixed(waves, self.mix.weight, d_code)  # [T, E, H]
        hidden = _normalise_with_tangents(self.norms[0], values, tangents)
        for layer, skip, norm in zip(self.layers, self.code_skips, self.norms[1:], strict=True):
            values = layer(hidden) + skip(code)
            assert isinstance(layer, nn.Linear)
            assert isinstance(skip, nn.Linear)
            tangents = torch.matmul(tangents, layer.weight.T).add_(d_code @ skip.weight.T)
            hidden = _normalise_with_tangents(norm, values, tangents)
        linear = waves @ self.direct(z).view(num_waves, -1)
        outputs = torch.unflatten(self.head(hidden) + linear, -1, (15, 3))
        vectors = drawn_to_limits(outputs, _LEAK)
        # Tangents are linear in the 45 outputs, and those in the hidden layer and, directly, in z.
        to_tangent = right_jacobian(vectors) @ drawn_to_limits_slope(outputs, _LEAK)
        from_hidden = to_tangent @ self.head.weight.view(15, 3, -1)
        d_direct = torch.unflatten(_mixed(waves, self.direct.weight, seed.T).mT, 1, (15, 3))
        jacobian = (to_tangent @ d_direct).flatten(1, 2)
        return exponential(vectors), jacobian.baddbmm_(from_hidden.flatten(1, 2), tangents.mT)


def _mixed(waves: Tensor, weight: Tensor, d_code: Tensor) -> Tensor:
    """Derivative [T, E, H] of ``waves @ (weight @ code)`` for waves [T, K], a weight [K * H, C] and d_code [E, C].

    The order of the two products does not matter but for its price: a fitter asks for two times a frame.
    """
    num_times, num_waves = waves.shape
    if 2 * num_times < num_waves:
        each = (waves @ weight.view(num_waves, -1)).view(num_times, -1, weight.shape[1])
        return torch.matmul(d_code, each.mT)
    every = torch.matmul(d_code, weight.view(num_waves, -1, weight.shape[1]).mT)
    return (waves @ every.flatten(1)).view(num_times, len(d_code), -1)


def _silu_and_slope(values: Tensor) -> tuple[Tensor, Tensor]:
    """SiLU of [...] and its derivative."""
    gate = torch.sigmoid(values)
    out = values * gate
    return out, gate + out * (1.0 - gate)


def _normalise_with_tangents(norm: nn.Module, values: Tensor, tangents: Tensor) -> Tensor:
    """Apply RMS normalisation and SiLU to values [T, H]; tangents [T, E, H] are overwritten by theirs."""
    assert isinstance(norm, nn.RMSNorm)
    inverse_rms = torch.rsqrt(values.square().mean(-1, keepdim=True) + _NORM_EPSILON)
    unit = values * inverse_rms
    hidden, slope = _silu_and_slope(unit * norm.weight)
    along = torch.bmm(tangents, unit.unsqueeze(-1))  # [T, E, 1]
    tangents.baddbmm_(along, unit.unsqueeze(-2), alpha=-1.0 / values.shape[-1])
    tangents.mul_((slope * norm.weight * inverse_rms).unsqueeze(-2))
    return hidden
