# SPDX-FileCopyrightText: 2026 The hmp_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The online fitter under bad evidence and irregular time, after losses, and where the latent gets a new origin."""

from dataclasses import replace

import numpy as np
import pytest
from hand_scene import CAMERA, assert_sound, error_mm, moving_hand, run
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from hmp_core.estimate import HandStatus
from hmp_core.fitting.config import FitterConfig
from hmp_core.fitting.online import OnlineFitter
from hmp_core.observation import FrameObservation, HandObservation

SEEN = {HandStatus.OBSERVED, HandStatus.PARTIAL}
HANDS = moving_hand(90)


def _only(joints: tuple[int, ...], seen: HandObservation) -> HandObservation:
    shown = np.isin(np.arange(21), joints)
    return replace(
        seen,
        keypoint_sigma_px=np.where(shown, seen.keypoint_sigma_px, np.inf),
        landmark_sigma_m=np.where(shown, seen.landmark_sigma_m, np.inf),
    )


SPOILT = {
    "good": lambda o: o,
    "one joint": lambda o: _only((8,), o),
    "all hidden": lambda o: _only((), o),
    "one ray": lambda o: replace(_only((5, 9), o), keypoints_px=np.tile(o.keypoints_px[5], (21, 1))),
    "no start": lambda o: replace(o, initial=None),
    "NaN keypoints": lambda o: replace(o, keypoints_px=np.full((21, 2), np.nan)),
    "infinite landmarks": lambda o: replace(o, landmarks_m=np.full((21, 3), np.inf)),
    "NaN sigmas": lambda o: replace(o, keypoint_sigma_px=np.full(21, np.nan), presence=np.nan),
    "no sigmas": lambda o: replace(o, keypoint_sigma_px=np.zeros(21), landmark_sigma_m=np.full(21, 1e-300)),
    "huge": lambda o: replace(o, keypoints_px=o.keypoints_px * 1e200, landmarks_m=o.landmarks_m * 1e200),
    "NaN start": lambda o: replace(o, initial=replace(o.initial, rotation_vectors=np.full((16, 3), np.nan))),
    "start behind": lambda o: replace(o, initial=replace(o.initial, translation=np.array([0.0, 0.0, -0.5]))),
    "far start": lambda o: replace(o, initial=replace(o.initial, translation=np.array([900.0, 0.0, 900.0]))),
    "outside the image": lambda o: replace(o, keypoints_px=o.keypoints_px + 5000.0),
    "twice": lambda o: o,
    "nothing": lambda o: o,
}
FRAMES = st.lists(
    st.tuples(st.sampled_from(sorted(SPOILT)), st.sampled_from([0, 1, 1_000, 4_000_000, 33_000_000, 400_000_000])),
    min_size=2,
    max_size=7,
)


