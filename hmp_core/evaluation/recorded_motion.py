# SPDX-FileCopyrightText: 2026 The hmp_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Recorded motion of whole hands: retargeted fingers, and the wrist of the same frames where the file has it."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
import roma
import torch
from numpy.typing import NDArray
from torch import Tensor

from hmp_core.errors import DataError
from hmp_core.hand.model import HandModel
from hmp_core.prior.chain import FingerBones
from hmp_core.training.generator import generate_motion
from hmp_core.training.motion import FingerMotion
from hmp_core.training.motion_sources import file_source
from hmp_core.training.retarget import Retargeted
from hmp_core.training.sources import is_joint_motion, read_joint_motion

_PALM_PUBLIC: Final = (0, 1, 5, 9, 13, 17)
_PALM_MANO: Final = (0, 13, 1, 4, 10, 7)
_PALM_WEIGHTS: Final = (1.0, 0.05, 1.0, 1.0, 1.0, 1.0)
"""Sensors place the thumb's base a centimetre apart; it counts little."""
_GENERATED: Final = 32
_GENERATED_S: Final = 5.0
_GRASP_TRIES: Final = 60


@dataclass(frozen=True)
class WristCourse:
    """Wrists of F frames in the recording's own axes.

    Attributes:
        R_world_wrist: [F, 3, 3] orientation, MANO's axes.
        position: [F, 3] [m].
    """

    R_world_wrist: NDArray[np.float64]
    position: NDArray[np.float64]


@dataclass(frozen=True)
class RecordedMotion:
    """Recordings of right hands, one after the other.

    Attributes:
        fingers: their fingers.
        wrist: their wrists; None where the file holds fingers alone.
    """

    fingers: FingerMotion
    wrist: WristCourse | None

    def at_rate(self, rate_hz: float) -> "RecordedMotion":
        """Every second frame, or third and so on: the rate nearest to ``rate_hz`` that does not lie below it."""
        fingers = self.fingers
        step = max(int(fingers.rate_hz / rate_hz + 1e-6), 1)
        ends = fingers.lengths.cumsum(0).tolist()
        kept = torch.cat(
            [torch.arange(end - n, end, step) for end, n in zip(ends, fingers.lengths.tolist(), strict=True)]
        )
        lengths = (fingers.lengths + step - 1) // step
        wrist = self.wrist
        if wrist is not None:
            wrist = WristCourse(wrist.R_world_wrist[kept.numpy()], wrist.position[kept.numpy()])
        vectors, rate = fingers.rotation_vectors[kept], fingers.rate_hz / step
        return RecordedMotion(FingerMotion(vectors, lengths, rate, fingers.labels), wrist)


def generated_motion(model: HandModel, seed: int) -> RecordedMotion:
    """Made-up fingers, as the shipped prior is trained on, of individuals of their own."""
    fingers = generate_motion(FingerBones.of(model), _GENERATED, _GENERATED_S, seed, _GRASP_TRIES)
    return RecordedMotion(fingers, None)


def read_recorded_motion(
    path: Path,
    model: HandModel,
    cache: Path,
    signs: frozenset[str] | None = None,
    report: Callable[[int, int], None] = lambda done, total: None,
) -> RecordedMotion:
    """Read one file.

    Args:
        path: an .npz of 21 joints, or a sequence of AMASS or ARCTIC.
        model: the right hand.
        cache: folder for retargeted motion.
        signs: recordings to keep; None for all.
        report: called with frames done and frames in all.

    Raises:
        DataError: the file cannot be used, or has none of the signs.
    """
    result = file_source(path).read(model, cache, report)
    wrist = _wrists(path, model, result) if is_joint_motion(path) else None
    if signs is None:
        return RecordedMotion(result.motion, wrist)
    wanted = result.motion.labelled(signs)
    if not wanted.any():
        raise DataError(f"{path} has no recording of the held-out signs; leave out --split to use all of it")
    keep = torch.repeat_interleave(wanted, result.motion.lengths).numpy()
    if wrist is not None:
        wrist = WristCourse(wrist.R_world_wrist[keep], wrist.position[keep])
    return RecordedMotion(result.motion.select(wanted), wrist)


def _wrists(path: Path, model: HandModel, retargeted: Retargeted) -> WristCourse:
    """Wrists of the frames that retargeting kept: wrist and knuckles laid over the hand's at rest."""
    recorded = read_joint_motion(path)
    rest: Tensor = torch.from_numpy(model.J_regressor @ model.v_template)[list(_PALM_MANO)]
    joints = torch.from_numpy(recorded.joints[retargeted.frames.numpy()]).double()
    weights = torch.tensor(_PALM_WEIGHTS, dtype=torch.float64).expand(len(joints), -1)
    R, _ = roma.rigid_points_registration(rest.expand(len(joints), -1, -1), joints[:, list(_PALM_PUBLIC)], weights)
    return WristCourse(R.numpy(), joints[:, 0].numpy())
