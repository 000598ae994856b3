# SPDX-FileCopyrightText: 2026 The hmp_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Which files and folders hold motion, and how each becomes finger rotations.

Four forms are known: motion files of 21 joints (.npz), original recordings of the Leap sensor, AMASS and ARCTIC.
Joints are retargeted; the captured sets hold poses, which are trimmed, filtered, mirrored and resampled.
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import torch

from hmp_core.errors import DataError
from hmp_core.hand.model import HandModel
from hmp_core.training.amass import find_amass_files, is_amass, read_amass_file
from hmp_core.training.arctic import find_arctic_files, is_arctic, read_arctic, read_arctic_file
from hmp_core.training.body_motion import BodyMotion, Preparation, prepare_hands
from hmp_core.training.leap import converted_leap, find_leap_recordings
from hmp_core.training.retarget import Retargeted, retarget_file
from hmp_core.training.sources import is_joint_motion

Report = Callable[[int, int], None]


@dataclass(frozen=True)
class MotionSource:
    """One file, or all files of one form below one folder.

    Attributes:
        name: of the file or folder.
        read: gives the motion from the right hand, a cache folder and a function that is told what is done and how
            much there is. Poses come without residuals: ``residual_m`` is empty, ``rejected`` zero.
    """

    name: str
    read: Callable[[HandModel, Path, Report], Retargeted]


def find_motion_sources(places: Iterable[Path], cache: Path, mano: Path | None = None) -> list[MotionSource]:
    """Files as given; for each folder its motion files one by one, then what it holds of each other form.

    Args:
        places: files and folders.
        cache: folder whose files are left alone, should it lie in one of the places.
        mano: MANO_RIGHT.pkl, where ARCTIC comes without its SMPL-X fits.

    Raises:
        DataError: something is missing, or a folder has no motion below it.
    """
    sources: list[MotionSource] = []
    for place in places:
        if place.is_dir():
            below = list(_below(place, cache.resolve(), mano))
            if not below:
                raise DataError(
                    f"there is no motion file below the folder {place}: no .npz of 21 joints, no json_*.txt of the "
                    "Leap sensor, no *_poses.npz or *_stageii.npz of AMASS, no *.smplx.npy or *.mano.npy of ARCTIC"
                )
            sources += below
        elif place.exists():
            sources.append(file_source(place, mano))
        else:
            raise DataError(f"there is no motion file or folder {place}")
    return sources


def file_source(path: Path, mano: Path | None = None) -> MotionSource:
    """One file; what is neither of AMASS nor of ARCTIC counts as a motion file of 21 joints.

    Args:
        path: the file.
        mano: MANO_RIGHT.pkl, where the file is a MANO fit of ARCTIC.
    """
    if is_joint_motion(path):
        return MotionSource(path.name, partial(_joints, path))
    if is_arctic(path):
        return MotionSource(path.name, partial(_poses, lambda: iter([read_arctic_file(path, mano)]), 1))
    if is_amass(path):
        return MotionSource(path.name, partial(_poses, lambda: iter([read_amass_file(path)]), 1))
    return MotionSource(path.name, partial(_joints, path))


def _below(place: Path, cache: Path, mano: Path | None) -> Iterator[MotionSource]:
    joint_files = [path for path in sorted(place.rglob("*.npz")) if is_joint_motion(path)]
    for path in joint_files:
        if not path.resolve().is_relative_to(cache):
            yield MotionSource(path.name, partial(_joints, path))
    name = place.resolve().name
    if find_leap_recordings(place):
        yield MotionSource(name, partial(_leap, place))
    sequences = [path for path in find_amass_files(place) if path not in set(joint_files)]
    if sequences:
        yield MotionSource(name, partial(_poses, lambda: _amass(place, sequences), len(sequences)))
    count = len(find_arctic_files(place))
    if count:
        yield MotionSource(name, partial(_poses, lambda: read_arctic(place, mano), count))


def _joints(path: Path, model: HandModel, cache: Path, report: Report) -> Retargeted:
    return retarget_file(path, model, cache, report=report)


def _leap(folder: Path, model: HandModel, cache: Path, report: Report) -> Retargeted:
    return retarget_file(converted_leap(folder, cache, report), model, cache, report=report)


def _poses(
    read: Callable[[], Iterator[BodyMotion]], count: int, model: HandModel, cache: Path, report: Report
) -> Retargeted:
    """Captured poses need neither a hand nor a cache."""

    def counted() -> Iterator[BodyMotion]:
        for number, sequence in enumerate(read()):
            report(number + 1, count)
            yield sequence

    fingers = prepare_hands(counted(), Preparation()).fingers()
    return Retargeted(fingers, torch.zeros(0), 0.0, torch.zeros(0, dtype=torch.int64))


def _amass(place: Path, sequences: list[Path]) -> Iterator[BodyMotion]:
    for path in sequences:
        yield read_amass_file(path, label=str(path.relative_to(place.parent).with_suffix("")))
