# SPDX-FileCopyrightText: 2026 The hmp_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Sigmas of rendered hands that something covers in part."""

import cv2
import numpy as np
import onnxruntime
import pytest
import torch
from rendered_hand import CAMERA, Placed, pose, render

from hmp_core.assets import asset_path
from hmp_core.hand.loading import load_hand_model
from hmp_core.hand.skeleton import Side
from hmp_core.media.covered_hands import SEEN, UNSEEN, cover_hands
from hmp_core.perception.evidence import weigh
from hmp_core.perception.evidence_head import INPUTS, OUTPUTS, EvidenceHead, Judgement
from hmp_core.perception.keypoint_model import KEYPOINTS_FROM_JOINTS
from hmp_core.perception.landmark_network import FEATURE_MAPS, LandmarkNetwork
from hmp_core.perception.roi import roi_from_landmarks
from hmp_core.training.evidence_network import EvidenceNetwork, sample

INDEX = [6, 7, 8]
OTHERS = [0, 5, 9, 10, 11, 13, 14, 15, 17, 18, 19]


@pytest.fixture(scope="module")
def network():
    return LandmarkNetwork()


@pytest.fixture(scope="module")
def head():
    return EvidenceHead()


def look(network, image, camera=CAMERA, hand=None):
    truth = camera.project(pose(hand or Placed())[2])
    return network.run(image, roi_from_landmarks(truth))


def covered(image, truth_px, joints, colour, margin=9):
    """The picture with a box over some joints."""
    low = (truth_px[joints].min(axis=0) - margin).astype(int)
    high = (truth_px[joints].max(axis=0) + margin).astype(int)
    result = image.copy()
    result[low[1] : high[1], low[0] : high[0]] = colour
    return result


@pytest.mark.parametrize("side", list(Side))
@pytest.mark.parametrize("colour", [(128, 128, 128), (30, 90, 160), (190, 200, 205)])
@pytest.mark.parametrize("tone", [1, 4])
def test_a_covered_finger_gets_larger_sigmas_than_before_and_than_its_neighbours(network, head, side, colour, tone):
    hand = Placed(side, tone=tone)
    image, (joints,) = render([hand])
    truth = CAMERA.project(joints)
    clear = head.judge(look(network, image, hand=hand), CAMERA)
    hidden = head.judge(look(network, covered(image, truth, INDEX, colour), hand=hand), CAMERA)
    assert (hidden.keypoint_sigma[INDEX] > 1.4 * clear.keypoint_sigma[INDEX]).all()
    assert hidden.keypoint_sigma[INDEX].mean() > 1.4 * hidden.keypoint_sigma[OTHERS].mean()
    assert hidden.covered[INDEX].mean() > 0.5 > hidden.covered[OTHERS].mean()
    assert clear.covered.mean() < 0.2


def test_a_clear_hand_is_observed_and_errors_behind_a_box_stay_within_the_sigmas(network, head):
    image, (joints,) = render([Placed()])
    truth = CAMERA.project(joints)
    expected = CAMERA.project(KEYPOINTS_FROM_JOINTS @ joints)
    metres_per_px = joints[:, 2].mean() / CAMERA.focal_px
    fingers = [6, 7, 8, 10, 11, 12, 14, 15, 16, 18, 19, 20]
    observed = []
    for picture in (image, covered(image, truth, fingers, (60, 120, 90))):
        seen = look(network, picture)
        sigma_px = weigh(seen, head.judge(seen, CAMERA), CAMERA).keypoint_sigma_px
        observed.append(sigma_px * metres_per_px < 0.012)
        within = np.abs(seen.keypoints_px - expected) <= 2 * sigma_px[:, None]
        assert within.mean() >= 0.9
    assert observed[0].sum() >= 18
    assert observed[1][fingers].sum() < observed[0][fingers].sum() - 3


def test_sigmas_are_positive_finite_numbers_and_the_same_each_time(network, head):
    for seed in range(3):
        image, _ = render([Placed(turn=(0.2 * seed, 0.3, -0.4 * seed))], seed=seed)
        seen = look(network, image)
        first, second = head.judge(seen, CAMERA), EvidenceHead().judge(seen, CAMERA)
        for name in ("keypoint_sigma", "landmark_sigma_m", "covered"):
            values = getattr(first, name)
            assert values.shape == (21,)
            assert np.isfinite(values).all()
            assert (values > 0).all()
            np.testing.assert_array_equal(values, getattr(second, name))


