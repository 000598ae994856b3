# SPDX-FileCopyrightText: 2026 The hmp_ros authors
# SPDX-License-Identifier: Apache-2.0
"""A tiny network, built here, in the place of an image regressor."""

from pathlib import Path

import numpy as np
import onnx
import pytest
import roma
import torch
from onnx import TensorProto, helper, numpy_helper
from rendered_hand import CAMERA, Placed, render

from hmp_core.errors import AssetError
from hmp_core.frame import Frame
from hmp_core.hand.kinematics import HandKinematics
from hmp_core.hand.loading import load_hand_model
from hmp_core.hand.mirror import mirror_points
from hmp_core.hand.skeleton import Side
from hmp_core.observation import HandObservation, ManoPose, Roi
from hmp_core.perception.config import PerceptionConfig
from hmp_core.perception.image_regressor import ImageRegressor
from hmp_core.perception.pipeline import HandPerception

SIZE = 32
UPRIGHT = np.array([0.0, 0.0, np.pi / 2])
"""Global rotation of a hand with its fingers up: MANO's -x is up in the crop."""
WEAK = (4.0, 0.0, 0.04)
"""A joint (x, y) lies at 4 (x, y + 0.04): about the middle half of the crop for an upright hand."""


def tiny_regressor(path: Path, kind: str = "float", weak: tuple[float, float, float] = WEAK) -> Path:
    """An upright, half closed hand whose first beta is the picture's mean, 0 to 1."""
    vectors = np.zeros((16, 3))
    vectors[0] = UPRIGHT
    vectors[1:13, 2] = 0.4
    rotations = roma.rotvec_to_rotmat(torch.from_numpy(vectors)).numpy().astype(np.float32)[None]
    constants = {
        "rotations_0": rotations,
        "camera_0": np.array([weak], np.float32),
        "scale": np.array(1.0 if kind == "float" else 255.0, np.float32),
        "padding": np.array([0, 0, 0, 9], np.int64),
    }
    nodes = [
        helper.make_node("Cast", ["image"], ["numbers"], to=TensorProto.FLOAT),
        helper.make_node("ReduceMean", ["numbers"], ["mean_4"], keepdims=1),
        helper.make_node("Flatten", ["mean_4"], ["mean_2"]),
        helper.make_node("Div", ["mean_2", "scale"], ["mean"]),
        helper.make_node("Pad", ["mean", "padding"], ["betas"]),
        helper.make_node("Identity", ["rotations_0"], ["rotations"]),
        helper.make_node("Identity", ["camera_0"], ["camera"]),
    ]
    kinds = {"float": TensorProto.FLOAT, "uint8": TensorProto.UINT8, "double": TensorProto.DOUBLE}
    graph = helper.make_graph(
        nodes,
        "tiny",
        [helper.make_tensor_value_info("image", kinds[kind], [1, 3, SIZE, SIZE])],
        [
            helper.make_tensor_value_info("rotations", TensorProto.FLOAT, [1, 16, 3, 3]),
            helper.make_tensor_value_info("betas", TensorProto.FLOAT, [1, 10]),
            helper.make_tensor_value_info("camera", TensorProto.FLOAT, [1, 3]),
        ],
        [numpy_helper.from_array(value, name) for name, value in constants.items()],
    )
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9), path)
    return path


def unseen(side: Side | None, roi: Roi) -> HandObservation:
    nothing = np.full(21, np.inf)
    return HandObservation(
        3, side, 0.9, 0.0, roi, np.full((21, 2), np.nan), nothing, np.full((21, 3), np.nan), nothing
    )


def posed(pose: ManoPose, side: Side) -> np.ndarray:
    model = load_hand_model() if side is Side.RIGHT else load_hand_model().mirrored()
    rotations = roma.rotvec_to_rotmat(torch.from_numpy(pose.rotation_vectors))[None]
    kinematics = HandKinematics(model, torch.float64)
    return kinematics.joints(rotations, torch.from_numpy(pose.betas), torch.from_numpy(pose.translation)[None])[
        0
    ].numpy()


@pytest.mark.parametrize("side", list(Side))
@pytest.mark.parametrize("roll", [0.0, 0.7])
def test_an_unseen_hand_gets_keypoints_and_a_pose_that_agree(tmp_path, side, roll):
    regressor = ImageRegressor(tiny_regressor(tmp_path / "net.onnx"), load_hand_model())
    frame = Frame(np.full((480, 640, 3), 51, np.uint8), 1, CAMERA)
    roi = Roi(np.array([420.0, 200.0]), 180.0, roll)
    hand = regressor.observe(frame, unseen(side, roi))
    assert hand.initial is not None
    assert hand.initial.betas[0] == pytest.approx(0.2, abs=1e-3)  # the picture was fed, 51 of 255
    joints = posed(hand.initial, side)
    # One body of evidence: points, keypoints and pose say the same but for the weak perspective.
    np.testing.assert_allclose(joints - joints[0], hand.landmarks_m, atol=1e-5)
    assert np.linalg.norm(CAMERA.project(joints) - hand.keypoints_px, axis=1).max() < 0.03 * roi.size_px
    assert np.linalg.norm(hand.keypoints_px - roi.center_px, axis=1).max() < 0.5 * roi.size_px
    up = np.array([np.sin(roll), -np.cos(roll)])
    assert (hand.keypoints_px[12] - hand.keypoints_px[0]) @ up > 0.25 * roi.size_px
    assert (hand.keypoint_sigma_px == 0.06 * roi.size_px).all()


