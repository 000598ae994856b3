# SPDX-FileCopyrightText: 2026 The hmp_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Reading ARCTIC (https://arctic.is.tue.mpg.de) from its ``raw_seqs``, without running the pickles in them.

Each sequence ``raw_seqs/sXX/NAME`` has two fits at 30 Hz (zc-alexfan/arctic, docs/data/data_doc.md):

* ``NAME.smplx.npy``: SMPL-X; ``global_orient`` [F, 3], ``body_pose`` [F, 63], ``left_hand_pose`` and
  ``right_hand_pose`` [F, 45], whole rotation vectors (common/body_models.py: ``flat_hand_mean=True``). This is the
  form that the paper's code trained on, and it needs no further file.
* ``NAME.mano.npy``: MANO, fitted to each hand by itself; for ``right`` and ``left`` ``rot`` [F, 3] and ``pose``
  [F, 45], the pose relative to MANO's mean (``flat_hand_mean=False`` there), which stands in MANO_RIGHT.pkl as
  ``hands_mean``; the left hand's mean is its mirror image.

The processed sequences and splits that ARCTIC offers as well are made from these and hold nothing more of hands.
"""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.spatial.transform import Rotation

from hmp_core.errors import DataError
from hmp_core.hand.mirror import mirror_rotation_vector
from hmp_core.hand.skeleton import NUM_FINGER_ROTATIONS, Side
from hmp_core.hand.unpickling import load_array_pickle
from hmp_core.training.body_motion import BodyMotion, wrist_orientations
from hmp_core.training.object_npy import load_object_npy

_RATE_HZ = 30.0
_SMPLX, _MANO = ".smplx.npy", ".mano.npy"
_HAND = 3 * NUM_FINGER_ROTATIONS


def find_arctic_files(root: Path) -> list[Path]:
    """Sequences below a folder, sorted; the SMPL-X fit where there is one, else MANO's."""
    files = set(root.rglob(f"*{_SMPLX}"))
    files |= {file for file in root.rglob(f"*{_MANO}") if _beside(file) not in files}
    return sorted(files)


def is_arctic(path: Path) -> bool:
    """Whether a file has the name of one of ARCTIC's fits."""
    return path.name.endswith((_SMPLX, _MANO))


def read_arctic(root: Path, mano: Path | None = None) -> Iterator[BodyMotion]:
    """All sequences of :func:`find_arctic_files`.

    Args:
        root: a folder with ``raw_seqs`` somewhere below it, or that folder.
        mano: MANO_RIGHT.pkl, needed only for sequences without an SMPL-X fit.

    Raises:
        DataError: there is no sequence, or a file cannot be used (names file and field).
        HandModelError: ``mano`` cannot be read.
    """
    files = find_arctic_files(root)
    if not files:
        raise DataError(f"{root} holds no sequence of ARCTIC, that is no raw_seqs/sXX/*{_SMPLX} or *{_MANO}")
    for file in files:
        yield read_arctic_file(file, mano)


def read_arctic_file(path: Path, mano: Path | None = None) -> BodyMotion:
    """One sequence from either fit.

    Raises:
        DataError: the file cannot be used, or holds a MANO fit and ``mano`` is None.
        HandModelError: ``mano`` cannot be read.
    """
    if path.name.endswith(_SMPLX):
        return read_arctic_smplx(path, f"{path.parent.name}/{path.name.removesuffix(_SMPLX)}")
    if mano is None:
        raise DataError(
            f"{path} holds poses relative to MANO's mean pose: give MANO_RIGHT.pkl, or put ARCTIC's "
            f"{_SMPLX} file of the same sequence beside it"
        )
    label = f"{path.parent.name}/{path.name.removesuffix(_MANO)}"
    return read_arctic_mano(path, read_hands_mean(mano), label)


def _beside(path: Path) -> Path:
    """Where the SMPL-X fit of a sequence would lie."""
    return path.with_name(path.name.removesuffix(_MANO) + _SMPLX)


def read_arctic_smplx(path: Path, label: str) -> BodyMotion:
    """One sequence from its SMPL-X fit.

    Raises:
        DataError: the file cannot be read, or a field is missing, has a wrong shape or is not finite.
    """
    fields = load_object_npy(path)
    root = _field(path, fields, "global_orient", 3)
    body = _field(path, fields, "body_pose", 63, len(root))
    fingers = {
        side: _field(path, fields, f"{side.value}_hand_pose", _HAND, len(root)).reshape(-1, 15, 3) for side in Side
    }
    wrists = wrist_orientations(np.concatenate((root, body), axis=1).reshape(-1, 22, 3))
    return BodyMotion(label, _RATE_HZ, fingers, wrists)


def read_arctic_mano(path: Path, hands_mean: NDArray[np.float64], label: str) -> BodyMotion:
    """One sequence from its MANO fits, with the right hand's mean pose [15, 3] of :func:`read_hands_mean` [rad].

    Raises:
        DataError: the file cannot be read, or a field is missing, has a wrong shape or is not finite.
    """
    content = load_object_npy(path)
    fingers, wrists = {}, {}
    count = None
    for side in Side:
        fields = content.get(side.value)
        if not isinstance(fields, dict):
            raise DataError(f"{path} lacks the field {side.value!r}; a MANO file of ARCTIC has 'right' and 'left'")
        rotation = _field(path, fields, "rot", 3, count, side)
        count = len(rotation)
        mean = hands_mean if side is Side.RIGHT else mirror_rotation_vector(hands_mean)
        # MANO adds its mean to the vectors, it does not compose rotations.
        fingers[side] = _field(path, fields, "pose", _HAND, count, side).reshape(-1, 15, 3) + mean
        wrists[side] = Rotation.from_rotvec(rotation).as_matrix()
    return BodyMotion(label, _RATE_HZ, fingers, wrists)


def read_hands_mean(mano: Path) -> NDArray[np.float64]:
    """MANO's mean pose of the right hand's fingers [15, 3] [rad] from MANO_RIGHT.pkl.

    Raises:
        HandModelError: the file cannot be read.
        DataError: it has no ``hands_mean`` of 45 numbers.
    """
    mean = load_array_pickle(mano).get("hands_mean")
    if mean is None or mean.shape != (_HAND,):
        raise DataError(f"{mano} lacks the field 'hands_mean' of {_HAND} numbers; give MANO's own MANO_RIGHT.pkl")
    return mean.astype(np.float64).reshape(NUM_FINGER_ROTATIONS, 3)


def _field(
    path: Path,
    fields: Mapping[str, Any],
    name: str,
    width: int,
    count: int | None = None,
    side: Side | None = None,
) -> NDArray[np.float64]:
    shown = name if side is None else f"{side.value}.{name}"
    values = fields.get(name)
    if not isinstance(values, np.ndarray):
        raise DataError(f"{path} lacks the field {shown!r}")
    if values.ndim != 2 or values.shape[1] != width or len(values) < 1 or count not in (None, len(values)):
        frames = "F" if count is None else count
        raise DataError(f"{path}: {shown} must be numbers [{frames}, {width}]; got {values.shape}")
    if not np.isfinite(values).all():
        raise DataError(f"{path}: {shown} holds values that are not finite")
    return values.astype(np.float64)
