# SPDX-FileCopyrightText: 2026 The hmp_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Keeping sums that cancel out of half precision when networks train in mixed precision."""

import torch
from torch import Tensor


def full_precision(like: Tensor) -> torch.autocast:
    """Context in which products on the device of ``like`` keep their tensors' own precision."""
    return torch.autocast(like.device.type, enabled=False)
