# SPDX-FileCopyrightText: 2026 The hmp_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What a clip says about one hand: evidence by frame, as a right hand, and an initialisation without holes."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.spatial.transform import Rotation, Slerp

from hmp_core.fitting.config import FitterConfig
from hmp_core.fitting.evidence import StepEvidence, canonical_evidence
from hmp_core.fitting.hand_length import betas_of_length, resized
from hmp_core.hand.kinematics import HandKinematics
from hmp_core.hand.skeleton import NUM_FINGER_ROTATIONS, Side
from hmp_core.observation import FrameObservation, HandObservation

_LEAST_OBSERVED = 8
"""Joints that must be observed for a frame's wrist to count."""


@dataclass(frozen=True)
class HandSequence:
    """One hand from its first to its last frame of a stretch without long gaps.

    Attributes:
        side: whose hand it is; everything below is mirrored to a right hand.
        first: index of the first frame in the clip.
        stamps_ns: [T] of the frames [ns].
        steps: evidence by frame; None where nothing was seen.
        track_ids: [T] of perception; the last one known where nothing was seen.
        side_scores: [T] as observed, the last one known where nothing was seen.
        focal_px: [T] of the cameras [px].
    """

    side: Side
    first: int
    stamps_ns: NDArray[np.int64]
    steps: tuple[StepEvidence | None, ...]
    track_ids: NDArray[np.int64]
    side_scores: NDArray[np.float64]
    focal_px: NDArray[np.float64]

    @property
    def times_s(self) -> NDArray[np.float64]:
        """[T] seconds since the first frame."""
        return np.asarray((self.stamps_ns - self.stamps_ns[0]) * 1e-9)


def find_hands(
    observations: Sequence[FrameObservation],
    kinematics: HandKinematics,
    longest_gap_s: float,
    observed_sigma_m: float,
) -> list[HandSequence]:
    """Hands of a clip: one left and one right at a time, cut where a side was unseen for longer than allowed.

    A track's side is its last decided one, also for the frames before the decision. Of two tracks of one side in
    the same frame the one that is seen in more frames counts.
    """
    sides: dict[int, Side] = {}
    lengths: Counter[int] = Counter()
    for observation in observations:
        for hand in observation.hands:
            lengths[hand.track_id] += 1
            if hand.side is not None:
                sides[hand.track_id] = hand.side
    found = []
    for side in (Side.LEFT, Side.RIGHT):
        seen: dict[int, HandObservation] = {}
        for index, observation in enumerate(observations):
            own = [hand for hand in observation.hands if sides.get(hand.track_id) is side]
            if own:
                seen[index] = max(own, key=lambda hand: lengths[hand.track_id])
        indices = np.array(sorted(seen), dtype=np.int64)
        stamps = np.array([observations[index].stamp_ns for index in indices])
        for stretch in np.split(indices, np.flatnonzero(np.diff(stamps) > longest_gap_s * 1e9) + 1):
            if any(seen[index].initial is not None for index in stretch):
                found.append(_sequence(side, stretch, seen, observations, kinematics, observed_sigma_m))
    return found


def _sequence(
    side: Side,
    stretch: NDArray[np.int64],
    seen: dict[int, HandObservation],
    observations: Sequence[FrameObservation],
    kinematics: HandKinematics,
    observed_sigma_m: float,
) -> HandSequence:
    frames = range(stretch[0], stretch[-1] + 1)
    steps = tuple(
        canonical_evidence(seen[index], observations[index].camera, side, kinematics, observed_sigma_m)
        if index in seen
        else None
        for index in frames
    )
    last = seen[stretch[0]]
    track_ids, scores = [], []
    for index in frames:
        last = seen.get(index, last)
        track_ids.append(last.track_id)
        scores.append(last.side_score)
    return HandSequence(
        side,
        int(stretch[0]),
        np.array([observations[index].stamp_ns for index in frames]),
        steps,
        np.array(track_ids),
        np.array(scores),
        np.array([observations[index].camera.focal_px for index in frames]),
    )


@dataclass(frozen=True)
class InitialMotion:
    """The initializer's poses with every hole filled: rotations by SLERP, places linearly, ends held.

    Attributes:
        rotations: [T, 16, 3, 3] local, the wrist in camera axes first.
        p_camera_wrist: [T, 3] [m].
        betas: [10] median over what was seen.
        observed: [T, 15] finger rotations that evidence supports.
    """

    rotations: NDArray[np.float64]
    p_camera_wrist: NDArray[np.float64]
    betas: NDArray[np.float64]
    observed: NDArray[np.bool_]


def initial_motion(sequence: HandSequence, kinematics: HandKinematics, config: FitterConfig) -> InitialMotion:
    """Take the initializer's poses where evidence supports them and fill the rest, joint by joint.

    Args:
        sequence: with at least one initial pose.
        kinematics: of the right hand.
        config: what counts as observed, and how long the hand is.
    """
    sigma_m = config.observed_sigma_m
    measured = betas_of_length(kinematics, config.hand_length_m) if config.hand_length_m else None
    count = len(sequence.steps)
    rotations = np.tile(np.eye(3), (count, 1 + NUM_FINGER_ROTATIONS, 1, 1))
    places, betas = np.zeros((count, 3)), []
    known = np.zeros((count, 1 + NUM_FINGER_ROTATIONS), dtype=bool)
    posed = np.zeros(count, dtype=bool)
    for index, step in enumerate(sequence.steps):
        if step is None or step.initial is None:
            continue
        pose = step.initial if measured is None else resized(kinematics, step.initial, measured)
        rotations[index] = Rotation.from_rotvec(pose.rotation_vectors).as_matrix()
        rest = kinematics.rest_wrist(torch.as_tensor(pose.betas, dtype=torch.float64))
        places[index] = pose.translation + rest.reshape(3).numpy()
        betas.append(pose.betas)
        depth = float(places[index, 2])
        known[index, 0] = step.observed_joints(depth, sigma_m).sum() >= _LEAST_OBSERVED
        known[index, 1:] = step.observed_rotations(depth, sigma_m)
        posed[index] = True
    observed = known[:, 1:].copy()
    for joint in range(known.shape[1]):
        known[:, joint] = known[:, joint] if known[:, joint].any() else posed
    times = sequence.times_s
    filled = np.stack(
        [_slerped(times, rotations[:, joint], known[:, joint]) for joint in range(known.shape[1])], axis=1
    )
    place = known[:, 0]
    moved = np.stack([np.interp(times, times[place], column[place]) for column in places.T], axis=1)
    return InitialMotion(filled, moved, np.median(betas, axis=0), observed)


def _slerped(
    times_s: NDArray[np.float64], rotations: NDArray[np.float64], known: NDArray[np.bool_]
) -> NDArray[np.float64]:
    """Rotations [T, 3, 3] with those that are not known taken between their neighbours."""
    if np.count_nonzero(known) == 1:
        return np.broadcast_to(rotations[known], rotations.shape).copy()
    between = Slerp(times_s[known], Rotation.from_matrix(rotations[known]))
    return np.asarray(between(times_s.clip(times_s[known][0], times_s[known][-1])).as_matrix())
