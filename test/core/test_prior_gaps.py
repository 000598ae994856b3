# SPDX-FileCopyrightText: 2026 The hmp_ros authors
# SPDX-License-Identifier: Apache-2.0
from collections import Counter

import pytest
import roma
import torch
from prior_motion import RATE_HZ, steady_motion, waving_motion

from hmp_core.evaluation.baseline_models import BaselineParameters
from hmp_core.evaluation.prior_fill import fill_by_prior, on_grid
from hmp_core.evaluation.prior_gaps import HIDDEN, GapPicker, cut_windows, sides, whole_windows
from hmp_core.evaluation.prior_interpolation import Edges, InterpolationParameters, cubic, hold, slerp, velocity
from hmp_core.evaluation.prior_methods import interpolation_errors, prior_errors
from hmp_core.prior.prior import MotionPrior, load_prior
from hmp_core.training.motion import FingerMotion


@pytest.fixture(scope="module")
def prior() -> MotionPrior:
    return load_prior()


def test_gaps_keep_their_distance_and_every_sign_has_its_turn(prior):
    motion = waving_motion(18, 90)
    gaps = GapPicker(motion, prior.vae.bones).pick("two", 1.0, 12)["active"]
    assert len(gaps) == 12
    assert gaps.frames == 30
    assert (gaps.first - gaps.begin >= 6).all()
    assert (gaps.end - gaps.first - gaps.frames >= 6).all()
    assert (gaps.joints.sum(1) == 6).all()
    recording = torch.searchsorted(motion.lengths.cumsum(0), gaps.first, right=True)
    # Twelve gaps, six signs of three recordings: two each, in different recordings.
    assert set(Counter(motion.labels[r] for r in recording.tolist()).values()) == {2}
    assert len(set(recording.tolist())) == 12
    again = GapPicker(motion, prior.vae.bones).pick("two", 1.0, 12)["active"]
    assert torch.equal(gaps.first, again.first)


def test_all_combinations_have_a_share(prior):
    picker = GapPicker(waving_motion(40, 120), prior.vae.bones)
    for hidden, combinations in HIDDEN.items():
        joints = picker.pick(hidden, 0.2, 150)["active"].joints
        assert len(torch.unique(joints, dim=0)) == len(combinations)


def test_activity_is_the_speed_of_the_hidden_joints_alone(prior):
    vectors = torch.zeros(90, 15, 3)
    vectors[:, 12:, 2] = 0.5 * torch.sin(torch.arange(90) * 0.3)[:, None]
    picker = GapPicker(FingerMotion(vectors, torch.tensor([90]), RATE_HZ, ("thumb",)), prior.vae.bones)
    assert len(picker.pick("thumb", 0.5, 9)["active"]) > 0
    assert len(picker.pick("thumb", 0.5, 9)["quiet"]) == 0
    assert len(picker.pick("three", 0.5, 9)["active"]) == 0
    assert len(picker.pick("three", 3.0, 9)["quiet"]) == 0  # longer than the recording


@pytest.mark.parametrize("frames", [40, 61, 200])
@pytest.mark.parametrize("forecast", [False, True])
def test_windows_show_what_is_seen_and_nothing_else(prior, frames, forecast):
    motion = waving_motion(12, frames)
    gaps = GapPicker(motion, prior.vae.bones).pick("one", 0.5, 10)["active"]
    windows = cut_windows(motion, gaps, 2.0, forecast)
    assert windows.vectors.shape == (len(gaps), 61, 15, 3)
    assert float(windows.times_s[-1]) == pytest.approx(2.0, abs=1e-5)
    assert (windows.vectors[~windows.seen] == 0).all()
    for row in range(len(gaps)):
        gap = windows.gap[row]
        hidden = gaps.joints[row]
        assert not windows.seen[row, gap][:, hidden].any()
        assert windows.seen[row, gap][:, ~hidden].all()
        last = int(gap[-1])
        assert windows.seen[row, int(gap[0]) - 6 : int(gap[0])].all()
        if forecast:
            assert last == 60
        else:
            assert windows.seen[row, last + 1 : last + 7].all()
        truth = motion.rotation_vectors[gaps.first[row] : gaps.first[row] + gaps.frames]
        assert torch.equal(windows.vectors[row, gap][:, ~hidden], truth[:, ~hidden])


