# SPDX-FileCopyrightText: 2026 The hmp_ros authors
# SPDX-License-Identifier: Apache-2.0
"""DexYCB in its official layout (Chao et al. 2021), with the set-ups and splits of its toolkit.

::

    <subject>/<sequence>/meta.yml                            num_frames, serials, mano_sides, mano_calib
    <subject>/<sequence>/<serial>/color_000000.jpg
    <subject>/<sequence>/<serial>/labels_000000.npz          seg, pose_m, joint_3d, joint_2d
    calibration/intrinsics/<serial>_640x480.yml              color: fx, fy, ppx, ppy
    calibration/mano_<mano_calib>/mano.yml                   betas

Joints are in the camera's optical frame and in our order. One hand is labelled in each recording, left or right. A
frame counts unless its joints are -1 or its mask shows no hand (HMP's evaluation code). A joint whose pixel shows
an object in ``seg`` (0 is background, 255 the hand) is hidden. A sequence here is one camera's view of a recording.
"""

from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any, Final

import numpy as np
import yaml
from numpy.typing import NDArray

from hmp_core.camera import Camera
from hmp_core.errors import ConfigError, DataError, HandModelError
from hmp_core.evaluation.labelled import (
    LabelledFrame,
    LabelledSequence,
    hidden_joints,
    no_truth,
    pick,
    read_image,
    stamp_ns,
)
from hmp_core.frame import Frame
from hmp_core.hand.loading import mano_file
from hmp_core.hand.skeleton import NUM_FINGER_ROTATIONS, NUM_JOINTS, Side
from hmp_core.hand.unpickling import load_array_pickle
from hmp_core.observation import ManoPose

SETUPS: Final = ("s0", "s1", "s2", "s3")
SPLITS: Final = ("train", "val", "test")
SUBJECTS: Final = (
    "20200709-subject-01", "20200813-subject-02", "20200820-subject-03", "20200903-subject-04",
    "20200908-subject-05", "20200918-subject-06", "20200928-subject-07", "20201002-subject-08",
    "20201015-subject-09", "20201022-subject-10",
)  # fmt: skip
SERIALS: Final = (
    "836212060125", "839512060362", "840412060917", "841412060263",
    "932122060857", "932122060861", "932122061900", "932122062010",
)  # fmt: skip
SEQUENCES_A_SUBJECT: Final = 100
_SEG_HAND: Final = 255
_FINGER_NUMBERS: Final = 3 * NUM_FINGER_ROTATIONS


@dataclass(frozen=True)
class SplitShare:
    """What a split consists of, by place: subjects, cameras, and the recordings of each subject."""

    subjects: tuple[int, ...]
    serials: tuple[int, ...]
    recordings: tuple[int, ...]


