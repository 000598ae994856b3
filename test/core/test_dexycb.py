# SPDX-FileCopyrightText: 2026 The hmp_ros authors
# SPDX-License-Identifier: Apache-2.0
import numpy as np
import pytest
import torch
from dataset_files import (
    COVERED,
    FRAMES,
    MANOPTH_TIPS,
    SERIAL,
    SUBJECT,
    film,
    mano_joints,
    mano_like_fields,
    write_dexycb,
    write_mano,
)
from rendered_hand import CAMERA
from scipy.spatial.transform import Rotation

from hmp_core.errors import ConfigError, DataError, HandModelError
from hmp_core.evaluation.dexycb import SERIALS, SUBJECTS, DexYcb, PoseBasis, split_share
from hmp_core.hand.kinematics import HandKinematics
from hmp_core.hand.loading import load_hand_model
from hmp_core.hand.skeleton import Side

RECORDING = "20200820_135508"


@pytest.mark.parametrize(
    ("setup", "subjects", "serials", "recordings"),
    [
        ("s0", (10, 2, 8), (8, 8, 8), (80, 20, 20)),
        ("s1", (7, 1, 2), (8, 8, 8), (100, 100, 100)),
        ("s2", (10, 10, 10), (6, 1, 1), (100, 100, 100)),
        ("s3", (10, 10, 10), (8, 8, 8), (75, 10, 15)),
    ],
)
def test_splits_have_the_toolkits_sizes_and_do_not_overlap(setup, subjects, serials, recordings):
    shares = [split_share(setup, split) for split in ("train", "val", "test")]
    assert tuple(len(share.subjects) for share in shares) == subjects
    assert tuple(len(share.serials) for share in shares) == serials
    assert tuple(len(share.recordings) for share in shares) == recordings
    triples = [
        {(a, b, c) for a in share.subjects for b in share.serials for c in share.recordings} for share in shares
    ]
    assert len(set.union(*triples)) == sum(map(len, triples))


def test_splits_by_example():
    assert split_share("s0", "test").recordings[:3] == (4, 9, 14)
    assert split_share("s0", "val").subjects == (0, 1)
    assert split_share("s1", "test").subjects == (7, 8)
    assert split_share("s1", "train").subjects == (0, 1, 2, 3, 4, 5, 9)
    assert [SERIALS[at] for at in split_share("s2", "test").serials] == ["932122062010"]
    assert split_share("s3", "test").recordings == (*range(35, 40), *range(55, 60), *range(75, 80))
    assert split_share("s3", "val").recordings == (*range(15, 20), *range(95, 100))
    with pytest.raises(ConfigError, match="s0"):
        split_share("s4", "test")


@pytest.mark.parametrize("side", list(Side))
def test_frames(tmp_path, side):
    (sequence,) = DexYcb(write_dexycb(tmp_path, side)).named([f"{SUBJECT}/{RECORDING}"])
    assert sequence.name == f"{SUBJECT}/{RECORDING}/{SERIAL}"
    assert sequence.side is side
    frames = list(sequence)
    assert len(frames) == FRAMES
    for index, frame in enumerate(frames[:-2]):
        np.testing.assert_allclose(frame.truth_camera, film(side).joints[index], atol=1e-6)
        assert frame.frame.camera == CAMERA
        assert frame.hidden[[8, 12, 16, 20]].all() == (index in COVERED)
        assert not frame.hidden[0]
    # Joints of -1, and a mask without the hand.
    assert all(np.isnan(frame.truth_camera).all() and not frame.hidden.any() for frame in frames[-2:])


def test_true_pose_out_of_principal_components(tmp_path):
    mano = write_mano(tmp_path / "MANO_RIGHT.pkl")
    data = DexYcb(write_dexycb(tmp_path / "data", fields=mano_like_fields()), PoseBasis.load(tmp_path))
    frames = list(data.named([SUBJECT])[0])
    kinematics = HandKinematics(load_hand_model(mano), torch.float64)
    pose = frames[9].pose
    rotations = torch.from_numpy(Rotation.from_rotvec(pose.rotation_vectors).as_matrix())[None]
    posed = kinematics.joints(rotations, torch.from_numpy(pose.betas), torch.from_numpy(pose.translation)[None])[0]
    np.testing.assert_allclose(posed, mano_joints(film(), MANOPTH_TIPS)[9], atol=1e-5)
    assert frames[FRAMES - 2].pose is None
    left = DexYcb(write_dexycb(tmp_path / "left", Side.LEFT, fields=mano_like_fields()), PoseBasis.load(mano))
    assert left.named([SUBJECT])[0].read(3).pose is None


def test_a_hand_model_without_the_basis(tmp_path):
    path = tmp_path / "MANO_RIGHT.pkl"
    write_mano(path)
    path.write_bytes(path.read_bytes().replace(b"hands_components", b"hands_componentz"))
    with pytest.raises(HandModelError, match="hands_components"):
        PoseBasis.load(path)


def test_splits_need_all_recordings_of_a_subject(tmp_path):
    data = DexYcb(write_dexycb(tmp_path))
    with pytest.raises(DataError, match="--sequences"):
        data.split("s0", "test")
    for subject in SUBJECTS:
        for number in range(100):
            (tmp_path / subject / f"20200820_{100000 + number}").mkdir(parents=True)
    assert len(data.split("s1", "test")) == 2 * 100 * 8
    with pytest.raises(DataError, match="101"):  # the written recording is one too many
        data.split("s0", "test")
    (tmp_path / SUBJECT / "20200820_100099").rmdir()
    views = data.split("s0", "test")
    assert len(views) == 8 * 20 * 8
    assert [view.name for view in views if RECORDING in view.name] == [
        f"{SUBJECT}/{RECORDING}/{serial}" for serial in SERIALS
    ]
    with pytest.raises(DataError, match=r"meta\.yml"):  # an empty folder shows when it is read
        views[0].read(0)


def test_damaged_files(tmp_path):
    data = DexYcb(write_dexycb(tmp_path))
    view = data.named([SUBJECT])[0]
    folder = tmp_path / SUBJECT / RECORDING / SERIAL
    (folder / "labels_000003.npz").write_bytes(b"PK")
    with pytest.raises(DataError, match="labels_000003"):
        view.read(3)
    np.savez(folder / "labels_000004.npz", seg=np.zeros((480, 640), np.uint8), joint_3d=np.array([{}], object))
    with pytest.raises(DataError, match="labels_000004"):
        view.read(4)
    (folder / "color_000005.jpg").unlink()
    with pytest.raises(DataError, match="color_000005"):
        view.read(5)


@pytest.mark.parametrize("content", ["num_frames: [", "num_frames: 3", "num_frames: x\nmano_sides: [right]", "- a"])
def test_damaged_meta(tmp_path, content):
    write_dexycb(tmp_path)
    (tmp_path / SUBJECT / RECORDING / "meta.yml").write_text(content)
    (view,) = DexYcb(tmp_path).named([SUBJECT])
    with pytest.raises(DataError, match=r"meta\.yml"):
        view.read(0)


def test_wrong_places_and_names(tmp_path):
    with pytest.raises(DataError, match="subject-01"):
        DexYcb(tmp_path)
    with pytest.raises(ConfigError, match="no sequence"):
        DexYcb(write_dexycb(tmp_path)).named(["20200709-subject-01"])
