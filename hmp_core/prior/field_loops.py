# SPDX-FileCopyrightText: 2026 The hmp_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The motion field of one latent, compiled, for fitters that ask for a dozen times in every iteration.

The same arithmetic as :class:`~hmp_core.prior.field.MotionField`, in the same precision; with tensors it takes
several times as long, nearly all of it overhead.
"""

import math
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from hmp_core.compiled import compiled
from hmp_core.hand.limits import ANATOMICAL_LIMITS, JOINT_AXES
from hmp_core.hand.so3_loops import fill_right_jacobian

Array = NDArray[Any]

_LOWER, _UPPER = np.ascontiguousarray(ANATOMICAL_LIMITS)
NORM_EPSILON = 1e-6


class FieldWeights(NamedTuple):
    """Parameters of a field with L layers, width H, code C, latent D and K waves, as its modules hold them.

    Attributes:
        code_linear, code_linear_bias, code_hidden, code_hidden_bias, code_out: of the code.
        direct, direct_bias: [K * 45, D], [K * 45].
        mix, mix_bias: [K * H, C], [K * H].
        layers: [L - 1, H, H].
        skips, skip_biases: [L - 1, H, C], [L - 1, H].
        norms: [L, H].
        head, head_bias: [45, H], [45].
        frequencies: [(K - 2) / 2] of the time encoding [rad/s].
        window_s: length of the window [s].
    """

    code_linear: Array
    code_linear_bias: Array
    code_hidden: Array
    code_hidden_bias: Array
    code_out: Array
    direct: Array
    direct_bias: Array
    mix: Array
    mix_bias: Array
    layers: Array
    skips: Array
    skip_biases: Array
    norms: Array
    head: Array
    head_bias: Array
    frequencies: Array
    window_s: float


@compiled
def field_vectors(weights: FieldWeights, z: Array, times_s: Array, leak: float) -> Array:
    """Rotation vectors [T, 45] [rad] of a latent [D] at times [T] in the window [s]."""
    waves = _waves(weights, times_s)
    times, num_waves = waves.shape
    code, _ = _code(weights, z)
    hidden = waves @ (weights.mix @ code + weights.mix_bias).reshape(num_waves, -1)
    slope = np.empty(hidden.shape[1], waves.dtype)
    for t in range(times):
        _normalise(hidden[t], weights.norms[0], slope)
    for index in range(len(weights.layers)):
        hidden = hidden @ weights.layers[index].T
        hidden += weights.skips[index] @ code + weights.skip_biases[index]
        for t in range(times):
            _normalise(hidden[t], weights.norms[index + 1], slope)
    vectors: Array = hidden @ weights.head.T
    vectors += waves @ (weights.direct @ z + weights.direct_bias).reshape(num_waves, -1)
    unwanted = np.empty((15, 3, 3))
    for t in range(times):
        vectors[t] += weights.head_bias
        _draw_to_limits(vectors[t], leak, unwanted)
    return vectors


@compiled
def field_jacobian(
    weights: FieldWeights, z: Array, times_s: Array, leak: float, seed: Array
) -> tuple[Array, Array]:
    """As :func:`field_vectors`, and their right tangents' derivative [T, 45, E] along ``seed`` [D, E]."""
    waves = _waves(weights, times_s)
    times, num_waves, directions = len(waves), waves.shape[1], seed.shape[1]
    code, code_slope = _code(weights, z)
    along_seed = np.ascontiguousarray(seed.T)
    d_code = along_seed @ weights.code_linear.T
    d_code += (along_seed @ weights.code_hidden.T * code_slope) @ weights.code_out.T
    mixed = (weights.mix @ code + weights.mix_bias).reshape(num_waves, -1)
    width, latent_dim = mixed.shape[1], len(z)
    mix_rows, direct_rows = weights.mix.reshape(num_waves, -1), weights.direct.reshape(num_waves, -1)
    direct = (weights.direct @ z + weights.direct_bias).reshape(num_waves, -1)
    vectors = np.empty((times, 45), waves.dtype)
    jacobian = np.zeros((times, 45, directions), waves.dtype)
    slope = np.empty(width, waves.dtype)
    limit_slopes, turn = np.empty((15, 3, 3)), np.empty((3, 3))
    for t in range(times):
        hidden = waves[t] @ mixed
        tangents = d_code @ (waves[t] @ mix_rows).reshape(width, -1).T
        _normalise_tangents(hidden, weights.norms[0], slope, tangents)
        for index in range(len(weights.layers)):
            hidden = weights.layers[index] @ hidden
            hidden += weights.skips[index] @ code + weights.skip_biases[index]
            tangents = tangents @ weights.layers[index].T + d_code @ weights.skips[index].T
            _normalise_tangents(hidden, weights.norms[index + 1], slope, tangents)
        vectors[t] = weights.head @ hidden + weights.head_bias + waves[t] @ direct
        outputs_by_seed = weights.head @ tangents.T
        outputs_by_seed += (waves[t] @ direct_rows).reshape(45, latent_dim) @ seed
        _draw_to_limits(vectors[t], leak, limit_slopes)
        for joint in range(15):
            first = 3 * joint
            fill_right_jacobian(vectors[t, first : first + 3], turn)
            for row in range(3):
                for column in range(3):
                    share = 0.0
                    for i in range(3):
                        share += turn[row, i] * limit_slopes[joint, i, column]
                    for e in range(directions):
                        jacobian[t, first + row, e] += share * outputs_by_seed[first + column, e]
    return vectors, jacobian


