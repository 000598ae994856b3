# SPDX-FileCopyrightText: 2026 The hmp_ros authors
# SPDX-License-Identifier: Apache-2.0
import numpy as np
from hand_scene import moving_hand
from scipy.spatial.transform import Rotation

from hmp_core.evaluation.activity import active_frames, gap_lengths
from hmp_core.hand.skeleton import Side

RATE_HZ = 30.0


def test_fingers_that_move_are_active_and_a_hand_that_is_carried_is_not():
    moving = moving_hand(90).joints_camera
    assert active_frames(moving, Side.RIGHT, RATE_HZ).mean() > 0.9
    turns = Rotation.from_rotvec(np.outer(np.arange(90) / 20, [0.3, 0.5, 0.2])).as_matrix()
    carried = (moving[:1] - moving[:1, :1]) @ turns.swapaxes(1, 2) + np.linspace(0, 1, 90)[:, None, None]
    assert not active_frames(carried, Side.RIGHT, RATE_HZ).any()


def test_rest_and_motion_are_told_apart_over_time_and_missing_frames_bridged():
    joints = np.concatenate(
        [moving_hand(60).joints_camera, np.repeat(moving_hand(60).joints_camera[-1:], 90, axis=0)]
    )
    joints[::7] = np.nan
    active = active_frames(joints, Side.RIGHT, RATE_HZ)
    assert active[5:50].all()
    assert not active[85:].any()
    assert not active_frames(np.full((4, 21, 3), np.nan), Side.RIGHT, RATE_HZ).any()
    assert not active_frames(joints[1:2], Side.RIGHT, RATE_HZ).any()


def test_gaps_count_under_the_next_length_up():
    hidden = np.zeros((120, 21), bool)
    hidden[0:6, 3], hidden[10:17, :], hidden[20:50, 8], hidden[50:119, 9] = True, True, True, True
    lengths = gap_lengths(hidden, RATE_HZ)
    assert set(lengths[:6]) == {0.2}
    assert set(lengths[10:17]) == {0.5}
    assert set(lengths[20:119]) == {np.inf}  # one joint after the other: one gap of over two seconds
    assert np.isnan(lengths[[6, 9, 17, 119]]).all()
    assert set(gap_lengths(hidden[20:50], RATE_HZ)) == {1.0}
