# SPDX-FileCopyrightText: 2026 The hmp_ros authors
# SPDX-License-Identifier: Apache-2.0
"""One thread for each numerical library, so that two nodes share two cores in peace."""

import sys

import cv2
from threadpoolctl import threadpool_limits


def use_one_thread() -> None:
    """Limit torch, OpenCV and the BLAS of NumPy and SciPy to one thread in this process.

    The matrices here are small: a second BLAS thread only spins, and with another busy process on the same cores
    it made window solves ten times slower. ONNX Runtime's sessions are limited where they are opened.
    Call it after what brings torch along was imported.
    """
    if "torch" in sys.modules:  # loading it costs 200 MB, which who only plays a video need not hold
        sys.modules["torch"].set_num_threads(1)
    cv2.setNumThreads(1)
    threadpool_limits(1)
