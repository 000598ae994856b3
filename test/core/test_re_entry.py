# SPDX-FileCopyrightText: 2026 The hmp_ros authors
# SPDX-License-Identifier: Apache-2.0
"""A hand that is seen again, through the fitter's public surface: no jump, an end to the way, true sigmas."""

from dataclasses import replace

import numpy as np
import pytest
from hand_scene import CAMERA, HandScene, error_mm, moving_hand, run
from scipy.spatial.transform import Rotation

from hmp_core.estimate import FrameEstimate, HandStatus
from hmp_core.fitting.config import FitterConfig
from hmp_core.fitting.online import OnlineFitter
from hmp_core.hand.skeleton import Side
from hmp_core.observation import FrameObservation

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


def test_the_hand_rejoins_after_a_gap_without_a_jump(fitter, scene) -> None:
    gap = range(30, 45)
    frames = run(fitter, scene, range(75), gap)
    joints = np.stack([frame.hands[0].joints_camera for frame in frames])
    true_step = np.linalg.norm(np.diff(scene.joints_camera, axis=0), axis=-1).max()
    step = np.linalg.norm(np.diff(joints[5:], axis=0), axis=-1).max()
    assert step < true_step + FitterConfig().blend_speed / 30
    assert frames[46].hands[0].status is HandStatus.OBSERVED
    assert error_mm(frames[60].hands[0], scene, 60) < 6.0


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
