# SPDX-FileCopyrightText: 2026 The hmp_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Where fingers are hidden from the methods that are compared, and the windows of time that these get to see.

One gap hides some fingers for some seconds in a recording. It is measured twice: as infill, with both of its sides
seen, and as forecast, with nothing seen after its end but the fingers that are never hidden. A real recording rests
more than it moves, so gaps are chosen apart for hands that move and hands that rest.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from hmp_core.prior.chain import FingerBones
from hmp_core.training.motion import FingerMotion

HIDDEN: Final = {
    "one": ((0,), (1,), (2,), (3,)),
    "two": ((0, 1), (0, 2), (0, 3), (1, 2), (1, 3), (2, 3)),
    "three": ((0, 1, 2), (0, 1, 3), (0, 2, 3), (1, 2, 3)),
    "thumb": ((4,),),
    "all": ((0, 1, 2, 3, 4),),
}
"""Fingers of MANO order (index, middle, pinky, ring, thumb) hidden together, all combinations of a kind."""
ACTIVITIES: Final = ("active", "quiet")
MARGIN_S: Final = 0.2
"""At least this much is recorded on both sides of a gap [s]."""
ACTIVE_M_PER_S: Final = 0.03
"""1 mm a frame at 30 Hz, on a hand of :data:`HAND_M`."""
HAND_M: Final = 0.09
"""Wrist to middle knuckle of the hand that :data:`ACTIVE_M_PER_S` is stated for [m]."""
_MIDDLE_FINGER: Final = 1
_LEAST_STRIDE_S: Final = 0.25


@dataclass(frozen=True)
class Gaps:
    """Hidden spans of one length, one kind of hidden fingers and one activity.

    Attributes:
        first: [B] the first hidden frame, counted in ``motion.rotation_vectors``.
        frames: hidden frames of each.
        begin: [B] first frame of the recording.
        end: [B] one past its last frame.
        joints: [B, 15] True for the rotations of hidden fingers, which are also their bone ends.
    """

    first: Tensor
    frames: int
    begin: Tensor
    end: Tensor
    joints: Tensor

    def __len__(self) -> int:
        return len(self.first)


@dataclass(frozen=True)
class GapWindows:
    """What methods that look at a whole window of time are given.

    Attributes:
        vectors: [B, T, 15, 3] rotation vectors, zero where not seen [rad].
        seen: [B, T, 15] True where a method may look.
        times_s: [T] times in the window, the same for all [s].
        gap: [B, n] indices of the hidden frames in T.
    """

    vectors: Tensor
    seen: Tensor
    times_s: Tensor
    gap: Tensor


def hand_scale(bones: FingerBones) -> float:
    """How much larger a hand of :data:`HAND_M` is than that of ``bones``."""
    return HAND_M / float(bones.bases[_MIDDLE_FINGER].norm())


