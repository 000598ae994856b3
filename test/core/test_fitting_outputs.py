# SPDX-FileCopyrightText: 2026 The hmp_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What the online fitter gives beside its newest estimate: the smoothed past and the predicted future."""

from dataclasses import replace

import numpy as np
import pytest
from hand_scene import CAMERA, assert_sound, error_mm, moving_hand, relative, run

from hmp_core.estimate import FrameEstimate, HandStatus
from hmp_core.fitting.evidence import mirror_pose
from hmp_core.fitting.online import OnlineFitter
from hmp_core.hand.skeleton import Side
from hmp_core.observation import FrameObservation

LAG = 6
"""Frames at 30 Hz: 0.2 s."""


@pytest.fixture(scope="module")
def with_gap(parts, scene) -> tuple[list[FrameEstimate], list[FrameEstimate], list[FrameEstimate]]:
    """Live, smoothed and predicted (two frames ahead) over a clip in which the hand is gone from 30 to 44."""
    fitter = OnlineFitter(*parts)
    live, smoothed, predicted = [], [], []
    for t in range(75):
        live += run(fitter, scene, range(t, t + 1), range(30, 45))
        predicted.append(fitter.predict(live[-1], 2 / 30))
        if t >= LAG:
            smoothed.append(fitter.smooth(live[t - LAG]))
    return live, smoothed, predicted


def steps_mm(frames: list[FrameEstimate]) -> np.ndarray:
    joints = np.stack([frame.hands[0].joints_camera for frame in frames])
    return np.linalg.norm(np.diff(joints, axis=0), axis=-1).max(axis=-1) * 1e3


def test_smoothed_frames_are_the_same_frames_with_less_error(with_gap, scene) -> None:
    live, smoothed, _ = with_gap
    for frame in smoothed:
        assert_sound(frame)
    for before, after in zip(live, smoothed, strict=False):
        assert after.stamp_ns == before.stamp_ns
        assert [hand.status for hand in after.hands] == [hand.status for hand in before.hands]
    seen = [*range(10, 30), *range(50, 69)]
    assert np.mean([error_mm(smoothed[t].hands[0], scene, t) for t in seen]) < np.mean(
        [error_mm(live[t].hands[0], scene, t) for t in seen]
    )


def test_the_smoothed_hand_does_not_jump_where_a_gap_ends(with_gap, scene) -> None:
    _, smoothed, _ = with_gap
    true_step = np.linalg.norm(np.diff(scene.joints_camera, axis=0), axis=-1).max() * 1e3
    assert steps_mm(smoothed[5:]).max() < true_step + 1e3 / 30


def test_lost_and_absent_hands_stay_so_when_smoothed_and_predicted(parts, scene) -> None:
    fitter = OnlineFitter(*parts)
    live, smoothed, predicted = run(fitter, scene, range(8)), [], []
    for k in range(55):
        live.append(fitter.update(FrameObservation(int(scene.stamps_ns[7] + (k + 1) / 30 * 1e9), CAMERA)))
        smoothed.append(fitter.smooth(live[-1 - LAG]))
        predicted.append(fitter.predict(live[-1], 0.1))
    statuses = {HandStatus.INFILLED, HandStatus.LOST, None}
    for frame, ahead in zip(live[8:], predicted, strict=True):
        assert [hand.status for hand in ahead.hands] == [hand.status for hand in frame.hands]
        assert [hand.since_observed_ns for hand in ahead.hands] == [
            hand.since_observed_ns + 100_000_000 for hand in frame.hands
        ]
        assert ahead.stamp_ns == frame.stamp_ns + 100_000_000
        statuses -= {hand.status for hand in ahead.hands} or {None}
    assert not statuses
    for frame, after in zip(live[8 - LAG :], smoothed, strict=False):
        assert_sound(after)
        assert [(hand.status, hand.track_id) for hand in after.hands] == [
            (hand.status, hand.track_id) for hand in frame.hands
        ]


@pytest.mark.parametrize("frames_ahead", [2, 4])
def test_predictions_beat_holding_still_and_know_their_error(parts, scene, frames_ahead: int) -> None:
    fitter = OnlineFitter(*parts)
    predicted_mm, held_mm, within = [], [], []
    for t in range(12, 70 - frames_ahead):
        (frame,) = run(fitter, scene, range(t, t + 1))
        if t < 20:
            continue
        ahead = fitter.predict(frame, frames_ahead / 30)
        (hand,), (now,) = ahead.hands, frame.hands
        assert_sound(ahead)
        assert hand.status is HandStatus.PREDICTED
        assert ahead.stamp_ns == pytest.approx(scene.stamps_ns[t + frames_ahead], abs=2)
        assert not hand.joint_observed.any()
        assert (hand.joint_stddev_m[1:] > now.joint_stddev_m[1:]).all()
        assert (np.diag(hand.wrist_covariance) > np.diag(now.wrist_covariance)).all()
        truth = scene.joints_camera[t + frames_ahead]
        predicted_mm.append(error_mm(hand, scene, t + frames_ahead))
        held_mm.append(error_mm(now, scene, t + frames_ahead))
        off = relative(hand.joints_camera) - relative(truth)
        within.append(np.abs(off[1:]) <= 2 * hand.joint_stddev_m[1:, None])
    assert np.mean(predicted_mm) < 0.9 * np.mean(held_mm)
    assert np.mean(within) > 0.9


def test_predictions_inside_a_gap_come_to_rest_with_it(with_gap) -> None:
    live, _, predicted = with_gap
    assert [frame.hands[0].status for frame in predicted[30:45]] == [HandStatus.INFILLED] * 15
    for frame in predicted:
        assert_sound(frame)
    ahead = [
        np.linalg.norm(later.hands[0].joints_camera - now.hands[0].joints_camera, axis=-1).mean()
        for now, later in zip(live, predicted, strict=True)
    ]
    assert ahead[44] < 0.2 * max(ahead[25:30])
    # Where the gap ends the lead over to what is seen runs ahead, too.
    assert steps_mm(predicted[40:50]).max() < steps_mm(predicted[20:30]).max() + 1e3 * 3 / 30


def test_a_left_hand_is_smoothed_and_predicted_as_the_mirror_image(parts) -> None:
    right, left = moving_hand(14), moving_hand(14, side=Side.LEFT)
    mirror = np.array([-1.0, 1.0, 1.0])
    one, other = OnlineFitter(*parts), OnlineFitter(*parts)
    for t in range(14):
        seen = right.observation(t)
        opposite = replace(
            left.observation(t),
            keypoints_px=seen.keypoints_px * (-1, 1) + (2 * CAMERA.cx, 0),
            landmarks_m=seen.landmarks_m * mirror,
            initial=mirror_pose(seen.initial),
        )
        now = one.update(FrameObservation(int(right.stamps_ns[t]), CAMERA, (seen,)))
        opposite_now = other.update(FrameObservation(int(right.stamps_ns[t]), CAMERA, (opposite,)))
        pairs = [
            (one.predict(now, 0.1), other.predict(opposite_now, 0.1)),
            (one.smooth(now), other.smooth(opposite_now)),
        ]
    for a, b in pairs:
        np.testing.assert_allclose(b.hands[0].joints_camera, a.hands[0].joints_camera * mirror, atol=3e-3)
        assert_sound(b)


def test_no_horizon_is_the_present(parts, scene) -> None:
    fitter = OnlineFitter(*parts)
    (frame,) = run(fitter, scene, range(1))
    assert fitter.predict(frame, 0.0) is frame
