# SPDX-FileCopyrightText: 2026 The hmp_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The offline fitter through its public surface: gaps from both sides, one shape, mirrors, degenerate clips."""

from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from hand_scene import HandScene, moving_hand
from hypothesis import given, settings
from hypothesis import strategies as st

from hmp_core.errors import ConfigError
from hmp_core.estimate import FrameEstimate, HandStatus
from hmp_core.fitting.config import FitterConfig
from hmp_core.fitting.online import OnlineFitter
from hmp_core.fitting.sequence import LONGEST_GAP_S, ClipFitter
from hmp_core.fitting.sequence_windows import FADE_S, cut_windows
from hmp_core.fitting.stages import SHIPPED_TABLES, read_stage_table
from hmp_core.fitting.trajectory_store import TrajectoryStore
from hmp_core.hand.mirror import mirror_points
from hmp_core.hand.skeleton import Side
from hmp_core.observation import FrameObservation

NOTHING = tuple(range(21))
GAP = range(52, 73)


@pytest.fixture(scope="module")
def scene() -> HandScene:
    return moving_hand(105)


def observed(scene: HandScene, gap: range = range(0)) -> list[FrameObservation]:
    return [scene.frame(t, hidden=NOTHING if t in gap else ()) for t in range(len(scene.stamps_ns))]


def fit(parts, observations, table: str = "default", solver: str = "gn") -> list[FrameEstimate]:
    return ClipFitter(*parts, read_stage_table(table), solver).fit(observations)


def joints(estimates: list[FrameEstimate]) -> np.ndarray:
    return np.stack([estimate.hands[0].joints_camera for estimate in estimates])


def errors_mm(found: np.ndarray, scene: HandScene) -> np.ndarray:
    off = (found - found[:, :1]) - (scene.joints_camera - scene.joints_camera[:, :1])
    return 1e3 * np.linalg.norm(off, axis=-1).mean(-1)


@pytest.fixture(scope="module")
def fitted(parts, scene) -> list[FrameEstimate]:
    return fit(parts, observed(scene, GAP))


def test_a_gap_is_filled_from_both_sides_better_than_by_the_online_fitter(parts, scene, fitted) -> None:
    online = OnlineFitter(*parts)
    live = joints([online.update(observation) for observation in observed(scene, GAP)])
    offline = joints(fitted)
    inside, outside = list(GAP), [t for t in range(len(fitted)) if t not in GAP]
    assert errors_mm(offline, scene)[inside].mean() < 0.7 * errors_mm(live, scene)[inside].mean()
    assert errors_mm(offline, scene)[outside].mean() < 4.0
    steps = 1e3 * np.linalg.norm(np.diff(offline, axis=0), axis=-1).max(-1)
    true_steps = 1e3 * np.linalg.norm(np.diff(scene.joints_camera, axis=0), axis=-1).max(-1)
    assert (steps < true_steps.max() + 8.0).all(), "no jump at a gap's end or between windows"


