# SPDX-FileCopyrightText: 2026 The hmp_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The generative hand-motion prior: encoder, neural motion field, checkpoints."""
