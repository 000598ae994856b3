# SPDX-FileCopyrightText: 2026 The hmp_ros authors
# SPDX-License-Identifier: Apache-2.0
"""When a recorded hand moves and for how long it is hidden, where the recording decides and not the benchmark."""

from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import uniform_filter1d

from hmp_core.evaluation.prior_gaps import ACTIVE_M_PER_S, HAND_M
from hmp_core.hand.operator_frame import operator_frame
from hmp_core.hand.skeleton import BONE_ENDS, MIDDLE_MCP, WRIST, Side

GAP_SECONDS: Final = (0.2, 0.5, 1.0, 2.0)
"""Gaps are counted under the least of these that is not shorter, or under infinity [s]."""
_WINDOW_S: Final = 1.0


def active_frames(joints: NDArray[np.floating], side: Side, rate_hz: float) -> NDArray[np.bool_]:
    """Frames [T] about which fingers move, in the mean over a second, as fast as `hmp eval prior` calls active.

    That is 1 mm a frame at 30 Hz on a hand of 90 mm from wrist to middle knuckle, seen from the wrist. Steps next
    to a missing frame do not count.

    Args:
        joints: [T, 21, 3] public order, any axes [m].
        side: which hand.
        rate_hz: frames per second.
    """
    relative = np.subtract(joints, joints[:, WRIST : WRIST + 1])
    at_wrist = (relative @ operator_frame(relative, side))[:, list(BONE_ENDS)]
    size = np.linalg.norm(relative[:, MIDDLE_MCP], axis=-1)
    if len(size) < 2 or np.isnan(size).all():
        return np.zeros(len(size), dtype=bool)
    speed = np.linalg.norm(np.diff(at_wrist, axis=0), axis=-1).mean(axis=1) * rate_hz * HAND_M / np.nanmean(size)
    known = np.isfinite(speed)
    width = max(1, round(_WINDOW_S * rate_hz))
    total = uniform_filter1d(np.where(known, speed, 0.0), width, mode="constant")
    share = uniform_filter1d(known.astype(float), width, mode="constant")
    mean = np.where(share > 0, total / np.maximum(share, 1 / (2 * width)), 0.0)
    return np.concatenate([mean, mean[-1:]]) > ACTIVE_M_PER_S


def gap_lengths(hidden: NDArray[np.bool_], rate_hz: float) -> NDArray[np.float64]:
    """Nominal length [T] of the stretch of frames with any joint hidden that each frame lies in [s]; NaN outside.

    Args:
        hidden: [T, 21].
        rate_hz: frames per second.
    """
    some = np.asarray(hidden.any(axis=1))
    lengths = np.full(len(some), np.nan)
    edges = np.flatnonzero(np.diff(np.concatenate([[False], some, [False]])))
    for begin, end in edges.reshape(-1, 2):
        seconds = (end - begin) / rate_hz
        lengths[begin:end] = next((nominal for nominal in GAP_SECONDS if seconds <= nominal + 1e-9), np.inf)
    return lengths
