# SPDX-FileCopyrightText: 2026 The hmp_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Images to hand observations: palm detector, landmark network, tracks, initializer."""
