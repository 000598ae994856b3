# SPDX-FileCopyrightText: 2026 The hmp_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The online fitter through its public surface: statuses, gaps, mirrors, bad input, irregular time."""

from dataclasses import replace

import numpy as np
import pytest
import roma
import torch
from hand_scene import CAMERA, assert_sound, error_mm, moving_hand, relative, run

from hmp_core.estimate import HandStatus
from hmp_core.fitting.config import FitterConfig
from hmp_core.fitting.evidence import canonical_evidence, mirror_pose
from hmp_core.fitting.hand_fitter import HandFitter
from hmp_core.fitting.online import MAX_TRACKS, OnlineFitter
from hmp_core.fitting.window_model import WindowModel
from hmp_core.hand.kinematics import HandKinematics
from hmp_core.hand.loading import load_hand_model
from hmp_core.hand.skeleton import PARENTS, Side
from hmp_core.hand.so3_loops import (
    exponentials,
    logarithms,
    right_jacobian_inverses,
    right_jacobians,
)
from hmp_core.observation import FrameObservation


def test_an_observed_hand_is_followed_and_its_parameters_reproduce_its_joints(fitter, scene) -> None:
    frames = run(fitter, scene, range(40))
    errors = []
    kinematics = HandKinematics(load_hand_model(None), dtype=torch.float64)
    for t, frame in enumerate(frames):
        (hand,) = frame.hands
        assert frame.stamp_ns == scene.stamps_ns[t]
        assert hand.status is HandStatus.OBSERVED
        assert hand.joint_observed.all()
        assert hand.since_observed_ns == 0
        assert (hand.joint_stddev_m[1:] > 0).all()
        errors.append(error_mm(hand, scene, t))
        rotations = roma.rotvec_to_rotmat(torch.as_tensor(hand.mano.rotation_vectors))
        joints = kinematics.joints(
            rotations[None], torch.as_tensor(hand.mano.betas), torch.as_tensor(hand.mano.translation)[None]
        )
        np.testing.assert_allclose(joints[0].numpy(), hand.joints_camera, atol=1e-9)
    assert np.mean(errors[5:]) < 5.0


def test_a_hand_that_turns_suddenly_is_followed(fitter, scene) -> None:
    speed_rad_s = np.radians(600)
    turned = (speed_rad_s * (np.arange(45) / 30 - 1.0)).clip(0.0, None)
    turning = scene.turned(turned)
    errors = [error_mm(frame.hands[0], turning, t) for t, frame in enumerate(run(fitter, turning, range(45)))]
    frame_mm = 1e3 * np.linalg.norm(relative(np.diff(turning.joints_camera[31:45], axis=0)), axis=-1).mean()
    assert frame_mm > 20
    assert np.mean(errors[31:]) < frame_mm / 2, "less than half an image behind"
    assert np.mean(errors[5:30]) < 5.0


def test_a_gap_is_infilled_with_growing_sigma_then_lost_then_empty(fitter, scene) -> None:
    run(fitter, scene, range(30))
    spread = []
    statuses = []
    for k in range(60):
        stamp = int(scene.stamps_ns[29]) + round((k + 1) / 30 * 1e9)
        frame = fitter.update(FrameObservation(stamp, CAMERA))
        assert_sound(frame)
        statuses.append(frame.hands[0].status if frame.hands else None)
        if statuses[-1] is HandStatus.INFILLED:
            spread.append(float(frame.hands[0].joint_stddev_m.mean()))
            assert frame.hands[0].score == 0
            assert not frame.hands[0].joint_observed.any()
        if statuses[-1] is HandStatus.LOST:
            assert (frame.hands[0].joint_stddev_m == -1).all()
    assert statuses[:29] == [HandStatus.INFILLED] * 29
    assert statuses[31:44] == [HandStatus.LOST] * 13
    assert statuses[46:] == [None] * 14
    assert spread[-1] > 2 * spread[0]


def test_doubted_points_do_not_make_a_hand_young(fitter, scene) -> None:
    """A detector that guesses behind a mug keeps the hand alive, but not its age at zero."""
    run(fitter, scene, range(10))
    for t in range(10, 50):
        doubted = replace(
            scene.observation(t), keypoint_sigma_px=np.full(21, 60.0), landmark_sigma_m=np.full(21, 0.06)
        )
        (hand,) = fitter.update(FrameObservation(int(scene.stamps_ns[t]), CAMERA, (doubted,))).hands
        assert hand.status is HandStatus.INFILLED
        assert hand.since_observed_ns == scene.stamps_ns[t] - scene.stamps_ns[9]
        assert hand.score > 0
    (hand,) = fitter.update(scene.frame(50)).hands
    assert hand.status is HandStatus.OBSERVED
    assert hand.since_observed_ns == 0


def test_revised_frames_inside_a_gap_are_better_than_forecasts(fitter, scene) -> None:
    gap = range(30, 42)
    frames = run(fitter, scene, range(60), gap)
    revised = [fitter.revise(frames[t]) for t in gap]
    before = np.mean([error_mm(frames[t].hands[0], scene, t) for t in gap])
    after = np.mean([error_mm(frame.hands[0], scene, t) for t, frame in zip(gap, revised, strict=True)])
    assert after < before
    assert [frame.hands[0].status for frame in revised] == [HandStatus.INFILLED] * len(gap)


