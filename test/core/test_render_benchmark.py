# SPDX-FileCopyrightText: 2026 The hmp_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Rendered windows: truth, things in the way, what the real perception sees of them, and the command."""

import json

import numpy as np
import pytest
import torch
from prior_motion import waving_motion, write_joint_file
from scipy.spatial.transform import Rotation
from typer.testing import CliRunner

from hmp_core.cli.main import app
from hmp_core.errors import ConfigError
from hmp_core.evaluation.occluded_window import plan_windows
from hmp_core.evaluation.recorded_motion import RecordedMotion, WristCourse
from hmp_core.evaluation.rendered_sight import Onlooker, draw_results
from hmp_core.evaluation.rendered_window import CAMERA, stage_window
from hmp_core.evaluation.staged_hand import Stage
from hmp_core.hand.kinematics import HandKinematics
from hmp_core.hand.loading import load_hand_model
from hmp_core.hand.mesh import HandMesh
from hmp_core.media.occluder import CarriedPass, OcclusionPass, hidden_behind

MODEL = load_hand_model()


def planned(kinds, seed=3):
    """A stage with windows of these kinds, gaps of 0.2 s first."""
    motion = RecordedMotion(waving_motion(6, 120), None)
    stage, plans = Stage(motion, MODEL, CAMERA), list(plan_windows(motion, 9, seed))
    return stage, [stage_window(stage, MODEL, plan) for plan in plans if plan.kind in kinds]


def hidden_by_things(window):
    """Joints [T, 21] behind things, without drawing anything."""
    hidden = np.zeros(window.hand.joints.shape[:2], bool)
    for thing, way in window.scene.occlusions:
        for index, time_s in enumerate(window.hand.times_s):
            pose = way.pose(float(time_s))
            if pose is not None:
                hidden[index] |= hidden_behind(window.hand.joints[index], thing.placed(*pose), thing.faces)
    return hidden


def test_a_slower_camera_sees_every_second_frame():
    fingers = waving_motion(2, 9)
    frames = np.arange(18)
    R = Rotation.from_euler("z", frames[:, None]).as_matrix()
    thinned = RecordedMotion(fingers, WristCourse(R, np.repeat(frames[:, None], 3, axis=1))).at_rate(15.0)
    kept = [0, 2, 4, 6, 8, 9, 11, 13, 15, 17]
    assert thinned.fingers.rate_hz == 15.0
    assert thinned.fingers.lengths.tolist() == [5, 5]
    assert torch.equal(thinned.fingers.rotation_vectors, fingers.rotation_vectors[kept])
    assert thinned.wrist is not None
    assert thinned.wrist.position[:, 0].tolist() == kept
    assert RecordedMotion(fingers, None).at_rate(20.0).fingers.rate_hz == 30.0, (
        "30 Hz are nearer to 20 than 15 below"
    )


def test_a_carried_thing_goes_along():
    nowhere, far = np.zeros(3), np.array([1.0, 0, 0])
    passing = OcclusionPass(1.0, 2.0, 0.5, np.array([0, 0, 0.3]), far, far, np.eye(3), nowhere)
    carried = CarriedPass(passing, np.array([0.0, 4.0]), np.array([nowhere, [0, 0.4, 0]]))
    assert carried.pose(0.2) is None
    pose = carried.pose(2.0)
    assert pose is not None
    assert pose[1] == pytest.approx([0, 0.2, 0.3])


def test_the_rendered_mesh_has_the_true_joints():
    _, windows = planned(("whole",))
    for window in windows:
        course = window.scene.hands[0]
        rotations = torch.from_numpy(
            Rotation.from_rotvec(course.rotation_vectors.reshape(-1, 3)).as_matrix().reshape(-1, 16, 3, 3)
        )
        kinematics = HandKinematics(course.model, torch.float64)
        joints = kinematics.joints(rotations, torch.from_numpy(course.betas), torch.from_numpy(course.translation))
        np.testing.assert_allclose(joints.numpy(), window.hand.joints, atol=1e-9)
        poses = (course.rotation_vectors[:1].copy(), course.betas, course.translation[:1])
        vertices = HandMesh(course.model).vertices(*map(torch.from_numpy, poses))[0].numpy()
        tips = vertices[course.model.tip_vertices]
        np.testing.assert_allclose(tips, window.hand.joints[0, [4, 8, 12, 16, 20]], atol=5e-3)


