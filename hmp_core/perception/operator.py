# SPDX-FileCopyrightText: 2026 The hmp_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Whose hands count: those of wanted sides, and of one person where others are in view."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Final

import numpy as np
from numpy.typing import NDArray

from hmp_core.errors import ConfigError
from hmp_core.hand.skeleton import Side

_MAX_DEPTH_RATIO: Final = 2.5
_MAX_LATERAL_M: Final = 2.0
"""Two hands of one person: arms span less than two metres, and before a camera that sees both hands and is half a
metre or more from the nearer one, the other is at most two and a half times as far."""


class Hands(str, Enum):
    """Sides that are wanted."""

    LEFT = "left"
    RIGHT = "right"
    BOTH = "both"

    @classmethod
    def _missing_(cls, value: object) -> "Hands":
        raise ConfigError(f"hands must be left, right or both, got {value!r}")

    def include(self, side: Side | None) -> bool:
        """Whether a hand of this side is wanted; one whose side is not decided may yet be."""
        return self is Hands.BOTH or side is None or side.value == self.value


class Operator(str, Enum):
    """Whose hands are followed.

    NEAREST: one left and one right hand that one person can have. The nearest hands in view are taken and kept
    until they are lost; who comes later is a bystander, however near. ANYONE: whatever is found first, two hands of
    one side included.
    """

    NEAREST = "nearest"
    ANYONE = "anyone"

    @classmethod
    def _missing_(cls, value: object) -> "Operator":
        raise ConfigError(f"operator must be nearest or anyone, got {value!r}")


@dataclass(frozen=True)
class SeenHand:
    """What the choice needs to know of one hand in one image.

    Attributes:
        track_id: identity; who was there first has the lower one.
        side: None until decided.
        center_px: [2] in the image [px].
        pixels_per_metre: scale of the hand in the image; twice as many at half the distance.
    """

    track_id: int
    side: Side | None
    center_px: NDArray[np.float64]
    pixels_per_metre: float


def choose(seen: Sequence[SeenHand], hands: Hands, operator: Operator) -> set[int]:
    """Track ids of the hands that count; the others are to be set aside."""
    chosen: list[SeenHand] = []
    for hand in sorted(seen, key=lambda hand: hand.track_id):
        alone = operator is Operator.ANYONE or all(_one_person(hand, other) for other in chosen)
        if hands.include(hand.side) and alone:
            chosen.append(hand)
    return {hand.track_id for hand in chosen}


def _one_person(first: SeenHand, second: SeenHand) -> bool:
    """Whether two hands may be the left and the right one of one person."""
    if first.side is not None and first.side is second.side:
        return False
    scales = sorted((first.pixels_per_metre, second.pixels_per_metre))
    lateral_m = float(np.linalg.norm(first.center_px - second.center_px)) / np.sqrt(scales[0] * scales[1])
    return scales[1] <= _MAX_DEPTH_RATIO * scales[0] and lateral_m <= _MAX_LATERAL_M