def test_an_empty_or_noisy_region_gives_finite_sigmas(network, head):
    noise = np.random.default_rng(0).integers(0, 256, (480, 640, 3), dtype=np.uint8)
    for image in (np.zeros_like(noise), np.full_like(noise, 255), noise):
        judged = head.judge(look(network, image), CAMERA)
        assert np.isfinite(judged.keypoint_sigma).all()
        assert np.isfinite(judged.landmark_sigma_m).all()


def test_joints_outside_the_image_are_no_evidence(network, head):
    hand = Placed(position=(0.0, -0.1, 0.5))
    seen = look(network, render([hand])[0], hand=hand)
    outside = ~CAMERA.contains(seen.keypoints_px)
    assert 0 < outside.sum() < 21
    evidence = weigh(seen, head.judge(seen, CAMERA), CAMERA)
    for sigma in (evidence.keypoint_sigma_px, evidence.landmark_sigma_m):
        assert np.isinf(sigma[outside]).all()
        assert np.isfinite(sigma[~outside]).all()


def test_what_is_no_number_is_no_evidence(network):
    seen = look(network, render([Placed()])[0])
    broken = np.full(21, 0.02)
    broken[3] = np.nan
    evidence = weigh(seen, Judgement(broken, np.full(21, 0.01), np.zeros(21)), CAMERA)
    assert np.isinf(evidence.keypoint_sigma_px[3])
    assert np.isinf(evidence.landmark_sigma_m[3])
    assert np.isfinite(evidence.keypoint_sigma_px[4])


def test_features_are_taken_bilinearly_where_the_keypoints_are():
    x = torch.arange(28.0).expand(1, 1, 28, 28)
    landmarks = torch.zeros(1, 21, 3)
    landmarks[0, :, 0] = torch.linspace(-20, 250, 21)
    landmarks[0, :, 1] = 100.0
    taken = sample((x, 2 * x.mT), landmarks.flatten(1))
    # A cell covers eight pixels; beyond the outer cells' middles the border goes on.
    expected = ((landmarks[0, :, 0] + 0.5) / 8 - 0.5).clip(0, 27)
    torch.testing.assert_close(taken[0, :, 0], expected, atol=1e-4, rtol=0)
    torch.testing.assert_close(taken[0, :, 1], torch.full((21,), 2 * (100.5 / 8 - 0.5)), atol=1e-4, rtol=0)


def test_the_shipped_network_is_small_and_has_the_named_tensors():
    path = asset_path("evidence.onnx")
    assert path.stat().st_size < 200_000
    assert sum(weight.numel() for weight in EvidenceNetwork().parameters()) < 50_000
    session = onnxruntime.InferenceSession(str(path))
    assert tuple(node.name for node in session.get_inputs()) == INPUTS
    assert tuple(node.name for node in session.get_outputs()) == OUTPUTS


def test_feature_maps_come_from_the_landmark_network(network):
    seen = look(network, render([Placed()])[0])
    assert [one.shape for one in seen.feature_maps] == [
        (1, 40, 28, 28), (1, 80, 14, 14), (1, 112, 14, 14), (1, 192, 7, 7),
    ]  # fmt: skip
    assert len(FEATURE_MAPS) == 4


def test_pictures_of_covered_hands_show_the_same_hands_for_the_same_seed_and_mark_what_is_hidden():
    rotations = np.tile(np.eye(3), (12, 16, 1, 1))
    # Fingers up, palm to the camera.
    rotations[:, 0] = np.array([[0.0, 0, 1], [1, 0, 0], [0, 1, 0]])
    for covering in (SEEN, UNSEEN):
        pictures = list(cover_hands(load_hand_model(), rotations, np.zeros((12, 10)), 3, covering))
        again = next(iter(cover_hands(load_hand_model(), rotations, np.zeros((12, 10)), 3, covering)))
        np.testing.assert_array_equal(pictures[0].image, again.image)
        hidden = np.concatenate([picture.hidden for picture in pictures])
        assert 0.05 < hidden.mean() < 0.8
        for picture in pictures:
            height, width = picture.image.shape[:2]
            assert (width, height) == (picture.camera.width, picture.camera.height)
            outside = ~picture.camera.contains(picture.camera.project(picture.joints))
            assert picture.hidden[outside].all()
            assert cv2.Laplacian(picture.image, cv2.CV_64F).std() > 1
