# SPDX-FileCopyrightText: 2026 The hmp_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Which files of a folder hold motion."""

from collections.abc import Iterable
from pathlib import Path

from hmp_core.errors import DataError
from hmp_core.training.sources import is_joint_motion


def find_motion_files(places: Iterable[Path]) -> list[Path]:
    """Files as given, and in place of folders all motion files below them, sorted.

    Raises:
        DataError: something is missing, or a folder has no motion file below it.
    """
    files: list[Path] = []
    for place in places:
        if place.is_dir():
            below = [path for path in sorted(place.rglob("*.npz")) if is_joint_motion(path)]
            if not below:
                raise DataError(f"there is no motion file below the folder {place}")
            files += below
        elif place.exists():
            files.append(place)
        else:
            raise DataError(f"there is no motion file or folder {place}")
    return files
