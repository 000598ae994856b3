# SPDX-FileCopyrightText: 2026 The hmp_ros authors
# SPDX-License-Identifier: Apache-2.0
import json

import numpy as np
import pytest

from hmp_core.camera import Camera
from hmp_core.estimate import FrameEstimate, HandEstimate, HandStatus
from hmp_core.evaluation.summary import reprojection_px, summarize
from hmp_core.hand.loading import load_hand_model
from hmp_core.hand.skeleton import Side
from hmp_core.lens import Distortion
from hmp_core.media.hand_recorder import HandRecorder
from hmp_core.observation import FrameObservation, HandObservation, ManoPose, Roi
from hmp_core.perception.keypoint_model import KEYPOINTS_FROM_JOINTS

CAMERA = Camera(640, 480, 600, 600, 319.5, 239.5, Distortion.PLUMB_BOB, (-0.3, 0.1, 0.0, 0.0, 0.0))


def joints(offset=0.0):
    rng = np.random.default_rng(0)
    return rng.normal(0, 0.05, (21, 3)) + np.array([0, 0, 0.5 + offset])


def pose(offset=0.0):
    return ManoPose(np.zeros((16, 3)), np.zeros(10), np.array([0.0, 0.0, 0.5 + offset]))


def observation(track=1, side=Side.RIGHT, keypoints=None, initial=None):
    keypoints = np.zeros((21, 2)) if keypoints is None else keypoints
    roi = Roi(np.zeros(2), 1.0, 0.0)
    return HandObservation(
        track, side, 0.9, 0.8, roi, keypoints, np.ones(21), np.zeros((21, 3)), np.ones(21), initial
    )


def estimate(track=1, status=HandStatus.OBSERVED, side=Side.RIGHT, points=None, observed=True):
    return HandEstimate(
        track, side, 0.9, status, 0.8, 0, joints() if points is None else points, np.full(21, 0.01),
        np.full(21, observed), pose(), np.eye(3), np.eye(6),
    )  # fmt: skip


@pytest.fixture
def recorder():
    return HandRecorder(load_hand_model())


def add(recorder, stamp, seen=(), hands=(), **stage_ms):
    recorder.add(FrameObservation(stamp, CAMERA, tuple(seen)), FrameEstimate(stamp, tuple(hands), stage_ms))


def test_tracks_keep_their_slot_and_free_it_when_they_leave(recorder):
    add(recorder, 1, hands=[estimate(5), estimate(6, side=Side.LEFT)])
    add(recorder, 2, hands=[estimate(6, side=Side.LEFT)])
    add(recorder, 3, seen=[observation(9, side=None)], hands=[estimate(6, side=Side.LEFT)])
    add(recorder, 4, hands=[estimate(9), estimate(6, side=Side.LEFT), estimate(12)])
    arrays = recorder.arrays()
    np.testing.assert_array_equal(arrays["track_id"], [[5, 6], [-1, 6], [9, 6], [9, 6]])
    np.testing.assert_array_equal(arrays["side"], [[2, 1], [0, 1], [0, 1], [2, 1]])
    np.testing.assert_array_equal(arrays["status"], [[1, 1], [0, 1], [0, 1], [1, 1]])
    assert np.isnan(arrays["joints_camera"][1, 0]).all()
    assert np.isfinite(arrays["keypoints_px"][2, 0]).all()


@pytest.mark.parametrize("side", Side)
def test_initializer_joints_follow_from_its_pose_for_its_side(recorder, side):
    add(recorder, 1, seen=[observation(side=side, initial=pose())])
    fingertips = recorder.arrays()["initial_joints_camera"][0, 0, [8, 12, 16, 20]]
    model = load_hand_model() if side is Side.RIGHT else load_hand_model().mirrored()
    tips = model.v_template[model.tip_vertices[1:]] + np.array([0, 0, 0.5])
    np.testing.assert_allclose(fingertips, tips, atol=1e-6)


def test_reprojection_respects_distortion_and_evidence(recorder):
    pixels = CAMERA.project(KEYPOINTS_FROM_JOINTS @ joints())
    half = estimate(2)
    half.joint_observed[10:] = False
    add(recorder, 1, seen=[observation(1, keypoints=pixels + np.array([3, 4])), observation(2, keypoints=pixels)],
        hands=[estimate(1), half])  # fmt: skip
    errors = reprojection_px(recorder.arrays())[0]
    np.testing.assert_allclose(errors[0], 5.0)
    np.testing.assert_allclose(errors[1, :10], 0.0, atol=1e-9)
    assert np.isnan(errors[1, 10:]).all()


def test_summary_counts_hands_and_measures_only_what_was_there(recorder):
    still = pose()
    for index in range(6):
        trembling = joints()
        trembling[8] += [0.001 * (index % 2), 0, 0]
        status = HandStatus.INFILLED if index >= 4 else HandStatus.OBSERVED
        seen = [observation(initial=still)] if index < 4 else []
        add(recorder, index, seen, [estimate(status=status, points=trembling)], detect=10.0 + index, initialize=1.0,
            optimize=2.0)  # fmt: skip
    add(recorder, 6)
    summary = summarize(recorder.arrays())
    assert summary["frames"] == 7
    assert summary["tracked_fraction"] == pytest.approx(4 / 7)
    assert summary["sides"] == {"left": 0, "right": 6}
    assert summary["status"] == {"observed": 4, "partial": 0, "infilled": 2, "predicted": 0, "lost": 0}
    assert summary["ms"]["detect"]["median"] == 12.5
    # One joint of 21 with second differences of 2 mm, over the frames that have an initial pose too.
    assert summary["acceleration_mm_per_frame2"]["output"] == pytest.approx(2 / 21)
    assert summary["acceleration_mm_per_frame2"]["initializer"] == pytest.approx(0, abs=1e-9)
    json.dumps(summary, allow_nan=False)


def test_accelerations_are_not_taken_across_tracks(recorder):
    for index in range(4):
        track = 1 if index < 2 else 2
        add(recorder, index, [observation(track, initial=pose())], [estimate(track)])
    assert summarize(recorder.arrays())["acceleration_mm_per_frame2"] == {"initializer": None, "output": None}


def test_nothing_recorded_is_summed_up_and_saved_too(recorder, tmp_path):
    summary = summarize(recorder.arrays())
    assert summary["frames"] == 0
    assert summary["tracked_fraction"] == 0
    assert summary["ms"]["optimize"] == {"median": None, "p95": None}
    recorder.save(tmp_path / "hands.npz")
    with np.load(tmp_path / "hands.npz") as arrays:
        assert not list(arrays)
