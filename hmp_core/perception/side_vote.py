# SPDX-FileCopyrightText: 2026 The hmp_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Left or right: decided once per track, by majority."""

from typing import Final

import numpy as np

from hmp_core.hand.skeleton import Side

_MIN_VOTES: Final = 5
_CERTAIN_LOG_ODDS: Final = 8.0
_MAX_VOTES: Final = 45
_MAX_LOG_ODDS: Final = 2.0


class SideVote:
    """Collects the network's handedness of one track; once decided, the side stays.

    A pose may be taken for the other hand for half a second on end (on rendered hands 10 % of the images are, in
    runs), so single votes are clipped and at least five are heard; the side is decided when their sum is clear,
    which takes five images of a hand in plain view, or after 45 by its sign.
    """

    def __init__(self) -> None:
        self._votes = 0
        self._log_odds = 0.0
        self._sum_right = 0.0
        self._side: Side | None = None

    def add(self, right: float) -> None:
        """Hear one image: the probability that the hand is a right one."""
        bounded = float(np.clip(right, 1e-6, 1 - 1e-6))
        self._votes += 1
        self._sum_right += bounded
        self._log_odds += float(np.clip(np.log(bounded / (1 - bounded)), -_MAX_LOG_ODDS, _MAX_LOG_ODDS))
        clear = self._votes >= _MIN_VOTES and abs(self._log_odds) >= _CERTAIN_LOG_ODDS
        if self._side is None and (clear or self._votes >= _MAX_VOTES):
            self._side = self._leading

    @property
    def side(self) -> Side | None:
        """The decided side, None before."""
        return self._side

    @property
    def score(self) -> float:
        """Mean probability of the decided (or leading) side, 0.5 to 1."""
        if not self._votes:
            return 0.5
        mean = self._sum_right / self._votes
        return max(0.5, mean if (self._side or self._leading) is Side.RIGHT else 1 - mean)

    def contradiction(self, right: float) -> float:
        """How much one image speaks against the decided side, 0 to 0.5; 0 before it is decided."""
        if self._side is None:
            return 0.0
        return max(0.0, (1 - right if self._side is Side.RIGHT else right) - 0.5)

    @property
    def _leading(self) -> Side:
        return Side.RIGHT if self._log_odds >= 0 else Side.LEFT
