# SPDX-FileCopyrightText: 2026 The hmp_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The online fitter through its public surface: statuses, gaps, mirrors, bad input, irregular time."""

from dataclasses import replace

import numpy as np
import pytest
import roma
import torch
from hand_scene import CAMERA, HandScene, assert_sound, error_mm, moving_hand, relative, run
from scipy.spatial.transform import Rotation

from hmp_core.estimate import FrameEstimate, HandStatus
from hmp_core.fitting.config import FitterConfig
from hmp_core.fitting.evidence import mirror_pose
from hmp_core.fitting.online import MAX_TRACKS, OnlineFitter
from hmp_core.hand.kinematics import HandKinematics
from hmp_core.hand.loading import load_hand_model
from hmp_core.hand.skeleton import PARENTS, Side
from hmp_core.observation import FrameObservation
from hmp_core.prior.prior import load_prior


@pytest.fixture(scope="module")
def parts():
    torch.set_num_threads(1)
    return load_hand_model(None), load_prior()


@pytest.fixture
def fitter(parts) -> OnlineFitter:
    return OnlineFitter(*parts)


@pytest.fixture(scope="module")
def scene() -> HandScene:
    return moving_hand(75)


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


def test_the_hand_rejoins_after_a_gap_without_a_jump(fitter, scene) -> None:
    gap = range(30, 45)
    frames = run(fitter, scene, range(75), gap)
    joints = np.stack([frame.hands[0].joints_camera for frame in frames])
    true_step = np.linalg.norm(np.diff(scene.joints_camera, axis=0), axis=-1).max()
    step = np.linalg.norm(np.diff(joints[5:], axis=0), axis=-1).max()
    assert step < true_step + FitterConfig().blend_speed / 30
    assert frames[46].hands[0].status is HandStatus.OBSERVED
    assert error_mm(frames[60].hands[0], scene, 60) < 6.0


TREMBLE_M = 0.01
"""By which the output may move with the noise of what it is shown."""


def come_back_aside(here: HandScene, aside_m: tuple[float, float, float]) -> HandScene:
    """The scene at another place."""
    aside = np.array(aside_m)
    poses = [replace(pose, translation=pose.translation + aside) for pose in here.poses]
    return replace(here, joints_camera=here.joints_camera + aside, poses=poses)


def assert_bounded(frames: list[FrameEstimate], here: HandScene) -> None:
    """No joint moves faster than the scene's by more than ``blend_speed``."""
    joints = np.stack([frame.hands[0].joints_camera for frame in frames])
    step = np.linalg.norm(np.diff(joints, axis=0), axis=-1).max(axis=-1)
    true_step = np.linalg.norm(np.diff(here.joints_camera, axis=0), axis=-1).max()
    period_s = 1e-9 * np.diff([frame.stamp_ns for frame in frames])
    assert (step < true_step + FitterConfig().blend_speed * period_s + TREMBLE_M).all()


@pytest.mark.parametrize("rate_hz", [15, 30, 60])
@pytest.mark.parametrize("hidden", [(), (5, 6, 7, 8, 9, 10)])
@pytest.mark.parametrize(
    ("gap_s", "aside_m"),
    [(0.33, (0.15, 0.0, 0.0)), (0.33, (0.0, 0.0, 0.2)), (0.13, (0.15, 0.0, 0.0)), (0.13, (0.0, 0.0, 0.1))],
)
def test_a_hand_that_comes_back_elsewhere_is_led_over_at_a_bounded_speed(
    parts, rate_hz, aside_m, hidden, gap_s
) -> None:
    here = moving_hand(2 * rate_hz, rate_hz=rate_hz)
    there = come_back_aside(here, aside_m)
    gap = range(rate_hz, rate_hz + round(rate_hz * gap_s))
    fitter = OnlineFitter(*parts)
    run(fitter, here, range(gap.start))
    frames = run(fitter, here, gap, gap)
    frames += [fitter.update(there.frame(t, hidden=hidden)) for t in range(gap.stop, 2 * rate_hz)]
    assert_bounded(frames, here)
    assert error_mm(frames[-1].hands[0], there, 2 * rate_hz - 1) < 8.0