def test_things_hide_what_they_are_meant_to_and_when():
    _, windows = planned(("whole", "fingers", "object"))
    for window in windows:
        plan, times = window.plan, window.hand.times_s
        hidden = hidden_by_things(window)
        inside = (times >= plan.lead_s) & (times <= plan.lead_s + plan.gap_s)
        away = (times < plan.lead_s - 0.35) | (times > plan.lead_s + plan.gap_s + 0.35)
        assert not hidden[away].any()
        if plan.kind == "whole":
            assert hidden[inside].all()
        else:
            assert 0.04 < hidden[inside].mean() < 1.0
    partly = [hidden_by_things(w).mean(axis=1).max() for w in windows if w.plan.kind != "whole"]
    assert min(partly) < 0.8


def test_the_real_perception_sees_the_hand_until_it_is_gone_and_sights_are_kept(tmp_path):
    stage, (window, *_) = planned(("whole",))
    looked = []
    onlooker = Onlooker(MODEL, tmp_path)
    sight = onlooker.look(window, "a", lambda: looked.append(1))
    truth = window.judged_by(stage, sight.behind)
    assert len(looked) == len(sight.observations) == len(window.hand.times_s)
    np.testing.assert_array_equal(sight.behind, hidden_by_things(window) | ~window.hand.inside)
    assert truth.in_gap.sum() >= round(30 * window.plan.gap_s)
    gone, clear = sight.behind.all(axis=1), ~sight.behind.any(axis=1)
    seen = np.array([bool(frame.hands) for frame in sight.observations])
    assert seen[clear].mean() > 0.8
    assert seen[gone].mean() < 0.5
    index = int(np.flatnonzero(seen & clear)[0])
    pixels = CAMERA.project(window.hand.joints[index])
    error = np.linalg.norm(sight.observations[index].hands[0].keypoints_px - pixels, axis=1)
    assert np.median(error) < 15
    again = onlooker.look(window, "a", lambda: looked.append(1))
    assert len(looked) == len(sight.observations), "from disk"
    assert [frame.stamp_ns for frame in again.observations] == [frame.stamp_ns for frame in sight.observations]
    drawn = draw_results(sight, CAMERA, [(window.hand.joints, (0, 0, 255))])
    assert drawn.shape == (CAMERA.height // 2, len(sight.shown) * CAMERA.width // 2, 3)
    pure = draw_results(sight, CAMERA, [(np.full_like(window.hand.joints, np.nan), (0, 0, 255))])
    assert (drawn != pure).any()


def test_the_command_gives_the_figures_of_the_motion_benchmark_and_goes_on_from_what_it_saw(tmp_path):
    path, page = tmp_path / "motion.npz", tmp_path / "page.html"
    write_joint_file(path, waving_motion(2, 60))
    arguments = ["eval", "render", "--motion", str(path), "--windows", "2", "--cache", str(tmp_path), "--json"]
    first = CliRunner().invoke(app, [*arguments, "--report", str(page)], catch_exceptions=False)
    summary = json.loads(first.stdout)
    assert {"methods", "by_gap", "coverage_2sigma", "wrist_nees", "windows", "quiet", "baselines"} == set(summary)
    assert summary["windows"] + summary["quiet"]["windows"] == 2
    ran = {
        name
        for part in (summary, summary["quiet"])
        for name, figures in part["methods"].items()
        if (figures["coverage"] or 0.0) > 0.0
    }
    assert ran == set(summary["methods"]) - {"paper_adam"}
    assert len(list(tmp_path.glob("render/*/*/*.mcap"))) == 2
    text = page.read_text()
    assert "data:image/png" in text
    assert text.count("data:image/jpeg") == summary["windows"]
    second = CliRunner().invoke(app, arguments, catch_exceptions=False)
    assert json.loads(second.stdout) == summary


def test_signs_without_a_recording_are_refused(tmp_path):
    with pytest.raises(ConfigError, match="--motion"):
        CliRunner().invoke(app, ["eval", "render", "--split", str(tmp_path / "s.json")], catch_exceptions=False)


def test_the_forearm_stays_behind_the_wrist():
    _, windows = planned(("whole", "fingers", "object"))
    for window in windows:
        course = window.scene.hands[0]
        forearm = course.elbow - course.joints[:, 0]
        fingers = course.joints[:, 9] - course.joints[:, 0]
        cosine = (forearm * fingers).sum(axis=1) / np.linalg.norm(forearm, axis=1) / np.linalg.norm(fingers, axis=1)
        assert cosine.max() < -0.85