@settings(max_examples=25, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
@given(FRAMES, st.integers(0, 2))
def test_no_sequence_of_evidence_raises_or_gives_nonsense(parts, frames, solves: int) -> None:
    fitter = OnlineFitter(*parts)
    stamp_ns = 1_000_000_000
    for index, (kind, step_ns) in enumerate(frames):
        stamp_ns += step_ns
        spoilt = SPOILT[kind](HANDS.observation(index))
        hands = () if kind == "nothing" else (spoilt, spoilt) if kind == "twice" else (spoilt,)
        fitter.observe(FrameObservation(stamp_ns, CAMERA, hands))
        for _ in range(solves):
            frame = fitter.solve()
            assert_sound(frame)
            assert_sound(fitter.predict(frame, 0.1))
            assert_sound(fitter.smooth(frame))
            for hand in frame.hands:
                sigma = hand.joint_stddev_m[1:]
                assert (sigma > 0).all() or ((sigma == -1).all() and hand.status is not HandStatus.OBSERVED)


def test_solving_again_says_the_same(parts) -> None:
    fitter = OnlineFitter(*parts)
    run(fitter, HANDS, range(8))
    (first,), (second,) = fitter.solve().hands, fitter.solve().hands
    assert first.status is second.status is HandStatus.OBSERVED
    assert second.joint_observed.all()


def test_a_hand_that_leaves_the_image_is_partial_then_infilled_and_ever_less_sure(parts) -> None:
    fitter = OnlineFitter(*parts)
    statuses, sigmas = [], []
    for t in range(34):
        seen = HANDS.observation(t)
        edge = 640 + 60 * (18 - t)  # comes in from the right from frame 8 on
        inside = tuple(np.flatnonzero(seen.keypoints_px[:, 0] < edge))
        hands = (_only(inside, seen),) if inside else ()
        (hand,) = fitter.update(FrameObservation(int(HANDS.stamps_ns[t]), CAMERA, hands)).hands
        statuses.append(hand.status)
        sigmas.append(float(hand.joint_stddev_m.max()))
    order = [HandStatus.OBSERVED, HandStatus.PARTIAL, HandStatus.INFILLED]
    assert [status for status in order if status in statuses] == order
    assert statuses == sorted(statuses)
    assert sigmas[-1] > 2 * sigmas[8]


def _irregular(rng: np.random.Generator, seconds: float, rate_hz: float, drop: float) -> np.ndarray:
    """Times of a camera with jitter of a third of its period, that drops frames."""
    count = round(seconds * rate_hz)
    times = (np.arange(count) + rng.uniform(0, 0.33, count)) / rate_hz
    return times[(rng.random(len(times)) >= drop) | (np.arange(len(times)) == 0)]


@pytest.mark.parametrize(("rate_hz", "drop"), [(5.0, 0.0), (17.0, 0.3), (30.0, 0.5), (120.0, 0.1)])
def test_jitter_and_dropped_frames_cost_little(parts, rate_hz: float, drop: float) -> None:
    times = _irregular(np.random.default_rng(5), 2.2 if rate_hz < 60 else 1.0, rate_hz, drop)
    scene = moving_hand(times_s=times)
    frames = run(OnlineFitter(*parts), scene, range(len(times)))
    assert all(frame.hands[0].status is HandStatus.OBSERVED for frame in frames)
    for frame in frames:
        assert_sound(frame)
    tail = range(len(frames) // 3, len(frames))
    assert np.mean([error_mm(frames[t].hands[0], scene, t) for t in tail]) < 5.0  # 3 at an even 30 Hz


@pytest.mark.parametrize("rate_hz", [5.0, 120.0])
def test_a_lost_frame_or_two_at_any_rate_are_led_over(parts, rate_hz: float) -> None:
    scene = moving_hand(round(2 * rate_hz) if rate_hz < 60 else 80, rate_hz)
    gap = range(6, 8)
    frames = run(OnlineFitter(*parts), scene, range(len(scene.stamps_ns) if rate_hz < 60 else 24), gap)
    assert {frames[t].hands[0].status for t in gap} == {HandStatus.INFILLED}
    step = np.linalg.norm(np.diff([f.hands[0].joints_camera for f in frames], axis=0), axis=-1).max(axis=-1)
    true = np.linalg.norm(np.diff(scene.joints_camera[: len(frames)], axis=0), axis=-1).max(axis=-1)
    assert step[7] < true[5:8].sum() + FitterConfig().blend_speed / rate_hz
    assert error_mm(frames[9].hands[0], scene, 9) < 8.0


def test_a_hand_that_returns_after_it_was_lost_starts_from_what_is_seen(parts) -> None:
    fitter = OnlineFitter(*parts)
    run(fitter, HANDS, range(8))
    gone_ns = int(HANDS.stamps_ns[7])
    for k in range(1, 6):
        frame = fitter.update(FrameObservation(gone_ns + k * 240_000_000, CAMERA))
    assert [hand.status for hand in frame.hands] == [HandStatus.LOST]
    later = replace(HANDS, stamps_ns=HANDS.stamps_ns + 1_300_000_000 - int(HANDS.stamps_ns[50] - gone_ns))
    frames = run(fitter, later, range(50, 62))
    assert all(frame.hands[0].status in SEEN for frame in frames)
    assert all(error_mm(frame.hands[0], later, t) < 10.0 for t, frame in enumerate(frames, 50))
    steps = np.linalg.norm(np.diff([f.hands[0].joints_camera for f in frames], axis=0), axis=-1).max()
    assert steps < 0.03


def test_a_new_origin_of_the_latent_moves_the_output_by_millimetres(parts) -> None:
    """The latent is re-anchored every 0.3 s once the first window of two seconds is over."""
    frames = run(OnlineFitter(*parts), HANDS, range(90))
    joints = np.stack([frame.hands[0].joints_camera for frame in frames])
    joints -= joints[:, :1]
    true = HANDS.joints_camera - HANDS.joints_camera[:, :1]
    beyond = np.linalg.norm(np.diff(joints, axis=0) - np.diff(true, axis=0), axis=-1).max(axis=-1) * 1e3
    assert beyond[60:].max() < 8.0
    assert beyond[60:].max() < 1.5 * beyond[10:60].max()


def test_a_long_gap_keeps_a_calm_hand(parts) -> None:
    """With no time-out in sight, evidence soon lies outside the prior's window."""
    fitter = OnlineFitter(*parts, FitterConfig(infill_timeout_s=60.0))
    frames = run(fitter, HANDS, range(12))
    last = frames[-1].hands[0].joints_camera
    for k in range(1, 13):
        frame = fitter.update(FrameObservation(int(HANDS.stamps_ns[11]) + k * 1_000_000_000, CAMERA))
        assert_sound(frame)
        assert [hand.status for hand in frame.hands] == [HandStatus.INFILLED]
        assert np.linalg.norm(frame.hands[0].joints_camera - last, axis=-1).max() < 0.15
    back = replace(HANDS, stamps_ns=HANDS.stamps_ns + 13_000_000_000)
    frames = run(fitter, back, range(12, 24))
    assert error_mm(frames[-1].hands[0], back, 23) < 6.0
