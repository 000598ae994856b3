# SPDX-FileCopyrightText: 2026 The hmp_ros authors
# SPDX-License-Identifier: Apache-2.0
"""From a stage's table to the terms of one window.

Two kinds stand side by side. Those of the paper are means over steps, joints and axes, in pixels, metres and
radians: ``orientation_anchor``, ``translation_anchor``, ``orientation_smoothness``, ``translation_smoothness``,
``keypoints_px``. The others are sums in standard deviations: ``keypoints``, ``landmarks``, ``limits``, ``seam``,
``wrist_process``, ``residual_process``. ``latent`` and ``shape`` are means about zero and about the initial shape
where the table has no residual, else about the encoder's reading and the population of hands.
"""

from dataclasses import dataclass, replace
from typing import Final

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from hmp_core.fitting.config import FitterConfig
from hmp_core.fitting.evidence import WindowEvidence
from hmp_core.fitting.shape_prior import ShapePrior
from hmp_core.fitting.stages import Stage, StageTable, TermSetting
from hmp_core.fitting.terms.anchors import OrientationAnchor, TranslationAnchor
from hmp_core.fitting.terms.chain import LinearChainTerm, RotationChainTerm
from hmp_core.fitting.terms.landmarks import LandmarkTerm
from hmp_core.fitting.terms.limits import LimitTerm
from hmp_core.fitting.terms.priors import LatentTerm, ShapeTerm
from hmp_core.fitting.terms.reprojection import KeypointTerm
from hmp_core.fitting.terms.seam import SeamTerm
from hmp_core.fitting.terms.smoothness import OrientationSmoothness, TranslationSmoothness
from hmp_core.fitting.terms.term import Term
from hmp_core.fitting.trajectory import Trajectory
from hmp_core.fitting.window_model import WindowModel
from hmp_core.hand.skeleton import NUM_BETAS, NUM_JOINTS

_CERTAIN_PX: Final = 4.0
"""A keypoint this sure has full confidence; the paper's confidence falls to zero over the same spread."""
_SEAM_ROTATION_RAD: Final = 0.05
_SEAM_POSITION_M: Final = 0.01


@dataclass(frozen=True)
class WindowProblem:
    """What a stage's terms are about.

    Attributes:
        initial: the filled initialisation, K steps.
        evidence: of its steps.
        focal_px: [K] of the cameras [px].
        before: the window before, where it overlaps with the first S steps of this one, and its finger rotations
            [S, 15, 3, 3] there.
    """

    initial: Trajectory
    evidence: WindowEvidence
    focal_px: NDArray[np.float64]
    before: tuple[Trajectory, Tensor] | None = None


def build_terms(
    model: WindowModel, config: FitterConfig, table: StageTable, stage: Stage, problem: WindowProblem
) -> list[Term]:
    """The terms of one stage for one window; ``seam`` is left out where no window lies before."""
    builder = _Builder(model, config, table, problem)
    return [term for name, setting in stage.terms.items() for term in getattr(builder, name)(setting)]


class _Builder:
    """One method a name in the table; each gives its terms."""

    def __init__(self, model: WindowModel, config: FitterConfig, table: StageTable, problem: WindowProblem) -> None:
        self._model = model
        self._config = config
        self._table = table
        self._problem = problem
        self._initial = problem.initial
        self._evidence = problem.evidence
        self._steps = len(problem.initial.times_s)
        self._h = np.diff(problem.initial.times_s)

    def orientation_anchor(self, setting: TermSetting) -> list[Term]:
        weight = setting.weight / self._steps
        return [OrientationAnchor(self._initial.R_camera_wrist, weight, setting.kernel_function())]

    def translation_anchor(self, setting: TermSetting) -> list[Term]:
        weight = setting.weight / (3 * self._steps)
        return [TranslationAnchor(self._initial.p_camera_wrist, weight, setting.kernel_function())]

    def orientation_smoothness(self, setting: TermSetting) -> list[Term]:
        return [OrientationSmoothness(*self._weighed_steps(setting.weight / max(len(self._h), 1)))]

    def translation_smoothness(self, setting: TermSetting) -> list[Term]:
        return [TranslationSmoothness(*self._weighed_steps(setting.weight / max(3 * len(self._h), 1)))]

    def keypoints_px(self, setting: TermSetting) -> list[Term]:
        focal = torch.from_numpy(self._problem.focal_px)[:, None]
        information = self._evidence.ray_information
        confidence = (_CERTAIN_PX * information / focal).clamp_max(1.0).square()
        weight = setting.weight / (2 * NUM_JOINTS * self._steps) * confidence
        seen = focal * (information > 0)
        return [KeypointTerm(self._evidence.rays, seen, weight, setting.kernel_function(), by_coordinate=True)]

    def keypoints(self, setting: TermSetting) -> list[Term]:
        weight = torch.tensor(setting.weight, dtype=torch.float64)
        information = self._evidence.ray_information
        return [KeypointTerm(self._evidence.rays, information, weight, setting.kernel_function())]

    def landmarks(self, setting: TermSetting) -> list[Term]:
        seen, kernel = self._evidence, setting.kernel_function()
        return [LandmarkTerm(seen.landmarks_m, seen.landmark_information, seen.nuisance, setting.weight, kernel)]

    def limits(self, setting: TermSetting) -> list[Term]:
        stddev = self._config.limit_stddev_rad / setting.weight**0.5
        return [LimitTerm(self._model.joint_axes, self._model.limits, stddev)]

    def wrist_process(self, setting: TermSetting) -> list[Term]:
        softness = setting.weight**-0.5
        turn, move = self._config.wrist_rotation, self._config.wrist_translation
        return [
            RotationChainTerm.of(replace(turn, rate_stddev=softness * turn.rate_stddev), self._h),
            LinearChainTerm.of_wrist(replace(move, rate_stddev=softness * move.rate_stddev), self._h),
        ]

    def residual_process(self, setting: TermSetting) -> list[Term]:
        flex = self._config.finger_residual
        return [LinearChainTerm.of_residual(replace(flex, stddev=setting.weight**-0.5 * flex.stddev), self._h)]

    def latent(self, setting: TermSetting) -> list[Term]:
        if self._table.residual:
            return [LatentTerm(setting.weight * self._config.latent_stddev**-2)]
        return [LatentTerm(setting.weight / len(self._initial.z), torch.zeros_like(self._initial.z))]

    def shape(self, setting: TermSetting) -> list[Term]:
        if self._table.residual:
            prior = ShapePrior.of_hand(self._config, self._model.kinematics)
            return [ShapeTerm(prior.mean, setting.weight * prior.information)]
        information = setting.weight / NUM_BETAS * torch.eye(NUM_BETAS, dtype=torch.float64)
        return [ShapeTerm(self._initial.betas, information)]

    def seam(self, setting: TermSetting) -> list[Term]:
        if self._problem.before is None:
            return []
        before, R_finger = self._problem.before
        rotation, position = _SEAM_ROTATION_RAD / setting.weight**0.5, _SEAM_POSITION_M / setting.weight**0.5
        return [SeamTerm(before.R_camera_wrist, before.p_camera_wrist, R_finger, rotation, position)]

    def _weighed_steps(self, weight: float) -> tuple[Tensor, Tensor]:
        """Lengths [K-1] [s] and weights [K-1] of the steps."""
        h = torch.from_numpy(self._h)
        return h, torch.full_like(h, weight)
