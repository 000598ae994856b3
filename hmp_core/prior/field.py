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
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional as F

from hmp_core.hand.limits import drawn_to_limits
from hmp_core.hand.so3 import exponential
from hmp_core.prior.config import PriorConfig
from hmp_core.prior.field_loops import NORM_EPSILON, FieldWeights, field_jacobian, field_vectors
from hmp_core.prior.precision import full_precision

NUM_OUTPUTS = 45
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
        self.norms = nn.ModuleList(nn.RMSNorm(width, eps=NORM_EPSILON) for _ in range(config.field_layers))
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
        if torch.is_inference_mode_enabled() and len(z) == 1 and z.device.type == "cpu":
            arrays = (z[0].contiguous().numpy(), times_s[0].contiguous().numpy())
            vectors = field_vectors(self._weights(), *arrays, _LEAK)
            return torch.from_numpy(vectors).reshape(1, -1, 15, 3)
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
        """Decode one window and differentiate it, forward mode, on the CPU.

        Args:
            z: [D] latent, own coordinates.
            times_s: [T] times [s].
            seed: [D, E] derivative of z with respect to the caller's variables (its whitening).

        Returns:
            Local rotations [T, 15, 3, 3], and their right tangents' derivative [T, 45, E]:
            ``R(x + dx) = R(x) Exp(J dx)``, three rows a joint.
        """
        arrays = (z.contiguous().numpy(), times_s.contiguous().numpy())
        vectors, jacobian = field_jacobian(self._weights(), *arrays, _LEAK, seed.contiguous().numpy())
        return exponential(torch.from_numpy(vectors).reshape(-1, 15, 3)), torch.from_numpy(jacobian)

    def _weights(self) -> FieldWeights:
        def array(parameter: Any) -> NDArray[Any]:
            return np.asarray(parameter.detach().numpy())

        width, code = self.code_hidden.weight.shape[0], self.code_out.weight.shape[0]
        dtype = array(self.head.weight).dtype  # also of nothing, where there is one layer only
        layers = np.array([array(layer.weight) for layer in self.layers], dtype)
        skips = np.array([array(skip.weight) for skip in self.code_skips], dtype)
        skip_biases = np.array([array(skip.bias) for skip in self.code_skips], dtype)
        return FieldWeights(
            array(self.code_linear.weight), array(self.code_linear.bias),
            array(self.code_hidden.weight), array(self.code_hidden.bias), array(self.code_out.weight),
            array(self.direct.weight), array(self.direct.bias), array(self.mix.weight), array(self.mix.bias),
            layers.reshape(-1, width, width), skips.reshape(-1, width, code), skip_biases.reshape(-1, width),
            np.array([array(norm.weight) for norm in self.norms]),
            array(self.head.weight), array(self.head.bias), array(self.frequencies), float(self.window_s),
        )  # fmt: skip