def split_share(setup: str, split: str) -> SplitShare:
    """The toolkit's definition: s0 seen everything, s1 unseen subjects, s2 unseen cameras, s3 unseen objects.

    Raises:
        ConfigError: unknown name.
    """
    if setup not in SETUPS or split not in SPLITS:
        raise ConfigError(f"DexYCB has set-ups {', '.join(SETUPS)} with splits {', '.join(SPLITS)}")
    place = SPLITS.index(split)
    subjects, serials = tuple(range(len(SUBJECTS))), tuple(range(len(SERIALS)))
    recordings = tuple(range(SEQUENCES_A_SUBJECT))
    if setup == "s0":
        subjects = (subjects, (0, 1), subjects[2:])[place]
        recordings = tuple(i for i in recordings if (i % 5 == 4) == (split != "train"))
    elif setup == "s1":
        subjects = ((0, 1, 2, 3, 4, 5, 9), (6,), (7, 8))[place]
    elif setup == "s2":
        serials = (serials[:6], (6,), (7,))[place]
    else:
        # Five recordings of each object follow one another.
        objects = (tuple(set(range(20)) - {3, 7, 11, 15, 19}), (3, 19), (7, 11, 15))[place]
        recordings = tuple(i for i in recordings if i // 5 in objects)
    return SplitShare(subjects, serials, recordings)


@dataclass(frozen=True)
class PoseBasis:
    """The principal components in which ``pose_m`` gives the fingers, from the user's MANO_RIGHT.

    Attributes:
        mean: [45] axis-angle [rad].
        components: [45, 45], one a row.
    """

    mean: NDArray[np.float64]
    components: NDArray[np.float64]

    @classmethod
    def load(cls, mano: Path) -> "PoseBasis":
        """From MANO_RIGHT.pkl or its folder.

        Raises:
            HandModelError: the file is unusable, or holds no such basis.
        """
        fields = load_array_pickle(mano_file(mano))
        shapes = {"hands_mean": (_FINGER_NUMBERS,), "hands_components": (_FINGER_NUMBERS, _FINGER_NUMBERS)}
        for key, shape in shapes.items():
            if key not in fields or fields[key].shape != shape:
                raise HandModelError(f"{mano} has no {key} of shape {shape}, which DexYCB's poses need")
        return cls(fields["hands_mean"].astype(np.float64), fields["hands_components"].astype(np.float64))


class DexYcb:
    """The data set.

    Args:
        root: the folder with the subjects' folders and ``calibration``.
        basis: gives frames of right hands their true pose; None without MANO. Left hands have none, since that
            takes the left hand's own basis.

    Raises:
        DataError: no subject's folder is there.
    """

    def __init__(self, root: Path, basis: PoseBasis | None = None) -> None:
        self.root, self.basis = root, basis
        if not any((root / subject).is_dir() for subject in SUBJECTS):
            raise DataError(f"{root} is no DexYCB: it holds none of the folders {SUBJECTS[0]} to {SUBJECTS[-1]}")

    def split(self, setup: str, split: str) -> list[LabelledSequence]:
        """All views of a split.

        Raises:
            ConfigError: unknown set-up or split.
            DataError: a subject's recordings are not complete, so that their places in the split are unknown.
        """
        share = split_share(setup, split)
        found = []
        for subject in (SUBJECTS[index] for index in share.subjects):
            recordings = self._recordings(subject)
            if len(recordings) != SEQUENCES_A_SUBJECT:
                raise DataError(
                    f"{self.root / subject} holds {len(recordings)} recordings where the splits count on "
                    f"{SEQUENCES_A_SUBJECT}; complete it, or name recordings with --sequences"
                )
            found += [_view(self, recordings[at], SERIALS[by]) for at in share.recordings for by in share.serials]
        return found

    def named(self, names: list[str]) -> list[LabelledSequence]:
        """Views by name: ``<subject>``, ``<subject>/<recording>`` or ``<subject>/<recording>/<serial>``.

        Raises:
            ConfigError: there is no such view.
        """
        views = [
            (recording, serial)
            for subject in SUBJECTS
            for recording in self._recordings(subject)
            for serial in SERIALS
            if (self.root / recording / serial).is_dir()
        ]
        chosen = set(pick(["/".join(view) for view in views], names, str(self.root)))
        return [_view(self, *view) for view in views if "/".join(view) in chosen]

    def _recordings(self, subject: str) -> list[str]:
        folder = self.root / subject
        names = sorted(path.name for path in folder.iterdir() if path.is_dir()) if folder.is_dir() else []
        return [f"{subject}/{name}" for name in names]


def _view(data: DexYcb, recording: str, serial: str) -> LabelledSequence:
    """A view; what is wrong with its recording's files shows when its first frame is read."""
    try:
        return _View(data, recording, serial).sequence
    except DataError as error:
        return _unreadable(f"{recording}/{serial}", error)


def _unreadable(name: str, error: DataError) -> LabelledSequence:
    def read(index: int) -> LabelledFrame:
        raise error

    return LabelledSequence(name, Side.RIGHT, (f"{name}/?",), read)


class _View:
    """One camera's view of a recording on disk."""

    def __init__(self, data: DexYcb, recording: str, serial: str) -> None:
        self._basis = data.basis
        self._path = data.root / recording / serial
        meta = _read_yaml(data.root / recording / "meta.yml")
        calibration = data.root / "calibration"
        try:
            count, self._side = int(meta["num_frames"]), Side(meta["mano_sides"][0])
            color = _read_yaml(calibration / "intrinsics" / f"{serial}_640x480.yml")["color"]
            self._intrinsics = np.array([color[key] for key in ("fx", "fy", "ppx", "ppy")], dtype=np.float64)
            betas = _read_yaml(calibration / f"mano_{meta['mano_calib'][0]}" / "mano.yml")["betas"]
            self._betas = np.array(betas, dtype=np.float64)
        except (KeyError, IndexError, TypeError, ValueError) as error:
            raise DataError(f"{recording}'s meta.yml or calibration lacks a field: {error!r}") from error
        names = tuple(f"{recording}/{serial}/{number:06d}" for number in range(count))
        self.sequence = LabelledSequence(f"{recording}/{serial}", self._side, names, self._read)

    def _read(self, index: int) -> LabelledFrame:
        image = read_image(self._path / f"color_{index:06d}.jpg")
        height, width = image.shape[:2]
        fx, fy, cx, cy = self._intrinsics.tolist()
        camera = Camera(width, height, fx, fy, cx, cy)
        frame = Frame(image, stamp_ns(index), camera)
        path = self._path / f"labels_{index:06d}.npz"
        try:
            with np.load(path, allow_pickle=False) as labels:
                seg, joints, pose_m = labels["seg"], labels["joint_3d"], labels["pose_m"]
            joints = np.asarray(joints, np.float64).reshape(NUM_JOINTS, 3)
            pose_m = np.asarray(pose_m, np.float64).reshape(6 + _FINGER_NUMBERS)
        except (OSError, KeyError, ValueError, EOFError) as error:
            raise DataError(f"{path} is not one of DexYCB's labels: {error}") from error
        absent = (joints == -1).all(axis=1).any() or not np.isfinite(joints).all()
        if absent or seg.ndim != 2 or not (seg == _SEG_HAND).any():
            return LabelledFrame(frame, no_truth(), np.full(3, np.nan), np.zeros(NUM_JOINTS, dtype=bool))
        hidden = hidden_joints(camera, joints, (seg != 0) & (seg != _SEG_HAND))
        return LabelledFrame(frame, joints, joints[0], hidden, self._pose(pose_m))

    def _pose(self, pose_m: NDArray[np.float64]) -> ManoPose | None:
        if self._basis is None or self._side is Side.LEFT or not pose_m.any():
            return None
        fingers = self._basis.mean + pose_m[3:-3] @ self._basis.components
        return ManoPose(np.concatenate([pose_m[:3], fingers]).reshape(-1, 3), self._betas, pose_m[-3:])


@lru_cache(maxsize=256)
def _read_yaml(path: Path) -> Any:
    try:
        return yaml.safe_load(path.read_text(encoding="utf-8"))
    except (OSError, yaml.YAMLError, UnicodeDecodeError) as error:
        raise DataError(f"{path} cannot be read: {error}") from error