def test_recordings_are_cut_into_whole_windows_and_short_ones_centred():
    motion = FingerMotion(torch.zeros(200, 15, 3), torch.tensor([150, 40, 10]), RATE_HZ, ("a", "b", "c"))
    windows = whole_windows(motion, 2.0, 0.9, 10)
    assert windows.seen[..., 0].sum(1).tolist() == [61, 61, 28, 40]
    assert len(whole_windows(motion, 2.0, 0.9, 2).seen) == 2


def _edges(motion: FingerMotion, gaps, forecast: bool) -> tuple[Edges, torch.Tensor]:
    before, truth, after = sides(motion, gaps)
    return Edges(before, None if forecast else after, gaps.frames, RATE_HZ), truth


@pytest.mark.parametrize("gap_s", [0.2, 1.0, 2.0])
def test_slerp_and_cubic_are_exact_on_steady_motion(prior, gap_s):
    motion = steady_motion(4, 100, speed=0.6)
    gaps = GapPicker(motion, prior.vae.bones).pick("all", gap_s, 8)["active"]
    edges, truth = _edges(motion, gaps, forecast=False)
    torch.testing.assert_close(slerp(edges), truth, atol=2e-5, rtol=0)
    never_fading = InterpolationParameters(cubic_decay_s=1e9)
    torch.testing.assert_close(cubic(edges, never_fading), truth, atol=2e-5, rtol=0)


def test_velocity_that_does_not_fade_foretells_steady_motion(prior):
    motion = steady_motion(4, 100, speed=0.6)
    gaps = GapPicker(motion, prior.vae.bones).pick("all", 1.0, 8)["active"]
    edges, truth = _edges(motion, gaps, forecast=True)
    foretold = velocity(edges, InterpolationParameters(velocity_decay_s=1e3))
    torch.testing.assert_close(foretold, truth, atol=2e-3, rtol=0)
    settled = cubic(edges, InterpolationParameters(cubic_settle_s=0.2))
    torch.testing.assert_close(settled[:, -1], settled[:, 8])
    assert torch.equal(slerp(edges), hold(edges))


def test_hold_is_exact_on_a_still_hand(prior):
    vectors = torch.full((90, 15, 3), 0.3)
    motion = FingerMotion(vectors, torch.tensor([90]), RATE_HZ, ("still",))
    gaps = GapPicker(motion, prior.vae.bones).pick("one", 1.0, 4)["quiet"]
    for forecast in (False, True):
        errors = interpolation_errors(motion, gaps, forecast, BaselineParameters(), prior.vae.bones)
        for method, values in errors.items():
            assert float(values.max()) < 1e-3, method


def _own_motion(prior: MotionPrior, count: int) -> FingerMotion:
    """Recordings that the prior itself makes up, which it must be able to follow."""
    torch.manual_seed(4)
    times = torch.arange(int(prior.window_s * RATE_HZ) + 1) / RATE_HZ
    R = prior.decode(0.6 * torch.randn(count, prior.latent_dim), times.expand(count, -1))
    vectors = roma.rotmat_to_rotvec(R).flatten(0, 1)
    return FingerMotion(vectors, torch.full((count,), len(times)), RATE_HZ, ("own",) * count)


def test_motion_of_the_prior_is_filled_in_better_than_by_slerp(prior):
    motion = _own_motion(prior, 16)
    gaps = GapPicker(motion, prior.vae.bones).pick("three", 0.5, 16)["active"]
    errors, ratio = prior_errors(motion, gaps, False, prior)
    by_slerp = interpolation_errors(motion, gaps, False, BaselineParameters(), prior.vae.bones)["slerp"]
    assert float(errors["prior"].mean()) < 0.8 * float(by_slerp.mean())
    assert ratio.shape == (len(gaps),)
    assert (ratio > 0).all()


def test_the_fill_keeps_what_is_seen_and_never_peeks(prior):
    motion = waving_motion(3, 61)
    gaps = GapPicker(motion, prior.vae.bones).pick("thumb", 0.5, 3)["active"]
    windows = cut_windows(motion, gaps, prior.window_s, forecast=False)
    R = roma.rotvec_to_rotmat(windows.vectors)

    def fill(R_local):
        encoded = prior.encode(*on_grid(prior, R_local, windows.seen, windows.times_s))
        return fill_by_prior(prior, encoded, R_local, windows.seen, windows.times_s)

    filled = fill(R)
    assert torch.equal(filled[windows.seen], R[windows.seen])
    spoilt = R.clone()
    spoilt[~windows.seen] = roma.random_rotmat(int((~windows.seen).sum()))
    torch.testing.assert_close(fill(spoilt), filled, atol=1e-5, rtol=0)
