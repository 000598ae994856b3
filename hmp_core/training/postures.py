# SPDX-FileCopyrightText: 2026 The hmp_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Hand postures without an object: counting, pointing, signs, fists, tables to type on.

Angles are in degrees here, in the order of :data:`hmp_core.training.anatomy.ANGLE_RANGES`.
"""

from typing import Final

import numpy as np
from numpy.typing import NDArray

from hmp_core.training.anatomy import NEUTRAL

Angles = NDArray[np.float64]

STRAIGHT: Final = (0.0, 2.0, 4.0, 3.0)
RELAXED: Final = (0.0, 25.0, 35.0, 20.0)
CURLED: Final = (0.0, 78.0, 95.0, 58.0)
HOOKED: Final = (0.0, 5.0, 90.0, 55.0)
BENT_AT_BASE: Final = (0.0, 75.0, 10.0, 6.0)
ROUND: Final = (0.0, 45.0, 50.0, 32.0)
_SPREAD: Final = ((14.0, 3.0, -7.0, -18.0), (0.0, 0.0, 0.0, 0.0), (-5.0, -1.0, 3.0, 5.0))
_THUMBS: Final = {
    "out": (3.0, 8.0, -8.0, -2.0),
    "relaxed": (10.0, 30.0, -3.0, 20.0),
    "beside": (2.0, 42.0, -8.0, 12.0),
    "across": (18.0, 52.0, 15.0, 45.0),
    "over_fist": (10.0, 48.0, 0.0, 38.0),
    "opposed": (32.0, 38.0, 5.0, 18.0),
}
_DIGITS: Final = (STRAIGHT, RELAXED, CURLED, HOOKED, BENT_AT_BASE, ROUND)
_COUNTS: Final = (
    ("over_fist", "CCCC"), ("over_fist", "SCCC"), ("over_fist", "SSCC"), ("across", "SSSC"), ("across", "SSSS"),
    ("out", "SSSS"), ("out", "CCCC"), ("out", "SCCC"), ("out", "SSCC"), ("across", "CCCS"), ("out", "CCCS"),
    ("across", "SCCS"), ("across", "CSSS"), ("opposed", "SSSC"), ("opposed", "CSSS"), ("across", "HCCC"),
)  # fmt: skip
_NEUTRAL: Final = NEUTRAL.double().numpy()
_LETTERS: Final = {"S": STRAIGHT, "C": CURLED, "H": HOOKED}


def flat(rng: np.random.Generator) -> Angles:
    """An open hand, fingers together or spread."""
    return _compose(rng, str(rng.choice(["out", "relaxed", "beside"])), [STRAIGHT] * 4)


def fist(rng: np.random.Generator) -> Angles:
    """A fist, the thumb over or beside the fingers."""
    return _compose(rng, str(rng.choice(["over_fist", "beside", "across"])), [CURLED] * 4, spread=1)


def rest(rng: np.random.Generator) -> Angles:
    """A hand doing nothing: flexion grows from index to little finger."""
    slack = rng.uniform(0.4, 1.5)
    digits = [tuple(slack * (1.0 + 0.12 * finger) * a for a in RELAXED) for finger in range(4)]
    return _compose(rng, "relaxed", digits, spread=1)


def table(rng: np.random.Generator) -> Angles:
    """Fingers arched over keys."""
    arch = rng.uniform(0.6, 1.2)
    return _compose(rng, "relaxed", [(0.0, 28.0 * arch, 42.0 * arch, 26.0 * arch)] * 4)


def count(rng: np.random.Generator, number: int | None = None) -> Angles:
    """A counting posture, one of sixteen ways."""
    thumb, letters = _COUNTS[int(rng.integers(len(_COUNTS))) if number is None else number % len(_COUNTS)]
    return _compose(rng, thumb, [_LETTERS[letter] for letter in letters])


def point(rng: np.random.Generator) -> Angles:
    """A pointing index finger."""
    others = CURLED if rng.random() < 0.7 else ROUND
    return _compose(rng, str(rng.choice(["over_fist", "out", "beside"])), [STRAIGHT, others, others, others])


def sign(rng: np.random.Generator) -> Angles:
    """Any combination of finger shapes, neighbours often alike, as in fingerspelling."""
    digits: list[tuple[float, ...]] = []
    for _ in range(4):
        if digits and rng.random() < 0.55:
            digits.append(digits[-1])
        else:
            shape, other = (_DIGITS[int(i)] for i in rng.integers(len(_DIGITS), size=2))
            mix = rng.choice([0.0, 0.0, rng.random()])
            digits.append(tuple((1 - mix) * a + mix * b for a, b in zip(shape, other, strict=True)))
    return _compose(rng, str(rng.choice(list(_THUMBS))), digits)


def _compose(
    rng: np.random.Generator, thumb: str, digits: list[tuple[float, ...]], spread: int | None = None
) -> Angles:
    """Put a thumb and four fingers together, spread them by a random share, and convert to radians [20]."""
    first, second = (_SPREAD[int(i)] for i in rng.integers(3, size=2)) if spread is None else (_SPREAD[spread],) * 2
    share = rng.random()
    angles = np.array([_THUMBS[thumb], *digits], dtype=np.float64)
    # A bent finger cannot be spread: its ligaments are tight.
    straightness = np.clip(1.0 - angles[1:, 1] / 70.0, 0.0, 1.0)
    angles[1:, 0] += straightness * (share * np.array(first) + (1.0 - share) * np.array(second))
    return np.asarray(np.deg2rad(angles.reshape(-1)) + _NEUTRAL)
