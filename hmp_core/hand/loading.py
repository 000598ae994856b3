# SPDX-FileCopyrightText: 2026 The hmp_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Loading a hand model: the shipped open hand, or the user's own MANO file."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from hmp_core.assets import asset_path
from hmp_core.errors import HandModelError
from hmp_core.hand.model import HandModel
from hmp_core.hand.skeleton import MANO_PARENTS, MANO_TIP_VERTICES_RIGHT, NUM_BETAS, NUM_MANO_JOINTS, Side
from hmp_core.hand.unpickling import load_array_pickle

OPEN_HAND: Final = "open_hand.npz"
_MANO_FILE: Final = "MANO_RIGHT.pkl"
_MANO_VERTICES: Final = 778


def load_hand_model(path: Path | None = None) -> HandModel:
    """Load a right hand.

    Args:
        path: ``MANO_RIGHT.pkl`` or a folder that holds it (nothing in the file is executed), or an ``.npz`` with
            MANO's fields and, unless it has MANO's 778 vertices, ``tip_vertices`` [5]. None: the open hand.

    Raises:
        HandModelError: the file is missing or unreadable, asks for a class that is not admitted, or lacks a field.
        AssetError: the shipped open hand is missing or altered.
    """
    if path is None:
        return _hand_model(_read_npz(asset_path(OPEN_HAND)), "open hand", asset_path(OPEN_HAND))
    file = mano_file(path)
    if not file.is_file():
        raise HandModelError(
            f"no hand model at {file}; give the path of {_MANO_FILE} (from https://mano.is.tue.mpg.de) or of its "
            "folder, or leave the parameter empty for the open hand that is shipped."
        )
    if file.name.upper() == "MANO_LEFT.PKL":
        raise HandModelError(f"{file} is the left hand; give {_MANO_FILE}, left hands are its mirror image.")
    fields = _read_npz(file) if file.suffix == ".npz" else load_array_pickle(file)
    return _hand_model(fields, file.stem, file)


def mano_file(path: Path) -> Path:
    """The file that the path of ``MANO_RIGHT.pkl`` or of its folder means."""
    return path / _MANO_FILE if path.is_dir() else path


def _read_npz(path: Path) -> dict[str, Any]:
    try:
        with np.load(path, allow_pickle=False) as file:
            return dict(file)
    except (OSError, ValueError, EOFError) as error:
        raise HandModelError(f"{path} cannot be read as an .npz of plain arrays: {error}") from error


def _hand_model(fields: Mapping[str, Any], name: str, path: Path) -> HandModel:
    def array(key: str) -> NDArray[np.float64]:
        if key not in fields:
            raise HandModelError(f"{path} is not a MANO-schema hand: the field {key!r} is missing.")
        value = fields[key]
        try:
            return np.asarray(value, dtype=np.float64)
        except (TypeError, ValueError) as error:
            raise HandModelError(f"{path}: the field {key!r} is not an array of numbers.") from error

    v_template, shapedirs = array("v_template"), array("shapedirs")
    if shapedirs.ndim != 3 or shapedirs.shape[2] < NUM_BETAS:
        raise HandModelError(f"{path}: shapedirs must be [V, 3, {NUM_BETAS} or more]; got {shapedirs.shape}.")
    if "kintree_table" in fields:
        tree = array("kintree_table")
        if tree.shape != (2, NUM_MANO_JOINTS) or not np.array_equal(tree[0, 1:], MANO_PARENTS[1:]):
            raise HandModelError(f"{path}: kintree_table is not that of MANO's {NUM_MANO_JOINTS} joints.")
    if "tip_vertices" not in fields and len(v_template) != _MANO_VERTICES:
        raise HandModelError(f"{path} is not a MANO-schema hand: the field 'tip_vertices' is missing.")
    tips = array("tip_vertices") if "tip_vertices" in fields else np.array(MANO_TIP_VERTICES_RIGHT)
    return HandModel(
        name=name,
        side=Side.RIGHT,
        v_template=v_template,
        shapedirs=shapedirs[:, :, :NUM_BETAS],
        posedirs=array("posedirs"),
        J_regressor=array("J_regressor"),
        weights=array("weights"),
        faces=array("faces" if "faces" in fields else "f").astype(np.int64),
        tip_vertices=tips.astype(np.int64),
    )
