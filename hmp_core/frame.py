# SPDX-FileCopyrightText: 2026 The hmp_ros authors
# SPDX-License-Identifier: Apache-2.0
"""One captured image."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from hmp_core.camera import Camera


@dataclass(frozen=True)
class Frame:
    """An image with its capture time and camera.

    Attributes:
        image: uint8 [height, width, 3], BGR.
        stamp_ns: capture time [ns].
        camera: intrinsics that belong to this image's size.
    """

    image: NDArray[np.uint8]
    stamp_ns: int
    camera: Camera
