# SPDX-FileCopyrightText: 2026 The hmp_ros authors
# SPDX-License-Identifier: Apache-2.0
import pickle
import sys
from pathlib import Path

import numpy as np
import pytest
from scipy.spatial.transform import Rotation

sys.path.insert(0, str(Path(__file__).parent))
from mano_pickle import mano_fields, write

from hmp_core.errors import DataError, HandModelError
from hmp_core.hand.skeleton import Side
from hmp_core.training.arctic import read_arctic, read_hands_mean
from hmp_core.training.body_motion import Preparation, prepare_hands

FRAMES = 90


def _wave(width, seed):
    rng = np.random.default_rng(seed)
    time = np.arange(FRAMES)[:, None] / 30.0
    return 0.6 * rng.normal(size=width) * np.sin(4.0 * time + rng.uniform(0, 6, width))


def _smplx(seed=0):
    names = {"global_orient": 3, "body_pose": 63, "left_hand_pose": 45, "right_hand_pose": 45, "transl": 3}
    names |= {"jaw_pose": 3, "leye_pose": 3, "reye_pose": 3}
    return {name: _wave(width, seed + i).astype(np.float32) for i, (name, width) in enumerate(names.items())}


def _mano(seed=0):
    def hand(seed):
        return {
            "rot": _wave(3, seed),
            "pose": _wave(45, seed + 1),
            "trans": _wave(3, seed + 2),
            "shape": np.zeros(10),
            "fitting_err": [0.1] * FRAMES,
        }

    return {"right": hand(seed), "left": hand(seed + 10)}


def _save(path, content):
    path.parent.mkdir(parents=True, exist_ok=True)
    np.save(path, content, allow_pickle=True)
    return path


