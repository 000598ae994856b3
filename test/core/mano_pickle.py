# SPDX-FileCopyrightText: 2026 The hmp_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Writes pickles in the layout of MANO's own files, with made-up numbers, without chumpy."""

import io
import pickle
import struct
import sys
import types
from typing import ClassVar

import numpy as np
import scipy.sparse

VERTICES = 778


def mano_fields(seed=0):
    """Fields of a hand that has MANO's sizes and none of its data."""
    rng = np.random.default_rng(seed)
    regressor = scipy.sparse.random(16, VERTICES, density=0.02, format="csc", random_state=0)
    shapedirs = rng.normal(size=(VERTICES, 3, 20))
    parents = [2**32 - 1, 0, 1, 2, 0, 4, 5, 0, 7, 8, 0, 10, 11, 0, 13, 14]
    return {
        "v_template": rng.normal(size=(VERTICES, 3)),
        "shapedirs": shapedirs,
        "posedirs": np.asfortranarray(rng.normal(size=(VERTICES, 3, 135))),
        "J_regressor": regressor,
        "J": rng.normal(size=(16, 3)),
        "weights": rng.dirichlet(np.ones(16), size=VERTICES),
        "f": rng.integers(0, VERTICES, size=(1538, 3), dtype=np.uint32),
        "kintree_table": np.array([parents, range(16)], dtype=np.int64),
        "hands_mean": rng.normal(size=45),
        "hands_components": rng.normal(size=(45, 45)),
        "bs_style": "lbs",
        "bs_type": "lrotmin",
    }


def write(path, fields, protocol=2, chumpy=True):
    """Pickle the fields; ``chumpy`` makes shapedirs the expression that MANO's files hold."""
    fields = dict(fields)
    with _fake_chumpy() as (ch, select):
        if chumpy:
            value = ch()
            value.__dict__.update(x=fields["shapedirs"], _dirty_vars=set(), _itr=None, _status="new")
            chosen = select()
            shape = (VERTICES, 3, 10)
            indices = np.arange(fields["shapedirs"].size).reshape(VERTICES, 3, 20)[:, :, :10].ravel()
            chosen.__dict__.update(a=value, idxs=indices, preferred_shape=shape, _dirty_vars={"a"}, _itr=None)
            fields["shapedirs"] = chosen
        else:
            fields["shapedirs"] = fields["shapedirs"][:, :, :10]
        file = io.BytesIO()
        pickler = _Python2Pickler(file, protocol) if protocol <= 2 else pickle.Pickler(file, protocol)
        pickler.dump(fields)
    program = file.getvalue()
    if protocol <= 2:  # where the modules lay when MANO's files were written
        program = program.replace(b"cnumpy._core.", b"cnumpy.core.").replace(
            b"cscipy.sparse._csc", b"cscipy.sparse.csc"
        )
    path.write_bytes(program)


class _fake_chumpy:
    """Modules ``chumpy.ch`` and ``chumpy.reordering`` for as long as a pickle is being written."""

    def __enter__(self):
        self._modules = {name: types.ModuleType(name) for name in ("chumpy", "chumpy.ch", "chumpy.reordering")}
        classes = []
        for module, name in (("chumpy.ch", "Ch"), ("chumpy.reordering", "Select")):
            new = type(name, (), {"__module__": module})
            setattr(self._modules[module], name, new)
            classes.append(new)
        sys.modules.update(self._modules)
        return classes

    def __exit__(self, *_):
        for name in self._modules:
            del sys.modules[name]


class _Python2Pickler(pickle._Pickler):
    """Writes bytes and strings as Python 2 wrote its ``str``."""

    dispatch: ClassVar = dict(pickle._Pickler.dispatch)

    def save_str(self, value):
        self.save_bytes(value.encode("latin1"))

    def save_bytes(self, value):
        if self.bin:
            self.write(pickle.BINSTRING + struct.pack("<i", len(value)) + value)
        else:
            self.write(pickle.STRING + repr(value)[1:].encode("ascii") + b"\n")

    dispatch[str] = save_str
    dispatch[bytes] = save_bytes
