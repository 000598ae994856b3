# SPDX-FileCopyrightText: 2026 The hmp_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Loops over small arrays, compiled: what a window solve repeats for every step, joint and axis.

Written with tensors, these are hundreds of small operations an image, whose overhead is most of their price. What
is compiled here takes and fills NumPy arrays and knows nothing else; results do not depend on the machine's number
of cores. Numba compiles at the first call, which takes seconds, and keeps the result beside the source, or in the
user's cache where that cannot be written.
"""

from collections.abc import Callable
from typing import Any, TypeVar, cast

from numba import njit

Function = TypeVar("Function", bound=Callable[..., Any])


def compiled(function: Function) -> Function:
    """A decorator: the function compiled, free of Python's lock while it runs; division by zero gives infinity."""
    try:
        made = njit(cache=True, nogil=True, error_model="numpy")(function)
    except RuntimeError:  # there is no folder that can be written: compile anew in every process
        made = njit(nogil=True, error_model="numpy")(function)
    return cast(Function, made)
