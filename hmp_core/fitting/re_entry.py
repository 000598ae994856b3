# SPDX-FileCopyrightText: 2026 The hmp_ros authors
# SPDX-License-Identifier: Apache-2.0
"""When the published hand leads over to the solved one, and from where."""

from collections.abc import Callable
from typing import Final

from torch import Tensor

from hmp_core.fitting.continuity import ContinuousPose
from hmp_core.fitting.hand_fitter import HandFitter, HandSolution
from hmp_core.fitting.hand_pose import HandPose
from hmp_core.hand.kinematics import HandKinematics

_POSE_JOINTS: Final = 4
"""Fewer do not tell where a hand is and how it is turned."""
_STALL_S: Final = 0.25
"""Longer than between two images of the slowest camera."""
_FIRST_STEP_S: Final = 0.1
"""The first pose after any gap is corrected no farther than in this time."""


class ReEntry:
    """The published poses of one hand, from its first sight to its loss.

    At each image: :meth:`foresee` if there is evidence to take in, then the solve, then :meth:`publish`.

    Args:
        fitter: that solves.
        kinematics: of the hand.
        speed: fastest correction of a joint [m/s].
        coasting: the pose that is shown at a time [s] inside a gap; None where there is no gap.

    Attributes:
        continuity: of the published poses.
    """

    def __init__(
        self,
        fitter: HandFitter,
        kinematics: HandKinematics,
        speed: float,
        coasting: Callable[[float], HandPose | None],
    ) -> None:
        self.continuity = ContinuousPose(kinematics, speed)
        self._fitter = fitter
        self._coasting = coasting
        self._published: tuple[float, HandPose] | None = None
        self._expected: HandPose | None = None
        self._blind = False  # too few joints counted in what was published last
        self._unsettled = True  # the window will move on, or has been set anew
        self._restarts = fitter.restarts
        self._has_rival = False  # a rival's window has taken over since the last pose

    def unsettle(self) -> None:
        """Lead over from the last pose at the next image, whatever it shows."""
        self._unsettled = True

    def foresee(self, time_s: float) -> None:
        """Before evidence that may end a gap is taken in: note what would be published if the gap went on."""
        if self._published is None:
            return
        published_s, published = self._published
        if not (self._blind or time_s - published_s > _STALL_S):
            return
        coasting = self._coasting(time_s)
        if self._has_rival:
            self._expected = published  # its window knows of no motion yet
        elif coasting is not None:
            self._expected = self.continuity.carried(coasting)

    def publish(self, solved: HandPose, solution: HandSolution, time_s: float) -> HandPose:
        """The pose to publish for the one that is ``solved`` at ``time_s``."""
        leads = self._lead_over(solved, solution.newest.betas, time_s)
        self._has_rival = self._fitter.restarts > self._restarts
        self._restarts = self._fitter.restarts
        # A solve that has not settled will move on at the next image: that way is bounded, too.
        self._unsettled = self._has_rival or (leads and not solution.settled)
        published = self.continuity.apply(solved, time_s)
        self._published = (time_s, published)
        return published

    def count(self, observed_joints: int) -> None:
        """How many joints counted in the pose that was published last."""
        self._blind = observed_joints < _POSE_JOINTS

    def _lead_over(self, solved: HandPose, betas: Tensor, time_s: float) -> bool:
        """Begin or renew the way from what was published; whether there is one, or the hand starts."""
        expected, self._expected = self._expected, None
        if self._published is None:
            return True
        published_s, published = self._published
        if expected is not None:
            self.continuity.bridge(expected, solved, betas, max(published_s, time_s - _FIRST_STEP_S))
            return True
        if not (self._unsettled or self.continuity.leading):
            return False
        # What this window would have said when the last pose was published.
        past = self._coasting(published_s)
        if past is None and (step := self._fitter.at(published_s)) is not None:
            past = HandPose.newest(*step)
        lead = self.continuity.bridge if self._unsettled else self.continuity.renew
        if past is not None:
            lead(published, past, betas, published_s)
        return True
