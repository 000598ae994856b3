# SPDX-FileCopyrightText: 2026 The hmp_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Reading the pickles of MANO, ARCTIC and HO-3D without running anything from them.

A pickle is a program. Here every class and function that it may name is replaced by a stand-in that only keeps
what it is given; arrays are then built from the kept bytes with bounds checked. Not even NumPy's and SciPy's own
unpickling code runs, since it trusts its input. Whatever else a file names is refused.

MANO's files were written by Python 2 with NumPy arrays, one ``scipy.sparse`` matrix (``J_regressor``) and one
chumpy expression (``shapedirs``: a ``Select`` of a ``Ch``); files saved again by newer versions work as well.
ARCTIC's are read on top of this by :mod:`hmp_core.training.object_npy`, HO-3D's by :mod:`hmp_core.evaluation.ho3d`.
"""

import math
import pickle
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO, Final

import numpy as np
from numpy.typing import NDArray

from hmp_core.errors import HandModelError, HmpError

_MAX_ELEMENTS: Final = 50_000_000
"""Most elements of one array; MANO's largest has 315,090."""


@dataclass(frozen=True)
class Purpose:
    """What a file is for.

    Attributes:
        error: what a bad file raises.
        needless: what to say of a class that the file should not need.
    """

    error: type[HmpError]
    needless: str


_HAND_MODEL: Final = Purpose(
    HandModelError,
    "which no hand model needs; nothing of it was run. Get MANO_RIGHT.pkl anew from https://mano.is.tue.mpg.de.",
)


def load_array_pickle(path: Path, purpose: Purpose = _HAND_MODEL) -> dict[str, NDArray[Any]]:
    """Numeric arrays of a pickled dictionary, sparse ones made dense; other entries are left out.

    Raises:
        HmpError: of the purpose's kind, by default HandModelError: the file is no such pickle, or names a class
            that is not admitted (the message says which).
    """
    with opened(path, purpose) as file:
        content = load_kept(path, file, purpose)
    if not isinstance(content, dict):
        raise purpose.error(f"{path} holds no dictionary of arrays but a {type(content).__name__}.")
    return numeric_arrays(path, content, purpose)


@contextmanager
def opened(path: Path, purpose: Purpose) -> Iterator[BinaryIO]:
    """Open a file to read; a failure is an error of the purpose's kind."""
    try:
        with path.open("rb") as file:
            yield file
    except OSError as error:
        raise purpose.error(f"{path} cannot be read: {error}") from error


def load_kept(path: Path, file: BinaryIO, purpose: Purpose) -> Any:
    """What a pickle holds, every instance a a stand-in; nothing of it is run.

    Raises:
        HmpError: of the purpose's kind: damaged, or asking for a class that is not admitted.
    """
    try:
        return _Unpickler(path, file, purpose).load()
    except (HmpError, OSError):
        raise
    except MemoryError as error:
        raise purpose.error(f"{path} cannot be read: {error}") from error
    except Exception as error:  # a damaged pickle may fail in any way
        raise purpose.error(f"{path} is not a readable pickle: {type(error).__name__}: {error}") from error


def numeric_arrays(path: Path, content: dict[Any, Any], purpose: Purpose) -> dict[str, NDArray[Any]]:
    """Numeric arrays among the entries of a dictionary of :func:`load_kept`; other entries are left out.

    Raises:
        HmpError: of the purpose's kind: an array is damaged.
    """
    arrays = {}
    for key, value in content.items():
        if isinstance(value, _Kept):
            try:
                arrays[str(key)] = value.array()
            except (_NotNumericError, KeyError):
                continue
            except (ValueError, TypeError, IndexError, AttributeError) as error:
                raise purpose.error(f"{path}: the field {key!r} is damaged: {error}") from error
    return arrays


def wrapped_object(content: Any) -> Any:
    """The object that ``numpy.save`` wrapped into an array, in what :func:`load_kept` gave; else None."""
    # The state of an array of objects: version, shape, dtype, order, its objects.
    items = content.state[4] if isinstance(content, _Array) and isinstance(content.state, tuple) else None
    return items[0] if isinstance(items, list) and len(items) == 1 else None


class _NotNumericError(Exception):
    """An array of strings, objects or records, which no hand model needs."""


class _Kept:
    """Stand-in of an instance: keeps the state that the pickle hands over."""

    def __init__(self) -> None:
        self.state: Any = None

    def __setstate__(self, state: Any) -> None:
        self.state = state

    def array(self) -> NDArray[Any]:
        raise _NotNumericError


class _Dtype(_Kept):
    """Stand-in of ``numpy.dtype``."""

    def __init__(self, code: Any) -> None:
        super().__init__()
        self.code = code

    def numpy(self) -> np.dtype[Any]:
        order = self.state[1] if self.state else "|"
        plain = isinstance(self.code, str) and self.code[:1] in "biuf" and self.code[1:] in ("1", "2", "4", "8")
        if not plain or order not in ("<", ">", "=", "|"):
            raise _NotNumericError
        numpy_dtype: np.dtype[Any] = np.dtype(self.code).newbyteorder(order)
        return numpy_dtype


class _Array(_Kept):
    """Stand-in of ``numpy.ndarray``; its state is (version, shape, dtype, Fortran order, bytes)."""

    def array(self) -> NDArray[Any]:
        _, shape, dtype, fortran, raw = self.state
        numpy_dtype = dtype.numpy()
        data = raw.encode("latin1") if isinstance(raw, str) else raw  # Python 2's str
        flat = np.frombuffer(data, dtype=numpy_dtype, count=_elements(shape))
        return flat.reshape(shape, order="F" if fortran else "C").copy()


