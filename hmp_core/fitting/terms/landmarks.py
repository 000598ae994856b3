# SPDX-FileCopyrightText: 2026 The hmp_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Wrist-relative 3D landmarks against the model's joints."""

from torch import Tensor


def landmarks(joints_wrist_relative: Tensor, observed_m: Tensor, information: Tensor) -> Tensor:
    """Whitened differences [K, 21, 3]; the derivative with respect to the joint is ``information`` itself.

    Args:
        joints_wrist_relative: [K, 21, 3], camera axes [m].
        observed_m: [K, 21, 3] [m].
        information: [K, 21] reciprocal sigmas [1/m].
    """
    return information[..., None] * (joints_wrist_relative - observed_m)