def test_a_left_hand_is_the_mirror_image(tmp_path):
    regressor = ImageRegressor(tiny_regressor(tmp_path / "net.onnx"), load_hand_model())
    frame = Frame(np.full((480, 640, 3), 51, np.uint8), 1, CAMERA)
    roi = Roi(np.array([CAMERA.cx, CAMERA.cy]), 180.0, 0.0)  # mirrored onto itself
    right, left = (regressor.observe(frame, unseen(side, roi)) for side in (Side.RIGHT, Side.LEFT))
    expected = mirror_points(posed(right.initial, Side.RIGHT))
    np.testing.assert_allclose(posed(left.initial, Side.LEFT), expected, atol=1e-4)


def test_bytes_and_floats_are_fed_as_the_file_says(tmp_path):
    frame = Frame(np.full((480, 640, 3), 102, np.uint8), 1, CAMERA)
    roi = Roi(np.array([320.0, 240.0]), 150.0, 0.0)
    for kind in ("float", "uint8"):
        regressor = ImageRegressor(tiny_regressor(tmp_path / f"{kind}.onnx", kind), load_hand_model())
        assert regressor.observe(frame, unseen(Side.RIGHT, roi)).initial.betas[0] == pytest.approx(0.4, abs=1e-3)


def test_seen_keypoints_are_kept(tmp_path):
    perception = HandPerception(
        initializer=ImageRegressor(tiny_regressor(tmp_path / "net.onnx"), load_hand_model())
    )
    plain = HandPerception()
    image, _ = render([Placed(Side.RIGHT)])
    for step in range(1, 10):
        frame = Frame(image, 33_000_000 * step, CAMERA)
        (hand,), (other,) = perception.process(frame).hands, plain.process(frame).hands
        np.testing.assert_array_equal(hand.keypoints_px, other.keypoints_px)
        assert (hand.initial is None) == (hand.side is None)
    assert hand.initial is not None


def test_a_lost_hand_goes_on_while_patience_lasts(tmp_path):
    perception = HandPerception(
        PerceptionConfig(patience_s=0.5),
        ImageRegressor(tiny_regressor(tmp_path / "net.onnx"), load_hand_model()),
    )
    image, _ = render([Placed(Side.RIGHT)])
    seen = [perception.process(Frame(image, 33_000_000 * step, CAMERA)) for step in range(1, 10)]
    gone = [perception.process(Frame(np.full_like(image, 90), 33_000_000 * step, CAMERA)) for step in range(10, 40)]
    lost = [frame.hands for frame in gone if frame.hands]
    assert 13 <= len(lost) <= 16
    for (hand,) in lost:
        assert hand.track_id == seen[-1].hands[0].track_id
        assert hand.presence == 0.0
        assert np.isfinite(hand.keypoint_sigma_px).all()
        assert hand.keypoint_sigma_px.min() > 1.5 * np.median(seen[-1].hands[0].keypoint_sigma_px)


@pytest.mark.parametrize("weak", [(np.nan, 0.0, 0.0), (-1.0, 0.0, 0.0)])
def test_nonsense_from_the_network_changes_nothing(tmp_path, weak):
    regressor = ImageRegressor(tiny_regressor(tmp_path / "net.onnx", weak=weak), load_hand_model())
    hand = unseen(Side.RIGHT, Roi(np.array([320.0, 240.0]), 150.0, 0.0))
    assert regressor.observe(Frame(np.zeros((480, 640, 3), np.uint8), 1, CAMERA), hand) is hand


def test_no_side_no_pose(tmp_path):
    regressor = ImageRegressor(tiny_regressor(tmp_path / "net.onnx"), load_hand_model())
    hand = unseen(None, Roi(np.array([320.0, 240.0]), 150.0, 0.0))
    assert regressor.observe(Frame(np.zeros((480, 640, 3), np.uint8), 1, CAMERA), hand) is hand


def test_a_file_of_another_signature_is_refused(tmp_path):
    with pytest.raises(AssetError, match="image"):
        ImageRegressor(tiny_regressor(tmp_path / "double.onnx", "double"), load_hand_model())
    (tmp_path / "broken.onnx").write_bytes(b"no network")
    with pytest.raises(AssetError, match=r"broken\.onnx"):
        ImageRegressor(tmp_path / "broken.onnx", load_hand_model())
