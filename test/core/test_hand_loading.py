# SPDX-FileCopyrightText: 2026 The hmp_ros authors
# SPDX-License-Identifier: Apache-2.0
import pickle
import struct
import sys
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

sys.path.insert(0, str(Path(__file__).parent))
from mano_pickle import VERTICES, mano_fields, write

from hmp_core.assets import asset_path
from hmp_core.errors import HandModelError
from hmp_core.hand import unpickling
from hmp_core.hand.loading import OPEN_HAND, load_hand_model
from hmp_core.hand.skeleton import MANO_TIP_VERTICES_RIGHT, Side


@pytest.mark.parametrize("protocol", [0, 1, 2, 4, 5])
@pytest.mark.parametrize("chumpy", [True, False])
def test_reads_mano_files(tmp_path, protocol, chumpy):
    fields = mano_fields()
    write(tmp_path / "MANO_RIGHT.pkl", fields, protocol, chumpy)
    model = load_hand_model(tmp_path)  # the folder
    assert model.name == "MANO_RIGHT"
    assert model.side is Side.RIGHT
    np.testing.assert_array_equal(model.v_template, fields["v_template"])
    np.testing.assert_array_equal(model.shapedirs, fields["shapedirs"][:, :, :10])
    np.testing.assert_array_equal(model.posedirs, fields["posedirs"])
    np.testing.assert_array_equal(model.J_regressor, fields["J_regressor"].toarray())
    np.testing.assert_array_equal(model.weights, fields["weights"])
    np.testing.assert_array_equal(model.faces, fields["f"])
    assert tuple(model.tip_vertices) == MANO_TIP_VERTICES_RIGHT
    assert load_hand_model(tmp_path / "MANO_RIGHT.pkl").v_template.shape == (VERTICES, 3)


def test_reads_rows_and_python3_bytes(tmp_path):
    fields = mano_fields()
    fields["J_regressor"] = fields["J_regressor"].tocsr()
    fields["shapedirs"] = fields["shapedirs"][:, :, :10]
    path = tmp_path / "hand.pkl"
    path.write_bytes(pickle.dumps(fields, protocol=2))
    np.testing.assert_array_equal(load_hand_model(path).J_regressor, fields["J_regressor"].toarray())


def test_reads_npz(tmp_path):
    fields = {key: value for key, value in mano_fields().items() if isinstance(value, np.ndarray)}
    fields["J_regressor"] = mano_fields()["J_regressor"].toarray()
    np.savez(tmp_path / "hand.npz", **fields)
    np.testing.assert_array_equal(load_hand_model(tmp_path / "hand.npz").weights, fields["weights"])
    copy = load_hand_model(asset_path(OPEN_HAND))
    np.testing.assert_array_equal(copy.tip_vertices, load_hand_model().tip_vertices)


class Runs:
    """Pickles into a call."""

    def __init__(self, function, *arguments):
        self.call = (function, arguments)

    def __reduce__(self):
        return self.call


def raw(module, name, protocol=2):
    """A pickle that looks up one name and calls it without arguments."""
    if protocol < 4:
        return f"c{module}\n{name}\n".encode() + b")R."
    text = b"".join(b"\x8c" + bytes([len(part)]) + part.encode() for part in (module, name))
    return b"\x80\x04" + text + b"\x93)R."


@pytest.mark.parametrize(
    ("module", "name"),
    [
        ("os", "system"),
        ("posix", "system"),
        ("builtins", "eval"),
        ("__builtin__", "getattr"),
        ("subprocess", "Popen"),
        ("numpy", "load"),
        ("numpy", "fromfile"),
        ("numpy", "memmap"),
        ("numpy", "ndarray.tofile"),
        ("numpy.testing._private.utils", "runstring"),
        ("numpy.core.multiarray", "fromfile"),
        ("numpy.f2py.capi_maps", "load_f2cmap_file"),
        ("scipy.sparse", "load_npz"),
        ("scipy.sparse._csc", "spmatrix"),
        ("chumpy.ch", "ChLambda"),
        ("_codecs", "lookup"),
    ],
)
@pytest.mark.parametrize("protocol", [2, 4])
def test_refuses_by_name(tmp_path, module, name, protocol):
    path = tmp_path / "hand.pkl"
    path.write_bytes(raw(module, name, protocol))
    with pytest.raises(HandModelError, match=f"{module}.{name}"):
        load_hand_model(path)


