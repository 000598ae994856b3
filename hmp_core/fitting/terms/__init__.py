# SPDX-FileCopyrightText: 2026 The hmp_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Residual terms, one small file a family: pure functions of tensors, whitened, with analytic Jacobians."""