@pytest.mark.parametrize(
    ("poor", "rate_hz", "aside_m"), [("far off", 30, 0.15), ("none", 30, 0.3), ("none", 10, 0.3)]
)
def test_a_poor_start_after_a_gap_is_no_reason_to_jump_later(
    parts, poor: str, rate_hz: int, aside_m: float
) -> None:
    """Where the robust cost is flat all around, nothing seems to move, and all seems settled."""
    here = moving_hand(60, rate_hz=rate_hz)
    there = come_back_aside(here, (aside_m, 0.0, 0.0))
    for seed in range(4):
        fitter = OnlineFitter(*parts)
        frames = run(fitter, here, range(35), range(29, 35))[29:]
        for t in range(35, 45):
            hand = there.observation(t, seed)
            if t <= 36 and poor == "none":
                hand = replace(hand, initial=None)
            elif t == 35:
                off = np.array([0.025, 0.0, 0.03])
                hand = replace(hand, initial=replace(hand.initial, translation=hand.initial.translation + off))
            frames.append(fitter.update(FrameObservation(int(here.stamps_ns[t]), CAMERA, (hand,))))
        assert_bounded(frames, here)


def test_fingers_that_come_back_before_the_hand_do_not_end_the_way_back(fitter) -> None:
    """The window changes its mind about the hand's distance, once it sees all of it."""
    here = moving_hand(60)
    there = come_back_aside(here, (0.0, 0.0, 0.2))
    frames = run(fitter, here, range(35), range(25, 35))[29:]
    frames += [fitter.update(there.frame(t, hidden=tuple(range(16)))) for t in (35, 36)]
    frames += run(fitter, there, range(37, 60))
    assert_bounded(frames, here)


def test_a_hand_that_was_only_guessed_at_is_led_over_to_when_it_is_seen(fitter) -> None:
    """To a controller a detector that guesses behind a mug is a gap like any other."""
    here = moving_hand(60)
    there = come_back_aside(here, (0.15, 0.0, 0.0))
    frames = run(fitter, here, range(20))[-1:]
    for t in range(20, 40):
        guess = replace(
            here.observation(t), keypoint_sigma_px=np.full(21, 60.0), landmark_sigma_m=np.full(21, 0.06)
        )
        frames.append(fitter.update(FrameObservation(int(here.stamps_ns[t]), CAMERA, (guess,))))
        assert frames[-1].hands[0].status is HandStatus.INFILLED
    frames += run(fitter, there, range(40, 60))
    assert_bounded(frames, here)
    assert error_mm(frames[-1].hands[0], there, 59) < 8.0


@pytest.mark.parametrize("few", [(8,), (8, 12)])
def test_a_joint_or_two_do_not_end_the_way_back(fitter, few) -> None:
    """They do not tell where a hand is, so that what comes after them is the re-entry."""
    here = moving_hand(60)
    there = come_back_aside(here, (0.15, 0.0, 0.0))
    hidden = tuple(joint for joint in range(21) if joint not in few)
    frames = run(fitter, here, range(30), range(20, 30))[15:]
    frames += [fitter.update(there.frame(t, hidden=hidden)) for t in range(30, 38)]
    frames += run(fitter, there, range(38, 60))
    assert_bounded(frames, here)
    assert error_mm(frames[-1].hands[0], there, 59) < 8.0


@pytest.mark.parametrize("turn_rad", [1.5, 2.5])
def test_a_window_given_up_in_a_guess_makes_no_jump(fitter, turn_rad) -> None:
    """A detector that is sure of a guess which contradicts the window lets a rival take over unseen."""
    here = moving_hand(60)
    turned = here.turned(np.full(60, turn_rad))
    frames = run(fitter, here, range(20))[-1:]
    for t in range(20, 40):
        guess = replace(
            turned.observation(t), keypoint_sigma_px=np.full(21, 25.0), landmark_sigma_m=np.full(21, 0.01)
        )
        frames.append(fitter.update(FrameObservation(int(here.stamps_ns[t]), CAMERA, (guess,))))
        (hand,), (ahead,) = frames[-1].hands, fitter.predict(frames[-1], 0.05).hands
        assert hand.status is HandStatus.INFILLED
        assert np.linalg.norm(ahead.joints_camera - hand.joints_camera, axis=-1).max() < 0.06
    assert error_mm(frames[-1].hands[0], turned, 39) < 20.0, "it took over"
    assert_bounded(frames, here)


