# SPDX-FileCopyrightText: 2026 The hmp_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Reading recordings of the Leap Motion sensor in the form of one public collection.

That is Mike-and-Joe/Thai-Sign-Language-Recognition-with-Leap-Motion on GitHub (BSD-3-Clause), where recordings lie
in ``model/record`` and ``src/record_*``.
One text file is one recording, JSON: a list of frames with ``timestamp`` [us] and ``hands``, by "left" and "right";
a hand has ``hand_id``, ``arm.wrist_position`` [mm] and ``fingers.NAME.bones.BONE.next_joint`` [mm] for five fingers
and four bones. The folder's name is the sign. Licence of that repository: BSD-3-Clause.
"""

import hashlib
import json
from collections import defaultdict
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hmp_core.assets.manifest import file_sha256
from hmp_core.errors import DataError
from hmp_core.hand.mirror import mirror_points
from hmp_core.hand.skeleton import FINGER_NAMES, NUM_JOINTS, Side
from hmp_core.training.sources import JointMotion
from hmp_core.whole_file import whole_file

Report = Callable[[int, int], None]

_VERSION = 1
_PATTERN = "json_*.txt"
_BONES = ("metacarpal", "proximal", "intermediate", "distal")
"""Base to tip; the thumb's metacarpal has no length, so that its end is the thumb's base."""
_RATE_HZ = 60.0
_LONGEST_GAP_S = 0.1
_SHORTEST_S = 0.8
_UNIT_M = 1e-5


def find_leap_recordings(folder: Path) -> list[Path]:
    """Recordings below a folder, sorted."""
    return sorted(folder.rglob(_PATTERN))


def converted_leap(folder: Path, cache: Path, report: Report = lambda done, total: None) -> Path:
    """Convert the recordings below a folder once: the motion file of :func:`convert_leap` in a cache, by content.

    Args:
        folder: with recordings.
        cache: folder for the result.
        report: called with files read and files in all.

    Raises:
        DataError: as :func:`read_leap`.
    """
    content = hashlib.sha256(f"{_VERSION}".encode())
    for file in find_leap_recordings(folder):
        content.update(f"{file.relative_to(folder.parent)} {file_sha256(file)}\n".encode())
    entry = cache / f"leap_{content.hexdigest()[:16]}.npz"
    if not entry.exists():
        convert_leap(folder, entry, report)
    return entry


def convert_leap(folder: Path, path: Path, report: Report = lambda done, total: None) -> None:
    """Write all recordings below a folder as one motion file (.npz) of 21 joints.

    Raises:
        DataError: as :func:`read_leap`.
    """
    motion = read_leap(folder, report)
    with whole_file(path) as partial:
        np.savez_compressed(
            partial,
            joints_q=np.round(motion.joints / _UNIT_M).astype(np.int32),
            unit_m=np.array(_UNIT_M),
            lengths=motion.lengths,
            side=np.full(len(motion.lengths), Side.RIGHT.value),
            sign=np.array(motion.signs),
            rate_hz=np.array(motion.rate_hz),
        )


def read_leap(folder: Path, report: Report = lambda done, total: None) -> JointMotion:
    """All recordings below a folder at 60 Hz, cut where the sensor lost the hand for over 0.1 s.

    Pieces under 0.8 s are left out. Signs are the names of the files' folders, with underscores for spaces.

    Raises:
        DataError: there is no recording, a file cannot be read, or a field is missing or wrong (names both).
    """
    pieces, signs = [], []
    files = find_leap_recordings(folder)
    for number, path in enumerate(files):
        report(number, len(files))
        for joints in read_leap_file(path):
            pieces.append(joints)
            signs.append(path.parent.name.replace(" ", "_"))
    if not pieces:
        raise DataError(
            f"{folder} holds no recording of {_SHORTEST_S} s or more among {len(files)} files {_PATTERN}"
        )
    lengths = np.array([len(piece) for piece in pieces], dtype=np.int64)
    return JointMotion(np.concatenate(pieces), lengths, _RATE_HZ, tuple(signs))


def read_leap_file(path: Path) -> Iterator[NDArray[np.float32]]:
    """Pieces [F, 21, 3] of one recording at 60 Hz, right hands (left ones mirrored) [m].

    Raises:
        DataError: the file cannot be read, or a field is missing or wrong.
    """
    try:
        frames = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise DataError(f"the Leap recording {path} cannot be read: {error}") from error
    if not isinstance(frames, list):
        raise DataError(f"{path} must hold a list of frames, not {type(frames).__name__}")
    tracks: dict[tuple[str, int], list[tuple[float, NDArray[np.float64]]]] = defaultdict(list)
    for number, frame in enumerate(frames):
        where = f"{path}, frame {number}"
        time_s = 1e-6 * float(_numbers(_entry(frame, where, "timestamp"), where, "timestamp", ()))
        hands = _entry(frame, where, "hands")
        if not isinstance(hands, dict) or set(hands) - {side.value for side in Side}:
            raise DataError(f"{where}: 'hands' must hold left or right hands")
        for side, hand in hands.items():
            track = int(_numbers(_entry(hand, where, "hand_id"), where, "hand_id", ()))
            tracks[side, track].append((time_s, _joints(hand, where)))
    for side, track in sorted(tracks):
        for piece in _regular(tracks[side, track]):
            yield (mirror_points(piece) if side == Side.LEFT.value else piece).astype(np.float32)


def _joints(hand: Any, where: str) -> NDArray[np.float64]:
    """Wrist, then four joints of each finger [21, 3] [m]."""
    places: list[tuple[str, ...]] = [("arm", "wrist_position")]
    places += [("fingers", finger, "bones", bone, "next_joint") for finger in FINGER_NAMES for bone in _BONES]
    points = [_numbers(_entry(hand, where, *place), where, ".".join(place), (3,)) for place in places]
    return 1e-3 * np.stack(points)


def _regular(track: list[tuple[float, NDArray[np.float64]]]) -> Iterator[NDArray[np.float64]]:
    """Pieces without long gaps, on a regular grid of times."""
    times = np.array([time for time, _ in track])
    joints = np.stack([points for _, points in track]).reshape(len(track), -1)
    # The sensor's clock never stands still; frames that repeat or go back in time are its restarts.
    breaks = np.flatnonzero((np.diff(times) > _LONGEST_GAP_S) | (np.diff(times) <= 0.0)) + 1
    for piece in np.split(np.arange(len(times)), breaks):
        duration = times[piece[-1]] - times[piece[0]]
        if duration < _SHORTEST_S:
            continue
        grid = times[piece[0]] + np.arange(int(duration * _RATE_HZ) + 1) / _RATE_HZ
        columns = [np.interp(grid, times[piece], column) for column in joints[piece].T]
        yield np.stack(columns, axis=1).reshape(-1, NUM_JOINTS, 3)


def _entry(value: Any, where: str, *names: str) -> Any:
    for name in names:
        if not isinstance(value, dict) or name not in value:
            raise DataError(f"{where} lacks the field {'.'.join(names)!r}")
        value = value[name]
    return value


def _numbers(value: Any, where: str, name: str, shape: tuple[int, ...]) -> NDArray[np.float64]:
    array = np.asarray(value if isinstance(value, list | int | float) else None, dtype=object)
    if array.shape != shape or not all(isinstance(number, int | float) for number in array.flat):
        raise DataError(f"{where}: {name} must be {'a number' if not shape else f'{shape[0]} numbers'}")
    numbers = array.astype(np.float64)
    if not np.isfinite(numbers).all():
        raise DataError(f"{where}: {name} holds values that are not finite")
    return numbers
