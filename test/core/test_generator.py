# SPDX-FileCopyrightText: 2026 The hmp_ros authors
# SPDX-License-Identifier: Apache-2.0
from dataclasses import replace

import numpy as np
import pytest
import roma
import torch

from hmp_core.hand.limits import limit_violation
from hmp_core.hand.loading import load_hand_model
from hmp_core.prior.chain import FingerBones, rotations_in_wrist
from hmp_core.training import postures
from hmp_core.training.activities import ACTIVITIES
from hmp_core.training.anatomy import ANGLE_RANGES, AnatomicalHand
from hmp_core.training.generator import generate_motion
from hmp_core.training.grasp_library import GraspLibrary
from hmp_core.training.grasps import GRASP_KINDS, solve_grasps
from hmp_core.training.individual import Individual
from hmp_core.training.speed_profiles import Stroke, minimum_jerk, play
from hmp_core.training.thumb_activities import circle_thumb, move_thumb, press_thumb
from hmp_core.training.timetable import Timetable


@pytest.fixture(scope="module")
def bones() -> FingerBones:
    return FingerBones.of(load_hand_model())


@pytest.fixture(scope="module")
def motion(bones):
    return generate_motion(bones, recordings=4, seconds=6.0, seed=5, tries_per_grasp=20)


@pytest.fixture(scope="module")
def library(bones):
    return GraspLibrary(bones, tries=20, seed=5)


def test_flexion_brings_every_tip_towards_the_palm(bones):
    hand = AnatomicalHand()
    flat = bones(rotations_in_wrist(hand.rotations(torch.zeros(20))))
    for finger, tip in enumerate([14, 2, 5, 11, 8]):  # thumb, index, middle, ring, pinky in MANO order
        angles = torch.zeros(20)
        angles[4 * finger + 1 : 4 * finger + 4] = 0.4
        bent = bones(rotations_in_wrist(hand.rotations(angles)))
        assert bent[tip, 1] < flat[tip, 1] - 0.005, finger  # the palm faces -y


def test_abduction_moves_fingers_towards_the_thumb_and_the_thumb_out_of_the_palm(bones):
    hand = AnatomicalHand()
    flat = bones(rotations_in_wrist(hand.rotations(torch.zeros(20))))
    for finger, tip in ((1, 2), (2, 5), (3, 11), (4, 8)):
        angles = torch.zeros(20)
        angles[4 * finger] = 0.2
        assert bones(rotations_in_wrist(hand.rotations(angles)))[tip, 2] > flat[tip, 2] + 0.005
    angles = torch.zeros(20)
    angles[0] = 0.5
    assert bones(rotations_in_wrist(hand.rotations(angles)))[14, 1] < flat[14, 1] - 0.01


def test_pinch_grasps_bring_the_two_tips_together(bones):
    rng = np.random.default_rng(0)
    hand = AnatomicalHand()
    found = solve_grasps(bones, GRASP_KINDS["pinch_index"], 60, rng)
    assert len(found) > 30
    points = bones(rotations_in_wrist(hand.rotations(torch.from_numpy(found).float())))
    gap = (points[:, 14] - points[:, 2]).norm(dim=-1)
    assert gap.max() < 2 * (0.02 + 0.0075 + 0.007) + 0.015  # its own fingers were longer


@pytest.mark.parametrize("kind", sorted(GRASP_KINDS))
def test_every_kind_of_grasp_can_be_found_within_the_joints_ranges(bones, kind):
    found = torch.from_numpy(solve_grasps(bones, GRASP_KINDS[kind], 40, np.random.default_rng(1)))
    assert len(found) >= 5
    assert (found >= ANGLE_RANGES[:, 0] - 1e-6).all()
    assert (found <= ANGLE_RANGES[:, 1] + 1e-6).all()


def test_minimum_jerk_starts_and_ends_at_rest():
    u = np.linspace(-0.5, 1.5, 2001)
    s = minimum_jerk(u)
    velocity = np.gradient(s, u)
    assert s[0] == 0.0
    assert s[-1] == 1.0
    assert velocity.max() == pytest.approx(1.875, rel=1e-3)  # Flash and Hogan: peak 1.875 times the mean
    assert abs(velocity[500]) < 1e-2
    assert abs(velocity[1500]) < 1e-2


