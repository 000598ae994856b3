# SPDX-FileCopyrightText: 2026 The hmp_ros authors
# SPDX-License-Identifier: Apache-2.0
from pathlib import Path

import numpy as np
import pytest
import roma
import torch

from hmp_core.errors import ConfigError, DataError
from hmp_core.hand.kinematics import HandKinematics
from hmp_core.hand.loading import load_hand_model
from hmp_core.training.config import read_training_config
from hmp_core.training.corpus import read_held_out
from hmp_core.training.dataset import ClipSampler
from hmp_core.training.masking import MaskingConfig, random_visibility
from hmp_core.training.motion import FingerMotion
from hmp_core.training.retarget import RetargetConfig, retarget_file
from hmp_core.training.sources import read_joint_motion

ROOT = Path(__file__).resolve().parents[2]
LEAP = ROOT.parent / "shared" / "data" / "hand_motion" / "leap_motion_60hz.npz"


def _ramp(lengths: list[int], rate_hz: float = 60.0) -> FingerMotion:
    """Recordings whose joints flex by 0.2 rad/s from 0."""
    vectors = torch.zeros(sum(lengths), 15, 3)
    vectors[..., 2] = torch.cat([0.2 * torch.arange(n) / rate_hz for n in lengths])[:, None]
    return FingerMotion(vectors, torch.tensor(lengths), rate_hz, tuple(f"sign{i % 2}" for i in range(len(lengths))))


def _motion_file(path: Path, **changes: object) -> Path:
    joints = np.zeros((5, 21, 3), np.int16)
    joints[..., 0] = np.arange(5)[:, None] * 100
    fields: dict[str, object] = {
        "joints_q": joints,
        "unit_m": 1e-4,
        "lengths": np.array([2, 3]),
        "side": np.array(["right", "left"]),
        "sign": np.array(["a", "b"]),
        "rate_hz": 30.0,
    }
    np.savez(path, **{k: v for k, v in (fields | changes).items() if v is not None})
    return path


def test_a_motion_file_is_read_in_metres_and_left_hands_are_mirrored(tmp_path):
    motion = read_joint_motion(_motion_file(tmp_path / "m.npz"))
    assert motion.joints[1, 0, 0] == pytest.approx(0.01)
    assert motion.joints[4, 0, 0] == pytest.approx(-0.04)
    assert motion.signs == ("a", "b")


@pytest.mark.parametrize(
    ("changes", "named"),
    [
        ({"joints_q": np.zeros((5, 20, 3))}, "joints_q"),
        ({"lengths": np.array([2, 2])}, "lengths"),
        ({"side": np.array(["right", "foot"])}, "foot"),
        ({"sign": None}, "sign"),
        ({"rate_hz": 0.0}, "rate_hz"),
    ],
)
def test_a_wrong_field_is_named(tmp_path, changes, named):
    with pytest.raises(DataError, match=named):
        read_joint_motion(_motion_file(tmp_path / "m.npz", **changes))


def test_a_missing_file_and_a_wrong_one_are_named(tmp_path):
    with pytest.raises(DataError, match="nothing"):
        read_joint_motion(tmp_path / "nothing.npz")
    (tmp_path / "text.npz").write_text("no archive")
    with pytest.raises(DataError, match="text"):
        read_joint_motion(tmp_path / "text.npz")


def test_clips_play_at_the_drawn_pace_in_seconds():
    torch.manual_seed(0)
    sampler = ClipSampler([(_ramp([600, 400]), 1.0)], window_s=2.0)
    batch = sampler.draw(32, torch.linspace(0.0, 2.0, 16), 7, pace=(0.5, 2.0))
    flexion = batch.vectors_grid[:, :, 0, 2]
    speed = (flexion[:, -1] - flexion[:, 0]) / 2.0
    assert (speed > 0.098).all()
    assert (speed < 0.402).all()
    assert speed.std() > 0.04
    # The irregular times show the same motion as the grid.
    at_times = batch.vectors_times[:, :, 0, 2]
    torch.testing.assert_close(at_times, flexion[:, :1] + speed[:, None] * batch.times_s, rtol=0.0, atol=2e-3)
    assert batch.recorded_grid.min() == 1.0


def test_a_recording_shorter_than_the_window_is_seen_only_where_it_was_recorded():
    torch.manual_seed(0)
    sampler = ClipSampler([(_ramp([60]), 1.0)], window_s=2.0)
    batch = sampler.draw(64, torch.linspace(0.0, 2.0, 21), 1, pace=(1.0, 1.0001))
    seen_s = batch.recorded_grid.sum(1) * 0.1
    assert (seen_s > 0.75).all()
    assert (seen_s < 1.25).all()
    assert batch.recorded_grid[:, 0].mean() < 1.0
    assert batch.vectors_grid.isfinite().all()