def test_hidden_fingers_make_a_partial_hand_whose_hidden_joints_are_less_sure(fitter, scene) -> None:
    hidden = (13, 14, 15, 16, 17, 18, 19, 20)
    for t in range(45):
        frame = fitter.update(scene.frame(t, hidden=hidden if t >= 25 else ()))
    (hand,) = frame.hands
    assert hand.status is HandStatus.PARTIAL
    assert not hand.joint_observed[list(hidden)].any()
    assert hand.joint_stddev_m[[16, 20]].min() > 1.5 * hand.joint_stddev_m[[8, 12]].max()
    assert_sound(frame)


def test_a_left_hand_is_the_mirror_image_of_a_right_one(parts) -> None:
    right, left = moving_hand(20), moving_hand(20, side=Side.LEFT)
    mirror = np.array([-1.0, 1.0, 1.0])
    one, other = OnlineFitter(*parts), OnlineFitter(*parts)
    for t in range(20):
        seen = right.observation(t)
        flipped_pixels = seen.keypoints_px * (-1, 1) + (2 * CAMERA.cx, 0)
        opposite = replace(
            left.observation(t),
            keypoints_px=flipped_pixels,
            landmarks_m=seen.landmarks_m * mirror,
            initial=mirror_pose(seen.initial),
        )
        (a,) = one.update(FrameObservation(int(right.stamps_ns[t]), CAMERA, (seen,))).hands
        (b,) = other.update(FrameObservation(int(right.stamps_ns[t]), CAMERA, (opposite,))).hands
        assert (a.side, b.side) == (Side.RIGHT, Side.LEFT)
        np.testing.assert_allclose(b.joints_camera, a.joints_camera * mirror, atol=2e-3)
        np.testing.assert_allclose(b.mano.betas, a.mano.betas, atol=0.2)


def test_results_are_bit_equal_between_runs(parts, scene) -> None:
    first, second = (run(OnlineFitter(*parts), scene, range(25), range(15, 20)) for _ in range(2))
    for a, b in zip(first, second, strict=True):
        np.testing.assert_array_equal(a.hands[0].joints_camera, b.hands[0].joints_camera)


def test_skipped_solves_lose_no_evidence(parts, scene) -> None:
    often, seldom = OnlineFitter(*parts), OnlineFitter(*parts)
    run(often, scene, range(31))
    for t in range(31):
        seldom.observe(scene.frame(t))
        if t % 3 == 0:
            frame = seldom.solve()
    assert frame.hands[0].window is not None
    assert frame.hands[0].window.steps_observed >= 8
    assert error_mm(frame.hands[0], scene, 30) < 8.0


def test_a_hand_of_undecided_side_waits_and_then_uses_what_it_saw(fitter, scene) -> None:
    for t in range(6):
        undecided = replace(scene.observation(t), side=None, initial=None)
        frame = fitter.update(FrameObservation(int(scene.stamps_ns[t]), CAMERA, (undecided,)))
        assert frame.hands == ()
    (hand,) = fitter.update(scene.frame(6)).hands
    assert hand.side is Side.RIGHT


def test_repeated_stamps_are_ignored_and_a_loop_starts_over(fitter, scene) -> None:
    run(fitter, scene, range(10))
    fitter.update(scene.frame(9))
    assert fitter.repeated_stamps == 1
    frame = fitter.update(scene.frame(0))
    assert fitter.resets == 1
    assert frame.hands[0].window is not None
    assert frame.hands[0].window.steps == 1


def test_a_crowd_of_new_hands_is_left_out_and_the_operator_stays(fitter, scene) -> None:
    run(fitter, scene, range(5))
    hand = scene.observation(5)
    crowd = tuple(replace(hand, track_id=1000 + at) for at in range(MAX_TRACKS))
    frame = fitter.update(FrameObservation(int(scene.stamps_ns[5]), CAMERA, (*crowd, hand)))
    assert len(frame.hands) == MAX_TRACKS
    assert frame.hands[0].track_id == hand.track_id
    assert frame.hands[0].status is HandStatus.OBSERVED
    assert fitter.extra_hands == 1


def test_stopped_images_lead_to_lost_once_and_empty_once(fitter, scene) -> None:
    run(fitter, scene, range(10))
    last = int(scene.stamps_ns[9])
    assert fitter.expire(last + 900_000_000) is None
    lost = fitter.expire(last + 1_100_000_000)
    assert lost is not None
    assert [hand.status for hand in lost.hands] == [HandStatus.LOST]
    assert last + 1_000_000_000 <= lost.stamp_ns <= last + 1_100_000_000
    assert fitter.expire(last + 1_200_000_000) is None
    empty = fitter.expire(last + 2_000_000_000)
    assert empty is not None
    assert empty.hands == ()
    assert empty.stamp_ns > lost.stamp_ns
    assert fitter.expire(last + 9_000_000_000) is None


