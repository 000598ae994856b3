# SPDX-FileCopyrightText: 2026 The hmp_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Labelled image sequences of one hand: what the readers of data sets give."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

import cv2
import numpy as np
from numpy.typing import NDArray

from hmp_core.camera import Camera
from hmp_core.errors import ConfigError, DataError
from hmp_core.frame import Frame
from hmp_core.hand.skeleton import NUM_JOINTS, Side
from hmp_core.observation import ManoPose

RATE_HZ: Final = 30.0
"""Of HO-3D's and DexYCB's recordings."""
_NS_PER_S: Final = 1_000_000_000


@dataclass(frozen=True)
class LabelledFrame:
    """One image with the truth about its hand.

    Attributes:
        frame: image and calibrated camera.
        truth_camera: [21, 3] public order, camera frame [m]; NaN where the frame does not count.
        root_camera: [3] the wrist, where the data set gives it away even without the rest [m]; else NaN.
        hidden: [21] bool, joints behind an object or outside the image; all False where there is no truth.
        pose: the true pose of the user's MANO in camera axes, None without MANO or truth.
    """

    frame: Frame
    truth_camera: NDArray[np.float64]
    root_camera: NDArray[np.float64]
    hidden: NDArray[np.bool_]
    pose: ManoPose | None = None


@dataclass(frozen=True)
class LabelledSequence:
    """Successive images of one hand, read one by one.

    Attributes:
        name: within the data set.
        side: which hand it is about.
        frame_names: of the images, in the order of time.
        read: an image by its place in ``frame_names``.

    Raises:
        DataError: by :attr:`read`, where a file is missing, damaged or not of the data set's layout.
    """

    name: str
    side: Side
    frame_names: tuple[str, ...]
    read: Callable[[int], LabelledFrame]

    def __len__(self) -> int:
        return len(self.frame_names)

    def __iter__(self) -> Iterator[LabelledFrame]:
        return (self.read(index) for index in range(len(self)))

    def first(self, most: int | None) -> "LabelledSequence":
        """Its first images; all of them for None."""
        return replace(self, frame_names=self.frame_names[:most])


def no_truth() -> NDArray[np.float64]:
    """Joints [21, 3] of a frame that does not count."""
    return np.full((NUM_JOINTS, 3), np.nan)


def read_image(path: Path) -> NDArray[np.uint8]:
    """A BGR image [height, width, 3].

    Raises:
        DataError: missing or unreadable.
    """
    image: Any = cv2.imread(str(path), cv2.IMREAD_COLOR)
    if image is None:
        raise DataError(f"{path} is missing or no readable image")
    return np.asarray(image, dtype=np.uint8)


def stamp_ns(number: int) -> int:
    """Capture time of the image with this number in its recording [ns]."""
    return round(number * _NS_PER_S / RATE_HZ)


def hidden_joints(
    camera: Camera, joints_camera: NDArray[np.float64], covered: NDArray[np.bool_] | None
) -> NDArray[np.bool_]:
    """Which joints [21] nobody could see.

    Args:
        camera: of the image.
        joints_camera: [21, 3] [m].
        covered: [h, w] where something that is not the hand is in front, any resolution; None where unknown.
    """
    pixels = camera.project(joints_camera)
    inside = camera.contains(pixels)
    if covered is None:
        return ~inside
    scale = np.array(covered.shape[::-1]) / (camera.width, camera.height)
    at = np.floor((pixels[inside] + 0.5) * scale).astype(int).clip(0, np.array(covered.shape[::-1]) - 1)
    hidden = ~inside
    hidden[inside] = covered[at[:, 1], at[:, 0]]
    return hidden


def pick(known: list[str], wanted: list[str], where: str) -> list[str]:
    """The names that are wanted or lie in a folder that is; all where none is wanted.

    Raises:
        ConfigError: something wanted is not there.
    """

    def matches(name: str, by: str) -> bool:
        return name == by or name.startswith(by.rstrip("/") + "/")

    for name in wanted:
        if not any(matches(one, name) for one in known):
            raise ConfigError(f"{where} has no sequence {name}; its {len(known)} are {', '.join(known[:8])}, ...")
    return [one for one in known if not wanted or any(matches(one, name) for name in wanted)]
