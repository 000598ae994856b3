# SPDX-FileCopyrightText: 2026 The hmp_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The way back after a gap: where it starts, how fast it is, when it ends."""

from itertools import pairwise

import numpy as np
import pytest
import roma
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from hmp_core.fitting.continuity import ContinuousPose
from hmp_core.fitting.hand_pose import HandPose
from hmp_core.hand.kinematics import HandKinematics
from hmp_core.hand.loading import load_hand_model

KINEMATICS = HandKinematics(load_hand_model(None), dtype=torch.float64)
BETAS = torch.zeros(10, dtype=torch.float64)
SPEED = 1.0


def pose(seed: int, move_m: float = 0.0, turn_rad: float = 0.0, flex_rad: float = 0.0) -> HandPose:
    """A hand near the origin, off by so much in random directions."""
    rng = np.random.default_rng(seed)

    def part(size: float, *shape: int) -> torch.Tensor:
        vectors = rng.normal(size=(*shape, 3))
        return torch.as_tensor(size * vectors / np.linalg.norm(vectors, axis=-1, keepdims=True))

    return HandPose(roma.rotvec_to_rotmat(part(turn_rad)), part(move_m), roma.rotvec_to_rotmat(part(flex_rad, 15)))


def joints(of: HandPose) -> np.ndarray:
    rotations = torch.cat([of.R_camera_wrist[None], of.R_finger])[None]
    return KINEMATICS.joints(rotations, BETAS, of.p_camera_wrist[None])[0].numpy()


def distance(one: HandPose, other: HandPose) -> float:
    return float(np.linalg.norm(joints(one) - joints(other), axis=-1).max())


@pytest.fixture
def continuity() -> ContinuousPose:
    return ContinuousPose(KINEMATICS, SPEED)


def test_without_a_bridge_poses_are_what_was_solved(continuity) -> None:
    assert distance(continuity.apply(pose(1, 0.1), 0.0), pose(1, 0.1)) == 0.0
    assert not continuity.leading


@settings(max_examples=100, deadline=None)
@given(
    seed=st.integers(0, 1000),
    move_m=st.floats(0.0, 0.5),
    turn_rad=st.floats(0.0, 3.1),
    flex_rad=st.floats(0.0, 1.5),
)
def test_the_way_starts_where_it_should_and_is_as_fast_as_it_may(seed, move_m, turn_rad, flex_rad) -> None:
    continuity = ContinuousPose(KINEMATICS, SPEED)
    published, solved = pose(seed, move_m, turn_rad, flex_rad), pose(seed + 1)
    continuity.bridge(published, solved, BETAS, 0.0)
    assert distance(continuity.apply(solved, 0.0), published) < 1e-9
    h = 0.005
    poses = [published]
    while continuity.leading:
        poses.append(continuity.apply(solved, h * len(poses)))
        assert len(poses) < 1000
    steps = [distance(one, other) for one, other in pairwise(poses)]
    assert max(steps) <= 1.015 * SPEED * h
    assert distance(poses[-1], solved) == 0.0
    arrived_s = h * (len(poses) - 1)
    assert arrived_s <= 0.1 + h or max(steps) > 0.95 * SPEED * h, "no slower than it has to be"


def test_a_change_of_mind_on_the_way_starts_from_where_the_hand_is_and_delays_nothing(continuity) -> None:
    here, there = pose(1), pose(2, 0.03)
    continuity.bridge(here, there, BETAS, 0.0)
    published = continuity.apply(there, 0.05)
    nearer = pose(2, 0.025)
    continuity.renew(published, nearer, BETAS, 0.05)
    assert distance(continuity.apply(nearer, 0.05), published) < 1e-9
    assert continuity.leading
    assert distance(continuity.apply(nearer, 0.1), nearer) == 0.0, "at the time that was set"


def test_a_change_of_mind_takes_longer_where_speed_asks_for_it(continuity) -> None:
    here, there, beyond = pose(1), pose(2, 0.03), pose(2, 0.23)
    continuity.bridge(here, there, BETAS, 0.0)
    published = continuity.apply(there, 0.09)
    continuity.renew(published, beyond, BETAS, 0.09)
    steps = []
    for k in range(1, 30):
        later = continuity.apply(beyond, 0.09 + 0.01 * k)
        steps.append(distance(later, published))
        published = later
    assert max(steps) <= 1.001 * SPEED * 0.01
    assert distance(published, beyond) == 0.0


def test_what_is_left_of_the_way_is_carried_and_foreseen(continuity) -> None:
    here, there = pose(1), pose(2, 0.3, 0.5)
    continuity.bridge(here, there, BETAS, 0.0)
    published = continuity.apply(there, 0.1)
    assert distance(continuity.carried(there), published) == 0.0
    foreseen = continuity.expected(there, 0.2)
    assert 0.0 < distance(foreseen, there) < distance(published, there)
    assert distance(continuity.apply(there, 0.2), foreseen) == 0.0
