# SPDX-FileCopyrightText: 2026 The hmp_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Rotations at another frame rate, without aliasing."""

import numpy as np
from numpy.typing import NDArray
from scipy.spatial.transform import Rotation

_PASSED = 0.8
"""Cut-off of the low-pass, as a share of the new rate's Nyquist frequency."""
_FILTER_ORDER = 4


def resample_rotations(R: NDArray[np.float64], rate_hz: float, new_rate_hz: float) -> NDArray[np.float64]:
    """Rotations at a new, regular rate, the first frame kept, interpolated along great circles at exact times.

    Where the rate falls, what the new one cannot show is filtered out first, forth and back, so that nothing is
    delayed. (The paper's code picks the nearest frames, which folds fast motion onto slow and jitters by up to half
    a frame.)

    Args:
        R: [F, ..., 3, 3] rotations, F at least 2.
        rate_hz: their rate.
        new_rate_hz: the wanted rate.
    """
    count = len(R)
    if new_rate_hz < rate_hz:
        # Most of a second to import, and most motion keeps its rate.
        from scipy.signal import butter, sosfiltfilt

        sections = butter(_FILTER_ORDER, _PASSED * new_rate_hz / rate_hz, output="sos")
        padding = min(3 * (2 * len(sections) + 1), count - 1)
        R = sosfiltfilt(sections, R, axis=0, padlen=padding)
    elif new_rate_hz == rate_hz:
        return R
    place = np.arange(int(np.floor((count - 1) * new_rate_hz / rate_hz + 1e-9)) + 1) * (rate_hz / new_rate_hz)
    before = np.minimum(place.astype(np.int64), count - 2)
    share = np.broadcast_to((place - before).reshape(-1, *(1 for _ in R.shape[1:-2])), (len(place), *R.shape[1:-2]))
    # Scipy projects filtered matrices, which are no rotations any more, onto the nearest ones.
    start = Rotation.from_matrix(R[before].reshape(-1, 3, 3))
    step = (start.inv() * Rotation.from_matrix(R[before + 1].reshape(-1, 3, 3))).as_rotvec()
    turned = start * Rotation.from_rotvec(step * share.reshape(-1, 1))
    resampled: NDArray[np.float64] = turned.as_matrix().reshape(len(place), *R.shape[1:])
    return resampled
