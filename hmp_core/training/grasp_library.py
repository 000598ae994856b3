# SPDX-FileCopyrightText: 2026 The hmp_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Grasp postures by kind, solved when a kind is first asked for."""

from typing import Final

import numpy as np
from numpy.typing import NDArray

from hmp_core.errors import DataError
from hmp_core.prior.chain import FingerBones
from hmp_core.training.grasps import GRASP_KINDS, solve_grasps

_ROUNDS: Final = 5


class GraspLibrary:
    """Grasps of one hand.

    Args:
        bones: the rest hand.
        tries: objects tried for each kind of grasp.
        seed: of the objects; a kind's grasps do not depend on which kinds were asked for before.
    """

    def __init__(self, bones: FingerBones, tries: int, seed: int) -> None:
        self._bones = bones
        self._tries = tries
        self._seed = seed
        self._found: dict[str, NDArray[np.float64]] = {}

    def draw(self, kind: str, rng: np.random.Generator) -> NDArray[np.float64]:
        """One grasp's angles [20] [rad].

        Args:
            kind: key of :data:`~hmp_core.training.grasps.GRASP_KINDS`.
            rng: source of randomness.

        Raises:
            DataError: this hand cannot grasp so.
        """
        if kind not in self._found:
            self._found[kind] = self._solve(kind)
        found = self._found[kind]
        return np.asarray(found[rng.integers(len(found))])

    def _solve(self, kind: str) -> NDArray[np.float64]:
        rng = np.random.default_rng([self._seed, list(GRASP_KINDS).index(kind)])
        for _ in range(_ROUNDS):
            found = solve_grasps(self._bones, GRASP_KINDS[kind], self._tries, rng)
            if len(found):
                return found
        raise DataError(f"no object was found that this hand can hold in a {kind} grasp; its bones may be wrong")
