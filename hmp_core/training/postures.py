# SPDX-FileCopyrightText: 2026 The hmp_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Hand postures without an object: counting, pointing, signs, fists, tables to type on.

Angles are in degrees here, in the order of :data:`hmp_core.training.anatomy.ANGLE_RANGES`.
"""

from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtr

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
    "out": (3.0, 11.0, -13.0, -2.0),
    "up": (-8.0, -2.0, -17.0, -12.0),
    "back": (-20.0, 25.0, -15.0, 5.0),
    "raised": (42.0, 17.0, -15.0, 8.0),
    "relaxed": (12.0, 35.0, -14.0, 22.0),
    "beside": (0.0, 45.0, -19.0, 12.0),
    "bent": (8.0, 35.0, 3.0, 65.0),
    "hollow": (15.0, 48.0, -3.0, -20.0),
    "across": (18.0, 59.0, 7.0, 45.0),
    "under": (26.0, 65.0, 13.0, 62.0),
    "over_fist": (10.0, 51.0, -10.0, 38.0),
    "opposed": (34.0, 43.0, -5.0, 18.0),
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
    """An open hand, fingers together or spread, straight or bent back a little."""
    digit = (0.0, rng.uniform(-20.0, 10.0), *STRAIGHT[2:])
    return _compose(rng, str(rng.choice(["out", "relaxed", "beside", "up", "back"])), [digit] * 4)


def fist(rng: np.random.Generator) -> Angles:
    """A fist, the thumb over or beside the fingers."""
    return _compose(rng, str(rng.choice(["over_fist", "beside", "across", "under"])), [CURLED] * 4, spread=1)


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
    name, letters = _COUNTS[int(rng.integers(len(_COUNTS))) if number is None else number % len(_COUNTS)]
    return _compose(rng, name, [_LETTERS[letter] for letter in letters])


def point(rng: np.random.Generator) -> Angles:
    """A pointing index finger."""
    others = CURLED if rng.random() < 0.7 else ROUND
    return _compose(rng, str(rng.choice(["over_fist", "out", "beside"])), [STRAIGHT, others, others, others])


def sign(rng: np.random.Generator) -> Angles:
    """Any combination of finger shapes, neighbours often alike, as in fingerspelling."""
    digits: list[tuple[float, ...]] = []
    for _ in range(4):
        if digits and rng.random() < 0.75:
            digits.append(digits[-1])
        else:
            shape, other = (_DIGITS[int(i)] for i in rng.integers(len(_DIGITS), size=2))
            mix = rng.choice([0.0, 0.0, rng.random()])
            digits.append(tuple((1 - mix) * a + mix * b for a, b in zip(shape, other, strict=True)))
    return _compose(rng, None, digits)


def free(rng: np.random.Generator) -> Angles:
    """Any posture: each joint anywhere in its range, fingers alike to a random degree.

    The first two components of hands' postures, which move all fingers alike, hold over 80 % of the variance in
    grasping (Santello et al. 1998) and half of it in other motion; the rest is one finger against another.
    """
    alike, coupled = rng.uniform(0.6, 0.99), rng.uniform(0.2, 0.95)
    own = rng.normal(size=(4, 2))
    for finger in (1, 2, 3):  # neighbours go together most
        own[finger] = 0.8 * own[finger - 1] + 0.6 * own[finger]
    drawn = np.sqrt(alike) * rng.normal(size=2) + np.sqrt(1.0 - alike) * own
    drawn[:, 1] = coupled * drawn[:, 0] + np.sqrt(1.0 - coupled**2) * drawn[:, 1]
    share = ndtr(1.2 * drawn)  # more often near an end than in the middle
    digits: list[tuple[float, ...]] = [
        (0.0, -18.0 + 110.0 * base, -4.0 + 95.0 * middle, 63.0 * middle) for base, middle in share
    ]
    return _compose(rng, None, digits)


def thumb(rng: np.random.Generator, curl: float, splay: float, name: str | None = None) -> Angles:
    """The thumb's angles [4] [degrees].

    Its joints go almost independently of each other; its base flexes as the fingers flex, and goes out as they
    splay. In two real sources the changes of abduction and flexion over 0.3 s correlate by -0.1, flexion and that
    of the fingers by 0.2 to 0.5; in one of them flexion and the little finger's splay by -0.5.

    Args:
        rng: source of randomness.
        curl: of the fingers, 0 flat to 1 a fist.
        splay: of the fingers, 0 side by side, 1 as far apart as they go.
        name: of a posture; None: any.
    """
    outward = splay * np.array((5.0, -14.0, 0.0, -4.0))
    if name is not None:
        return np.array(_THUMBS[name]) + outward + rng.normal(0.0, 2.0, 4)
    if rng.random() < 0.2:
        one, other = (np.array(_THUMBS[str(key)]) for key in rng.choice(list(_THUMBS), size=2))
        share = rng.uniform(0.0, 1.0, 4)
        return np.asarray((1.0 - share) * one + share * other + outward)
    drawn = rng.normal((12.0, 24.0 + 38.0 * curl, -11.0, 14.0 + 16.0 * curl), (8.0, 9.0, 8.0, 17.0))
    drawn[3] += 0.8 * (drawn[2] + 11.0)
    return np.asarray(drawn + outward)


def thumb_angles(rng: np.random.Generator, fingers: Angles) -> Angles:
    """A posture [20] [rad] with the fingers of another one and a thumb of its own."""
    return np.concatenate((np.deg2rad(thumb(rng, rng.random(), rng.random())), fingers[4:]))


def _compose(
    rng: np.random.Generator, thumb_name: str | None, digits: list[tuple[float, ...]], spread: int | None = None
) -> Angles:
    """Put a thumb and four fingers together, spread them by a random share, and convert to radians [20]."""
    first, second = (_SPREAD[int(i)] for i in rng.integers(3, size=2)) if spread is None else (_SPREAD[spread],) * 2
    share = rng.random()
    fingers = np.array(digits, dtype=np.float64)
    # A bent finger cannot be spread: its ligaments are tight.
    straightness = np.clip(1.0 - fingers[:, 1] / 70.0, 0.0, 1.0)
    fingers[:, 0] += straightness * (share * np.array(first) + (1.0 - share) * np.array(second))
    curl, splay = fingers[:, 1:3].sum(1).mean() / 170.0, (fingers[0, 0] - fingers[3, 0]) / 32.0
    fingers[:, 0] += straightness * rng.normal(0.0, 3.0, 4)
    angles = np.concatenate((thumb(rng, curl, splay, thumb_name)[None], fingers))
    return np.asarray(np.deg2rad(angles.reshape(-1)) + _NEUTRAL)
