# SPDX-FileCopyrightText: 2026 The hmp_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Which joints of a hand are hidden when: things that pass or are held, for the simulated camera."""

from typing import Final

import numpy as np
from numpy.typing import NDArray

from hmp_core.errors import ConfigError
from hmp_core.hand.skeleton import FINGERS, NUM_JOINTS

KINDS: Final = ("whole", "fingers", "object")
GAPS_S: Final = (0.2, 0.5, 1.0, 2.0)
SWEEP_S: Final = 0.12
"""Time in which a thing that hides the whole hand sweeps over it before and after the gap [s]."""
_MOVE_SHARE: Final = 0.3
_DEPTH: Final = (0.25, 0.95)
_MOST_FINGERS: Final = 4


def hide_joints(
    kind: str,
    keypoints_px: NDArray[np.float64],
    times_s: NDArray[np.float64],
    start_s: float,
    gap_s: float,
    rng: np.random.Generator,
) -> NDArray[np.bool_]:
    """Joints [T, 21] behind something.

    ``whole``: the edge of a large thing sweeps over the hand, gone for ``gap_s``, and sweeps off. ``fingers``: one
    to four fingers are hidden for ``gap_s``, with their knuckles or without. ``object``: an edge enters from a
    random direction, covers 25 to 95 % of the hand's extent, and leaves, all in ``gap_s``.

    Args:
        kind: one of :data:`KINDS`.
        keypoints_px: [T, 21, 2] where the joints are in the image.
        times_s: [T].
        start_s, gap_s: when it begins, and how long it takes [s].
        rng: of fingers, directions and depths.

    Raises:
        ConfigError: unknown kind.
    """
    since = times_s - start_s
    inside = (since >= 0) & (since < gap_s)
    hidden = np.zeros((len(times_s), NUM_JOINTS), dtype=bool)
    if kind == "fingers":
        chosen = rng.choice(len(FINGERS), size=int(rng.integers(1, _MOST_FINGERS + 1)), replace=False)
        first = int(rng.integers(2))
        for finger in chosen:
            for joint in FINGERS[finger][first:]:
                hidden[inside, joint] = True
        return hidden
    if kind not in KINDS:
        raise ConfigError(f"a hand can be hidden as {', '.join(KINDS)}, not as {kind!r}")
    angle = rng.uniform(0, 2 * np.pi)
    along = keypoints_px @ np.array([np.cos(angle), np.sin(angle)])
    low, high = along.min(axis=1, keepdims=True), along.max(axis=1, keepdims=True)
    place = (along - low) / (high - low)
    if kind == "whole":
        before, after = (since + SWEEP_S) / SWEEP_S, (since - gap_s) / SWEEP_S
        front, back = np.where(inside, 1.1, np.clip(before, -0.1, 1.1)), np.clip(after, -0.1, 1.1)
        return np.asarray((place < front[:, None]) & (place >= back[:, None]) & (since < gap_s + SWEEP_S)[:, None])
    depth = rng.uniform(*_DEPTH)
    move = _MOVE_SHARE * gap_s
    front = depth * np.clip(np.minimum(since / move, (gap_s - since) / move), 0, 1)
    return np.asarray(inside[:, None] & (place <= front[:, None]))