def test_statuses_ages_and_sigmas_tell_seen_from_filled(scene, fitted) -> None:
    for t, estimate in enumerate(fitted):
        (hand,) = estimate.hands
        assert estimate.stamp_ns == scene.stamps_ns[t]
        assert hand.status is (HandStatus.INFILLED if t in GAP else HandStatus.OBSERVED)
        assert hand.since_observed_ns == (scene.stamps_ns[t] - scene.stamps_ns[GAP[0] - 1] if t in GAP else 0)
        assert (hand.joint_stddev_m[1:] > 0).all()
    middle, seen = fitted[GAP[len(GAP) // 2]].hands[0], fitted[20].hands[0]
    assert middle.joint_stddev_m[1:].mean() > 1.5 * seen.joint_stddev_m[1:].mean()
    assert np.trace(middle.wrist_covariance[3:, 3:]) > np.trace(seen.wrist_covariance[3:, 3:])


def test_a_hand_has_one_shape_and_the_same_input_gives_the_same_output(parts, scene, fitted) -> None:
    betas = np.stack([estimate.hands[0].mano.betas for estimate in fitted])
    assert (betas == betas[0]).all()
    again = fit(parts, observed(scene, GAP))
    np.testing.assert_array_equal(joints(again), joints(fitted))


def test_a_left_hand_is_fitted_as_the_mirrored_right_one(parts) -> None:
    right, left = moving_hand(20), moving_hand(20, side=Side.LEFT)
    # The same noise, mirrored: the observation of the right hand seen through the mirror of a centred camera.
    plain = fit(parts, [right.frame(t) for t in range(20)])
    mirrored = fit(parts, [left.frame(t) for t in range(20)])
    assert {estimate.hands[0].side for estimate in mirrored} == {Side.LEFT}
    assert errors_mm(joints(mirrored), left).mean() < 5.0
    np.testing.assert_allclose(mirror_points(joints(mirrored)), joints(plain), atol=0.012)


@pytest.mark.parametrize("table", SHIPPED_TABLES)
def test_every_table_fits_with_either_solver(parts, table) -> None:
    short = moving_hand(24)
    stages = read_stage_table(table)
    brief = replace(stages, stages=tuple(replace(stage, adam_iterations=40) for stage in stages.stages))
    for solver in ("gn", "adam"):
        estimates = ClipFitter(*parts, brief, solver).fit([short.frame(t) for t in range(24)])
        assert errors_mm(joints(estimates), short).mean() < 25.0, solver
        for estimate in estimates:
            assert np.isfinite(estimate.hands[0].joint_stddev_m).all()


def test_a_measured_hand_stands_at_its_true_depth(parts) -> None:
    small = FitterConfig(hand_length_m=0.08)
    short = moving_hand(20)
    frames = [short.frame(t) for t in range(20)]
    average = joints(ClipFitter(*parts, read_stage_table("default")).fit(frames))
    estimates = ClipFitter(*parts, read_stage_table("default"), config=small).fit(frames)
    lengths = [np.linalg.norm(each[9] - each[0]) for each in joints(estimates)]
    np.testing.assert_allclose(lengths, 0.08, rtol=0.02)
    ratio = joints(estimates)[:, 0, 2] / average[:, 0, 2]
    np.testing.assert_allclose(ratio, 0.08 / np.linalg.norm(average[:, 9] - average[:, 0], axis=-1), rtol=0.03)


def test_two_hands_are_kept_apart(parts) -> None:
    right, left = moving_hand(15), moving_hand(15, side=Side.LEFT)
    both = []
    for t in range(15):
        other = replace(left.observation(t), track_id=2)
        both.append(replace(right.frame(t), hands=(right.observation(t), other)))
    for t, estimate in enumerate(fit(parts, both)):
        sides = {hand.side: hand for hand in estimate.hands}
        assert set(sides) == {Side.LEFT, Side.RIGHT}
        for hand, truth in ((sides[Side.RIGHT], right), (sides[Side.LEFT], left)):
            off = hand.joints_camera - hand.joints_camera[0] - truth.joints_camera[t] + truth.joints_camera[t][0]
            assert np.linalg.norm(off, axis=-1).mean() < 0.02


def test_degenerate_clips_give_finite_hands_or_none(parts, scene) -> None:
    assert fit(parts, []) == []
    assert all(not estimate.hands for estimate in fit(parts, [scene.frame(0, hidden=NOTHING)] * 1))
    (single,) = fit(parts, [scene.frame(0)])
    assert np.isfinite(single.hands[0].joints_camera).all()
    sparse = [scene.frame(t, hidden=NOTHING if t not in (3, 50) else ()) for t in range(60)]
    estimates = fit(parts, sparse)
    assert [len(estimate.hands) for estimate in estimates] == [1 if 3 <= t <= 50 else 0 for t in range(60)]
    assert np.isfinite(joints(estimates[3:51])).all()
    blind = [replace(scene.frame(t), hands=(scene.observation(t, hidden=NOTHING),)) for t in range(10)]
    assert np.isfinite(joints(fit(parts, blind))).all()


def test_a_hand_unseen_for_too_long_leaves_and_comes_back_as_another_stretch(parts) -> None:
    away = round((LONGEST_GAP_S + 0.5) * 10)
    scene = moving_hand(20 + away, rate_hz=10.0)
    gap = range(10, 10 + away)
    estimates = fit(parts, observed(scene, gap))
    assert all(bool(estimate.hands) is (t not in gap) for t, estimate in enumerate(estimates))


@pytest.mark.parametrize("rate_hz", [5.0, 17.0, 120.0])
def test_any_rate_of_images(parts, rate_hz) -> None:
    scene = moving_hand(round(1.5 * rate_hz), rate_hz=rate_hz)
    assert errors_mm(joints(fit(parts, observed(scene))), scene).mean() < 6.0


def test_solved_windows_are_kept_for_the_next_try(parts, scene, fitted, tmp_path) -> None:
    class Interrupted(Exception):
        pass

    def interrupt(done: int, total: int) -> None:
        if done > total / 2:
            raise Interrupted

    fitter = ClipFitter(*parts, read_stage_table("default"))
    store = TrajectoryStore(tmp_path)
    with pytest.raises(Interrupted):
        fitter.fit(observed(scene, GAP), interrupt, store)
    kept = {path.name: path.stat().st_mtime_ns for path in tmp_path.iterdir()}
    assert kept
    again = fitter.fit(observed(scene, GAP), store=store)
    np.testing.assert_array_equal(joints(again), joints(fitted))
    assert {name: (tmp_path / name).stat().st_mtime_ns for name in kept} == kept, "not solved again"


@settings(deadline=None, max_examples=200)
@given(
    st.lists(st.floats(0.004, 0.4), min_size=0, max_size=120),
    st.integers(0, 10**6),
    st.floats(0.0, 0.9),
)
def test_windows_cover_every_frame_and_hold_whole_gaps(steps, seed, hidden) -> None:
    times = np.concatenate([[0.0], np.cumsum(steps)])
    seen = np.random.default_rng(seed).random(len(times)) >= hidden
    spans = cut_windows(times, seen, 2.0)
    assert spans[0].first == 0
    assert spans[-1].stop == spans[-1].reach == len(times)
    for earlier, later in pairwise(spans):
        assert earlier.first < later.first < earlier.stop == later.first + later.overlap <= earlier.reach
    for span in spans:
        assert span.first < span.stop <= span.reach
        assert times[span.reach - 1] - times[span.first] <= 2.0 + 1e-9
    assert sum(span.stop - span.first - span.overlap for span in spans) == len(times)


def test_a_gap_that_fits_lies_inside_one_window(scene) -> None:
    times = np.arange(120) / 30
    seen = np.ones(120, dtype=bool)
    seen[45:75] = False
    spans = cut_windows(times, seen, 2.0)
    assert any(times[span.first] + FADE_S <= times[45] and span.reach > 75 for span in spans)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("[", "not YAML"),
        ("stages: []", "at least one stage"),
        ("residual: true\nstages: [{name: a}]", "missing"),
        ("stages: [{name: a, free: [nose], gn_iterations: 1, adam_iterations: 1, terms: {}}]", "nose"),
        ("stages: [{name: a, free: [], gn_iterations: 1, adam_iterations: 1, terms: {hope: {}}}]", "hope"),
        (
            "stages: [{name: a, free: [], gn_iterations: 1, adam_iterations: 1, terms: {shape: {weight: -1}}}]",
            "above 0",
        ),
    ],
)
def test_a_wrong_table_is_refused_with_the_reason(tmp_path: Path, text: str, reason: str) -> None:
    path = tmp_path / "table.yaml"
    path.write_text(text)
    with pytest.raises(ConfigError, match=reason):
        read_stage_table(str(path))
    with pytest.raises(ConfigError, match="neither a shipped stage table"):
        read_stage_table("no_such_table")
