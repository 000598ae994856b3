# SPDX-FileCopyrightText: 2026 The hmp_ros authors
# SPDX-License-Identifier: Apache-2.0
import pytest
import roma
import torch

from hmp_core.evaluation.prior_report import (
    METHODS,
    cut_windows,
    infill_errors,
    reconstruction_errors,
    sample_sanity,
)
from hmp_core.prior.prior import MotionPrior, load_prior
from hmp_core.training.motion import FingerMotion


@pytest.fixture(scope="module")
def prior() -> MotionPrior:
    return load_prior()


def _own_motion(prior: MotionPrior, count: int) -> FingerMotion:
    """Recordings that the prior itself makes up, which it must be able to follow."""
    torch.manual_seed(4)
    times = torch.arange(int(prior.window_s * 30) + 1) / 30.0
    R = prior.decode(0.6 * torch.randn(count, prior.latent_dim), times.expand(count, -1))
    vectors = roma.rotmat_to_rotvec(R).flatten(0, 1)
    return FingerMotion(vectors, torch.full((count,), len(times)), 30.0, ("own",) * count)


def test_long_recordings_are_cut_and_short_ones_centred():
    motion = FingerMotion(torch.zeros(150 + 40 + 10, 15, 3), torch.tensor([150, 40, 10]), 30.0, ("a", "b", "c"))
    windows = cut_windows(motion, window_s=2.0, shortest_s=0.9, most=10)
    assert [len(window.times_s) for window in windows] == [61, 61, 28, 40]
    for window in windows:
        assert float(window.times_s[0] + window.times_s[-1]) == pytest.approx(2.0, abs=1e-5)
    assert len(cut_windows(motion, window_s=2.0, shortest_s=0.9, most=2)) == 2


def test_motion_of_the_prior_is_followed_and_filled_in_better_than_by_slerp(prior):
    windows = cut_windows(_own_motion(prior, 16), prior.window_s, 0.9, 16)
    errors = reconstruction_errors(prior, windows)
    assert errors["fitted_mm"] < errors["encode_mm"]
    assert errors["fitted_mm"] < 2.0
    active = infill_errors(prior, windows, "three", 0.5)["active"]
    assert isinstance(active, dict)
    assert set(METHODS) | {"windows"} == set(active)
    assert active["prior"] < 0.8 * active["slerp"]


def test_a_still_hand_is_quiet_and_hold_is_exact(prior):
    vectors = torch.zeros(61, 15, 3)
    vectors[..., 2] = 0.4
    windows = cut_windows(FingerMotion(vectors, torch.tensor([61]), 30.0, ("still",)), prior.window_s, 0.9, 1)
    errors = infill_errors(prior, windows, "one", 1.0)
    assert isinstance(errors["quiet"], dict)
    assert errors["quiet"]["windows"] == 1
    assert errors["quiet"]["hold"] == errors["quiet"]["slerp"] == 0.0


def test_samples_are_measured(prior):
    sanity = sample_sanity(prior)
    assert 0.0 <= sanity["limit_violations"] < 0.5
    assert sanity["latent_spread_first"] >= sanity["latent_spread_last"] > 0.0
