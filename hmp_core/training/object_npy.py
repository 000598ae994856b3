# SPDX-FileCopyrightText: 2026 The hmp_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Dictionaries of arrays that ``numpy.save`` pickled into a .npy file, read without running anything from it."""

from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from hmp_core.errors import DataError
from hmp_core.hand.unpickling import Purpose, load_kept, numeric_arrays, opened, wrapped_object

Arrays = dict[str, NDArray[Any]]
_MOTION: Final = Purpose(
    DataError,
    "which no motion needs; nothing of it was run. Get the file anew from where the data set comes from.",
)


def load_object_npy(path: Path) -> dict[str, NDArray[Any] | Arrays]:
    """Numeric arrays of a dictionary and of the dictionaries in it; everything else is left out.

    Raises:
        DataError: the file is no such array, or names a class that is not admitted (the message says which).
    """
    with opened(path, _MOTION) as file:
        try:
            version = np.lib.format.read_magic(file)
            read = np.lib.format.read_array_header_1_0 if version == (1, 0) else np.lib.format.read_array_header_2_0
            _, _, dtype = read(file)
        except ValueError as error:
            raise DataError(f"{path} is no .npy file: {error}") from error
        if not dtype.hasobject:
            raise DataError(f"{path} holds an array of {dtype}, not a dictionary")
        content = load_kept(path, file, _MOTION)
    wrapped = wrapped_object(content)
    if not isinstance(wrapped, dict):
        raise DataError(f"{path} does not hold a dictionary")
    found: dict[str, NDArray[Any] | Arrays] = {}
    found.update(numeric_arrays(path, wrapped, _MOTION))
    for key, value in wrapped.items():
        if isinstance(value, dict):
            found[str(key)] = numeric_arrays(path, value, _MOTION)
    return found
