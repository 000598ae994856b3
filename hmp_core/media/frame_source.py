# SPDX-FileCopyrightText: 2026 The hmp_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What every source of frames has in common: cameras, order of stamps, counted faults."""

import logging
from abc import ABC, abstractmethod
from collections import Counter
from collections.abc import Iterator
from typing import Final

import numpy as np
from numpy.typing import NDArray

from hmp_core.frame import Frame
from hmp_core.media.intrinsics import Intrinsics

LOOP_NS: Final = 500_000_000
"""A stamp this far behind the newest is a recording that starts again, not a late image."""
_WARNINGS_PER_FAULT: Final = 3

_log = logging.getLogger(__name__)


class FrameSource(ABC):
    """Iterates the frames of a recording or camera, once.

    Stamps increase strictly, but for one case: when they jump back by more than ``LOOP_NS``, the recording
    loops, the frames go on, and whoever tracks across frames starts anew. Frames that cannot be used (damaged
    image, repeated or late stamp) are skipped, counted in ``skipped`` and warned about.

    Attributes:
        name: what is read, for messages.
        intrinsics: gives each frame its camera.
        frame_id: camera optical frame.
        frame_count: number of frames if known, else None.
        skipped: faults and how often each occurred.
    """

    def __init__(self, name: str, intrinsics: Intrinsics) -> None:
        self.name = name
        self.intrinsics = intrinsics
        self.frame_id = "camera_optical_frame"
        self.frame_count: int | None = None
        self.skipped: Counter[str] = Counter()

    @abstractmethod
    def images(self) -> Iterator[tuple[int, NDArray[np.uint8]]]:
        """Yield stamp [ns] and BGR image [height, width, 3]; report faults to :meth:`skip`.

        Raises:
            SourceError: nothing can be read.
        """

    def __iter__(self) -> Iterator[Frame]:
        newest_ns: int | None = None
        count = 0
        for stamp_ns, image in self.images():
            if newest_ns is not None and newest_ns - LOOP_NS < stamp_ns <= newest_ns:
                fault = "repeated stamp" if stamp_ns == newest_ns else "stamp runs backwards"
                self.skip(fault, f"{stamp_ns} ns after {newest_ns} ns")
                continue
            newest_ns = stamp_ns
            count += 1
            height, width = image.shape[:2]
            yield Frame(image, stamp_ns, self.intrinsics.camera_for(width, height))
        lost = (self.frame_count or 0) - count - sum(self.skipped.values())
        if lost > 0:
            self.skipped["lost to damage"] = lost
            _log.warning("%s: %d of %d frames are lost to damage", self.name, lost, self.frame_count)

    def skip(self, fault: str, detail: str) -> None:
        """Count an unusable frame; the first few of each fault are warned about."""
        self.skipped[fault] += 1
        if self.skipped[fault] <= _WARNINGS_PER_FAULT:
            further = "; further ones are only counted" if self.skipped[fault] == _WARNINGS_PER_FAULT else ""
            _log.warning("%s: skipped a frame: %s (%s)%s", self.name, fault, detail, further)
