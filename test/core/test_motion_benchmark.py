# SPDX-FileCopyrightText: 2026 The hmp_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The simulated detector against its own measured statistics; patterns; the benchmark from end to end, twice."""

import json

import numpy as np
import pytest
import torch
from prior_motion import waving_motion, write_joint_file
from scipy.spatial.transform import Rotation
from typer.testing import CliRunner

from hmp_core.cli.main import app
from hmp_core.errors import AssetError, ConfigError, DataError
from hmp_core.evaluation.baseline_models import shipped_baselines
from hmp_core.evaluation.detector_model import PLACES, joint_states, load_detector_model
from hmp_core.evaluation.detector_simulation import DetectorSimulation, TrueHand
from hmp_core.evaluation.metrics import wrist_aligned
from hmp_core.evaluation.occluded_window import CAMERA, occluded_windows
from hmp_core.evaluation.occlusion_pattern import KINDS, SWEEP_S, hide_joints
from hmp_core.evaluation.pose_mixture import PoseMixture, pose_mixtures
from hmp_core.evaluation.recorded_motion import RecordedMotion
from hmp_core.evaluation.tracked_hand import track_hand, without_leaps
from hmp_core.evaluation.tracking_baselines import TrackingParameters, baselines
from hmp_core.evaluation.true_crop import true_crop
from hmp_core.hand.kinematics import HandKinematics
from hmp_core.hand.loading import load_hand_model
from hmp_core.hand.skeleton import NUM_JOINTS
from hmp_core.perception.initializer import HandInitializer
from hmp_core.perception.keypoint_model import KEYPOINTS_FROM_JOINTS

MODEL = load_hand_model()


class Unposed:
    """Stands in for the initializer where poses do not matter."""

    def observe(self, frame, hand):
        return hand


def waving(seconds=4.0):
    """Recordings of six made-up signs, without wrists."""
    return RecordedMotion(waving_motion(6, round(30 * seconds)), None)


def still_hand(frames, hidden):
    """A hand at rest in front of the camera, joints [21] of which are hidden throughout."""
    kinematics = HandKinematics(MODEL, torch.float64)
    R = torch.eye(3, dtype=torch.float64).repeat(1, 16, 1, 1)
    R[0, 0] = torch.tensor([[0.0, 0, 1], [1, 0, 0], [0, 1, 0]], dtype=torch.float64)
    nowhere = torch.zeros(1, 3, dtype=torch.float64)
    joints = kinematics.joints(R, torch.zeros(10, dtype=torch.float64), nowhere)[0].numpy()
    joints = np.tile(joints - joints[9] + [0.02, 0.0, 0.45], (frames, 1, 1))
    return TrueHand(np.arange(frames) / 30, joints, np.tile(hidden, (frames, 1)), CAMERA)


def test_states_say_who_is_hidden_and_how_much_of_the_hand():
    hidden = np.zeros((3, NUM_JOINTS), dtype=bool)
    hidden[1, :4], hidden[2, :15] = True, True
    assert joint_states(hidden)[:, [0, 20]].tolist() == [[0, 0], [3, 1], [4, 2]]


@pytest.mark.parametrize("count", [0, 6])
def test_simulated_errors_have_the_measured_size(count):
    hidden = np.arange(NUM_JOINTS) >= NUM_JOINTS - count
    model, hand = load_detector_model(), still_hand(300, hidden)
    simulation = DetectorSimulation(model, Unposed())
    crop = true_crop(hand.joints[0], CAMERA)
    places = crop.from_image(CAMERA.project(KEYPOINTS_FROM_JOINTS @ hand.joints[0]))
    points = (hand.joints[0] - hand.joints[0, 0]) @ crop.R_camera_crop
    said, _ = model.said(places[None], points[None] * 0.09 / np.linalg.norm(points[9]))
    state = joint_states(hidden)
    shrink = model.keypoint_shrink[state, PLACES][:, None]
    expected = model.keypoint_average + shrink * (said[0] - model.keypoint_average)
    errors, logs = [], []
    for seed in range(8):
        for frame in simulation.observe(hand, np.random.default_rng(seed)):
            for seen in frame.hands:
                errors.append(crop.from_image(seen.keypoints_px) - expected)
                logs.append(np.log(seen.keypoint_sigma_px / crop.roi.size_px))
    error = np.array(errors)
    for joint in (8, 20):
        size = np.abs(error[:, joint]) / model.keypoint_scale[state[joint], PLACES[joint]]
        table = np.abs(model.keypoint_quantiles[state[joint]])
        assert np.median(size) == pytest.approx(np.median(table), rel=0.3)
        assert np.median(np.array(logs)[:, joint]) == pytest.approx(
            model.keypoint_sigma[0][state[joint], PLACES[joint]], abs=0.35
        )