def _save_with(path, content, protocol, old_names):
    """As ``numpy.save`` of another age writes it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    wrapped = np.empty((), dtype=object)
    wrapped[()] = content
    program = pickle.dumps(wrapped, protocol=protocol)
    if old_names and protocol < 4:
        program = program.replace(b"cnumpy._core.", b"cnumpy.core.")
    with path.open("wb") as file:
        np.lib.format.write_array_header_1_0(file, {"descr": "|O", "fortran_order": False, "shape": ()})
        file.write(program)


def test_smplx_fits_need_nothing_else(tmp_path):
    fields = _smplx()
    _save(tmp_path / "raw_seqs/s01/box_grab_01.smplx.npy", fields)
    _save(tmp_path / "raw_seqs/s01/box_grab_01.mano.npy", _mano())
    (body,) = read_arctic(tmp_path)
    assert body.label == "s01/box_grab_01"
    assert body.rate_hz == 30.0
    for side in Side:
        np.testing.assert_array_equal(body.fingers[side], fields[f"{side.value}_hand_pose"].reshape(-1, 15, 3))
        assert body.R_world_wrist[side].shape == (FRAMES, 3, 3)
    motion = prepare_hands([body], Preparation())
    assert motion.lengths.tolist() == [82, 82]  # 90 frames less 4 at each end; the rate stays
    np.testing.assert_allclose(motion.rotation_vectors[82], fields["right_hand_pose"][4].reshape(15, 3), atol=1e-5)


@pytest.mark.parametrize("protocol", [2, 3, 4, 5])
def test_mano_fits_get_their_mean_pose(tmp_path, protocol):
    content = _mano()
    path = tmp_path / "raw_seqs/s02/phone_use_01.mano.npy"
    _save_with(path, content, protocol, old_names=True)
    model = mano_fields()
    model["hands_mean"] *= 0.2
    write(tmp_path / "MANO_RIGHT.pkl", model)
    (body,) = read_arctic(tmp_path, tmp_path / "MANO_RIGHT.pkl")
    mean = model["hands_mean"].reshape(15, 3)
    np.testing.assert_allclose(body.fingers[Side.RIGHT], content["right"]["pose"].reshape(-1, 15, 3) + mean)
    mirrored = mean * np.array([1.0, -1.0, -1.0])
    np.testing.assert_allclose(body.fingers[Side.LEFT], content["left"]["pose"].reshape(-1, 15, 3) + mirrored)
    for side in Side:
        expected = Rotation.from_rotvec(content[side.value]["rot"]).as_matrix()
        np.testing.assert_allclose(body.R_world_wrist[side], expected)


def test_mano_fits_without_the_model_say_what_is_missing(tmp_path):
    _save(tmp_path / "raw_seqs/s02/phone_use_01.mano.npy", _mano())
    with pytest.raises(DataError, match=r"phone_use_01\.mano\.npy.*MANO_RIGHT\.pkl"):
        list(read_arctic(tmp_path))
    fields = mano_fields()
    del fields["hands_mean"]
    write(tmp_path / "MANO_RIGHT.pkl", fields)
    with pytest.raises(DataError, match="hands_mean"):
        read_hands_mean(tmp_path / "MANO_RIGHT.pkl")
    with pytest.raises(HandModelError, match=r"absent\.pkl"):
        read_hands_mean(tmp_path / "absent.pkl")


@pytest.mark.parametrize(
    ("kind", "place", "value", "field"),
    [
        ("smplx", ("body_pose",), None, "body_pose"),
        ("smplx", ("left_hand_pose",), np.zeros((FRAMES, 24)), "left_hand_pose"),
        ("smplx", ("right_hand_pose",), np.zeros((FRAMES - 1, 45)), "right_hand_pose"),
        ("smplx", ("global_orient",), np.full((FRAMES, 3), np.inf), "global_orient"),
        ("smplx", ("global_orient",), np.zeros((0, 3)), "global_orient"),
        ("smplx", ("global_orient",), ["text"], "global_orient"),
        ("mano", ("left",), None, "left"),
        ("mano", ("left", "rot"), None, "left.rot"),
        ("mano", ("right", "pose"), np.zeros((FRAMES, 48)), "right.pose"),
        ("mano", ("right", "pose"), np.full((FRAMES, 45), np.nan), "right.pose"),
        ("mano", ("left", "pose"), np.array([["a"] * 45] * FRAMES), "left.pose"),
    ],
)
def test_names_file_and_field(tmp_path, kind, place, value, field):
    content = _smplx() if kind == "smplx" else _mano()
    inner = content
    for name in place[:-1]:
        inner = inner[name]
    if value is None:
        del inner[place[-1]]
    else:
        inner[place[-1]] = value
    _save(tmp_path / f"raw_seqs/s01/mixer.{kind}.npy", content)
    write(tmp_path / "MANO_RIGHT.pkl", mano_fields())
    with pytest.raises(DataError, match=rf"mixer\.{kind}\.npy.*{field}"):
        list(read_arctic(tmp_path, tmp_path / "MANO_RIGHT.pkl"))


class Runs:
    """Pickles into a call."""

    def __init__(self, function, *arguments):
        self.call = (function, arguments)

    def __reduce__(self):
        return self.call


def test_runs_nothing_and_names_what_was_asked_for(tmp_path):
    marker = tmp_path / "was_here"
    path = tmp_path / "raw_seqs/s01/box.smplx.npy"
    for attack, name in (
        (Runs(Path.touch, marker), r"(pathlib|touch|getattr)"),
        (Runs(eval, f"open({str(marker)!r}, 'w')"), "eval"),
        ([{"deep": (Runs(open, str(marker), "w"),)}], "open"),
    ):
        _save(path, _smplx() | {"extra": attack})
        with pytest.raises(DataError, match=rf"box\.smplx\.npy asks for .*{name}.*nothing of it was run"):
            list(read_arctic(tmp_path))
        nested = np.empty(1, dtype=object)
        nested[0] = attack
        _save(path, nested)
        with pytest.raises(DataError, match="asks for"):
            list(read_arctic(tmp_path))
    assert not marker.exists()


def test_refuses_other_files(tmp_path):
    path = tmp_path / "raw_seqs/s01/box.smplx.npy"
    with pytest.raises(DataError, match="no sequence of ARCTIC"):
        list(read_arctic(tmp_path))
    for content, said in (
        (np.zeros((4, 3)), "float64"),
        ([1, 2], "dictionary|int64"),
        (None, "dictionary"),
    ):
        _save(path, content)
        with pytest.raises(DataError, match=rf"box\.smplx\.npy.*({said})"):
            list(read_arctic(tmp_path))
    path.write_bytes(b"something else")
    with pytest.raises(DataError, match=r"no \.npy file"):
        list(read_arctic(tmp_path))
    _save(path, _smplx())
    whole = path.read_bytes()
    for length in (40, 130, len(whole) // 2, len(whole) - 1):
        path.write_bytes(whole[:length])
        with pytest.raises(DataError, match=r"box\.smplx\.npy"):
            list(read_arctic(tmp_path))