@pytest.mark.parametrize("protocol", [0, 2, 4, 5])
def test_runs_nothing_wherever_it_hides(tmp_path, protocol):
    marker = tmp_path / "was_here"
    attacks = [
        Runs(Path.touch, marker),
        Runs(eval, f"open({str(marker)!r}, 'w')"),
        Runs(exec, f"open({str(marker)!r}, 'w')"),
        [{"deep": (Runs(open, str(marker), "w"),)}],
        Runs(np.save, str(marker), np.zeros(1)),
    ]
    path = tmp_path / "hand.pkl"
    for attack in attacks:
        path.write_bytes(pickle.dumps(mano_fields() | {"J": attack}, protocol=protocol))
        with pytest.raises(HandModelError, match="asks for"):
            load_hand_model(path)
        fields = np.empty(1, dtype=object)
        fields[0] = attack
        path.write_bytes(pickle.dumps({"v_template": fields}, protocol=protocol))
        with pytest.raises(HandModelError, match="asks for"):
            load_hand_model(path)
    assert sorted(file.name for file in tmp_path.iterdir()) == ["hand.pkl"]


def test_stand_ins_cannot_be_altered(tmp_path):
    """A pickle may set attributes of what it looks up; the table must stay as it is for the next file."""
    path = tmp_path / "hand.pkl"
    for state in (b"}U\x08__code__K\x01s", b"N}U\x05_bodyK\x01s\x86", b"}U\x05arrayK\x01s"):
        for name in (b"cnumpy\ndtype\n", b"c_codecs\nencode\n", b"cnumpy\nndarray\n", b"cchumpy.ch\nCh\n"):
            path.write_bytes(b"\x80\x02" + name + state + b"b.")
            with pytest.raises(HandModelError, match="not a readable pickle"):
                load_hand_model(path)
    test_reads_mano_files(tmp_path, 2, True)


@pytest.mark.parametrize(
    "program",
    [
        b"\x80\x02cnumpy.core.multiarray\n_reconstruct\nc__builtin__\nset\nK\x00\x85U\x01b\x87R.",
        b"\x80\x02ccopy_reg\n_reconstructor\ncnumpy\ndtype\nc__builtin__\nobject\nN\x87R.",
        b"\x80\x02c_codecs\nencode\nU\x01aU\x05rot13\x86R.",
        b"\x80\x02Pidentity\n.",
        b"\x80\x02Nr" + struct.pack("<I", 2**32 - 2) + b".",  # a memo of 32 GB
        b"",
        b"not a pickle",
    ],
)
def test_refuses_twisted_pickles(tmp_path, program):
    path = tmp_path / "hand.pkl"
    path.write_bytes(program)
    with pytest.raises(HandModelError, match=r"not a readable pickle|no dictionary"):
        load_hand_model(path)


@pytest.mark.parametrize(
    ("state", "trouble"),
    [
        ((1, (2**40,), np.dtype("f8"), False, b""), "damaged"),
        ((1, (4,), np.dtype("f8"), False, b"\0" * 8), "damaged"),
        ((1, (-5,), np.dtype("f8"), False, b"\0" * 40), "damaged"),
        (7, "damaged"),
        ((1, (1,), np.dtype("O"), False, b"\0" * 8), "missing"),
    ],
)
def test_builds_no_array_from_false_claims(tmp_path, state, trouble):
    path = tmp_path / "hand.pkl"
    array = _with_state(state)
    path.write_bytes(pickle.dumps({"v_template": array}, protocol=4))
    with pytest.raises(HandModelError, match=trouble):
        load_hand_model(path)


