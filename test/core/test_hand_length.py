# SPDX-FileCopyrightText: 2026 The hmp_ros authors
# SPDX-License-Identifier: Apache-2.0
"""A measured hand: its length fixes what one camera cannot see, size and with it depth."""

import numpy as np
import pytest
import torch
from hand_scene import CAMERA as SCENE_CAMERA
from hand_scene import moving_hand, run
from rendered_hand import CAMERA, Placed, render

from hmp_core.errors import ConfigError
from hmp_core.fitting.config import FitterConfig
from hmp_core.fitting.hand_length import betas_of_length, hand_length, resized
from hmp_core.fitting.online import OnlineFitter
from hmp_core.fitting.shape_prior import ShapePrior
from hmp_core.frame import Frame
from hmp_core.hand.kinematics import HandKinematics
from hmp_core.hand.loading import load_hand_model
from hmp_core.hand.skeleton import MIDDLE_MCP, NUM_BETAS, Side
from hmp_core.pipeline import open_pipeline
from hmp_core.prior.prior import load_prior


@pytest.fixture(scope="module")
def kinematics() -> HandKinematics:
    torch.set_num_threads(1)
    return HandKinematics(load_hand_model(None), dtype=torch.float64)


@pytest.mark.parametrize("length_m", [0.07, 0.09, 0.11])
def test_a_hand_is_made_as_long_as_was_measured(kinematics, length_m: float) -> None:
    betas = betas_of_length(kinematics, length_m)
    length, slope = hand_length(kinematics, betas)
    assert length == pytest.approx(length_m, abs=1e-6)
    nudge = 1e-5 * torch.arange(1.0, NUM_BETAS + 1, dtype=torch.float64)
    assert hand_length(kinematics, betas + nudge)[0] - length == pytest.approx(float(slope @ nudge), rel=1e-3)


def test_a_resized_hand_looks_as_large(kinematics) -> None:
    pose = moving_hand(1).poses[0]
    betas = betas_of_length(kinematics, 0.08)
    small = resized(kinematics, pose, betas)
    wrists = [
        np.asarray(p.translation) + kinematics.rest_wrist(torch.as_tensor(p.betas)).numpy() for p in (pose, small)
    ]
    average = hand_length(kinematics, torch.zeros(NUM_BETAS).double())[0]
    np.testing.assert_allclose(wrists[1].ravel(), wrists[0].ravel() * 0.08 / average, rtol=1e-6)
    np.testing.assert_array_equal(small.rotation_vectors, pose.rotation_vectors)


def test_what_was_measured_is_not_unlearnt(kinematics) -> None:
    belief = ShapePrior.of_average_hand(0.1, 1.0).of_length(kinematics, 0.08)
    evidence = torch.eye(NUM_BETAS, dtype=torch.float64) * 4e3
    for _ in range(200):
        belief = belief.adopt(torch.full((NUM_BETAS,), 0.5, dtype=torch.float64), evidence, 0.1)
    assert hand_length(kinematics, belief.mean)[0] == pytest.approx(0.08, rel=0.01)
    assert float((belief.mean - betas_of_length(kinematics, 0.08)).abs().max()) > 0.3  # the rest is


def test_a_rendered_hand_stands_where_it_is_once_it_was_measured(kinematics) -> None:
    """A hand 15 to 20 % smaller than average, half a metre away, through the whole pipeline."""
    hand = Placed(size=-2.5)
    image, (truth,) = render([hand])
    length_m = float(np.linalg.norm(truth[MIDDLE_MCP] - truth[0]))
    assert 0.05 < length_m < 0.085
    errors, sigmas = [], []
    for measured in (0.0, length_m):
        pipeline = open_pipeline(None, 1, measured)
        for k in range(12):
            _, estimate = pipeline.process(Frame(image, k * 33_000_000, CAMERA))
        (found,) = estimate.hands
        assert found.side is Side.RIGHT
        errors.append(abs(found.joints_camera[0, 2] - truth[0, 2]))
        sigmas.append(np.sqrt(found.wrist_covariance[2, 2]))
    assert errors[1] < 0.5 * errors[0]
    assert errors[1] < 0.05
    assert sigmas[1] < 0.6 * sigmas[0]


def test_the_length_holds_through_a_motion(kinematics) -> None:
    fitter = OnlineFitter(load_hand_model(None), load_prior(), FitterConfig(hand_length_m=0.085))
    scene = moving_hand(30)
    average = hand_length(kinematics, torch.zeros(NUM_BETAS).double())[0]
    frames = run(fitter, scene, range(30))
    joints = frames[-1].hands[0].joints_camera
    assert np.linalg.norm(joints[MIDDLE_MCP] - joints[0]) == pytest.approx(0.085, rel=0.02)
    assert joints[0, 2] == pytest.approx(scene.joints_camera[29, 0, 2] * 0.085 / average, rel=0.03)
    off = SCENE_CAMERA.project(joints) - SCENE_CAMERA.project(scene.joints_camera[29])
    assert np.linalg.norm(off, axis=-1).mean() < 6.0


def test_centimetres_are_refused() -> None:
    with pytest.raises(ConfigError, match="a hand's length is"):
        FitterConfig(hand_length_m=9.5)
    with pytest.raises(ConfigError, match="metres"):
        FitterConfig(hand_length_m=0.01)