class _Sparse(_Kept):
    """Stand-in of a compressed sparse matrix, by column or by row."""

    by_column = True

    def array(self) -> NDArray[Any]:
        shape = self.state["_shape"]
        _elements(shape)
        data, indices, starts = (self.state[key].array() for key in ("data", "indices", "indptr"))
        outer = np.repeat(np.arange(len(starts) - 1), np.diff(starts))
        dense = np.zeros(shape)
        np.add.at(dense, (indices, outer) if self.by_column else (outer, indices), data)
        return dense


class _SparseRows(_Sparse):
    by_column = False


class _Ch(_Kept):
    """Stand-in of ``chumpy.ch.Ch``: a value."""

    def array(self) -> NDArray[Any]:
        return _array_of(self.state["x"])


class _Select(_Kept):
    """Stand-in of ``chumpy.reordering.Select``: elements of another expression."""

    def array(self) -> NDArray[Any]:
        chosen: NDArray[Any] = _array_of(self.state["a"]).ravel()[_array_of(self.state["idxs"])]
        return chosen.reshape(self.state["preferred_shape"]) if "preferred_shape" in self.state else chosen


class _Function:
    """A callable that a pickle can neither replace nor alter."""

    __slots__ = ("_body",)
    _body: Callable[..., Any]

    def __init__(self, body: Callable[..., Any]) -> None:
        object.__setattr__(self, "_body", body)

    def __call__(self, *args: Any) -> Any:
        return self._body(*args)

    def __setattr__(self, name: str, value: Any) -> None:
        raise pickle.UnpicklingError("a function's attributes cannot be set")

    def __setstate__(self, state: Any) -> None:
        raise pickle.UnpicklingError("a function has no state")


def _elements(shape: Any) -> int:
    sizes = [int(size) for size in shape]
    if min(sizes, default=0) < 0 or math.prod(sizes) > _MAX_ELEMENTS:
        raise ValueError(f"{shape} is no sensible shape")
    return math.prod(sizes)


def _array_of(value: Any) -> NDArray[Any]:
    if not isinstance(value, _Kept):
        raise TypeError(f"an array was expected, not a {type(value).__name__}")
    return value.array()


def _reconstruct(kind: Any, shape: Any, code: Any) -> _Array:
    if kind is not _Array:
        raise pickle.UnpicklingError("numpy's _reconstruct is admitted for plain arrays only")
    return _Array()


def _from_buffer(raw: Any, dtype: Any, shape: Any, order: Any) -> _Array:
    array = _Array()
    array.state = (1, shape, dtype, order == "F", raw)
    return array


def _scalar(dtype: Any, raw: Any) -> _Array:
    array = _Array()
    array.state = (1, (), dtype, False, raw)
    return array


def _encode(text: Any, encoding: Any) -> bytes:
    if not isinstance(text, str) or encoding != "latin1":
        raise pickle.UnpicklingError("encode is admitted for the bytes of arrays only")
    return text.encode("latin1")


def _reconstructor(kind: Any, base: Any, state: Any) -> _Kept:
    if not (isinstance(kind, type) and issubclass(kind, _Kept)) or base is not _OBJECT or state is not None:
        raise pickle.UnpicklingError("copyreg's _reconstructor is admitted for stand-ins only")
    return kind()


_OBJECT: Final = _Function(lambda: None)
_DTYPE: Final = _Function(lambda code, align=False, copy=True: _Dtype(code))
_STAND_INS: Final[dict[tuple[str, str], Any]] = {
    ("numpy", "ndarray"): _Array,
    ("numpy", "dtype"): _DTYPE,
    ("chumpy.ch", "Ch"): _Ch,
    ("chumpy.reordering", "Select"): _Select,
    # Expressions keep a set of what has changed; its content does not matter here.
    ("__builtin__", "set"): _Function(lambda items=(): None),
    ("builtins", "set"): _Function(lambda items=(): None),
    ("__builtin__", "object"): _OBJECT,
    ("builtins", "object"): _OBJECT,
    # Python 3 writes the bytes of an array this way in protocol 2 and below.
    ("_codecs", "encode"): _Function(_encode),
    ("copy_reg", "_reconstructor"): _Function(_reconstructor),
    ("copyreg", "_reconstructor"): _Function(_reconstructor),
    **{(f"numpy.{core}.multiarray", "_reconstruct"): _Function(_reconstruct) for core in ("core", "_core")},
    **{(f"numpy.{core}.multiarray", "scalar"): _Function(_scalar) for core in ("core", "_core")},
    **{(f"numpy.{core}.numeric", "_frombuffer"): _Function(_from_buffer) for core in ("core", "_core")},
    **{(f"scipy.sparse.{module}", "csc_matrix"): _Sparse for module in ("csc", "_csc")},
    **{(f"scipy.sparse.{module}", "csr_matrix"): _SparseRows for module in ("csr", "_csr")},
}


class _Unpickler(pickle._Unpickler):
    """The Python implementation: its memo is a dictionary, so that one number cannot reserve gigabytes."""

    def __init__(self, path: Path, file: BinaryIO, purpose: Purpose) -> None:
        super().__init__(file, encoding="latin1")
        self._path = path
        self._purpose = purpose

    def find_class(self, module: str, name: str) -> Any:
        """Look up a stand-in; nothing is ever imported."""
        try:
            return _STAND_INS[module, name]
        except KeyError:
            message = f"{self._path} asks for {module}.{name}, {self._purpose.needless}"
            raise self._purpose.error(message) from None
