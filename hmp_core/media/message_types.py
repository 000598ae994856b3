# SPDX-FileCopyrightText: 2026 The hmp_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Our message types for ``rosbags``, from the ``.msg`` files that also generate the ROS interfaces."""

from functools import cache
from pathlib import Path
from typing import Any, Final

import numpy as np
from rosbags.interfaces import Nodetype
from rosbags.typesys import Stores, get_types_from_msg, get_typestore
from rosbags.typesys.store import Typestore

from hmp_core.errors import DataError

PACKAGE: Final = "hmp_ros"
_LANDMARK_FILE: Final = "ManoHandArray.msg"


def message_folder() -> Path:
    """The folder with our ``.msg`` files.

    It is ``msg`` in the source tree, and ``share/hmp_ros/msg`` under the prefix of a wheel or a colcon
    installation; both are found by going up from this package.

    Raises:
        DataError: neither is there.
    """
    for parent in Path(__file__).parents:
        for folder in (parent / "msg", parent / "share" / PACKAGE / "msg"):
            if (folder / _LANDMARK_FILE).is_file():
                return folder
    raise DataError(
        f"the message definitions are missing: no msg/{_LANDMARK_FILE} beside the package and no "
        f"share/{PACKAGE}/msg under its prefix; reinstall {PACKAGE}"
    )


@cache
def message_typestore() -> Typestore:
    """A ``rosbags`` type store that knows ROS 2's messages and ours."""
    store = get_typestore(Stores.LATEST)
    types: dict[str, Any] = {}
    for path in sorted(message_folder().glob("*.msg")):
        types.update(get_types_from_msg(path.read_text(encoding="utf-8"), f"{PACKAGE}/msg/{path.stem}"))
    store.register(types)
    return store


def build_message(type_name: str, fields: dict[str, Any]) -> Any:
    """Build a ``rosbags`` message of a type (``hmp_ros/msg/ManoHandArray``) from fields in plain dictionaries.

    Raises:
        KeyError: a field of the message is absent from ``fields``.
    """
    store = message_typestore()
    _, definitions = store.fielddefs[type_name]
    values = {name: _convert(description, fields[name]) for name, description in definitions}
    return store.types[type_name](**values)


def serialize(type_name: str, fields: dict[str, Any]) -> bytes:
    """The CDR bytes of a message; arguments and errors as in :func:`build_message`."""
    return bytes(message_typestore().serialize_cdr(build_message(type_name, fields), type_name))


def _convert(description: Any, value: Any) -> Any:
    kind, detail = description
    if kind == Nodetype.NAME:
        return build_message(detail, value)
    if kind == Nodetype.BASE:
        return value
    (item_kind, item_detail), _ = detail
    if item_kind == Nodetype.NAME:
        return [build_message(item_detail, item) for item in value]
    if item_detail[0] == "string":
        return list(value)
    return np.asarray(value, dtype=item_detail[0])
