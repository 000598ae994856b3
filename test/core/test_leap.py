# SPDX-FileCopyrightText: 2026 The hmp_ros authors
# SPDX-License-Identifier: Apache-2.0
import json

import numpy as np
import pytest
from leap_files import leap_hand

from hmp_core.errors import DataError
from hmp_core.training.leap import convert_leap, find_leap_recordings, read_leap, read_leap_file
from hmp_core.training.sources import read_joint_motion


def _points(time):
    """A slowly moving hand [21, 3] in millimetres."""
    base = np.arange(63).reshape(21, 3) * np.array([3.0, -2.0, 1.0])
    return base + 10.0 * np.sin(2.0 * time)


def _frames(times, side="right", hand_id=7):
    return [
        {"frame_id": n, "timestamp": 931465716532 + round(1e6 * t), "hands": {side: leap_hand(_points(t), hand_id)}}
        for n, t in enumerate(times)
    ]


def _write(path, frames):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(frames), encoding="utf-8")
    return path


def test_a_recording_at_the_sensors_own_rate_becomes_regular(tmp_path):
    times = np.cumsum(np.random.default_rng(0).uniform(0.008, 0.01, 150))
    path = _write(tmp_path / "model/record/come quickly/json_3.txt", _frames(times))
    (joints,) = read_leap_file(path)
    expected = 1e-3 * np.stack([_points(t) for t in times[0] + np.arange(len(joints)) / 60.0])
    assert len(joints) == int((times[-1] - times[0]) * 60.0) + 1
    np.testing.assert_allclose(joints, expected, atol=2e-6)
    motion = read_leap(tmp_path)
    assert motion.signs == ("come_quickly",)
    assert motion.rate_hz == 60.0
    assert motion.joints.dtype == np.float32


def test_gaps_new_hands_and_sides_part_recordings(tmp_path):
    steady = np.arange(0.0, 1.0, 0.01)
    frames = _frames(steady) + _frames(steady + 1.3) + _frames(steady + 2.31, hand_id=8)
    frames += _frames(np.arange(3.4, 3.6, 0.01), hand_id=9)  # too short
    frames += _frames(steady + 4.0, side="left", hand_id=10)
    _write(tmp_path / "eight/json_0.txt", frames)
    motion = read_leap(tmp_path)
    assert motion.signs == ("eight",) * 4
    assert (motion.lengths >= 59).all()
    left = motion.joints[: motion.lengths[0]]
    np.testing.assert_allclose(left[0, :, 0], -1e-3 * _points(4.0)[:, 0], atol=1e-6)
    np.testing.assert_allclose(left[0, :, 1:], 1e-3 * _points(4.0)[:, 1:], atol=1e-6)


def test_converts_to_a_motion_file(tmp_path):
    steady = np.arange(0.0, 1.0, 0.01)
    _write(tmp_path / "eight/json_0.txt", _frames(steady))
    _write(tmp_path / "not ok/json_0.txt", _frames(steady, side="left"))
    convert_leap(tmp_path, tmp_path / "out/leap.npz")
    motion, expected = read_joint_motion(tmp_path / "out/leap.npz"), read_leap(tmp_path)
    np.testing.assert_allclose(motion.joints, expected.joints, atol=6e-6)
    assert motion.signs == expected.signs == ("eight", "not_ok")
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["leap.npz"]


def _without(name):
    frames = _frames(np.arange(0.0, 1.0, 0.01))
    value = frames[30]
    *outer, last = name.split(".")
    for part in outer:
        value = value[part]
    del value[last]
    return frames


@pytest.mark.parametrize(
    "name",
    [
        "timestamp",
        "hands",
        "hands.right.hand_id",
        "hands.right.arm.wrist_position",
        "hands.right.fingers.ring",
        "hands.right.fingers.pinky.bones.distal.next_joint",
    ],
)
def test_names_file_frame_and_field(tmp_path, name):
    path = _write(tmp_path / "hi/json_1.txt", _without(name))
    with pytest.raises(DataError, match=rf"json_1\.txt, frame 30 lacks.*{name.removeprefix('hands.right.')}"):
        read_leap(tmp_path)
    assert find_leap_recordings(tmp_path) == [path]


@pytest.mark.parametrize("value", [[1.0, 2.0], [1.0, 2.0, "x"], None, [[1, 2, 3]], [1.0, float("nan"), 2.0], "abc"])
def test_refuses_what_is_no_point(tmp_path, value):
    frames = _frames(np.arange(0.0, 1.0, 0.01))
    frames[5]["hands"]["right"]["arm"]["wrist_position"] = value
    _write(tmp_path / "hi/json_1.txt", frames)
    with pytest.raises(DataError, match=r"frame 5.*arm\.wrist_position"):
        read_leap(tmp_path)


def test_refuses_other_files(tmp_path):
    with pytest.raises(DataError, match="0 files"):
        read_leap(tmp_path)
    path = tmp_path / "hi/json_1.txt"
    for content in ("", "{}", "[1]", '[{"timestamp": 1, "hands": {"third": {}}}]', "[{"):
        path.parent.mkdir(exist_ok=True)
        path.write_text(content, encoding="utf-8")
        with pytest.raises(DataError, match=r"json_1\.txt"):
            read_leap(tmp_path)