@compiled
def _waves(weights: FieldWeights, times_s: Array) -> Array:
    """Time encoding [T, K], as :meth:`~hmp_core.prior.field.MotionField.waves`."""
    count = len(weights.frequencies)
    waves = np.empty((len(times_s), 2 + 2 * count), times_s.dtype)
    for t in range(len(times_s)):
        centered = times_s[t] - 0.5 * weights.window_s
        waves[t, 0], waves[t, 1] = 1.0, 2.0 / weights.window_s * centered
        for wave in range(count):
            phase = centered * weights.frequencies[wave]
            waves[t, 2 + wave], waves[t, 2 + count + wave] = math.sin(phase), math.cos(phase)
    return waves


@compiled
def _code(weights: FieldWeights, z: Array) -> tuple[Array, Array]:
    """The code [C] of a latent, and the slope of its hidden layer."""
    hidden = weights.code_hidden @ z + weights.code_hidden_bias
    slope = np.empty_like(hidden)
    for i in range(len(hidden)):
        hidden[i], slope[i] = _silu(hidden[i])
    return weights.code_linear @ z + weights.code_linear_bias + weights.code_out @ hidden, slope


@compiled
def _silu(value: float) -> tuple[float, float]:
    """SiLU and its slope."""
    gate = 1.0 / (1.0 + math.exp(-value))
    return value * gate, gate + value * gate * (1.0 - gate)


@compiled
def _normalise(values: Array, weight: Array, slope: Array) -> float:
    """RMS normalisation and SiLU of values [H] in place; returns the inverse RMS, fills SiLU's slopes [H]."""
    square = 0.0
    for value in values:
        square += value * value
    inverse_rms = 1.0 / math.sqrt(square / len(values) + NORM_EPSILON)
    for i in range(len(values)):
        values[i], slope[i] = _silu(values[i] * inverse_rms * weight[i])
    return inverse_rms


@compiled
def _normalise_tangents(values: Array, weight: Array, slope: Array, tangents: Array) -> None:
    """As :func:`_normalise`; tangents [E, H] are overwritten by theirs."""
    unit = values.copy()
    inverse_rms = _normalise(values, weight, slope)
    for i in range(len(values)):
        unit[i] *= inverse_rms
        slope[i] *= weight[i] * inverse_rms
    along = tangents @ unit
    for e in range(len(tangents)):
        share = along[e] / len(values)
        for i in range(len(values)):
            tangents[e, i] = (tangents[e, i] - share * unit[i]) * slope[i]


@compiled
def _draw_to_limits(vectors: Array, leak: float, slopes: Array) -> None:
    """As :func:`~hmp_core.hand.limits.drawn_to_limits` in place [45], and its slopes [15, 3, 3]."""
    for joint in range(15):
        first = 3 * joint
        slopes[joint] = 0.0
        x, y, z = vectors[first], vectors[first + 1], vectors[first + 2]
        for axis in range(3):
            along = JOINT_AXES[joint, axis]
            angle = along[0] * x + along[1] * y + along[2] * z
            inside = min(max(angle, _LOWER[joint, axis]), _UPPER[joint, axis])
            share = 1.0 if angle == inside else leak
            for row in range(3):
                vectors[first + row] -= (1.0 - leak) * (angle - inside) * along[row]
                for column in range(3):
                    slopes[joint, row, column] += share * along[row] * along[column]
