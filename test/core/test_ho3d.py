# SPDX-FileCopyrightText: 2026 The hmp_ros authors
# SPDX-License-Identifier: Apache-2.0
import json
import pickle
from pathlib import Path

import numpy as np
import pytest
import torch
from dataset_files import COVERED, FRAMES, HO3D_TIPS, OPENGL, film, mano_joints, write_ho3d, write_ho3d_evaluation
from dataset_files import write_mano as write_mano_like
from rendered_hand import CAMERA
from scipy.spatial.transform import Rotation

from hmp_core.errors import ConfigError, DataError
from hmp_core.evaluation.ho3d import Ho3d
from hmp_core.hand.kinematics import HandKinematics
from hmp_core.hand.loading import load_hand_model
from hmp_core.hand.skeleton import Side

OFFICIAL_ORDER = [0, 13, 14, 15, 16, 1, 2, 3, 17, 4, 5, 6, 18, 10, 11, 12, 19, 7, 8, 9, 20]
"""`jointsMapManoToSimple` of the data set's own scripts: thumb to pinky out of MANO's order."""


@pytest.fixture
def root(tmp_path):
    return write_ho3d(tmp_path)


def meta_file(root, index, name="ABF10"):
    return root / "train" / name / "meta" / f"{index:04d}.pkl"


def test_frames_in_our_axes_and_order(root):
    (sequence,) = Ho3d(root).sequences()
    assert (sequence.name, sequence.side, len(sequence)) == ("ABF10", Side.RIGHT, FRAMES)
    frames = list(sequence)
    assert [frame.frame.stamp_ns for frame in frames] == [round(index * 1e9 / 30) for index in range(FRAMES)]
    assert all(frame.frame.camera == CAMERA for frame in frames)
    for index, frame in enumerate(frames):
        if index < 2:
            assert np.isnan(frame.truth_camera).all()
            assert not frame.hidden.any()
        else:
            np.testing.assert_allclose(frame.truth_camera, film().joints[index], atol=1e-9)
            np.testing.assert_allclose(frame.root_camera, film().joints[index, 0], atol=1e-9)
    with meta_file(root, 5).open("rb") as file:
        official = pickle.load(file)["handJoints3D"]
    assert (official[:, 2] < 0).all()
    np.testing.assert_allclose(official[OFFICIAL_ORDER] * [1, -1, -1], frames[5].truth_camera, atol=1e-9)


def test_joints_behind_the_object_are_hidden(root):
    hidden = np.stack([frame.hidden for frame in Ho3d(root).sequences()[0]])
    covered = np.isin(np.arange(FRAMES), list(COVERED))
    assert not hidden[~covered].any()
    assert hidden[covered][:, [8, 12, 16, 20]].all()
    assert not hidden[:, 0].any()


def test_without_segmentation_only_the_image_hides(root, caplog):
    for path in (root / "HO3D_v3_segmentations_rendered").rglob("*.png"):
        path.unlink()
    assert not any(frame.hidden.any() for frame in Ho3d(root).sequences()[0])
    assert caplog.text.count("no rendered segmentation") == 1


def test_true_pose_reproduces_the_joints(tmp_path):
    write_mano_like(tmp_path / "MANO_RIGHT.pkl")
    model = load_hand_model(tmp_path / "MANO_RIGHT.pkl")
    joints = mano_joints(film(), HO3D_TIPS)
    kinematics = HandKinematics(model, torch.float64)
    frames = list(Ho3d(write_ho3d(tmp_path / "data", joints=joints), "train", kinematics).sequences()[0])
    assert frames[0].pose is None
    pose = frames[7].pose
    rotations = torch.from_numpy(Rotation.from_rotvec(pose.rotation_vectors).as_matrix())[None]
    posed = kinematics.joints(rotations, torch.from_numpy(pose.betas), torch.from_numpy(pose.translation)[None])[0]
    bones = [joint for joint in range(21) if joint not in (4, 8, 12, 16, 20)]
    np.testing.assert_allclose(posed[bones], frames[7].truth_camera[bones], atol=1e-9)


