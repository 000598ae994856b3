# SPDX-FileCopyrightText: 2026 The hmp_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Loops over small arrays, compiled: what a window solve repeats for every step, joint and axis.

Written with tensors, these are hundreds of small operations an image, whose overhead is most of their price. What
is compiled here takes and fills NumPy arrays and knows nothing else; results do not depend on the machine's number
of cores. Numba compiles at the first call, which takes seconds, and keeps the result in the package's own
``__pycache__``, in the user's cache where that cannot be written, or where ``NUMBA_CACHE_DIR`` says.
"""

import hashlib
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final, TypeVar, cast

import numba

Function = TypeVar("Function", bound=Callable[..., Any])

_NUMBA: Final[Any] = numba.config
_PACKAGE: Final = Path(__file__).parent
SOURCES: Final = (
    "compiled.py",
    "fitting/assembly.py",
    "fitting/finger_derivatives.py",
    "fitting/hand_coordinates.py",
    "fitting/terms/chain_derivatives.py",
    "fitting/terms/evidence_derivatives.py",
    "fitting/trajectory.py",
    "hand/joint_derivatives.py",
    "hand/limits.py",
    "hand/skeleton.py",
    "hand/so3_loops.py",
    "perception/root.py",
    "prior/field_loops.py",
)
"""All that compiled code is made of: the loops, and the modules whose constants and functions are built into them.

Numba looks at a loop's own file alone to see whether what it has kept is out of date.
"""


def _folder() -> Path:
    """Where compiled code of exactly these sources is kept."""
    digest = hashlib.sha256()
    for name in SOURCES:
        digest.update((_PACKAGE / name).read_bytes())
    beside = _PACKAGE / "__pycache__"
    home = str(beside)
    if not os.access(beside if beside.exists() else _PACKAGE, os.W_OK):
        home = os.path.join(os.environ.get("XDG_CACHE_HOME", os.path.expanduser("~/.cache")), "hmp_ros")
    return Path(_NUMBA.CACHE_DIR or home) / f"loops_{digest.hexdigest()[:16]}"


_FOLDER: Final = _folder()


def compiled(function: Function) -> Function:
    """A decorator: the function compiled, free of Python's lock while it runs; division by zero gives infinity."""
    chosen, _NUMBA.CACHE_DIR = _NUMBA.CACHE_DIR, str(_FOLDER)
    try:
        made = numba.njit(cache=True, nogil=True, error_model="numpy")(function)
    except RuntimeError:  # no folder can be written: compile anew in every process
        made = numba.njit(nogil=True, error_model="numpy")(function)
    finally:
        _NUMBA.CACHE_DIR = chosen
    return cast(Function, made)
