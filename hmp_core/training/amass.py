# SPDX-FileCopyrightText: 2026 The hmp_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Reading AMASS (https://amass.is.tue.mpg.de), in the two forms in which it is given away.

SMPL-H: ``*_poses.npz`` with ``poses`` [F, 156] and ``mocap_framerate``. SMPL-X: ``*_stageii.npz`` with ``poses``
[F, 165], or in parts ``root_orient`` [F, 3], ``pose_body`` [F, 63] and ``pose_hand`` [F, 90], and
``mocap_frame_rate``. (Sources: nghorbani/amass, notebooks; nghorbani/human_body_prior, body_model.py.)

Finger poses are whole rotation vectors, zero for the flat hand: human_body_prior's body model, which these files
are made for, adds no mean pose to them. Files of sub-datasets that captured no fingers repeat MANO's mean pose in
every frame (nghorbani/amass, issue 28); the activity filter drops them. The joints have MANO's order, the left hand
comes first.
"""

import zipfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from hmp_core.errors import DataError
from hmp_core.hand.skeleton import NUM_FINGER_ROTATIONS, Side
from hmp_core.training.body_motion import BodyMotion, wrist_orientations

_PATTERNS = ("*_poses.npz", "*_stageii.npz")
_OTHER_NAMES = {"TCDHands": ("TCD_handMocap",)}
"""Folder names of earlier releases."""
_BODY = 22 * 3
_HAND = 3 * NUM_FINGER_ROTATIONS
_FIRST_HAND = {156: _BODY, 165: _BODY + 9}
"""Where the left hand's pose begins in SMPL-H, and in SMPL-X behind jaw and eyes."""
_RATES = ("mocap_framerate", "mocap_frame_rate")


def is_amass(path: Path) -> bool:
    """Whether a file is a sequence of AMASS, by its name or else by the fields it has."""
    if any(path.match(pattern) for pattern in _PATTERNS):
        return True
    try:
        with zipfile.ZipFile(path) as archive:
            return not {"poses.npy", "pose_hand.npy"}.isdisjoint(archive.namelist())
    except (OSError, zipfile.BadZipFile):
        return False


def find_amass_files(folder: Path) -> list[Path]:
    """Sequences below a folder by the names of their files, sorted."""
    return sorted(file for pattern in _PATTERNS for file in folder.rglob(pattern))


def read_amass(root: Path, subset: str) -> Iterator[BodyMotion]:
    """Sequences of one sub-dataset, in the order of their names.

    Args:
        root: folder that holds the sub-datasets' folders.
        subset: for instance "GRAB", "TCDHands", "SAMP".

    Raises:
        DataError: the folder is missing or holds no sequence, or a file cannot be used (names file and field).
    """
    names = (subset, *_OTHER_NAMES.get(subset, ()))
    folder = next((root / name for name in names if (root / name).is_dir()), None)
    if folder is None:
        raise DataError(f"AMASS's {subset} is missing: no folder {' or '.join(str(root / n) for n in names)}")
    files = find_amass_files(folder)
    if not files:
        raise DataError(f"{folder} holds no sequence of AMASS, that is no {' or '.join(_PATTERNS)}")
    for file in files:
        yield read_amass_file(file, label=str(file.relative_to(folder.parent).with_suffix("")))


def read_amass_file(path: Path, label: str | None = None) -> BodyMotion:
    """One sequence.

    Raises:
        DataError: the file is missing or unreadable, or a field is missing, has a wrong shape or is not finite.
    """
    try:
        with np.load(path, allow_pickle=False) as file:
            body, hands = _poses(path, file)
            rate_hz = _rate(path, file)
    except (OSError, ValueError, zipfile.BadZipFile, EOFError) as error:
        raise DataError(f"the AMASS file {path} cannot be read: {error}") from error
    left, right = hands[:, :_HAND], hands[:, _HAND:]
    return BodyMotion(
        label or path.stem,
        rate_hz,
        {Side.LEFT: left.reshape(-1, 15, 3), Side.RIGHT: right.reshape(-1, 15, 3)},
        wrist_orientations(body.reshape(-1, 22, 3)),
    )


def _poses(path: Path, file: np.lib.npyio.NpzFile) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Rotation vectors of 22 body joints [F, 66] and of both hands [F, 90]."""
    if "poses" in file.files:
        poses = _field(path, file, "poses", tuple(_FIRST_HAND))
        first = _FIRST_HAND[poses.shape[1]]
        return poses[:, :_BODY], poses[:, first : first + 2 * _HAND]
    root = _field(path, file, "root_orient", (3,))
    body = _field(path, file, "pose_body", (_BODY - 3,))
    hands = _field(path, file, "pose_hand", (2 * _HAND,))
    for name, values in (("pose_body", body), ("pose_hand", hands)):
        if len(values) != len(root):
            raise DataError(f"{path}: {name} has {len(values)} frames, root_orient {len(root)}")
    return np.concatenate((root, body), axis=1), hands


def _field(path: Path, file: np.lib.npyio.NpzFile, name: str, widths: tuple[int, ...]) -> NDArray[np.float64]:
    if name not in file.files:
        raise DataError(
            f"{path} lacks the field {name!r}; an AMASS file has 'poses', or root_orient, pose_body, pose_hand"
        )
    values = file[name]
    if values.ndim != 2 or values.shape[1] not in widths or not len(values) or values.dtype.kind not in "fiu":
        expected = " or ".join(str(width) for width in widths)
        raise DataError(f"{path}: {name} must be numbers [F, {expected}]; got {values.dtype} {values.shape}")
    if not np.isfinite(values).all():
        raise DataError(f"{path}: {name} holds values that are not finite")
    return values.astype(np.float64)


def _rate(path: Path, file: np.lib.npyio.NpzFile) -> float:
    name = next((name for name in _RATES if name in file.files), None)
    if name is None:
        raise DataError(f"{path} lacks the field {_RATES[0]!r} (SMPL-H) or {_RATES[1]!r} (SMPL-X)")
    value = file[name]
    if value.size != 1 or value.dtype.kind not in "fiu" or not 1.0 <= value.item() <= 2000.0:
        raise DataError(f"{path}: {name} must be one number of frames a second; got {value!r}")
    return float(value.item())