def test_sequences_by_name(tmp_path):
    data = Ho3d(write_ho3d(tmp_path, ("ABF10", "MC1")))
    assert [sequence.name for sequence in data.sequences()] == ["ABF10", "MC1"]
    assert [sequence.name for sequence in data.sequences(["MC1"])] == ["MC1"]
    with pytest.raises(ConfigError, match="no sequence AB"):
        data.sequences(["AB"])
    assert len(data.sequences(["MC1"])[0].first(3)) == 3


def test_evaluation_split_gives_the_wrist_only_until_the_truth_is_there(tmp_path):
    data = Ho3d(write_ho3d_evaluation(tmp_path), "evaluation")
    assert not data.has_truth
    assert data.frames[0] == "SM1/0000"
    frame = data.sequences(["AP10"])[0].read(3)
    assert np.isnan(frame.truth_camera).all()
    np.testing.assert_allclose(frame.root_camera, film().joints[3, 0], atol=1e-9)
    official = [(joints[np.argsort(OFFICIAL_ORDER)] @ OPENGL).tolist() for joints in film().joints]
    (tmp_path / "evaluation_xyz.json").write_text(json.dumps(official + [[[9, 9, 9]] * 21] * FRAMES))
    data = Ho3d(tmp_path, "evaluation")
    assert data.has_truth
    np.testing.assert_allclose(data.sequences(["SM1"])[0].read(3).truth_camera, film().joints[3], atol=1e-9)
    (tmp_path / "evaluation_xyz.json").write_text(json.dumps(official))
    with pytest.raises(DataError, match="evaluation_xyz"):
        Ho3d(tmp_path, "evaluation")


class Touches:
    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return Path.touch, (self.path,)


def test_nothing_in_an_annotation_is_run(root, tmp_path):
    marker = tmp_path / "was_here"
    meta_file(root, 6).write_bytes(pickle.dumps({"handJoints3D": np.zeros((21, 3)), "x": Touches(marker)}))
    with pytest.raises(DataError, match=r"asks for .*nothing of it was run"):
        Ho3d(root).sequences()[0].read(6)
    assert not marker.exists()


@pytest.mark.parametrize(
    ("content", "trouble"),
    [
        (b"not a pickle", "readable pickle"),
        (pickle.dumps({"camMat": np.eye(3)}), "handJoints3D is missing"),
        (pickle.dumps({"handJoints3D": np.zeros((20, 3))}), "must be"),
        (pickle.dumps({"handJoints3D": np.full((21, 3), np.nan)}), "finite"),
        (pickle.dumps([1, 2]), "no dictionary"),
    ],
)
def test_damaged_annotations(root, content, trouble):
    meta_file(root, 6).write_bytes(content)
    with pytest.raises(DataError, match=trouble) as error:
        Ho3d(root).sequences()[0].read(6)
    assert "0006.pkl" in str(error.value)


def test_missing_and_damaged_files(root, tmp_path):
    sequence = Ho3d(root).sequences()[0]
    (root / "train" / "ABF10" / "rgb" / "0004.jpg").write_bytes(b"\xff\xd8 cut off")
    with pytest.raises(DataError, match=r"0004\.jpg"):
        sequence.read(4)
    meta_file(root, 5).unlink()
    with pytest.raises(DataError, match=r"0005\.pkl"):
        sequence.read(5)
    (root / "train.txt").write_text("ABF10/0003\nGone1/0000\n")
    gone = Ho3d(root).sequences(["Gone1"])[0]
    with pytest.raises(DataError, match=r"Gone1"):
        gone.read(0)
    (root / "train.txt").write_text("0003\n")
    with pytest.raises(DataError, match=r"<sequence>/<frame>"):
        Ho3d(root)
    with pytest.raises(DataError, match=r"evaluation\.txt"):
        Ho3d(root, "evaluation")
    with pytest.raises(ConfigError, match="splits"):
        Ho3d(root, "test")


def test_a_sequence_without_any_camera(root):
    for index in range(FRAMES):
        meta_file(root, index).write_bytes(pickle.dumps({"camMat": None, "handJoints3D": np.zeros((21, 3))}))
    with pytest.raises(DataError, match="camMat"):
        Ho3d(root).sequences()[0].read(0)
