# SPDX-FileCopyrightText: 2026 The hmp_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Recorded hand motion as 21 joint positions, read from files."""

import zipfile
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from hmp_core.errors import DataError
from hmp_core.hand.mirror import mirror_points
from hmp_core.hand.skeleton import NUM_JOINTS, Side

_FIELDS = ("joints_q", "unit_m", "lengths", "side", "sign", "rate_hz")


@dataclass(frozen=True)
class JointMotion:
    """Recordings of joint positions, all of right hands (left ones mirrored), one after the other.

    Attributes:
        joints: [F, 21, 3] public order, any origin and axes, the same within a recording [m].
        lengths: [S] frames of each recording.
        rate_hz: frames a second.
        signs: S names; recordings of the same gesture share one.
    """

    joints: NDArray[np.float32]
    lengths: NDArray[np.int64]
    rate_hz: float
    signs: tuple[str, ...]


def is_joint_motion(path: Path) -> bool:
    """Whether a file has the fields that :func:`read_joint_motion` asks for; reads its table of contents alone."""
    try:
        with zipfile.ZipFile(path) as archive:
            return {f"{name}.npy" for name in _FIELDS} <= set(archive.namelist())
    except (OSError, zipfile.BadZipFile):
        return False


def read_joint_motion(path: Path) -> JointMotion:
    """Read an .npz of quantised joints.

    Its fields: ``joints_q`` [F, 21, 3] integers, metres = ``joints_q * unit_m``; ``unit_m``; ``lengths`` [S] that
    add up to F; ``side`` [S] "left" or "right"; ``sign`` [S]; ``rate_hz``.

    Raises:
        DataError: the file is missing or unreadable, or a field is missing or has the wrong shape; names it.
    """
    try:
        with np.load(path, allow_pickle=False) as file:
            missing = [name for name in _FIELDS if name not in file.files]
            if missing:
                raise DataError(f"{path} lacks the field {missing[0]!r}; a motion file has {', '.join(_FIELDS)}")
            data = {name: file[name] for name in _FIELDS}
    except (OSError, ValueError, zipfile.BadZipFile, EOFError) as error:
        raise DataError(f"the motion file {path} cannot be read: {error}") from error
    joints_q, lengths = data["joints_q"], data["lengths"].astype(np.int64)
    if joints_q.ndim != 3 or joints_q.shape[1:] != (NUM_JOINTS, 3):
        raise DataError(f"{path}: joints_q must be [F, {NUM_JOINTS}, 3]; got {joints_q.shape}")
    if lengths.ndim != 1 or lengths.sum() != len(joints_q) or (lengths < 1).any():
        raise DataError(f"{path}: lengths must be positive and add up to joints_q's {len(joints_q)} frames")
    for name in ("side", "sign"):
        if data[name].shape != lengths.shape:
            raise DataError(f"{path}: {name} must have one entry for each of the {len(lengths)} recordings")
    unknown = set(data["side"].tolist()) - {side.value for side in Side}
    if unknown:
        raise DataError(f"{path}: side must be left or right; got {sorted(unknown)[0]!r}")
    rate_hz = float(data["rate_hz"])
    if not rate_hz > 0.0:
        raise DataError(f"{path}: rate_hz must be positive; got {rate_hz}")
    joints = (joints_q * float(data["unit_m"])).astype(np.float32)
    left = np.repeat(data["side"] == Side.LEFT.value, lengths)
    joints[left] = mirror_points(joints[left])
    return JointMotion(joints, lengths, rate_hz, tuple(data["sign"].tolist()))