@pytest.mark.parametrize("images", [10, 20])
def test_after_images_stopped_a_hand_moves_no_farther_at_once_than_in_a_tenth_of_a_second(fitter, images) -> None:
    here = moving_hand(60)
    there = come_back_aside(here, (0.3, 0.0, 0.0))
    frames = run(fitter, here, range(25)) + run(fitter, there, range(25 + images, 60))
    joints = np.stack([frame.hands[0].joints_camera for frame in frames[24:]])
    step = np.linalg.norm(np.diff(joints, axis=0), axis=-1).max(axis=-1)
    own = np.linalg.norm(here.joints_camera[25 + images] - here.joints_camera[24], axis=-1).max()
    assert step[0] < own + 0.1 * FitterConfig().blend_speed + TREMBLE_M
    assert_bounded(frames[25:], here)


def test_an_unseen_hand_slows_down_and_never_turns_back(fitter) -> None:
    """Whatever the length of the gap, it is forecast from where it was seen last."""
    here = moving_hand(60)
    aside = np.arange(60)[:, None] / 30 * np.array([1.0, 0.0, 0.0]) * 0.5
    poses = [replace(pose, translation=pose.translation + off) for pose, off in zip(here.poses, aside, strict=True)]
    passing = replace(here, joints_camera=here.joints_camera + aside[:, None], poses=poses)
    frames = run(fitter, passing, range(45), range(20, 45))
    wrist_x = np.array([frame.hands[0].joints_camera[0, 0] for frame in frames])
    step = np.diff(wrist_x[19:])
    assert step[0] > 0.005
    assert (np.diff(step) < 1e-4).all()
    assert (step > -1e-4).all()


def test_the_way_back_ends_though_the_detector_errs_more_than_it_says(parts) -> None:
    """What the window says of the newest image is what is published, soon after the gap."""
    rate_hz = 60
    here = moving_hand(2 * rate_hz, rate_hz=rate_hz)
    rng = np.random.default_rng(0)
    fitter = OnlineFitter(*parts)
    run(fitter, here, range(60), range(40, 60))
    leading = []
    for t in range(60, 120):
        hand = here.observation(t)
        worse = replace(hand, keypoints_px=hand.keypoints_px + rng.normal(0.0, 2.0, (21, 2)))
        frame = fitter.update(FrameObservation(int(here.stamps_ns[t]), CAMERA, (worse,)))
        off = fitter.revise(frame).hands[0].joints_camera - frame.hands[0].joints_camera
        leading.append(bool(np.abs(off).max() > 1e-6))
    assert leading[0]
    assert np.mean(leading[20:]) < 0.3


@pytest.mark.parametrize("side", list(Side))
def test_the_wrist_knows_how_far_it_has_yet_to_go(fitter, side) -> None:
    here = moving_hand(60, side=side)
    there = come_back_aside(here.turned(np.full(60, 1.2)), (0.15, 0.0, 0.0))
    run(fitter, here, range(45), range(30, 45))
    spread_m = []
    for t in range(45, 60):
        (hand,) = fitter.update(there.frame(t)).hands
        off = hand.joints_camera[0] - there.joints_camera[t, 0]
        turned = (
            Rotation.from_rotvec(hand.mano.rotation_vectors[0])
            * Rotation.from_rotvec(there.poses[t].rotation_vectors[0]).inv()
        )
        off = np.concatenate([off, turned.as_rotvec()])
        assert off @ np.linalg.solve(hand.wrist_covariance, off) < 5.0**2
        spread_m.append(float(np.sqrt(hand.wrist_covariance[0, 0])))
    assert spread_m[0] > 0.1
    assert spread_m[-1] < 0.03, "it has arrived"


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


def test_another_configuration_between_images_moves_the_hand_no_faster_than_it_may(parts) -> None:
    """A hand that turns out 15 % smaller: its depth follows, at the stated speed."""
    config = FitterConfig()
    truth = moving_hand(60)
    fitter = OnlineFitter(*parts, config)
    frames = run(fitter, truth, range(30))
    fitter.reconfigure(replace(config, hand_length_m=0.08, iterations=4))
    frames += run(fitter, truth, range(30, 60))
    wrists = np.array([frame.hands[0].joints_camera[0] for frame in frames])
    own = np.diff(truth.joints_camera[:, 0], axis=0)
    steps = np.linalg.norm(np.diff(wrists, axis=0) - own, axis=1)[5:]
    assert steps.max() < 1.5 * config.blend_speed / 30
    assert wrists[-1, 2] < 0.92 * truth.joints_camera[-1, 0, 2]
    length = np.linalg.norm(frames[-1].hands[0].joints_camera[9] - frames[-1].hands[0].joints_camera[0])
    assert length == pytest.approx(0.08, rel=0.03)


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
