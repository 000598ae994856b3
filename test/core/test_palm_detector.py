# SPDX-FileCopyrightText: 2026 The hmp_ros authors
# SPDX-License-Identifier: Apache-2.0
import cv2
import numpy as np
import pytest
from rendered_hand import CAMERA, Placed, render

from hmp_core.hand.skeleton import Side
from hmp_core.media.background import make_background
from hmp_core.perception.palm_detector import PalmDetector

PALM_JOINTS = (0, 5, 9, 13, 17)


@pytest.fixture(scope="module")
def detector():
    return PalmDetector(0.5)


@pytest.mark.parametrize("side", list(Side))
@pytest.mark.parametrize("roll", [-1.2, 0.0, 0.7])
def test_a_palm_is_found_upright_along_wrist_to_middle_knuckle(detector, side, roll):
    image, (joints,) = render([Placed(side, position=(0.0, 0.0, 0.5), turn=(0, 0, roll))])
    truth = CAMERA.project(joints)
    (palm,) = detector.detect(image)
    roi = palm.hand_roi()
    assert palm.score > 0.5
    assert np.abs(palm.keypoints_px[[0, 1, 2, 3, 4]] - truth[list(PALM_JOINTS)]).max() < 0.12 * roi.size_px
    up = truth[9] - truth[0]
    expected = np.arctan2(up[0], -up[1])
    assert abs((roi.rotation_rad - expected + np.pi) % (2 * np.pi) - np.pi) < 0.2
    assert np.abs(truth - roi.center_px).max() < 0.6 * roi.size_px


def test_two_hands_give_two_detections_best_first(detector):
    hands = [Placed(Side.LEFT, position=(0.14, 0.08, 0.55)), Placed(Side.RIGHT, position=(-0.14, 0.08, 0.55))]
    image, truth = render(hands)
    palms = detector.detect(image)
    assert len(palms) == 2
    assert palms[0].score >= palms[1].score
    wrists = CAMERA.project(np.array([joints[0] for joints in truth]))
    found = np.array([palm.keypoints_px[0] for palm in palms])
    distances = np.linalg.norm(wrists[:, None] - found, axis=-1)
    assert sorted(distances.argmin(axis=1)) == [0, 1]
    assert distances.min(axis=1).max() < 20


@pytest.mark.parametrize("shape", [(480, 640), (640, 360), (192, 192), (1, 500)])
def test_an_empty_room_has_no_palm(detector, shape):
    assert detector.detect(make_background(shape[1], shape[0], np.random.default_rng(3))) == []


@pytest.mark.parametrize("pad", [((0, 0), (200, 0)), ((250, 100), (0, 0))])
def test_the_letterbox_moves_nothing(detector, pad):
    image, _ = render([Placed()])
    (plain,) = detector.detect(image)
    padded = np.pad(image, (*pad, (0, 0)))
    (found,) = detector.detect(padded)
    offset = (pad[1][0], pad[0][0])
    coarse = max(padded.shape) / 192
    np.testing.assert_allclose(found.keypoints_px - offset, plain.keypoints_px, atol=4 * coarse)


def test_a_higher_threshold_finds_fewer_palms():
    image, _ = render([Placed()])
    dim = cv2.GaussianBlur(image, (0, 0), 9)
    scores = [palm.score for palm in PalmDetector(0.05).detect(dim)]
    assert scores
    assert not PalmDetector(min(0.99, max(scores) + 0.005)).detect(dim)
