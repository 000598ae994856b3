# SPDX-FileCopyrightText: 2026 The hmp_ros authors
# SPDX-License-Identifier: Apache-2.0
"""HO-3D version 3 in its official layout (Hampali et al. 2020; `README.txt` of the data set).

::

    train.txt, evaluation.txt                   frames that count, "<sequence>/<frame>" a line
    <split>/<sequence>/rgb/0000.jpg             (.png in version 2)
    <split>/<sequence>/meta/0000.pkl            a pickled dictionary; read without running anything from it
    HO3D_v*_segmentations_rendered/<split>/<sequence>/seg/0000.png   or <split>/<sequence>/seg/0000.png
    evaluation_xyz.json                         joints of the evaluation split, released in November 2024

Annotations are in OpenGL's camera axes (y up, z backwards), joints in MANO's order followed by the five tips. The
evaluation split's files give only the wrist away. Frames without annotation hold None and are in no list; they are
still shown to whatever follows the hand. All hands are right ones.

Segmentations are rendered from the annotated poses at a lower resolution, the hand in blue: a joint whose pixel
shows something else that is drawn is behind the object.
"""

import json
import logging
from collections.abc import Mapping
from functools import cached_property
from pathlib import Path
from typing import Any, Final

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.spatial.transform import Rotation

from hmp_core.camera import Camera
from hmp_core.errors import ConfigError, DataError
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
from hmp_core.hand.kinematics import HandKinematics
from hmp_core.hand.skeleton import NUM_JOINTS, PUBLIC_FROM_MANO, WRIST, Side
from hmp_core.hand.unpickling import Purpose, load_array_pickle
from hmp_core.observation import ManoPose

SPLITS: Final = ("train", "evaluation")
FROM_OPENGL: Final = np.diag([1.0, -1.0, -1.0])
"""From OpenGL's camera axes to ours, and back."""
TIP_VERTICES: Final = (744, 320, 443, 554, 671)
"""Fingertips of the annotated joints on MANO's mesh, thumb to pinky (HMP's evaluation code)."""
_log = logging.getLogger(__name__)
_BLUE: Final = 0
_DRAWN: Final = 128
_META: Final = Purpose(
    DataError, "which no annotation needs; nothing of it was run. Get the file anew from HO-3D's project page."
)


class Ho3d:
    """One split.

    Args:
        root: the folder with ``train.txt`` and ``evaluation.txt``.
        split: one of :data:`SPLITS`.
        kinematics: of the user's right MANO, which gives frames their true pose; None without.

    Attributes:
        frames: names of the frames that count, in the order of the list, which is that of a submission.

    Raises:
        ConfigError: unknown split.
        DataError: the list is missing or empty, or the released joints do not fit it.
    """

    def __init__(self, root: Path, split: str = "train", kinematics: HandKinematics | None = None) -> None:
        if split not in SPLITS:
            raise ConfigError(f"HO-3D has the splits {' and '.join(SPLITS)}, not {split!r}")
        self.root, self.split = root, split
        self._kinematics = kinematics
        try:
            lines = (root / f"{split}.txt").read_text(encoding="utf-8").split()
        except OSError as error:
            raise DataError(
                f"{root} is no HO-3D: {error}; give the folder that holds {split}.txt and the folder {split}"
            ) from error
        self.frames = tuple(line.strip("/") for line in lines)
        if not self.frames or any(line.count("/") != 1 for line in self.frames):
            raise DataError(f"{root / f'{split}.txt'} must name a frame '<sequence>/<frame>' in each line")
        self._released = self._released_joints() if split == "evaluation" else {}

    @property
    def has_truth(self) -> bool:
        """Whether the joints of this split are known here."""
        return self.split == "train" or bool(self._released)

    def sequences(self, names: list[str] | None = None) -> list[LabelledSequence]:
        """Those of the split's list, by name; only the ones asked for, if any are.

        Raises:
            ConfigError: a name is not among them.
        """
        listed = sorted({line.split("/")[0] for line in self.frames})
        folders = [_Folder(self, name) for name in pick(listed, names or [], f"{self.root}/{self.split}.txt")]
        return [LabelledSequence(one.name, Side.RIGHT, one.frame_names, one.read) for one in folders]

    def released(self, frame_name: str) -> NDArray[np.float64] | None:
        """Joints [21, 3] of an evaluation frame in our order and axes [m], where they were released."""
        return self._released.get(frame_name)

    def true_pose(self, meta: Mapping[str, NDArray[Any]]) -> ManoPose | None:
        """The annotated pose in our camera axes; None without MANO or where it is not annotated."""
        if self._kinematics is None or not {"handPose", "handBeta", "handTrans"} <= meta.keys():
            return None
        vectors = _checked(meta, "handPose", (16, 3))
        betas, translation = _checked(meta, "handBeta", (10,)), _checked(meta, "handTrans", (3,))
        vectors[0] = Rotation.from_matrix(FROM_OPENGL @ Rotation.from_rotvec(vectors[0]).as_matrix()).as_rotvec()
        # MANO turns about its wrist at rest, not about the origin.
        wrist = self._kinematics.rest_wrist(torch.as_tensor(betas, dtype=self._kinematics.dtype)).double().numpy()
        return ManoPose(vectors, betas, FROM_OPENGL @ (wrist + translation) - wrist)

    def segmentation(self, sequence: str, frame: str) -> Path | None:
        """Where the rendered segmentation of a frame lies, None where there is none."""
        folders = [self.root, *sorted(self.root.glob("HO3D_v*_segmentations_rendered"))]
        files = (folder / self.split / sequence / "seg" / f"{frame}.png" for folder in folders)
        return next((file for file in files if file.is_file()), None)

    def _released_joints(self) -> dict[str, NDArray[np.float64]]:
        path = self.root / "evaluation_xyz.json"
        if not path.is_file():
            return {}
        try:
            joints = np.array(json.loads(path.read_text(encoding="utf-8")), dtype=np.float64)
        except (OSError, ValueError) as error:
            raise DataError(f"{path} cannot be read: {error}") from error
        if joints.shape != (len(self.frames), NUM_JOINTS, 3):
            raise DataError(
                f"{path} must hold {NUM_JOINTS} joints for each of the {len(self.frames)} lines of evaluation.txt; "
                f"got {joints.shape}"
            )
        return dict(zip(self.frames, our_joints(joints), strict=True))


