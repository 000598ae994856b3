# SPDX-FileCopyrightText: 2026 The hmp_ros authors
# SPDX-License-Identifier: Apache-2.0
import numpy as np
import pytest
import roma
import torch
from scipy.spatial.transform import Rotation

from hmp_core.errors import DataError
from hmp_core.hand.skeleton import Side
from hmp_core.training.amass import read_amass, read_amass_file
from hmp_core.training.body_motion import Preparation, prepare_hands

FRAMES, RATE = 360, 120.0


def _poses(frames=FRAMES, joints=52, seed=0):
    """A moving body [F, 3 * joints] in AMASS's order of joints."""
    rng = np.random.default_rng(seed)
    time = np.arange(frames)[:, None] / RATE
    return 0.5 * rng.normal(size=3 * joints) * np.sin(4.0 * time + rng.uniform(0, 6, 3 * joints))


def _write_smplh(path, poses, /, **changes):
    path.parent.mkdir(parents=True, exist_ok=True)
    fields = {
        "poses": poses,
        "trans": np.zeros((len(poses), 3)),
        "betas": np.zeros(16),
        "dmpls": np.zeros((len(poses), 8)),
        "gender": np.array("female"),
        "mocap_framerate": np.array(RATE),
    }
    np.savez(path, **{name: value for name, value in (fields | changes).items() if value is not None})
    return path


def _write_smplx(path, poses, whole=True):
    path.parent.mkdir(parents=True, exist_ok=True)
    fields = {
        "gender": np.array("neutral"),
        "surface_model_type": np.array("smplx"),
        "mocap_frame_rate": np.array(RATE),
        "trans": np.zeros((len(poses), 3)),
        "betas": np.zeros(16),
        "root_orient": poses[:, :3],
        "pose_body": poses[:, 3:66],
        "pose_jaw": np.zeros((len(poses), 3)),
        "pose_eye": np.zeros((len(poses), 6)),
        "pose_hand": poses[:, 66:],
        "latent_labels": np.array(["LELB", "RELB"]),
    }
    if whole:
        fields["poses"] = np.concatenate((poses[:, :66], np.ones((len(poses), 9)), poses[:, 66:]), axis=1)
    np.savez(path, **fields)
    return path


def test_reads_every_form_alike(tmp_path):
    poses = _poses()
    read = [
        read_amass_file(_write_smplh(tmp_path / "a_poses.npz", poses)),
        read_amass_file(_write_smplx(tmp_path / "b_stageii.npz", poses)),
        read_amass_file(_write_smplx(tmp_path / "c_stageii.npz", poses, whole=False)),
    ]
    for body in read:
        assert body.rate_hz == RATE
        np.testing.assert_allclose(body.fingers[Side.LEFT], poses[:, 66:111].reshape(-1, 15, 3))
        np.testing.assert_allclose(body.fingers[Side.RIGHT], poses[:, 111:156].reshape(-1, 15, 3))
        for side in Side:
            np.testing.assert_allclose(body.R_world_wrist[side], read[0].R_world_wrist[side])


def test_wrist_orientation_is_the_product_down_the_arm(tmp_path):
    poses = np.zeros((40, 156))
    chain = {Side.LEFT: (0, 3, 6, 9, 13, 16, 18, 20), Side.RIGHT: (0, 3, 6, 9, 14, 17, 19, 21)}
    rng = np.random.default_rng(3)
    turns = rng.normal(size=(22, 3))
    poses[:, :66] = turns.ravel()
    body = read_amass_file(_write_smplh(tmp_path / "a_poses.npz", poses))
    for side, joints in chain.items():
        expected = Rotation.identity()
        for joint in joints:
            expected = expected * Rotation.from_rotvec(turns[joint])
        np.testing.assert_allclose(body.R_world_wrist[side][7], expected.as_matrix(), atol=1e-12)


def test_wrist_orientation_is_that_of_smplx_the_package(tmp_path):
    """Both hands' orientations against the kinematic tree that the smplx package uses."""
    from smplx.lbs import batch_rigid_transform

    poses = _poses(frames=5)
    parents = torch.tensor([-1, 0, 0, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 9, 9, 12, 13, 14, 16, 17, 18, 19])
    R = roma.rotvec_to_rotmat(torch.from_numpy(poses[:, :66].reshape(5, 22, 3)))
    _, transforms = batch_rigid_transform(R, torch.zeros(5, 22, 3, dtype=torch.float64), parents, torch.float64)
    body = read_amass_file(_write_smplh(tmp_path / "a_poses.npz", poses))
    np.testing.assert_allclose(body.R_world_wrist[Side.LEFT], transforms[:, 20, :3, :3], atol=1e-12)
    np.testing.assert_allclose(body.R_world_wrist[Side.RIGHT], transforms[:, 21, :3, :3], atol=1e-12)


