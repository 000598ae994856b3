# SPDX-FileCopyrightText: 2026 The hmp_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What ``hmp track``, ``hmp fit`` or the demo left in a folder, read back."""

import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from hmp_core.errors import DataError
from hmp_core.hand.skeleton import Side
from hmp_core.media.hand_bag import HandBag
from hmp_core.media.hand_recorder import SIDE_CODES, SLOT_FIELDS

ARRAYS_NAME: Final = "hands.npz"
OVERLAY_NAME: Final = "overlay.mp4"
BAG_NAME: Final = "hands.mcap"
_FRAME_FIELDS: Final = ("stamps_ns", "ms_detect", "ms_initialize", "ms_optimize")


@dataclass(frozen=True)
class RunFolder:
    """A run over T frames.

    Attributes:
        name: of its folder.
        arrays: those of :mod:`hmp_core.media.hand_recorder`; empty when no frame was processed.
        latency_ms: [M] from image stamp to publishing, of the messages that say when they were published.
        overlay: the video, None where none was written.
    """

    name: str
    arrays: dict[str, NDArray[Any]]
    latency_ms: NDArray[np.float64]
    overlay: Path | None

    @property
    def times_s(self) -> NDArray[np.float64]:
        """[T] since the first frame."""
        stamps = self.arrays.get("stamps_ns", np.empty(0, dtype=np.int64))
        return np.asarray((stamps - stamps[:1]) * 1e-9, dtype=np.float64)


@dataclass(frozen=True)
class HandRow:
    """All tracks of one side, one after the other.

    Attributes:
        side: which hand.
        slots: [T] where the recorder kept it, -1 in frames without it.
    """

    side: Side
    slots: NDArray[np.int64]

    def of(self, values: NDArray[Any], empty: float) -> NDArray[Any]:
        """This hand's [T, ...] of an array [T, S, ...], with ``empty`` where there is no hand."""
        taken = values[np.arange(len(values)), self.slots].copy()
        taken[self.slots < 0] = empty
        return taken


def hand_rows(arrays: dict[str, NDArray[Any]]) -> list[HandRow]:
    """One row a side, right first; two hands of one side at a time have a row each."""
    rows: list[HandRow] = []
    for side in (Side.RIGHT, Side.LEFT):
        here = (arrays["side"] == SIDE_CODES[side]) & (arrays["status"] > 0)  # [T, S]
        if (here.sum(axis=1) > 1).any():
            lanes = [here & (np.arange(here.shape[1]) == slot) for slot in range(here.shape[1])]
        else:
            lanes = [here]
        rows += [HandRow(side, np.where(lane.any(axis=1), lane.argmax(axis=1), -1)) for lane in lanes if lane.any()]
    return rows


def read_run_folder(folder: Path) -> RunFolder:
    """Read a folder; only ``hands.npz`` has to be there.

    Raises:
        DataError: it is not there or not what it should be.
        SourceError: the bag is not readable, or nothing in it is usable.
    """
    path = folder / ARRAYS_NAME
    if not path.is_file():
        raise DataError(
            f"{folder} holds no {ARRAYS_NAME}; give the folder that hmp track or hmp fit wrote with --out"
        )
    try:
        with np.load(path, allow_pickle=False) as file:
            arrays = {name: file[name] for name in file.files}
    except (OSError, ValueError, EOFError, zipfile.BadZipFile) as error:
        raise DataError(f"cannot read {path}: {error}") from error
    if arrays:
        missing = [name for name in (*_FRAME_FIELDS, *SLOT_FIELDS) if name not in arrays]
        if missing:
            raise DataError(
                f"{path} lacks {', '.join(missing)}; it is not from hmp track or hmp fit of this version"
            )
    bag, overlay = folder / BAG_NAME, folder / OVERLAY_NAME
    latencies = [latency for _, latency in HandBag(bag) if latency is not None] if bag.is_file() else []
    return RunFolder(
        name=folder.resolve().name,
        arrays=arrays,
        latency_ms=np.array(latencies, dtype=np.float64) / 1e6,
        overlay=overlay if overlay.is_file() else None,
    )
