# SPDX-FileCopyrightText: 2026 The hmp_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Settings of perception."""

from dataclasses import dataclass
from typing import Final

from hmp_core.errors import ConfigError
from hmp_core.perception.operator import Hands, Operator

_ALLOWED: Final[dict[str, tuple[float, float]]] = {
    "max_hands": (1, 2),
    "min_palm_score": (0.05, 0.99),
    "min_presence": (0.05, 0.99),
    "patience_s": (0.3, 3600.0),
    "search_interval_s": (0.0, 60.0),
    "reacquire_interval_s": (0.0, 10.0),
}


@dataclass(frozen=True)
class PerceptionConfig:
    """How hands are found and followed.

    Attributes:
        max_hands: hands followed at a time; further ones are counted and left out.
        min_palm_score: palm detections below this probability are dropped (MediaPipe's default).
        min_presence: regions in which the landmark network sees a hand with less probability than this hold
            none (MediaPipe's default; an opaque box over the whole hand gives 0.01, a clear hand 0.95 or more).
        patience_s: a hand that comes back within this time keeps its track id and side [s]; no shorter than a hand
            stays in the published list, or it comes back as a second one.
        search_interval_s: while one hand is followed, how often the image is searched for a second one [s];
            with no hand followed every image is searched.
        reacquire_interval_s: the same while another followed hand has just been lost [s].
        hands: sides that are wanted; others are set aside as soon as their side is decided.
        operator: whose hands are followed where several people are in view.

    Raises:
        ConfigError: for a value outside its allowed range.
    """

    max_hands: int = 2
    min_palm_score: float = 0.5
    min_presence: float = 0.5
    patience_s: float = 1.5
    search_interval_s: float = 0.8
    reacquire_interval_s: float = 0.1
    hands: Hands = Hands.BOTH
    operator: Operator = Operator.NEAREST

    def __post_init__(self) -> None:
        for name, (low, high) in _ALLOWED.items():
            value = getattr(self, name)
            if not low <= value <= high:
                raise ConfigError(f"{name} must lie between {low} and {high}, got {value}")
        if int(self.max_hands) != self.max_hands:
            raise ConfigError(f"max_hands must be a whole number, got {self.max_hands}")