def our_joints(joints_opengl: NDArray[np.floating]) -> NDArray[np.float64]:
    """Joints [..., 21, 3] of HO-3D's order and axes in ours."""
    return np.asarray(joints_opengl @ FROM_OPENGL)[..., PUBLIC_FROM_MANO, :]


class _Folder:
    """One sequence on disk."""

    def __init__(self, split: Ho3d, name: str) -> None:
        self.name = name
        self._split = split
        self._path = split.root / split.split / name
        self._listed = {line.split("/")[1] for line in split.frames if line.startswith(f"{name}/")}
        images = sorted((self._path / "rgb").glob("*.[jp][pn]g"))
        # A folder that is not there shows when its first frame is read.
        self._images = {image.stem: image for image in images} or {
            stem: self._path / "rgb" / f"{stem}.jpg" for stem in sorted(self._listed)
        }
        self._segmented = True
        self.frame_names = tuple(f"{name}/{stem}" for stem in self._images)

    def read(self, index: int) -> LabelledFrame:
        """See :class:`LabelledSequence`."""
        stem = self.frame_names[index].split("/")[1]
        image = read_image(self._images[stem])
        K = self._intrinsics
        camera = Camera(image.shape[1], image.shape[0], K[0, 0], K[1, 1], K[0, 2], K[1, 2])
        frame = Frame(image, stamp_ns(int(stem) if stem.isdigit() else index), camera)
        truth, root, pose = no_truth(), np.full(3, np.nan), None
        try:
            if stem in self._listed and self._split.split == "train":
                meta = self._meta(stem)
                truth = our_joints(_checked(meta, "handJoints3D", (NUM_JOINTS, 3)))
                root, pose = truth[WRIST], self._split.true_pose(meta)
            elif stem in self._listed:
                root = FROM_OPENGL @ _checked(self._meta(stem), "handJoints3D", (3,))
                released = self._split.released(self.frame_names[index])
                truth = truth if released is None else released
        except ValueError as error:
            raise DataError(f"{self._path / 'meta' / stem}.pkl: {error}") from error
        if np.isnan(truth).any():
            return LabelledFrame(frame, truth, root, np.zeros(NUM_JOINTS, dtype=bool))
        return LabelledFrame(frame, truth, root, hidden_joints(camera, truth, self._covered(stem)), pose)

    @cached_property
    def _intrinsics(self) -> NDArray[np.float64]:
        """The first camera matrix [3, 3]: frames without annotation have none, and the camera does not change."""
        for stem in self._images:
            meta = self._meta(stem)
            if meta.get("camMat", np.empty(0)).shape == (3, 3):
                return meta["camMat"].astype(np.float64)
        raise DataError(f"no file in {self._path / 'meta'} has a camMat")

    def _meta(self, stem: str) -> dict[str, NDArray[Any]]:
        return load_array_pickle(self._path / "meta" / f"{stem}.pkl", _META)

    def _covered(self, stem: str) -> NDArray[np.bool_] | None:
        path = self._split.segmentation(self.name, stem)
        if path is not None:
            drawn = read_image(path) >= _DRAWN
            return np.asarray(drawn.any(axis=-1) & ~drawn[..., _BLUE])
        if self._segmented:
            _log.warning(
                "%s has no rendered segmentation of %s: only joints outside the image count as hidden there "
                "(said once a sequence)",
                self._path,
                stem,
            )
            self._segmented = False
        return None


def _checked(meta: Mapping[str, NDArray[Any]], key: str, shape: tuple[int, ...]) -> NDArray[np.float64]:
    """Raises ValueError where the numbers are missing or not these."""
    if key not in meta:
        raise ValueError(f"{key} is missing, though the list names the frame")
    array = meta[key]
    if array.size != np.prod(shape) or not np.isfinite(array).all():
        raise ValueError(f"{key} must be {shape} finite numbers; got {array.shape}")
    return np.array(array, dtype=np.float64).reshape(shape)