@pytest.mark.parametrize("protocol", [2, 4])
def test_a_number_of_numpy_is_kept_not_made(tmp_path, protocol):
    """HO-3D's dictionaries hold such numbers; one of objects would have NumPy unpickle its bytes."""
    path, marker = tmp_path / "hand.pkl", tmp_path / "was_here"
    path.write_bytes(pickle.dumps({"a": np.float32(1.5), "b": np.int64(-3)}, protocol=protocol))
    assert unpickling.load_array_pickle(path) == {"a": 1.5, "b": -3}
    inner = pickle.dumps(Runs(Path.touch, marker))
    scalar = np.float32(0).__reduce__()[0]
    path.write_bytes(pickle.dumps({"a": Runs(scalar, np.dtype("O"), inner), "b": np.zeros(2)}, protocol=protocol))
    assert list(unpickling.load_array_pickle(path)) == ["b"]
    assert not marker.exists()
    path.write_bytes(pickle.dumps({"a": Runs(scalar, np.dtype("f8"), b"123")}, protocol=protocol))
    with pytest.raises(HandModelError, match="damaged"):
        unpickling.load_array_pickle(path)


def _with_state(state):
    class Array:
        def __reduce__(self):
            return (*np.zeros(1).__reduce__()[:2], state)

    return Array()


@pytest.mark.parametrize("field", ["v_template", "shapedirs", "posedirs", "J_regressor", "weights", "f"])
def test_names_the_missing_field(tmp_path, field):
    fields = mano_fields()
    del fields[field]
    if field != "shapedirs":
        fields["shapedirs"] = fields["shapedirs"][:, :, :10]
    path = tmp_path / "hand.pkl"
    path.write_bytes(pickle.dumps(fields))
    with pytest.raises(HandModelError, match=f"'{field}"):
        load_hand_model(path)


def test_wrong_schema(tmp_path):
    path = tmp_path / "hand.pkl"
    path.write_bytes(pickle.dumps([1, 2]))
    with pytest.raises(HandModelError, match="no dictionary"):
        load_hand_model(path)
    path.write_bytes(pickle.dumps(mano_fields() | {"kintree_table": np.zeros((2, 16))}))
    with pytest.raises(HandModelError, match="kintree_table"):
        load_hand_model(path)
    path.write_bytes(pickle.dumps(mano_fields() | {"shapedirs": np.zeros((VERTICES, 3, 4))}))
    with pytest.raises(HandModelError, match="shapedirs"):
        load_hand_model(path)
    cut = {
        key: value[:700] if key in ("v_template", "shapedirs") else value for key, value in mano_fields().items()
    }
    path.write_bytes(pickle.dumps(cut))
    with pytest.raises(HandModelError, match="tip_vertices"):
        load_hand_model(path)


def test_wrong_files(tmp_path):
    with pytest.raises(HandModelError, match=r"MANO_RIGHT\.pkl"):
        load_hand_model(tmp_path)
    (tmp_path / "hand.npz").write_bytes(b"PK not really")
    with pytest.raises(HandModelError, match=r"hand\.npz"):
        load_hand_model(tmp_path / "hand.npz")
    np.savez(tmp_path / "objects.npz", v_template=np.array([{}], dtype=object))
    with pytest.raises(HandModelError, match=r"objects\.npz"):
        load_hand_model(tmp_path / "objects.npz")
    (tmp_path / "MANO_LEFT.pkl").write_bytes(b"")
    with pytest.raises(HandModelError, match="left"):
        load_hand_model(tmp_path / "MANO_LEFT.pkl")


SMALL = {"v_template": np.zeros((2, 3)), "J_regressor": mano_fields()["J_regressor"][:, :5]}
GOOD = [pickle.dumps(SMALL, protocol=protocol) for protocol in (0, 2, 4)]


@settings(max_examples=200, deadline=None)
@given(good=st.sampled_from(GOOD), seed=st.integers(0, 2**31), other=st.binary(max_size=60))
def test_damage_never_gets_past_the_error(tmp_path_factory, good, seed, other):
    """Any bytes, and any damage to a good file, end in a HandModelError (the good file lacks fields)."""
    path = tmp_path_factory.getbasetemp() / "damaged.pkl"
    damaged = np.frombuffer(good, dtype=np.uint8).copy()
    rng = np.random.default_rng(seed)
    places = rng.integers(0, len(damaged), rng.integers(1, 6))
    damaged[places] = rng.integers(0, 256, len(places))
    for program in (damaged.tobytes(), other):
        path.write_bytes(program)
        with pytest.raises(HandModelError):
            load_hand_model(path)


def test_admits_stand_ins_only():
    for stand_in in unpickling._STAND_INS.values():
        kind = stand_in if isinstance(stand_in, type) else type(stand_in)
        assert kind.__module__ == unpickling.__name__
