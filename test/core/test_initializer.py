# SPDX-FileCopyrightText: 2026 The hmp_ros authors
# SPDX-License-Identifier: Apache-2.0
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import onnxruntime
import pytest
import roma
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from hmp_core.camera import Camera
from hmp_core.cli import train_initializer as command
from hmp_core.frame import Frame
from hmp_core.hand.kinematics import HandKinematics
from hmp_core.hand.loading import load_hand_model
from hmp_core.hand.mirror import mirror_points, mirror_rotation_vector
from hmp_core.hand.model import HandModel
from hmp_core.hand.skeleton import Side
from hmp_core.media.perceived_hands import perceive_hands
from hmp_core.observation import ManoPose
from hmp_core.perception.initializer import HandInitializer
from hmp_core.perception.keypoint_model import KEYPOINTS_FROM_JOINTS
from hmp_core.perception.pipeline import HandPerception
from hmp_core.training.initializer import InitializerTrainer, InitializerTraining
from hmp_core.training.initializer_export import export_initializer
from hmp_core.training.initializer_hands import Hands, HandSampler

CLIP = Path(__file__).resolve().parents[3] / "shared/data/video/dexr_hand.mp4"
SIGMA = np.full(21, 2e-3)


@pytest.fixture(scope="module")
def model() -> HandModel:
    return load_hand_model()


@pytest.fixture(scope="module")
def initializer() -> HandInitializer:
    return HandInitializer()


@pytest.fixture(scope="module")
def hands(model) -> Hands:
    """Gentle poses: every joint a little bent at random, palms in any direction."""
    generator = torch.Generator().manual_seed(3)
    bend = torch.rand(200, 15, 3, generator=generator) * torch.tensor([0.1, 0.1, 0.9])
    poses = roma.rotvec_to_rotmat(bend * torch.tensor([1.0, -1.0, 1.0]))
    drawn = HandSampler(poses, HandKinematics(model), 0.0, 0.0, generator).draw(60)
    return drawn


def _posed(model: HandModel, pose: ManoPose) -> np.ndarray:
    kinematics = HandKinematics(model, torch.float64)
    rotations = roma.rotvec_to_rotmat(torch.from_numpy(pose.rotation_vectors))
    translation = torch.from_numpy(pose.translation)
    return kinematics.joints(rotations[None], torch.from_numpy(pose.betas), translation[None])[0].numpy()