def test_the_simulation_trembles_in_bursts():
    hand = still_hand(400, np.zeros(NUM_JOINTS, dtype=bool))
    simulation, sizes = DetectorSimulation(load_detector_model(), Unposed()), []
    for seed in range(4):
        frames = simulation.observe(hand, np.random.default_rng(seed))
        pixels = np.array(
            [frame.hands[0].keypoints_px if frame.hands else np.full((21, 2), np.nan) for frame in frames]
        )
        trembling = np.linalg.norm(np.diff(pixels, n=2, axis=0), axis=-1).mean(axis=1)
        sizes.append(trembling[np.isfinite(trembling)])
    size = np.concatenate(sizes)
    # Normal noise of one size gives 1.3; the real detector's restless images are far from its calm ones.
    assert np.percentile(size, 95) / np.median(size) > 2.5
    calm = size[:-1] < np.median(size)
    assert np.median(size[1:][calm]) < 0.6 * np.median(size[1:][~calm])


def test_false_points_do_not_follow_the_truth():
    model = load_detector_model()
    hidden = np.zeros(NUM_JOINTS, dtype=bool)
    hidden[[1, 2, 3, 4, 5, 6, 7, 8, 10, 11, 12, 14, 15, 16]] = True
    shrink = model.keypoint_shrink[joint_states(hidden), PLACES]
    assert shrink[8] < 0.6 < shrink[0]


def test_a_covered_hand_is_lost_and_found_again():
    hidden = np.zeros((300, NUM_JOINTS), dtype=bool)
    hidden[100:200] = True
    bare = still_hand(300, hidden[0])
    hand = TrueHand(bare.times_s, bare.joints, hidden, CAMERA)
    frames = DetectorSimulation(load_detector_model(), Unposed()).observe(hand, np.random.default_rng(0))
    seen = np.array([bool(frame.hands) for frame in frames])
    assert seen[:100].mean() > 0.95
    assert not seen[110:200].any()
    assert seen[220:].mean() > 0.9


@pytest.mark.parametrize("kind", KINDS)
def test_patterns_hide_what_they_say_for_as_long_as_they_say(kind):
    hand, times = still_hand(90, np.zeros(NUM_JOINTS, dtype=bool)), np.arange(90) / 30
    pixels = CAMERA.project(hand.joints)
    hidden = hide_joints(kind, pixels, times, 1.0, 0.5, np.random.default_rng(2))
    span = (1.0 - SWEEP_S, 1.5 + SWEEP_S) if kind == "whole" else (1.0, 1.5)
    during = (times >= 1.0) & (times < 1.5)
    assert not hidden[(times < span[0] - 0.01) | (times > span[1] + 0.01)].any()
    assert hidden[during].any(axis=1).mean() > 0.8
    assert hidden[during].all() == (kind == "whole")


def test_an_unknown_pattern_is_refused():
    with pytest.raises(ConfigError, match="hidden as"):
        hide_joints("fog", np.zeros((2, 21, 2)), np.arange(2.0), 0.0, 1.0, np.random.default_rng(0))


def test_windows_are_the_same_each_time_and_evenly_spread():
    first, second = (list(occluded_windows(waving(), MODEL, 24, 5)) for _ in range(2))
    assert all(np.array_equal(a.hand.joints, b.hand.joints) for a, b in zip(first, second, strict=True))
    assert all(np.array_equal(a.hand.hidden, b.hand.hidden) for a, b in zip(first, second, strict=True))
    assert {(window.kind, window.gap_s) for window in first} == {
        (k, g) for k in KINDS for g in (0.2, 0.5, 1.0, 2.0)
    }
    assert len({window.label for window in first}) == 6
    sizes = [np.linalg.norm(window.hand.joints[0, 9] - window.hand.joints[0, 0]) for window in first]
    assert 0.03 < np.std(sizes) / np.mean(sizes) < 0.11


