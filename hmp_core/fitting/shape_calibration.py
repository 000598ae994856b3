# SPDX-FileCopyrightText: 2026 The hmp_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Finding the shape of one person's hand while it is held still in front of the camera."""

from dataclasses import dataclass, field
from typing import Final

import numpy as np
from numpy.typing import NDArray

from hmp_core.errors import ConfigError
from hmp_core.estimate import FrameEstimate, HandEstimate, HandStatus

_REST_M: Final = 0.01
"""Joints of a still hand stay this close to where they were, on average; jitter is a tenth of it."""
_REST_NS: Final = 200_000_000
"""After as long at rest the hand counts as still; both together bound its speed, at any camera rate."""
_GAP_NS: Final = 1_000_000_000
"""Nobody knows what a hand did that was not seen for as long."""


@dataclass
class _Rest:
    """A hand since it came to rest."""

    anchor: NDArray[np.float64]
    began_ns: int
    seen_ns: int
    betas: list[NDArray[np.float64]] = field(default_factory=list)


class ShapeCalibration:
    """Feed it the fitter's estimates until it answers; the fitter must be learning shapes, not holding one.

    Each hand is judged for itself, and the first with enough still frames is taken: of hands that one person shows,
    either will do. A frame counts when the whole hand was observed and it has been at rest for 0.2 s. Frames from
    before a movement still count: it is the same hand. The answer is the median of what the fitter believed in
    them, so a few bad frames do no harm.

    One camera sees the proportions of a hand and not its size: the answer's size is the one that the fitter was
    configured with, measured or average.

    Args:
        frames: how many still frames are needed.

    Raises:
        ConfigError: ``frames`` is less than one.
    """

    def __init__(self, frames: int) -> None:
        if frames < 1:
            raise ConfigError(f"a calibration needs at least one still frame, got {frames}")
        self._frames = frames
        self._hands: dict[int, _Rest] = {}

    @property
    def still_frames(self) -> int:
        """Frames that count so far, of the hand that has most."""
        return max((len(rest.betas) for rest in self._hands.values()), default=0)

    def add(self, estimate: FrameEstimate) -> NDArray[np.float64] | None:
        """Take in the hands of one image; β [10] of the first hand with enough still frames, None until then."""
        for hand in estimate.hands:
            if hand.status is HandStatus.OBSERVED:
                rest = self._follow(hand, estimate.stamp_ns)
                if len(rest.betas) == self._frames:
                    return np.asarray(np.median(rest.betas, axis=0))
        return None

    def _follow(self, hand: HandEstimate, stamp_ns: int) -> _Rest:
        joints = hand.joints_camera - hand.joints_camera[0]
        rest = self._hands.setdefault(hand.track_id, _Rest(joints, stamp_ns, stamp_ns))
        moved = float(np.linalg.norm(joints - rest.anchor, axis=1).mean()) > _REST_M
        unseen = not 0 <= stamp_ns - rest.seen_ns < _GAP_NS
        rest.seen_ns = stamp_ns
        if moved or unseen:
            rest.anchor, rest.began_ns = joints, stamp_ns
        elif stamp_ns - rest.began_ns >= _REST_NS:
            rest.betas.append(hand.mano.betas)
        return rest
