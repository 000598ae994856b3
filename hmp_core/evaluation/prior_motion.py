# SPDX-FileCopyrightText: 2026 The hmp_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Motion that a prior is measured on, from whatever file holds it."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import torch
from torch import Tensor

from hmp_core.errors import DataError
from hmp_core.hand.model import HandModel
from hmp_core.training.motion import FingerMotion
from hmp_core.training.motion_sources import file_source


@dataclass(frozen=True)
class MeasuredMotion:
    """Finger motion and how well it stands for its file.

    Attributes:
        motion: recordings.
        residual_m: [F] retargeting residual of every frame of the file [m]; empty where the file holds poses.
        rejected: share of those frames that were dropped.
    """

    motion: FingerMotion
    residual_m: Tensor
    rejected: float


def read_measured_motion(
    path: Path, model: HandModel, cache: Path, report: Callable[[int, int], None] = lambda done, total: None
) -> MeasuredMotion:
    """Read one file.

    Args:
        path: an .npz of 21 joints, see :func:`~hmp_core.training.sources.read_joint_motion`, or a sequence of AMASS
            or ARCTIC, both hands of which are measured where they move.
        model: the right hand.
        cache: folder for retargeted motion.
        report: called with frames done and frames in all.

    Raises:
        DataError: the file cannot be used.
    """
    result = file_source(path).read(model, cache, report)
    return MeasuredMotion(result.motion, result.residual_m, result.rejected)


def keep_signs(measured: MeasuredMotion, signs: frozenset[str], path: Path) -> MeasuredMotion:
    """Only recordings of these signs; the residual stays that of the whole file.

    Raises:
        DataError: there are none.
    """
    wanted = torch.tensor([label in signs for label in measured.motion.labels], dtype=torch.bool)
    if not wanted.any():
        raise DataError(f"{path} has no recording of the held-out signs; leave out --split to measure all of it")
    return replace(measured, motion=measured.motion.select(wanted))