def test_overlapping_strokes_end_at_the_last_target():
    ones = np.ones(20)
    strokes = [Stroke(0.1 * ones, 0.5 * ones, 1.0 * ones), Stroke(0.3 * ones, 0.5 * ones, -2.0 * ones)]
    angles = play(0.5 * ones, strokes, np.linspace(0.0, 2.0, 121))
    assert angles[0] == pytest.approx(0.5 * ones)
    assert angles[-1] == pytest.approx(-2.0 * ones)
    assert np.abs(np.diff(angles, axis=0)).max() < 0.3


def test_motion_is_repeatable(bones, motion):
    again = generate_motion(bones, recordings=4, seconds=6.0, seed=5, tries_per_grasp=20)
    assert torch.equal(again.rotation_vectors, motion.rotation_vectors)


def test_no_frame_leaves_the_anatomical_limits(motion):
    assert limit_violation(motion.rotation_vectors).abs().max() < 1e-4


def test_every_activity_plans_strokes_and_ends(library):
    rng = np.random.default_rng(4)
    for activity, _ in ACTIVITIES:
        person = Individual.draw(rng)
        table = Timetable(person, library, rng, 0.0, person.shape(postures.rest(rng), True, rng))
        for _ in range(5):
            table.begin()
            activity(table)
        assert 1.0 < table.now_s < 200.0, activity.__name__
        assert table.strokes, activity.__name__
        assert np.isfinite(play(table.posture, table.strokes, np.linspace(0.0, table.now_s, 50))).all()


def test_thumb_activities_leave_the_fingers_alone(library):
    rng = np.random.default_rng(7)
    for activity in (move_thumb, circle_thumb, press_thumb):
        person = Individual.draw(rng)
        start = person.shape(postures.rest(rng), True, rng)
        table = Timetable(person, library, rng, 0.0, start)
        activity(table)
        angles = play(start, table.strokes, np.linspace(0.0, table.now_s, 200))
        assert np.ptp(angles[:, :4], axis=0).max() > 0.1
        assert np.ptp(angles[:, 4:], axis=0).max() == pytest.approx(0.0, abs=1e-9)


def test_a_finger_that_moves_alone_drags_its_neighbours_a_little():
    rng = np.random.default_rng(3)
    person = replace(Individual.draw(rng), enslaving=np.full((4, 4), 0.1) + 0.6 * np.eye(4))
    held, target = np.zeros(20), np.tile([0.1, 0.5, 0.5, 0.5], 5)
    moved = person.alone(held, target, [3]).reshape(5, 4)  # the ring finger
    assert moved[3] == pytest.approx(target[:4])
    assert moved[0] == pytest.approx(0.0)
    assert moved[[1, 2, 4], 1:3] == pytest.approx(0.05)


def test_a_kind_of_grasp_does_not_depend_on_which_were_asked_before(bones):
    first, second = GraspLibrary(bones, 20, seed=3), GraspLibrary(bones, 20, seed=3)
    rng = np.random.default_rng(0)
    second.draw("hook", rng)
    one = first.draw("tripod", np.random.default_rng(1))
    assert one == pytest.approx(second.draw("tripod", np.random.default_rng(1)))


def test_motion_is_finite_and_moves_at_human_speed(motion):
    assert motion.rotation_vectors.shape == (4 * 360, 15, 3)
    assert motion.rotation_vectors.isfinite().all()
    R = roma.rotvec_to_rotmat(motion.rotation_vectors.view(4, 360, 15, 3))
    speed = roma.rotmat_geodesic_distance(R[:, 1:], R[:, :-1]) * motion.rate_hz
    assert 0.1 < speed.mean() < 3.0
    assert speed.flatten().quantile(0.999) < 40.0  # rad/s; taps reach about 20, flicks more
    assert speed.flatten().quantile(0.999) > 8.0
    acceleration = (R[:, 2:] - 2 * R[:, 1:-1] + R[:, :-2]).flatten(-2).norm(dim=-1)
    assert acceleration.flatten().quantile(0.99) < 0.3  # no jumps from frame to frame


@pytest.mark.parametrize("posture", [postures.flat, postures.fist, postures.rest, postures.table, postures.point])
def test_postures_lie_within_ranges_up_to_their_own_slack(posture):
    angles = posture(np.random.default_rng(2))
    assert angles.shape == (20,)
    assert np.abs(angles).max() < np.deg2rad(110.0)
