# SPDX-FileCopyrightText: 2026 The hmp_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Sudden turns of the wrist: where clear sight contradicts what the motion process foretold, it is let go.

Hands rest or coast most of the time, and at times turn at 1,000 degrees a second. One process for both would either
let resting hands tremble or let turning ones lag behind. As trackers of manoeuvring targets do (Bar-Shalom, Li and
Kirubarajan, *Estimation with Applications to Tracking and Navigation*, 2001, chapter 11), the process is kept calm
and its noise is raised for one step where the newest measurement rejects the prediction.

Measured on windows of signs that the prior was trained on, observed joints of fast hands: 21.5 in place of 22.9 mm,
lag 5 in place of 22 ms, acceleration error 9.4 in place of 9.0 mm/frame^2; hands that rest do not change.
"""

from typing import Final

import torch

from hmp_core.fitting.config import FitterConfig
from hmp_core.fitting.evidence import StepEvidence
from hmp_core.fitting.motion import at_pose
from hmp_core.fitting.online_terms import evidence_cost
from hmp_core.fitting.trajectory import Trajectory
from hmp_core.fitting.window_model import WindowModel
from hmp_core.hand.so3 import exponential, logarithm

_LEAST_TURN_RAD: Final = 0.2
"""A smaller one is within the initializer's own error."""
_REJECTED: Final = 15.0
"""Robust cost that the initializer's pose saves; 10 to 25 serve alike."""
_FAR_SIGHTED: Final = 10.0
"""How much farther a choice sees after a gap or in doubt: both poses may lie where the robust cost is flat."""
_CLEAR_JOINTS: Final = 16
"""Observed joints of clear sight: the false points at the border of an occlusion must turn nothing. 16 to 19 serve
alike, 11 turn some hands that are half hidden."""


def carried_on(
    model: WindowModel, predicted: Trajectory, evidence: StepEvidence, config: FitterConfig, unsure: bool
) -> tuple[Trajectory, float]:
    """Where the iterations start at a new step, and the variance of its sudden turn [rad^2], per axis.

    Args:
        model: the hand under its prior.
        predicted: the step as the motion processes foretell it.
        evidence: what was seen.
        config: of the fitter.
        unsure: after a gap or in doubt the prediction may be far off, turned or not, in clear sight or not.

    Returns:
        The prediction and 0; or the initializer's pose where the evidence prefers it by far. In clear sight its
        turn away from the prediction is then taken for a sample of the variance.
    """
    initial = evidence.initial
    if initial is None:
        return predicted, 0.0
    # What costs next to nothing comes first.
    clear = evidence.observed_joints(float(initial.translation[2]), config.observed_sigma_m).sum() >= _CLEAR_JOINTS
    R_initial = exponential(torch.as_tensor(initial.rotation_vectors[0], dtype=torch.float64))
    turn = logarithm(predicted.R_camera_wrist[0].mT @ R_initial)
    turned = clear and bool(turn.norm() >= _LEAST_TURN_RAD)
    if not (turned or unsure):
        return predicted, 0.0
    outlier_sigmas = config.outlier_sigmas * (_FAR_SIGHTED if unsure else 1.0)
    predicted_cost = evidence_cost(model.decode(predicted), evidence, outlier_sigmas)
    if predicted_cost <= _REJECTED:
        return predicted, 0.0
    initialised = at_pose(model, predicted, initial)
    if predicted_cost - evidence_cost(model.decode(initialised), evidence, outlier_sigmas) <= _REJECTED:
        return predicted, 0.0
    return initialised, float(turn.square().mean()) if turned else 0.0
