# SPDX-FileCopyrightText: 2026 The hmp_ros authors
# SPDX-License-Identifier: Apache-2.0
import numpy as np
import pytest
import torch
from scipy.spatial.transform import Rotation

from hmp_core.errors import ConfigError
from hmp_core.hand.kinematics import HandKinematics
from hmp_core.hand.loading import load_hand_model
from hmp_core.hand.skeleton import Side
from hmp_core.media.intrinsics import Intrinsics, load_camera
from hmp_core.media.scene import SceneConfig, make_scene
from hmp_core.media.sources import open_source
from hmp_core.media.synth import SceneRenderer


def models():
    right = load_hand_model()
    return {"right": right, "left": right.mirrored()}


def test_clip_has_its_length_times_camera_and_sides(clip):
    camera = load_camera(clip.folder / "camera.json")
    frames = list(open_source(clip.video, Intrinsics(camera)))
    assert len(frames) == 60
    np.testing.assert_allclose([frame.stamp_ns for frame in frames], clip.truth["stamps_ns"], atol=12_000)
    assert frames[0].image.shape == (360, 480, 3)
    assert frames[0].camera.calibrated
    assert clip.truth["side"].tolist() == ["right", "left"]
    assert clip.truth["hidden"].shape == (60, 2, 21)
    for name, shape in {"pose": (16, 3), "joints_camera": (21, 3), "translation": (3,)}.items():
        assert clip.truth[name].shape == (60, 2, *shape)
        assert np.isfinite(clip.truth[name]).all()


def test_true_joints_follow_from_the_true_pose_on_both_sides(clip):
    for hand, side in enumerate(clip.truth["side"]):
        pose, betas = clip.truth["pose"][:, hand], clip.truth["betas"][hand]
        rotations = torch.from_numpy(Rotation.from_rotvec(pose.reshape(-1, 3)).as_matrix()).reshape(-1, 16, 3, 3)
        kinematics = HandKinematics(models()[str(side)], torch.float64)
        translation = torch.from_numpy(clip.truth["translation"][:, hand])
        joints = kinematics.joints(rotations, torch.from_numpy(betas), translation)
        np.testing.assert_allclose(joints, clip.truth["joints_camera"][:, hand], atol=1e-6)


def test_motion_is_smooth_and_stays_in_front_of_the_camera(clip):
    joints = clip.truth["joints_camera"]
    assert joints[..., 2].min() > 0.15
    speed = np.linalg.norm(np.diff(joints, axis=0), axis=-1) * clip.config.fps
    assert speed.max() < 5.0  # m/s, a fast hand
    assert speed.mean() > 0.02
    assert np.linalg.norm(np.diff(joints, n=2, axis=0), axis=-1).max() < 0.05


def test_hands_are_drawn_where_the_truth_says_and_things_where_it_says_hidden(clip):
    """Colour under the true joints: skin where visible, the thing's colour where it hides them."""
    camera = load_camera(clip.folder / "camera.json")
    frames = list(open_source(clip.video, Intrinsics(camera)))
    hidden = clip.truth["hidden"]
    occluded_frames = np.nonzero(hidden.sum(axis=(1, 2)) >= 5)[0]
    assert len(occluded_frames) > 5
    clear = hidden.sum(axis=(1, 2)) == 0
    assert clear.sum() > 10
    skin, covered = [], []
    for index in range(0, 60, 3):
        pixels = np.rint(camera.project(clip.truth["joints_camera"][index])).astype(int)
        inside = camera.contains(pixels.astype(float))
        shown = frames[index].image[pixels[..., 1].clip(0, 359), pixels[..., 0].clip(0, 479)].astype(float)
        skin.append(shown[inside & ~hidden[index]])
        covered.append(shown[inside & hidden[index]])
    skin, covered = np.concatenate(skin), np.concatenate(covered)
    skin_colour, thing_colour = np.median(skin, axis=0), np.median(covered, axis=0)
    assert (np.abs(skin - skin_colour).max(axis=1) < 80).mean() > 0.9
    assert (np.abs(covered - thing_colour).max(axis=1) < 80).mean() > 0.9
    assert np.abs(skin_colour - thing_colour).max() > 40


def test_same_settings_give_the_same_clip(clip):
    scene = make_scene(load_hand_model(), clip.config)
    for hand, course in enumerate(scene.hands):
        np.testing.assert_array_equal(course.joints, clip.truth["joints_camera"][:, hand])
    renderer = SceneRenderer(scene)
    drawn = next(renderer.frames())
    filmed = next(iter(open_source(clip.video))).image
    assert np.abs(drawn.astype(int) - filmed).mean() < 4  # but for the video's compression
    np.testing.assert_array_equal(renderer.hidden[0], clip.truth["hidden"][0])


@pytest.mark.parametrize(
    "wrong",
    [{"seconds": 0}, {"fps": 500}, {"width": 10}, {"fov_deg": 170}, {"passes": -1}, {"seed": -1},
     {"sides": ()}, {"sides": (Side.LEFT, Side.LEFT)}, {"occluder": "elephant"}],
)  # fmt: skip
def test_bad_settings_are_refused(wrong):
    with pytest.raises(ConfigError):
        SceneConfig(**wrong)
