# SPDX-FileCopyrightText: 2026 The hmp_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The colours of hands, the same in overlays, markers, reports and viewers."""

from typing import Final

from hmp_core.estimate import HandEstimate, HandStatus
from hmp_core.hand.skeleton import FINGERS, NUM_JOINTS

Rgb = tuple[int, int, int]

STATUS_COLOURS: Final[dict[HandStatus, Rgb]] = {
    HandStatus.UNKNOWN: (150, 150, 150),
    HandStatus.OBSERVED: (60, 200, 110),
    HandStatus.PARTIAL: (245, 170, 40),
    HandStatus.INFILLED: (150, 110, 235),
    HandStatus.PREDICTED: (60, 195, 225),
    HandStatus.LOST: (120, 120, 120),
}
"""Green observed, amber partial, violet infilled, cyan predicted, grey lost."""

_FINGER_COLOURS: Final[tuple[Rgb, ...]] = (
    (250, 90, 70),
    (255, 180, 40),
    (110, 215, 90),
    (60, 190, 245),
    (215, 110, 235),
)
_WRIST_COLOUR: Final[Rgb] = (245, 245, 245)
_LOST_COLOUR: Final[Rgb] = (140, 140, 140)


def joint_colours(hand: HandEstimate) -> list[Rgb]:
    """Colour of each of the 21 joints, and of the bone towards its parent: the finger's hue, grey when lost."""
    if hand.status is HandStatus.LOST:
        return [_LOST_COLOUR] * NUM_JOINTS
    colours = [_WRIST_COLOUR] * NUM_JOINTS
    for finger, colour in zip(FINGERS, _FINGER_COLOURS, strict=True):
        for joint in finger:
            colours[joint] = colour
    return colours
