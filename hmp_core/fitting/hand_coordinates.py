# SPDX-FileCopyrightText: 2026 The hmp_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The hand's own 61 coordinates at a step, in which evidence is condensed."""

from typing import Final

WRIST: Final = slice(0, 3)
"""Tangent of the wrist's rotation."""
FINGERS: Final = slice(3, 48)
"""Tangents of the finger rotations."""
BETAS: Final = slice(48, 58)
PLACE: Final = slice(58, 61)
"""The wrist's position."""
HAND_DIM: Final = 61
