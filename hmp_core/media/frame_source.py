# SPDX-FileCopyrightText: 2026 The hmp_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What every source of frames has in common: cameras beside the order of stamps."""

from abc import ABC, abstractmethod
from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from hmp_core.frame import Frame
from hmp_core.media.intrinsics import Intrinsics
from hmp_core.media.recording import Recording


class FrameSource(Recording, ABC):
    """Iterates the frames of a recording or camera, once.

    Stamps increase strictly, but for one case: when they jump back by more than ``LOOP_NS``, the recording
    loops, the frames go on, and whoever tracks across frames starts anew. Frames that cannot be used (damaged
    image, repeated or late stamp) are skipped, counted in ``skipped`` and warned about.

    Attributes:
        intrinsics: gives each frame its camera.
    """

    def __init__(self, name: str, intrinsics: Intrinsics) -> None:
        super().__init__(name)
        self.intrinsics = intrinsics

    @abstractmethod
    def images(self) -> Iterator[tuple[int, NDArray[np.uint8]]]:
        """Yield stamp [ns] and BGR image [height, width, 3]; report faults to :meth:`skip`.

        Raises:
            SourceError: nothing can be read.
        """

    def __iter__(self) -> Iterator[Frame]:
        for stamp_ns, image in self.in_order(self.images()):
            height, width = image.shape[:2]
            yield Frame(image, stamp_ns, self.intrinsics.camera_for(width, height))