def test_sources_share_clips_as_asked():
    torch.manual_seed(0)
    still = FingerMotion(torch.zeros(5000, 15, 3), torch.tensor([5000]), 60.0, ("still",))
    sampler = ClipSampler([(still, 0.8), (_ramp([300, 300]), 0.2)], window_s=2.0)
    batch = sampler.draw(800, torch.linspace(0.0, 2.0, 8), 1, pace=(1.0, 1.0001))
    moving = (batch.vectors_grid[:, -1] - batch.vectors_grid[:, 0]).flatten(1).norm(dim=1) > 0.05
    assert 0.14 < moving.float().mean() < 0.26


def test_nothing_to_train_on_is_an_error():
    empty = FingerMotion(torch.zeros(0, 15, 3), torch.zeros(0, dtype=torch.int64), 60.0, ())
    with pytest.raises(DataError, match="no motion"):
        ClipSampler([(empty, 1.0)], window_s=2.0)


def test_held_out_signs_are_left_out():
    motion = _ramp([10, 20, 30])
    kept = motion.select(~motion.labelled({"sign0"}))
    assert kept.lengths.tolist() == [20]
    assert kept.labels == ("sign1",)
    assert kept.rotation_vectors[0, 0, 2] == 0.0


def test_masks_hide_whole_fingers_for_spans_and_spare_the_untouched_share():
    torch.manual_seed(0)
    times = torch.linspace(0.0, 2.0, 32)
    config = MaskingConfig(untouched=0.3, dropped_frames=0.0)
    visible = random_visibility(config, 4000, times)
    untouched = (visible.flatten(1).amin(1) == 1.0).float().mean()
    assert 0.27 < untouched < 0.36
    # An outer joint is never seen where its finger's middle joint is hidden.
    fingers = visible.unflatten(-1, (5, 3))
    assert ((fingers[..., 1] == 0) & (fingers[..., 2] == 1)).sum() == 0
    at_end = (visible[:, -1] == 0).any(-1).float().mean()
    assert at_end > 0.2
    blind = (visible.amax(-1) == 0).any(1).float().mean()
    assert 0.1 < blind < 0.5


def test_masks_can_leave_everything_seen():
    assert (
        random_visibility(MaskingConfig(untouched=1.0, dropped_frames=0.0), 20, torch.linspace(0, 2, 8)).min() == 1
    )


def test_retargeting_recovers_poses_and_drops_what_does_not_fit(tmp_path):
    torch.manual_seed(0)
    model = load_hand_model()
    vectors = torch.zeros(60, 16, 3)
    vectors[:, 1:13, 2] = 0.4 + 0.3 * torch.sin(torch.linspace(0.0, 3.0, 60))[:, None]
    vectors[:, 0] = torch.randn(3)
    joints = HandKinematics(model).joints(roma.rotvec_to_rotmat(vectors), torch.zeros(10), torch.zeros(60, 3))
    joints[50:] = 0.05 * torch.randn(10, 21, 3)  # no hand
    path = _motion_file(
        tmp_path / "m.npz",
        joints_q=(joints / 1e-5).round().int().numpy(),
        unit_m=1e-5,
        lengths=np.array([60]),
        side=np.array(["right"]),
        sign=np.array(["a"]),
    )
    seen: list[int] = []
    for _ in range(2):  # the second time from the cache
        result = retarget_file(path, model, tmp_path / "cache", report=lambda done, total: seen.append(done))
        assert result.motion.lengths.tolist() == [50]
        assert result.rejected == pytest.approx(10 / 60)
        error = (result.motion.rotation_vectors - vectors[:50, 1:]).norm(dim=-1)
        assert error.median() < 0.15
    assert seen == [60]


@pytest.mark.skipif(not LEAP.exists(), reason=f"needs {LEAP}, which is not part of the repository")
def test_real_recordings_retarget_within_the_limit(tmp_path):
    with np.load(LEAP) as file:
        length = int(file["lengths"][0])
        fields = {name: file[name][:1] for name in ("lengths", "side", "sign")}
        fields |= {"joints_q": file["joints_q"][:length], "unit_m": file["unit_m"], "rate_hz": file["rate_hz"]}
    np.savez(tmp_path / "one.npz", **fields)
    result = retarget_file(tmp_path / "one.npz", load_hand_model(), tmp_path, RetargetConfig(rate_hz=15.0))
    assert result.rejected < 0.1
    assert result.residual_m.median() < 0.008


def test_the_shipped_configuration_and_split_can_be_read():
    config = read_training_config(ROOT / "config" / "prior_realtime.yaml")
    assert config.prior.window_s == 2.0
    assert len(read_held_out(ROOT / "config" / config.split)) >= 8


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("speed: 3", "speed"),
        ("steps: many", "steps"),
        ("steps: 0", "steps"),
        ("prior: {window_s: 0}", "window_s"),
        ("- 1", "names"),
    ],
)
def test_a_wrong_configuration_names_the_entry(tmp_path, text, named):
    path = tmp_path / "run.yaml"
    path.write_text(text)
    with pytest.raises(ConfigError, match=named):
        read_training_config(path)
