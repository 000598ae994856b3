# SPDX-FileCopyrightText: 2026 The hmp_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Procedural finger motion: individuals going through activities, within what joints can do."""

from typing import Final

import numpy as np
import roma
import torch
from numpy.typing import NDArray

from hmp_core.prior.chain import FingerBones
from hmp_core.training import postures
from hmp_core.training.activities import ACTIVITIES
from hmp_core.training.anatomy import AnatomicalHand, clamp_to_ranges, within_limits
from hmp_core.training.grasp_library import GraspLibrary
from hmp_core.training.individual import Individual
from hmp_core.training.motion import FingerMotion
from hmp_core.training.speed_profiles import play
from hmp_core.training.timetable import Timetable

GENERATOR_VERSION: Final = 3
"""Counts up when the same settings give another motion, so that caches are made anew."""
RATE_HZ: Final = 60.0


def generate_motion(
    bones: FingerBones, recordings: int, seconds: float, seed: int, tries_per_grasp: int = 600
) -> FingerMotion:
    """Make up motion.

    Args:
        bones: the rest hand, on which grasps close.
        recordings: how many; each has an individual of its own.
        seconds: length of each [s].
        seed: of everything random.
        tries_per_grasp: objects tried for each kind of grasp that occurs.

    Returns:
        ``recordings`` recordings at 60 Hz, labelled with the activity each begins with.
    """
    rng = np.random.default_rng(seed)
    grasps = GraspLibrary(bones, tries_per_grasp, seed)
    frames = round(seconds * RATE_HZ)
    rotation_vectors, labels = [], []
    for _ in range(recordings):
        person = Individual.draw(rng)
        angles, label = _angle_track(person, grasps, frames, rng)
        hand = AnatomicalHand(person.tilt, person.bow)
        R = hand.rotations(clamp_to_ranges(torch.from_numpy(angles).float()))
        rotation_vectors.append(within_limits(roma.rotmat_to_rotvec(R)))
        labels.append(label)
    lengths = torch.full((recordings,), frames)
    return FingerMotion(torch.cat(rotation_vectors), lengths, RATE_HZ, tuple(labels))


def _angle_track(
    person: Individual, grasps: GraspLibrary, frames: int, rng: np.random.Generator
) -> tuple[NDArray[np.float64], str]:
    """Angles [frames, 20] of somebody doing one thing after another, and the name of the first."""
    start = person.shape(postures.free(rng), True, rng)
    # Recordings begin in the middle of something.
    table = Timetable(person, grasps, rng, -rng.uniform(0.0, 1.5), start)
    weights = np.array([weight for _, weight in ACTIVITIES])
    names = []
    while table.now_s < frames / RATE_HZ:
        activity = ACTIVITIES[int(rng.choice(len(ACTIVITIES), p=weights / weights.sum()))][0]
        names.append(activity.__name__)
        table.begin()
        activity(table)
    times = np.arange(frames) / RATE_HZ
    return play(start, table.strokes, times) + person.sway(frames, RATE_HZ, rng), names[0]
