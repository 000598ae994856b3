# SPDX-FileCopyrightText: 2026 The hmp_ros authors
# SPDX-License-Identifier: Apache-2.0
import json

import numpy as np
import pytest
from hand_scene import moving_hand
from scipy.spatial.transform import Rotation

from hmp_core.evaluation.occlusion_report import PARTS, HandRun, MethodOutput, OcclusionReport, charged, parts_of

RATE_HZ = 30.0
FRAMES = 40


def run(outputs, hidden=None, active=True, gap_s=None, truth=None):
    scene = moving_hand(FRAMES)
    return HandRun(
        side=scene.side,
        truth_camera=scene.joints_camera if truth is None else truth,
        hidden=np.zeros((FRAMES, 21), bool) if hidden is None else hidden,
        active=np.full(FRAMES, active),
        gap_s=np.full(FRAMES, np.nan) if gap_s is None else gap_s,
        outputs=outputs,
    )


def summary(*runs):
    report = OcclusionReport(list(runs[0].outputs), RATE_HZ)
    for one in runs:
        report.add(one)
    return report.summary()


@pytest.fixture
def truth():
    return moving_hand(FRAMES).joints_camera


def test_missing_frames_are_charged_with_the_last_output_and_at_the_start_with_the_first():
    values = np.full((6, 2), np.nan)
    values[2], values[4, 0] = (1, 2), 9  # half of frame 4 is not an output
    np.testing.assert_array_equal(charged(values), [[1, 2]] * 6)
    values[4] = (3, 4)
    np.testing.assert_array_equal(charged(values)[:, 0], [1, 1, 1, 1, 3, 3])
    assert np.isnan(charged(np.full((3, 2), np.nan))).all()


def test_parts_divide_all_joints():
    hidden = np.zeros((3, 21), bool)
    hidden[1, 4], hidden[2] = True, True
    parts = parts_of(hidden)
    assert sum(mask.astype(int) for mask in parts.values()).min() == 1
    assert parts["hidden_partial"].sum() == 1
    assert parts["hidden_partial"][1, 4]
    assert parts["hidden_whole"].sum() == 21
    assert parts["hidden_whole"][2].all()


def test_errors_fall_to_the_parts_of_their_joints(truth):
    hidden = np.zeros((FRAMES, 21), bool)
    hidden[10:18, 8], hidden[20:30] = True, True
    joints = truth.copy()
    joints[10:18, 8] += (0.003, 0, 0.004)  # 5 mm
    joints[20:30, 1:] += (0, 0.007, 0)  # 7 mm of all but the wrist
    gap_s = np.full(FRAMES, np.nan)
    gap_s[10:18], gap_s[20:30] = 0.5, 0.2
    result = summary(run({"online": MethodOutput(joints)}, hidden, gap_s=gap_s))
    errors = result["methods"]["online"]["ra_mpjpe_mm"]
    assert errors == {"observed": 0.0, "hidden_partial": 5.0, "hidden_whole": pytest.approx(7 * 20 / 21, abs=1e-3)}
    by_gap = result["by_gap"]
    assert list(by_gap) == ["0.2", "0.5"]
    assert by_gap["0.5"]["online"]["hidden_partial"] == 5.0
    assert by_gap["0.2"]["online"] == {
        "observed": None,
        "hidden_partial": None,
        "hidden_whole": errors["hidden_whole"],
    }
    # A step at each end of each stretch, of which the entry of the frame inside counts here.
    accelerations = result["methods"]["online"]["ra_acc_mm_per_frame2"]
    assert accelerations["hidden_whole"] == pytest.approx(2 * 7 * 20 / (10 * 21), abs=1e-3)
    assert accelerations["hidden_partial"] == pytest.approx(2 * 5 / 8, abs=1e-3)


def test_similarity_is_no_procrustes_error(truth):
    R = Rotation.from_rotvec([0.3, -0.2, 0.5]).as_matrix()
    result = summary(run({"a": MethodOutput(1.2 * truth @ R.T + [0.1, 0, 0])}))["methods"]["a"]
    assert result["pa_mpjpe_mm"]["observed"] == 0.0
    assert result["ra_mpjpe_mm"]["observed"] > 10
    assert result["wrist_deg"] == pytest.approx(np.degrees(np.linalg.norm([0.3, -0.2, 0.5])), abs=1e-3)


def test_wrist_errors_across_and_along_the_ray(truth):
    rays = truth[:, 0] / np.linalg.norm(truth[:, 0], axis=1, keepdims=True)
    across = np.cross(rays, [0, 1.0, 0])
    across /= np.linalg.norm(across, axis=1, keepdims=True)
    moved = truth + (0.012 * rays - 0.004 * across)[:, None]
    wrist = summary(run({"a": MethodOutput(moved)}))["methods"]["a"]["wrist_mm"]
    assert wrist == {"lateral": 4.0, "depth": 12.0}