def test_reads_a_subset_by_its_folder(tmp_path):
    _write_smplh(tmp_path / "GRAB/s2/cup_lift_poses.npz", _poses())
    _write_smplx(tmp_path / "GRAB/s1/bowl_pass_stageii.npz", _poses())
    np.savez(tmp_path / "GRAB/s1/neutral_stagei.npz", betas=np.zeros(16))
    np.savez(tmp_path / "GRAB/s2/shape.npz", betas=np.zeros(16))
    _write_smplh(tmp_path / "TCD_handMocap/s/typing_poses.npz", _poses())
    assert [body.label for body in read_amass(tmp_path, "GRAB")] == [
        "GRAB/s1/bowl_pass_stageii",
        "GRAB/s2/cup_lift_poses",
    ]
    assert len(list(read_amass(tmp_path, "TCDHands"))) == 1
    with pytest.raises(DataError, match="SAMP"):
        list(read_amass(tmp_path, "SAMP"))
    (tmp_path / "SAMP").mkdir()
    with pytest.raises(DataError, match="no sequence"):
        list(read_amass(tmp_path, "SAMP"))


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"poses": None}, "root_orient"),
        ({"poses": np.zeros((40, 150))}, "poses"),
        ({"poses": np.zeros(156)}, "poses"),
        ({"poses": np.zeros((0, 156))}, "poses"),
        ({"poses": np.full((40, 156), np.nan)}, "poses"),
        ({"poses": np.full((40, 156), "x")}, "poses"),
        ({"mocap_framerate": None}, "mocap_framerate"),
        ({"mocap_framerate": np.array(0.0)}, "mocap_framerate"),
        ({"mocap_framerate": np.array(np.nan)}, "mocap_framerate"),
        ({"mocap_framerate": np.array([30.0, 60.0])}, "mocap_framerate"),
    ],
)
def test_names_file_and_field(tmp_path, changes, field):
    path = _write_smplh(tmp_path / "bad_poses.npz", _poses(), **changes)
    with pytest.raises(DataError, match=rf"bad_poses\.npz.*{field}"):
        read_amass_file(path)


def test_refuses_what_is_no_npz(tmp_path):
    with pytest.raises(DataError, match=r"none_poses\.npz"):
        read_amass_file(tmp_path / "none_poses.npz")
    path = tmp_path / "cut_poses.npz"
    _write_smplh(path, _poses())
    path.write_bytes(path.read_bytes()[:2000])
    with pytest.raises(DataError, match=r"cut_poses\.npz"):
        read_amass_file(path)
    _write_smplh(path, np.array([{"code": "runs"}], dtype=object))
    with pytest.raises(DataError, match=r"cut_poses\.npz"):
        read_amass_file(path)
    parts = _write_smplx(tmp_path / "parts_stageii.npz", _poses(), whole=False)
    with np.load(parts) as file:
        fields = dict(file)
    np.savez(parts, **(fields | {"pose_hand": fields["pose_hand"][:-1]}))
    with pytest.raises(DataError, match="pose_hand has 359 frames"):
        read_amass_file(parts)


def _body(tmp_path, poses, name="x"):
    return read_amass_file(_write_smplh(tmp_path / f"{name}_poses.npz", poses))


def test_keeps_the_middle_at_thirty_hertz(tmp_path):
    poses = _poses(frames=1200)
    motion = prepare_hands([_body(tmp_path, poses)], Preparation())
    # 90 % of 1200 frames at 120 Hz are 1080: 270 frames, for each hand.
    assert motion.lengths.tolist() == [270, 270]
    assert motion.rate_hz == 30.0
    assert motion.labels[0] == motion.labels[1]
    # Frame 30 lies one second behind the first kept frame, number 60.
    right = motion.rotation_vectors[270 + 30]
    np.testing.assert_allclose(right, poses[60 + 120, 111:].reshape(15, 3), atol=5e-3)
    untrimmed = prepare_hands([_body(tmp_path, poses)], Preparation(middle=1.0))
    assert untrimmed.lengths.tolist() == [300, 300]
    assert untrimmed.fingers().rotation_vectors.shape == (600, 15, 3)


def test_left_hands_are_mirrored(tmp_path):
    """A body and its mirror image give the same two right hands, swapped."""
    poses = _poses(frames=300)
    body_swapped = [0, 2, 1, 3, 5, 4, 6, 8, 7, 9, 11, 10, 12, 14, 13, 15, 17, 16, 19, 18, 21, 20]
    swapped = [*body_swapped, *range(37, 52), *range(22, 37)]
    flipped = poses.reshape(-1, 52, 3)[:, swapped] * np.array([1.0, -1.0, -1.0])
    motion = prepare_hands([_body(tmp_path, poses)], Preparation())
    mirrored = prepare_hands([_body(tmp_path, flipped.reshape(-1, 156))], Preparation())
    half = int(motion.lengths[0])
    for name in ("rotation_vectors", "R_world_wrist"):
        values, others = getattr(motion, name), getattr(mirrored, name)
        torch.testing.assert_close(values[:half], others[half:], atol=1e-5, rtol=0.0)
        torch.testing.assert_close(values[half:], others[:half], atol=1e-5, rtol=0.0)


def test_drops_short_sequences_and_still_hands(tmp_path):
    moving, still = _poses(frames=400), _poses(frames=400)
    still[:, 66:111] = 0.3
    motion = prepare_hands(
        [_body(tmp_path, still, "still"), _body(tmp_path, _poses(frames=120), "short")], Preparation()
    )
    assert len(motion.lengths) == 1  # the right hand of the first; the second lasts 0.9 s after trimming
    np.testing.assert_allclose(motion.rotation_vectors[0], moving[20, 111:].reshape(15, 3), atol=2e-2)
    quiet = moving.copy()
    quiet[:, 66:] *= 0.01
    with pytest.raises(DataError, match="variance"):
        prepare_hands([_body(tmp_path, quiet)], Preparation())