def _seen(joints: torch.Tensor, seed: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Exact wrist-relative points, rays of exact keypoints, and where the wrist is."""
    rng = np.random.default_rng(seed)
    points = joints.double().numpy()
    wrist = np.array([rng.uniform(-0.4, 0.4), rng.uniform(-0.3, 0.3), 1.0]) * rng.uniform(0.4, 1.2)
    placed = KEYPOINTS_FROM_JOINTS @ points + wrist
    return points, placed[:, :2] / placed[:, 2:], wrist


def test_exact_points_give_back_the_hand(initializer, model, hands):
    errors, depths = [], []
    for seed, joints in enumerate(hands.joints):
        points, rays, wrist = _seen(joints, seed)
        pose = initializer.initialize(points, rays, SIGMA, Side.RIGHT)
        assert pose is not None
        found = _posed(model, pose)
        errors.append(np.linalg.norm(found - found[0] - points, axis=1)[1:].mean())
        depths.append(abs(found[0, 2] - wrist[2]) / wrist[2])
    assert np.median(errors) < 0.012
    assert np.median(depths) < 0.05


def test_left_hands_are_the_mirror_image(initializer, model, hands):
    for seed, joints in enumerate(hands.joints[:10]):
        points, rays, _ = _seen(joints, seed)
        right = initializer.initialize(points, rays, SIGMA, Side.RIGHT)
        left = initializer.initialize(mirror_points(points), mirror_points(rays), SIGMA, Side.LEFT)
        np.testing.assert_allclose(left.rotation_vectors, mirror_rotation_vector(right.rotation_vectors), atol=1e-6)
        np.testing.assert_allclose(left.betas, right.betas, atol=1e-6)
        # The left model with the left pose stands where the left points were seen.
        np.testing.assert_allclose(_posed(model.mirrored(), left), mirror_points(_posed(model, right)), atol=1e-6)


@settings(deadline=None, max_examples=30)
@given(angle=st.floats(-np.pi, np.pi), seed=st.integers(0, 50))
def test_turning_the_camera_turns_the_pose_and_nothing_else(initializer, model, hands, angle, seed):
    points, rays, _ = _seen(hands.joints[seed], seed)
    turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    roll = np.eye(3)
    roll[:2, :2] = turn
    before = initializer.initialize(points, rays, SIGMA, Side.RIGHT)
    after = initializer.initialize(points @ roll.T, rays @ turn.T, SIGMA, Side.RIGHT)
    np.testing.assert_allclose(after.rotation_vectors[1:], before.rotation_vectors[1:], atol=1e-2)
    np.testing.assert_allclose(_posed(model, after), _posed(model, before) @ roll.T, atol=5e-3)


@settings(deadline=None, max_examples=100)
@given(
    landmarks=arrays(np.float64, (21, 3), elements=st.floats(width=64)),
    rays=arrays(np.float64, (21, 2), elements=st.floats(width=64)),
    sigma=arrays(np.float64, 21, elements=st.floats(width=64)),
    side=st.sampled_from(Side),
)
def test_any_numbers_give_a_finite_pose_or_none(initializer, landmarks, rays, sigma, side):
    pose = initializer.initialize(landmarks, rays, sigma, side)
    if pose is not None:
        for numbers in (pose.rotation_vectors, pose.betas, pose.translation):
            assert np.isfinite(numbers).all()


@pytest.mark.parametrize("trouble", ["nan landmark", "no rays", "all at the wrist", "all on a line"])
def test_nothing_honest_gives_none(initializer, hands, trouble):
    points, rays, _ = _seen(hands.joints[0], 0)
    sigma = SIGMA.copy()
    if trouble == "nan landmark":
        points[7, 1] = np.nan
    elif trouble == "no rays":
        sigma[:] = np.inf
    elif trouble == "all at the wrist":
        points[:], rays[:] = 0.0, 0.0
    else:
        points = np.linspace(0.0, 0.18, 21)[:, None] * np.array([0.6, 0.0, 0.8])
        rays = points[:, :2] / (points[:, 2:] + 0.5)
    assert initializer.initialize(points, rays, sigma, Side.RIGHT) is None


def test_lost_rays_change_little(initializer, model, hands):
    """Joints outside of the image have points but no ray."""
    for seed, joints in enumerate(hands.joints[:20]):
        points, rays, _ = _seen(joints, seed)
        sigma = SIGMA.copy()
        sigma[[7, 8, 11, 12]] = np.inf
        rays[[7, 8, 11, 12]] = np.nan
        pose = initializer.initialize(points, rays, sigma, Side.RIGHT)
        found = _posed(model, pose)
        assert np.linalg.norm(found - found[0] - points, axis=1).mean() < 0.015


def test_another_hand_model_gets_betas_of_its_own(initializer, model, hands):
    other = replace(
        model, name="larger", v_template=model.v_template * 1.06, shapedirs=-model.shapedirs[:, :, ::-1]
    )
    foreign = HandInitializer(other)
    for seed, joints in enumerate(hands.joints[:20]):
        points, rays, _ = _seen(joints, seed)
        own = _posed(model, initializer.initialize(points, rays, SIGMA, Side.RIGHT))
        theirs = _posed(other, foreign.initialize(points, rays, SIGMA, Side.RIGHT))
        # Bone lengths do not show where the base of the thumb sits: a few millimetres stay there.
        assert np.linalg.norm((own - own[0]) - (theirs - theirs[0]), axis=1).mean() < 0.004


def test_rendered_hands_are_no_worse_than_the_raw_world_points(initializer, model, hands):
    """The requirement is 1.1 times the raw error; the real landmark network looks at real pictures."""
    raw, found, without = [], [], 0
    for seen in perceive_hands(model, hands.rotations.numpy(), hands.betas.numpy(), seed=11):
        if seen.presence < 0.5:
            continue
        pose = initializer.initialize(seen.landmarks_m, seen.rays, SIGMA, Side.RIGHT)
        if pose is None:  # keypoints and world points that contradict each other: a hand seen wrong altogether
            without += 1
            continue
        joints, true = _posed(model, pose), seen.joints - seen.joints[0]
        raw.append(np.linalg.norm(seen.landmarks_m - true, axis=1)[1:].mean())
        found.append(np.linalg.norm(joints - joints[0] - true, axis=1)[1:].mean())
    assert len(found) > 40
    assert without <= 3
    assert np.mean(found) <= 1.1 * np.mean(raw)
    assert np.median(found) <= 1.1 * np.median(raw)


def test_a_short_training_learns_and_its_export_agrees(tmp_path, model, hands):
    errors: list[float] = []
    config = InitializerTraining(steps=60, batch=64)
    trainer = InitializerTrainer(hands.rotations[:, 1:], model, config)
    network = trainer.train(lambda step, error_mm: errors.append(error_mm))
    assert np.mean(errors[-5:]) < 0.6 * np.mean(errors[:5])
    export_initializer(network, tmp_path / "net.onnx")
    session = onnxruntime.InferenceSession(str(tmp_path / "net.onnx"), providers=["CPUExecutionProvider"])
    for batch in (1, 7):
        points = hands.joints[:batch]
        view = torch.tensor([0.0, 0.0, 1.0]).repeat(batch, 1)
        with torch.no_grad():
            expected = network(points, points, view)
        inputs = {"landmarks_m": points.numpy(), "ray_points_m": points.numpy(), "view": view.numpy()}
        for ours, theirs in zip(expected, session.run(["rotations", "betas"], inputs), strict=True):
            np.testing.assert_allclose(theirs, ours.numpy(), atol=1e-4)


def test_joints_lie_on_the_hand_of_a_real_video(initializer, model):
    if not CLIP.exists():
        pytest.skip(f"the real clip {CLIP} is not there")
    video = cv2.VideoCapture(str(CLIP))
    perception = HandPerception(initializer=initializer)
    errors = []
    for index in range(60):
        image = video.read()[1]
        camera = Camera.from_field_of_view(image.shape[1], image.shape[0], 69.0)
        for hand in perception.process(Frame(image, index * 33_333_333, camera)).hands:
            if hand.initial is not None:
                projected = camera.project(KEYPOINTS_FROM_JOINTS @ _posed(model, hand.initial))
                errors.append(np.linalg.norm(projected - hand.keypoints_px, axis=1))
    video.release()
    assert len(errors) > 40
    assert np.median(errors) < 10.0


@pytest.mark.slow
def test_the_command_trains_from_poses_and_pictures(tmp_path, monkeypatch, hands):
    monkeypatch.setattr(command, "_RECORDINGS", 2)
    monkeypatch.setattr(command, "_SECONDS", 2.0)
    monkeypatch.setattr(command, "_GRASPS", 1)
    out = tmp_path / "net.onnx"
    command.train_initializer(out, data=None, split=None, pictures=12, steps=10, seed=1, cache=tmp_path)
    session = onnxruntime.InferenceSession(str(out), providers=["CPUExecutionProvider"])
    points = hands.joints[:1].numpy()
    inputs = {"landmarks_m": points, "ray_points_m": points, "view": np.array([[0, 0, 1]], np.float32)}
    rotations, _ = session.run(["rotations", "betas"], inputs)
    np.testing.assert_allclose(np.linalg.det(rotations), 1.0, atol=1e-4)
    assert len(list(tmp_path.glob("perceived_*.npz"))) == 1
