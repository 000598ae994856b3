# SPDX-FileCopyrightText: 2026 The hmp_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The shape of a hand, found while it is held still, and held from then on."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from hand_scene import HandScene, moving_hand, run

from hmp_core.errors import ConfigError
from hmp_core.estimate import FrameEstimate
from hmp_core.fitting.config import FitterConfig
from hmp_core.fitting.hand_length import hand_length
from hmp_core.fitting.online import OnlineFitter
from hmp_core.fitting.shape_calibration import ShapeCalibration
from hmp_core.fitting.shape_prior import ShapePrior
from hmp_core.hand.kinematics import HandKinematics
from hmp_core.hand.loading import load_hand_model
from hmp_core.hand.skeleton import NUM_BETAS, PARENTS
from hmp_core.prior.prior import load_prior

BETAS = (0.0, -3.0, 0.0, 2.0)
FRAMES = 20


@pytest.fixture(scope="module")
def fitter() -> OnlineFitter:
    torch.set_num_threads(1)
    return OnlineFitter(load_hand_model(None), load_prior())


@pytest.fixture(scope="module")
def kinematics() -> HandKinematics:
    return HandKinematics(load_hand_model(None), dtype=torch.float64)


def still_hand(frames: int, rate_hz: float = 30.0, start_s: float = 0.3) -> HandScene:
    """As good as still: a twentieth of the usual pace."""
    times = np.arange(frames) / rate_hz
    scene = moving_hand(times_s=start_s + times / 20, betas=BETAS)
    return replace(scene, stamps_ns=(1_000_000_000 + times * 1e9).astype(np.int64))


def proportions(joints: np.ndarray) -> np.ndarray:
    """Bone lengths over their sum."""
    bones = np.linalg.norm(joints[..., 1:, :] - joints[..., list(PARENTS[1:]), :], axis=-1)
    return bones / bones.sum(axis=-1, keepdims=True)


def calibrated(frames: list[FrameEstimate], needed: int = FRAMES) -> np.ndarray | None:
    calibration = ShapeCalibration(needed)
    return next((betas for frame in frames if (betas := calibration.add(frame)) is not None), None)


@pytest.fixture(scope="module")
def found(fitter: OnlineFitter) -> np.ndarray:
    fitter.reset()
    betas = calibrated(run(fitter, still_hand(30), range(30)))
    assert betas is not None
    return betas


def test_the_proportions_of_a_still_hand_are_found(found: np.ndarray, kinematics: HandKinematics) -> None:
    rest = torch.eye(3, dtype=torch.float64).expand(1, 16, 3, 3)
    shapes = [np.zeros(NUM_BETAS), found, np.pad(BETAS, (0, NUM_BETAS - len(BETAS)))]
    average, calibrated_, truth = (
        proportions(kinematics.joints(rest, torch.as_tensor(shape), torch.zeros(1, 3).double()).numpy()[0])
        for shape in shapes
    )
    assert np.abs(calibrated_ - truth).sum() < 0.7 * np.abs(average - truth).sum()


def test_a_shape_that_was_found_is_held(fitter: OnlineFitter, found: np.ndarray) -> None:
    held = OnlineFitter(load_hand_model(None), load_prior(), FitterConfig(betas=tuple(found)))
    assert held.hand_shape.betas == pytest.approx(found)
    scene = moving_hand(20, betas=BETAS)
    for frame in run(held, scene, range(20)):
        np.testing.assert_allclose(frame.hands[0].mano.betas, found, atol=0.1)
    fitter.reset()
    learning = [frame.hands[0].mano.betas for frame in run(fitter, scene, range(20))]
    assert np.abs(np.diff(learning, axis=0)).max() > 0.1, "what is not held moves"


def test_a_measured_length_resizes_the_shape_that_was_found(found: np.ndarray, kinematics: HandKinematics) -> None:
    belief = ShapePrior.of_hand(FitterConfig(betas=tuple(found), hand_length_m=0.08), kinematics)
    assert hand_length(kinematics, belief.mean)[0] == pytest.approx(0.08, abs=1e-6)
    np.testing.assert_allclose(belief.mean[1:], found[1:])
    far = belief.adopt(belief.mean + 1.0, 100 * torch.eye(NUM_BETAS, dtype=torch.float64), 0.5)
    np.testing.assert_allclose(far.mean, belief.mean)


def test_a_shape_that_was_found_can_be_given_up_again(fitter: OnlineFitter, found: np.ndarray) -> None:
    fitter.reset()
    scene = still_hand(40)
    fitter.reconfigure(FitterConfig(betas=tuple(found)))
    run(fitter, scene, range(10))
    fitter.reconfigure(FitterConfig())
    assert fitter.hand_shape.betas == (0.0,) * NUM_BETAS
    betas = calibrated(run(fitter, scene, range(10, 40)), 20)
    assert betas is not None
    np.testing.assert_allclose(betas, found, atol=0.8)


@pytest.mark.parametrize("rate_hz", [15.0, 120.0])
def test_a_moving_or_covered_hand_does_not_count(fitter: OnlineFitter, rate_hz: float) -> None:
    fitter.reset()
    moving = moving_hand(times_s=0.1 + np.arange(0, 0.6, 1 / rate_hz))
    calibration = ShapeCalibration(FRAMES)
    for frame in run(fitter, moving, range(len(moving.stamps_ns))):
        assert calibration.add(frame) is None
    assert calibration.still_frames == 0

    fitter.reset()
    still = still_hand(20, rate_hz, start_s=0.1)
    covered = [fitter.update(still.frame(t, hidden=(4, 7, 8, 11, 12) if t else ())) for t in range(20)]
    for frame in covered:
        calibration.add(frame)
    assert calibration.still_frames == 0


def test_stillness_begins_anew_after_a_gap_and_when_time_runs_backwards(fitter: OnlineFitter) -> None:
    fitter.reset()
    frames = run(fitter, still_hand(20), range(20))
    calibration = ShapeCalibration(100)
    for frame in frames:
        calibration.add(frame)
    counted = calibration.still_frames
    assert counted == 20 - 6, "the first 0.2 s do not count"
    for frame in frames[:5]:  # a bag that loops
        calibration.add(frame)
    assert calibration.still_frames == counted
    for frame in frames[:5]:
        calibration.add(replace(frame, stamp_ns=frame.stamp_ns + 60_000_000_000))
    assert calibration.still_frames == counted


def test_what_makes_no_sense_is_refused() -> None:
    with pytest.raises(ConfigError, match="at least one still frame"):
        ShapeCalibration(0)
    with pytest.raises(ConfigError, match="betas must be 10 finite numbers"):
        FitterConfig(betas=(0.0,) * 9)
    with pytest.raises(ConfigError, match="betas must be 10 finite numbers"):
        FitterConfig(betas=(float("nan"),) * 10)
