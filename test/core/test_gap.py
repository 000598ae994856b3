# SPDX-FileCopyrightText: 2026 The hmp_ros authors
# SPDX-License-Identifier: Apache-2.0
from itertools import islice
from pathlib import Path

import numpy as np
import pytest
import torch
from scipy.spatial.transform import Rotation

from hmp_core.camera import Camera
from hmp_core.errors import ConfigError, DataError
from hmp_core.estimate import HandEstimate, HandStatus
from hmp_core.evaluation.gap import Gap, evaluate_gaps, paint_over, slerp_joints, spread_gaps
from hmp_core.frame import Frame
from hmp_core.hand.kinematics import HandKinematics
from hmp_core.hand.loading import load_hand_model
from hmp_core.hand.skeleton import Side
from hmp_core.media.intrinsics import Intrinsics
from hmp_core.media.sources import open_source
from hmp_core.observation import ManoPose
from hmp_core.pipeline import open_pipeline

CLIP = Path(__file__).resolve().parents[3] / "shared" / "data" / "video" / "dexr_hand.mp4"


def posed(kinematics, rotation_vectors, wrist, betas=None):
    """An estimate that holds this pose, its wrist at the given place."""
    betas = np.zeros(10) if betas is None else betas
    rotations = torch.from_numpy(Rotation.from_rotvec(rotation_vectors).as_matrix())[None]
    joints = kinematics.joints(rotations, torch.from_numpy(betas), torch.zeros(1, 3, dtype=torch.float64))[
        0
    ].numpy()
    translation = wrist - joints[0]
    mano = ManoPose(rotation_vectors, betas, translation)
    zeros = np.zeros(21)
    joints = joints + translation
    return HandEstimate(
        0, Side.RIGHT, 1.0, HandStatus.OBSERVED, 1.0, 0, joints, zeros, zeros > 0, mano, np.eye(3), np.eye(6)
    )


def test_gaps_are_spread_apart_or_refused():
    gaps = spread_gaps(300, length=30, count=3)
    assert gaps == [Gap(45, 74), Gap(130, 159), Gap(215, 244)]
    with pytest.raises(ConfigError, match="do not fit"):
        spread_gaps(100, length=30, count=3)


def test_box_covers_the_hand_and_leaves_the_rest():
    image = np.random.default_rng(0).integers(0, 100, (240, 320, 3), dtype=np.uint8)
    frame = Frame(image, 5, Camera(320, 240, 300, 300, 160, 120))
    keypoints = np.random.default_rng(1).uniform((250, 60), (330, 120), (21, 2))
    painted = paint_over(frame, keypoints)
    assert (painted.stamp_ns, painted.camera) == (frame.stamp_ns, frame.camera)
    grey = (painted.image == 128).all(axis=-1)
    inside = keypoints[keypoints[:, 0] < 319].round().astype(int)
    assert grey[inside[:, 1], inside[:, 0]].all()
    np.testing.assert_array_equal(painted.image[~grey], image[~grey])
    assert not grey[:, :200].any()


def test_slerp_turns_evenly_and_moves_the_wrist_along_a_line():
    kinematics = HandKinematics(load_hand_model(), torch.float64)
    start_pose, end_pose = np.zeros((16, 3)), np.zeros((16, 3))
    end_pose[0], end_pose[1] = [0, 0, 1.2], [0, 0, 0.8]
    start = posed(kinematics, start_pose, np.array([0.0, 0, 0.4]))
    end = posed(kinematics, end_pose, np.array([0.1, 0, 0.5]))
    joints = slerp_joints(start, end, 3, kinematics)
    np.testing.assert_allclose(joints[:, 0], [[0.025, 0, 0.425], [0.05, 0, 0.45], [0.075, 0, 0.475]], atol=1e-12)
    half = posed(kinematics, end_pose / 2, np.array([0.05, 0, 0.45]))
    np.testing.assert_allclose(joints[1], half.joints_camera, atol=1e-9)


def clip_frames():
    return islice(open_source(str(CLIP), Intrinsics(fov_deg=60)), 190)


def test_a_clip_without_a_hand_is_refused():
    frame = Frame(np.full((120, 160, 3), 80, np.uint8), 0, Camera(160, 120, 150, 150, 80, 60))
    with pytest.raises(DataError, match="no hand"):
        evaluate_gaps(lambda: [frame], open_pipeline, [Gap(0, 0)])


@pytest.fixture(scope="module")
def real_gaps():
    if not CLIP.exists():
        pytest.skip(f"the real clip is not there: {CLIP}")
    return evaluate_gaps(clip_frames, open_pipeline, [Gap(45, 74), Gap(125, 154)])


@pytest.mark.slow
def test_output_goes_on_through_real_gaps_marked_infilled(real_gaps):
    clean, results = real_gaps
    assert clean.side is Side.RIGHT
    for result in results:
        assert result.statuses.count(HandStatus.INFILLED) >= 29
        assert set(result.statuses) <= {HandStatus.INFILLED, HandStatus.PARTIAL}
        for errors in (result.relative_mm, result.camera_mm):
            assert np.isfinite(list(errors.values())).all()
        assert result.relative_mm["slerp"] < 40
        assert result.relative_mm["output"] < 1.3 * result.relative_mm["hold"]
        assert result.relative_mm["offline"] < 1.3 * result.relative_mm["hold"]
        assert result.course_mm["offline"].shape == (30,)
        assert result.picture.shape[1] == 1000
        assert result.rejoin_jump_mm < 60
        assert result.relative_mm["hold"] > 1
