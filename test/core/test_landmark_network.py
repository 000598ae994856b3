# SPDX-FileCopyrightText: 2026 The hmp_ros authors
# SPDX-License-Identifier: Apache-2.0
import dataclasses

import numpy as np
import onnxruntime
import pytest
from rendered_hand import CAMERA, Placed, render

from hmp_core.assets import asset_path
from hmp_core.errors import AssetError
from hmp_core.hand.skeleton import Side
from hmp_core.media.background import make_background
from hmp_core.observation import Roi
from hmp_core.perception.landmark_network import LandmarkNetwork
from hmp_core.perception.roi import roi_from_landmarks
from hmp_core.perception.sessions import open_session


@pytest.fixture(scope="module")
def network():
    return LandmarkNetwork()


def look(network, hand, camera=CAMERA):
    image, (joints,) = render([hand], camera)
    truth = camera.project(joints)
    return network.run(image, roi_from_landmarks(truth)), truth


@pytest.mark.parametrize("side", list(Side))
@pytest.mark.parametrize("roll", [-2.5, 0.7])
@pytest.mark.parametrize("tone", [0, 5])
def test_keypoints_lie_on_the_rendered_joints(network, side, roll, tone):
    hand = Placed(side, position=(0.0, 0.0, 0.5), turn=(0, 0, roll), tone=tone)
    seen, truth = look(network, hand)
    assert seen.finite
    assert seen.presence > 0.9
    errors = np.linalg.norm(seen.keypoints_px - truth, axis=1)
    # The open hand's joints are MakeHuman's, MediaPipe's are an annotator's: they differ by about a centimetre.
    assert np.median(errors) < 0.03 * seen.roi.size_px
    assert errors.max() < 0.08 * seen.roi.size_px


@pytest.mark.parametrize("turn", [(0, 0, 0), (0, 0.5, 0), (0, np.pi, 0), (0, 0, 1.5)])
@pytest.mark.parametrize("tone", [1, 4])
def test_the_handedness_output_is_the_probability_of_a_right_hand_in_an_unmirrored_image(network, turn, tone):
    right, _ = look(network, Placed(Side.RIGHT, position=(0, 0.05, 0.5), turn=turn, tone=tone))
    mirrored = (turn[0], -turn[1], -turn[2])
    left, _ = look(network, Placed(Side.LEFT, position=(0, 0.05, 0.5), turn=mirrored, tone=tone))
    assert right.right > 0.5
    assert left.right < 0.5


def test_an_empty_room_holds_no_hand(network):
    image = make_background(640, 480, np.random.default_rng(5))
    for center in ([320, 240], [0, 0], [900, 100]):
        assert network.run(image, Roi(np.array(center, dtype=float), 260.0, 0.3)).presence < 0.5


def test_a_nan_anywhere_is_not_finite(network):
    seen, _ = look(network, Placed())
    broken = seen.points_crop.copy()
    broken[7, 2] = np.nan
    assert not dataclasses.replace(seen, points_crop=broken).finite
    assert not dataclasses.replace(seen, presence=float("inf")).finite


def test_pooled_features_are_an_output_of_the_shipped_network():
    session = onnxruntime.InferenceSession(str(asset_path("hand_landmarks.onnx")))
    (features,) = session.run(["features"], {"image": np.zeros((1, 224, 224, 3), np.float32)})
    assert features.shape == (1, 1152)


def test_a_file_that_is_no_network_is_named(tmp_path):
    path = tmp_path / "broken.onnx"
    path.write_bytes(b"not a network")
    with pytest.raises(AssetError, match=r"broken\.onnx cannot be loaded"):
        open_session(path, ("image",), ("boxes",))


def test_a_network_with_other_tensors_is_refused():
    path = asset_path("palm_detector.onnx")
    with pytest.raises(AssetError, match=r"expected .*'crop'"):
        open_session(path, ("crop",), ("boxes",))
    with pytest.raises(AssetError, match=r"at least .*'landmarks'"):
        open_session(path, ("image",), ("landmarks",))