def test_active_and_quiet_frames_are_reported_apart(truth):
    outputs = {"a": MethodOutput(truth + np.where(np.arange(21) == 5, 0.021, 0.0)[:, None] * np.array([1.0, 0, 0]))}
    result = summary(run(outputs), run({"a": MethodOutput(truth)}, active=False))
    assert result["methods"]["a"]["ra_mpjpe_mm"]["observed"] == 1.0
    assert result["quiet"]["methods"]["a"]["ra_mpjpe_mm"]["observed"] == 0.0
    assert result["windows"] == result["quiet"]["windows"] == 1
    assert set(result) - {"quiet"} == set(result["quiet"])


def test_sigmas_that_tell_the_truth(truth):
    rng = np.random.default_rng(3)
    sigma = rng.uniform(0.002, 0.01, (FRAMES, 21))
    hidden = np.zeros((FRAMES, 21), bool)
    hidden[:, 9:] = True
    covariance = np.diag([4e-6, 4e-6, 1e-4, 1e-3, 2e-3, 3e-3])
    observed, expected, nees = [], [], []
    for _ in range(30):
        relative = rng.normal(size=truth.shape) * sigma[..., None]
        wrist = rng.multivariate_normal(np.zeros(6), covariance, FRAMES)
        turn = Rotation.from_rotvec(wrist[:, 3:]).as_matrix()
        joints = (truth - truth[:, :1]) @ turn.swapaxes(1, 2) + truth[:, :1] + wrist[:, None, :3]
        nees.append(
            summary(run({"online": MethodOutput(joints, None, np.tile(covariance, (FRAMES, 1, 1)))}))["wrist_nees"]
        )
        noisy = truth + relative - relative[:, :1] * (np.arange(21) == 0)[:, None]
        coverage = summary(run({"online": MethodOutput(noisy, sigma)}, hidden))["coverage_2sigma"]
        observed.append(coverage["observed"])
        expected.append(coverage["hidden"])
    assert np.mean(nees) == pytest.approx(6, rel=0.05)
    assert np.mean(observed) == pytest.approx(0.9545, abs=0.01)
    assert np.mean(expected) == pytest.approx(0.9545, abs=0.01)


def test_frames_without_a_sigma_or_an_output_are_in_no_calibration_figure(truth):
    joints, sigma = truth.copy(), np.full((FRAMES, 21), 0.001)
    covariance = np.tile(np.eye(6), (FRAMES, 1, 1))
    joints[:10] = np.nan
    sigma[10:20], covariance[10:20] = -1, np.diag(np.full(6, -1.0))
    joints[10:20, 1:] += 0.5
    result = summary(run({"online": MethodOutput(joints, sigma, covariance)}))
    assert result["coverage_2sigma"] == {"observed": 1.0, "hidden": None}
    assert result["wrist_nees"] == 0.0
    assert result["methods"]["online"]["coverage"] == 0.75


def test_a_missed_hand_is_charged_and_one_never_found_shows_in_the_coverage(truth):
    gone, never = truth.copy(), np.full_like(truth, np.nan)
    gone[10:] = np.nan
    result = summary(run({"online": MethodOutput(gone), "detector": MethodOutput(never)}))["methods"]
    assert result["online"]["ra_mpjpe_mm"]["observed"] > 5
    assert result["online"]["coverage"] == 0.25
    assert result["detector"]["coverage"] == 0.0
    assert result["detector"]["ra_mpjpe_mm"]["observed"] is None
    assert result["detector"]["lag_ms"] is None


def test_frames_without_truth_do_not_count(truth):
    partial = truth.copy()
    partial[5:15] = np.nan
    wrong = truth.copy()
    wrong[5:15] += 1.0
    wrong[5:15, 3] += 1.0
    result = summary(run({"online": MethodOutput(wrong)}, truth=partial))["methods"]["online"]
    assert result["ra_mpjpe_mm"]["observed"] == 0.0
    assert result["ra_acc_mm_per_frame2"]["observed"] == 0.0
    assert result["coverage"] == 1.0


def test_lag_of_a_late_output():
    scene = moving_hand(FRAMES + 3)
    late = run({"late": MethodOutput(scene.joints_camera[:-3])}, truth=scene.joints_camera[3:])
    assert summary(late)["methods"]["late"]["lag_ms"] is None  # too short to say
    assert summary(late, late, late)["methods"]["late"]["lag_ms"] == pytest.approx(100, abs=5)


def test_an_empty_report_is_json_of_the_same_shape():
    result = OcclusionReport(("detector", "online"), RATE_HZ).summary()
    assert json.loads(json.dumps(result))["methods"]["online"]["ra_mpjpe_mm"] == dict.fromkeys(PARTS)
    assert result["wrist_nees"] is None
    assert result["windows"] == 0
    assert result["by_gap"] == {}