@pytest.mark.parametrize("rate_hz", [5.0, 17.0, 120.0])
def test_any_camera_rate_works(parts, rate_hz: float) -> None:
    scene = moving_hand(int(rate_hz * 2), rate_hz)
    frames = run(OnlineFitter(*parts), scene, range(len(scene.stamps_ns)))
    tail = range(len(frames) // 2, len(frames))
    assert np.mean([error_mm(frames[t].hands[0], scene, t) for t in tail]) < 8.0


@pytest.mark.parametrize(
    "spoil",
    [
        lambda o: replace(o, keypoints_px=np.full((21, 2), np.nan)),
        lambda o: replace(o, keypoint_sigma_px=np.full(21, np.inf), landmark_sigma_m=np.full(21, np.inf)),
        lambda o: replace(o, keypoints_px=o.keypoints_px + 3000.0),
        lambda o: replace(o, landmarks_m=np.zeros((21, 3))),
        lambda o: replace(o, keypoints_px=np.zeros((21, 2))),
        lambda o: replace(o, initial=None),
        lambda o: replace(o, keypoint_sigma_px=np.where(np.arange(21) == 8, 2.0, np.inf)),
    ],
)
@pytest.mark.parametrize("at_start", [True, False])
def test_degenerate_evidence_gives_finite_output(parts, scene, spoil, at_start: bool) -> None:
    fitter = OnlineFitter(*parts)
    spoiled = range(0, 5) if at_start else range(10, 15)
    for t in range(20):
        hand = scene.observation(t)
        hand = spoil(hand) if t in spoiled else hand
        assert_sound(fitter.update(FrameObservation(int(scene.stamps_ns[t]), CAMERA, (hand,))))


def test_nothing_observed_yet_is_an_error_and_an_empty_scene_is_not(fitter) -> None:
    with pytest.raises(RuntimeError, match="observe"):
        fitter.solve()
    assert fitter.update(FrameObservation(1, CAMERA)).hands == ()


def test_settings_out_of_range_are_refused() -> None:
    with pytest.raises(Exception, match="infill_timeout_s must lie between"):
        FitterConfig(infill_timeout_s=-1.0)


def test_a_shorter_time_out_counts_for_a_hand_that_is_followed(fitter, scene) -> None:
    run(fitter, scene, range(20))
    fitter.reconfigure(replace(fitter.config, infill_timeout_s=0.1))
    frame = fitter.update(FrameObservation(int(scene.stamps_ns[19]) + 200_000_000, CAMERA))
    assert [hand.status for hand in frame.hands] == [HandStatus.LOST]


def test_bones_settle_in_the_first_second_and_then_hardly_change(fitter) -> None:
    scene = moving_hand(120, betas=(0.5, 1.0, -1.0))
    joints = np.stack([fitter.update(scene.frame(t)).hands[0].joints_camera for t in range(120)])
    bones_mm = 1e3 * np.linalg.norm(joints - joints[:, PARENTS], axis=-1)[:, 1:]
    first, fourth = bones_mm[:30], bones_mm[90:]
    assert np.abs(np.diff(fourth, axis=0)).mean() < 0.6 * np.abs(np.diff(first, axis=0)).mean()
    assert np.abs(fourth[-1] - fourth[0]).mean() < 0.2


def test_a_fitter_that_has_warmed_up_is_as_new_and_has_all_loops(parts, scene) -> None:
    fitter, other = OnlineFitter(*parts), OnlineFitter(*parts)
    fitter.warm_up()
    for loop in (exponentials, logarithms, right_jacobians, right_jacobian_inverses):
        assert loop.signatures
    for frame in range(5):
        (warmed,), (cold,) = (each.update(scene.frame(frame)).hands for each in (fitter, other))
        np.testing.assert_array_equal(warmed.joints_camera, cold.joints_camera)
    assert fitter.resets == fitter.repeated_stamps == 0


def test_the_origin_moves_ahead_of_an_image_but_not_of_a_pause(parts, scene) -> None:
    model = WindowModel(*parts)
    fitter = HandFitter(model, FitterConfig())
    for frame in range(59):
        hand = scene.observation(frame)
        fitter.add(frame / 30, canonical_evidence(hand, CAMERA, Side.RIGHT, model.kinematics, 0.012))
        fitter.solve()
    now_s = 58 / 30
    (before, _), window_s = fitter.at(now_s), model.prior.window_s
    fitter.prepare(now_s + 60.0)
    assert fitter.at(now_s)[0].origin_s == before.origin_s
    fitter.prepare(before.origin_s + window_s)
    assert fitter.at(now_s)[0].origin_s == before.origin_s, "no need"
    fitter.prepare(before.origin_s + window_s + 0.01)
    after, decoded = fitter.at(now_s)
    assert before.origin_s < after.origin_s < now_s
    moved = decoded.joints_camera - model.decode(before).joints_camera
    assert moved.norm(dim=-1).max() < 0.01, "what was published stays what it was"
