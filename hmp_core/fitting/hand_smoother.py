# SPDX-FileCopyrightText: 2026 The hmp_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Earlier estimates of one hand as its window sees them later."""

from dataclasses import replace

import torch
from torch import Tensor

from hmp_core.estimate import HandEstimate, HandStatus
from hmp_core.fitting.continuity import ContinuousPose
from hmp_core.fitting.hand_fitter import HandFitter
from hmp_core.fitting.hand_pose import HandPose
from hmp_core.fitting.readout import read_back, read_out
from hmp_core.fitting.window_model import WindowModel


class HandSmoother:
    """Gives the pose that the present window has for a time that it was shown at before.

    Status and sigmas stay those of the time, which errs on the safe side; so does the whole estimate where the
    window no longer reaches, or where it is LOST.

    Args:
        model: of the fitter.
        fitter: whose window is asked; times are its own [s].
        blend_speed: fastest correction of a joint where the window has changed its mind [m/s].
    """

    def __init__(self, model: WindowModel, fitter: HandFitter, blend_speed: float) -> None:
        self._model = model
        self._fitter = fitter
        self.continuity = ContinuousPose(model.kinematics, blend_speed)
        self._given: tuple[float, HandEstimate, HandPose] | None = None

    def revise(self, time_s: float, estimate: HandEstimate) -> HandEstimate:
        """An earlier estimate, in any order."""
        if estimate.status is HandStatus.LOST:
            return estimate
        return self._read_out(*self._present(time_s, estimate), estimate)

    def smooth(self, time_s: float, estimate: HandEstimate) -> HandEstimate:
        """As :meth:`revise`, for times that increase: where the window has changed its mind about what was given
        out before, this one leads over from there.
        """
        if estimate.status is HandStatus.LOST:
            self._given = None
            return estimate
        pose, betas = self._present(time_s, estimate)
        if self._given is not None:
            given_s, given_estimate, given = self._given
            present, _ = self._present(given_s, given_estimate)
            self.continuity.bridge(given, present, betas, given_s)
            pose = self.continuity.apply(pose, time_s)
        self._given = (time_s, estimate, pose)
        return self._read_out(pose, betas, estimate)

    def _present(self, time_s: float, estimate: HandEstimate) -> tuple[HandPose, Tensor]:
        """Pose and β as the window sees them now, or as they were where it no longer reaches."""
        past = self._fitter.at(time_s)
        if past is None:
            return read_back(estimate), torch.from_numpy(estimate.mano.betas)
        return HandPose.newest(*past), past[0].betas

    def _read_out(self, pose: HandPose, betas: Tensor, estimate: HandEstimate) -> HandEstimate:
        return replace(estimate, **vars(read_out(self._model, pose, betas, estimate.side)))