class GapPicker:
    """Picks gaps of one file, evenly over its signs and over the recordings of each sign."""

    def __init__(self, motion: FingerMotion, bones: FingerBones, seed: int = 0) -> None:
        self._motion = motion
        self._seed = seed
        steps = bones.from_vectors(motion.rotation_vectors).diff(dim=0).norm(dim=-1).double()
        # One row per frame: the way from the frame before, so that a gap's mean is a difference of sums.
        self._way = torch.cat(
            (torch.zeros(1, 15, dtype=torch.float64), hand_scale(bones) * motion.rate_hz * steps)
        ).cumsum(0)

    def pick(self, hidden: str, gap_s: float, most: int) -> dict[str, Gaps]:
        """Choose gaps.

        Args:
            hidden: key of :data:`HIDDEN`; its combinations are drawn at random.
            gap_s: length [s].
            most: gaps of each activity.

        Returns:
            For each of :data:`ACTIVITIES`; few or none where there is not enough motion of that kind.
        """
        motion, rate = self._motion, self._motion.rate_hz
        generator = np.random.default_rng((self._seed, list(HIDDEN).index(hidden), round(1000 * gap_s)))
        frames, margin = max(1, round(gap_s * rate)), _margin(rate)
        stride = max(round(_LEAST_STRIDE_S * rate), frames // 2)
        ends = motion.lengths.cumsum(0).numpy()
        begins = ends - motion.lengths.numpy()
        room = motion.lengths.numpy() - frames - 2 * margin
        recording = np.repeat(np.arange(len(room)), np.maximum(0, room // stride + 1))
        slot = np.arange(len(recording)) - np.searchsorted(recording, recording)
        jitter = generator.integers(0, np.minimum(stride, room[recording] - slot * stride + 1))
        first = begins[recording] + margin + slot * stride + jitter
        combinations = HIDDEN[hidden]
        fingers = torch.zeros(len(combinations), 5, dtype=torch.bool)
        for row, combination in enumerate(combinations):
            fingers[row, list(combination)] = True
        joints = fingers.repeat_interleave(3, dim=1)[generator.integers(0, len(combinations), len(first))]
        starts = torch.from_numpy(first)
        way = self._way[starts + frames - 1] - self._way[starts - 1]
        speed = (way * joints).sum(-1) / (frames * joints.sum(-1))
        active = (speed > ACTIVE_M_PER_S).numpy()
        gaps = {}
        for activity, wanted in zip(ACTIVITIES, (active, ~active), strict=True):
            candidates = np.flatnonzero(wanted)
            signs = np.array([motion.labels[r] for r in recording[candidates]], dtype=str)
            chosen = candidates[_evenly(signs, recording[candidates], generator)[:most]]
            gaps[activity] = Gaps(
                starts[chosen],
                frames,
                torch.from_numpy(begins[recording[chosen]]),
                torch.from_numpy(ends[recording[chosen]]),
                joints[chosen],
            )
        return gaps


def _evenly(
    signs: NDArray[np.str_], recordings: NDArray[np.int64], generator: np.random.Generator
) -> NDArray[np.int64]:
    """Order in which every sign, and within it every recording, has its turn before any comes again."""
    order = generator.permutation(len(signs))
    order = order[np.argsort(_turn(recordings[order]), kind="stable")]
    return order[np.argsort(_turn(signs[order]), kind="stable")]


def _turn(names: NDArray[np.generic]) -> NDArray[np.int64]:
    """How many entries before it have the same name, [n]."""
    by_name = np.argsort(names, kind="stable")
    ordered = names[by_name]
    turn = np.empty(len(names), dtype=np.int64)
    turn[by_name] = np.arange(len(names)) - np.searchsorted(ordered, ordered)
    return turn


def fits(gap_s: float, window_s: float, forecast: bool) -> bool:
    """Whether a window of time holds a gap and the least that must be seen beside it."""
    return gap_s + MARGIN_S * (1 if forecast else 2) <= window_s + 1e-6


def cut_windows(motion: FingerMotion, gaps: Gaps, window_s: float, forecast: bool) -> GapWindows:
    """Windows around gaps for infill, windows that end with the gap for forecast.

    A recording shorter than the window lies in its middle (forecast: at its end), and the rest is not seen.
    """
    count = int(window_s * motion.rate_hz + 1e-6) + 1
    length = gaps.end - gaps.begin
    if forecast:
        start = gaps.first + gaps.frames - count
    else:
        middle = gaps.first - (count - gaps.frames) // 2
        inside = torch.minimum(torch.maximum(middle, gaps.begin), gaps.end - count)
        start = torch.where(length >= count, inside, gaps.begin - (count - length) // 2)
    index = start[:, None] + torch.arange(count)
    recorded = (index >= gaps.begin[:, None]) & (index < gaps.end[:, None])
    in_gap = (index >= gaps.first[:, None]) & (index < gaps.first[:, None] + gaps.frames)
    seen = recorded[..., None] & ~(in_gap[..., None] & gaps.joints[:, None])
    vectors = motion.rotation_vectors[index.clamp(0, len(motion.rotation_vectors) - 1)]
    times = torch.arange(count) / motion.rate_hz
    return GapWindows(
        torch.where(seen[..., None], vectors, 0.0),
        seen,
        times + (window_s - float(times[-1])) * (1.0 if forecast else 0.5),
        (gaps.first - start)[:, None] + torch.arange(gaps.frames),
    )


def sides(motion: FingerMotion, gaps: Gaps) -> tuple[Tensor, Tensor, Tensor]:
    """Rotation vectors before [B, m, 15, 3], in [B, n, 15, 3] and after [B, m, 15, 3] the gaps [rad].

    The sides last :data:`MARGIN_S`; of fingers that are never hidden they are the same as of those that are.
    """
    margin = _margin(motion.rate_hz)
    span = torch.arange(-margin, gaps.frames + margin)
    vectors = motion.rotation_vectors[gaps.first[:, None] + span]
    return vectors[:, :margin], vectors[:, margin:-margin], vectors[:, -margin:]


def _margin(rate_hz: float) -> int:
    return max(2, int(np.ceil(MARGIN_S * rate_hz - 1e-6)))


def whole_windows(motion: FingerMotion, window_s: float, shortest_s: float, most: int) -> GapWindows:
    """Recordings cut into windows with nothing hidden, evenly picked; pieces from ``shortest_s`` on are kept."""
    count = int(window_s * motion.rate_hz + 1e-6) + 1
    ends = motion.lengths.cumsum(0).tolist()
    pieces = [
        (first, min(first + count, end))
        for end, length in zip(ends, motion.lengths.tolist(), strict=True)
        for first in range(end - length, end, count)
        if end - first > shortest_s * motion.rate_hz
    ]
    step = max(1.0, len(pieces) / most)
    picked = [pieces[int(i * step)] for i in range(min(most, len(pieces)))]
    chosen = torch.tensor(picked, dtype=torch.long).view(-1, 2)
    begin, end = chosen.T
    nothing = Gaps(begin, 0, begin, end, torch.zeros(len(chosen), 15, dtype=torch.bool))
    return cut_windows(motion, nothing, window_s, forecast=False)