def test_recordings_that_are_too_short_are_refused():
    with pytest.raises(DataError, match="no recording lasts"):
        next(occluded_windows(waving(seconds=1.0), MODEL, 1, 0))


def test_a_mixture_conditions_as_a_gaussian_does():
    rng = np.random.default_rng(1)
    root = rng.normal(size=(4, 4))
    mixture = PoseMixture(np.ones(1), rng.normal(size=(1, 4)), (root @ root.T)[None])
    values, sigma = rng.normal(size=4), np.array([0.1, np.inf, 0.3, np.inf])
    precision = np.linalg.inv(root @ root.T) + np.diag(sigma**-2)
    expected = np.linalg.solve(
        precision, np.linalg.inv(root @ root.T) @ mixture.means[0] + np.diag(sigma**-2) @ values
    )
    assert mixture.given(values, sigma) == pytest.approx(expected)
    two = PoseMixture(np.array([0.5, 0.5]), np.array([[-2.0], [2.0]]), np.full((2, 1, 1), 0.01))
    assert two.given(np.array([1.9]), np.array([0.1])) == pytest.approx([1.95], abs=1e-6)


def test_rotation_vectors_do_not_leap():
    turns = Rotation.from_euler("z", np.linspace(0, 400, 60)[:, None], degrees=True).as_rotvec()
    smooth = without_leaps(turns)
    assert smooth[-1, 2] == pytest.approx(np.radians(400))
    assert Rotation.from_rotvec(smooth).approx_equal(Rotation.from_rotvec(turns), atol=1e-9).all()


def test_baselines_give_finite_hands_with_the_real_initializer():
    models = shipped_baselines()
    assert models is not None
    window = next(occluded_windows(waving(), MODEL, 1, 0))
    simulation = DetectorSimulation(load_detector_model(), HandInitializer(MODEL))
    frames = simulation.observe(window.hand, np.random.default_rng(0))
    hand = track_hand(frames, HandKinematics(MODEL, torch.float64))
    assert hand is not None
    # Wrist-relative: one camera does not see how far away a hand of unknown size is.
    error = np.linalg.norm(wrist_aligned(hand.joints) - wrist_aligned(window.hand.joints), axis=-1)
    assert np.median(error[window.judged & ~window.in_gap]) < 0.05
    for name, method in baselines(TrackingParameters(), pose_mixtures(models)).items():
        joints = method(hand)
        assert joints.shape == window.hand.joints.shape, name
        assert np.isfinite(joints).all(), name


def test_the_command_prints_the_same_object_twice_and_a_page(tmp_path):
    path = tmp_path / "motion.npz"
    write_joint_file(path, waving_motion(2, 90))
    arguments = ["eval", "motion", str(path), "--windows", "2", "--cache", str(tmp_path / "cache"), "--json"]
    first = CliRunner().invoke(app, arguments, catch_exceptions=False)
    page = tmp_path / "page.html"
    second = CliRunner().invoke(app, [*arguments, "--report", str(page)], catch_exceptions=False)
    summary = json.loads(first.stdout)
    assert summary == json.loads(second.stdout)
    assert {"methods", "by_gap", "coverage_2sigma", "wrist_nees", "windows", "quiet", "baselines"} <= set(summary)
    assert {
        "detector",
        "initializer",
        "hold",
        "slerp",
        "one_euro",
        "kalman",
        "kalman_rts",
        "pca",
        "gmm",
        "online",
        "offline",
        "paper_adam",
    } == set(summary["methods"])
    ran = {name for name, figures in summary["methods"].items() if (figures["coverage"] or 0.0) > 0.0}
    ran |= {name for name, figures in summary["quiet"]["methods"].items() if (figures["coverage"] or 0.0) > 0.0}
    assert ran == set(summary["methods"]) - {"paper_adam"}, "minutes a window, so only where it is asked for"
    assert summary["windows"] + summary["quiet"]["windows"] == 2
    assert page.read_text().count("data:image/png") >= 2


def test_a_broken_model_file_is_named(tmp_path):
    broken = tmp_path / "model.safetensors"
    broken.write_bytes(b"nothing")
    with pytest.raises(AssetError, match="measure_detector"):
        load_detector_model(broken)
