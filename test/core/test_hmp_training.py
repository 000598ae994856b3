# SPDX-FileCopyrightText: 2026 The hmp_ros authors
# SPDX-License-Identifier: Apache-2.0
from pathlib import Path

import numpy as np
import pytest
import roma
import torch

from hmp_core.errors import ConfigError, DataError
from hmp_core.hand.loading import load_hand_model
from hmp_core.prior.chain import FingerBones, rotations_in_wrist
from hmp_core.prior.hmp.config import HmpConfig
from hmp_core.prior.hmp.vae import HmpPass
from hmp_core.training.config import GeneratorConfig, TrainingConfig
from hmp_core.training.hand_motion import HandClips, HandMotion
from hmp_core.training.hmp_config import HmpTraining, read_run_config
from hmp_core.training.hmp_data import gather_hands, read_captured
from hmp_core.training.hmp_loss import HmpWeights, hmp_loss
from hmp_core.training.hmp_task import HmpTask
from hmp_core.training.motion import FingerMotion
from hmp_core.training.resampling import resample_rotations

CONFIG = Path(__file__).parents[2] / "config"
SMALL = HmpConfig(
    frames=32, latent_dim=12, global_dim=4, channels=(4, 4, 8, 8), global_channels=(4, 8, 8, 8), field_width=32
)


@pytest.fixture
def bones():
    torch.set_num_threads(1)
    return FingerBones.of(load_hand_model())


def _motion(lengths=(70, 31, 64), rate_hz=30.0):
    torch.manual_seed(1)
    frames = sum(lengths)
    time = torch.arange(frames)[:, None, None] / rate_hz
    vectors = 0.4 * torch.randn(15, 3) * torch.sin(3.0 * time + torch.randn(15, 3))
    R_wrist = roma.rotvec_to_rotmat(torch.sin(time[:, 0] * torch.tensor([1.0, 1.3, 0.7])))
    return HandMotion(
        vectors, R_wrist, torch.tensor(lengths), rate_hz, tuple(f"take {i}" for i in range(len(lengths)))
    )


def test_the_file_says_what_the_paper_says():
    run = read_run_config(CONFIG / "prior_hmp.yaml")
    assert run == HmpTraining()
    assert (run.train, run.validation, run.test) == (("GRAB", "ARCTIC"), ("SAMP",), ("TCDHands",))
    assert isinstance(read_run_config(CONFIG / "prior_realtime.yaml"), TrainingConfig)


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("kind: other", "kind"),
        ("[1, 2]", "names and values"),
        ("kind: hmp\nepoch: 3", "epoch"),
        ("kind: hmp\nepochs: 0", "epochs"),
        ("kind: hmp\nlearning_rate: 0", "learning_rate"),
        ("kind: hmp\nnetwork: {rate_hz: 60.0}", "rate_hz"),
        ("kind: hmp\npreparation: {middle: 0.0}", "middle"),
        ("kind: hmp\ntrain: [GRAB, SAMP]", "SAMP"),
    ],
)
def test_wrong_configurations_are_named(tmp_path, text, named):
    (tmp_path / "run.yaml").write_text(text, encoding="utf-8")
    with pytest.raises(ConfigError, match=named):
        read_run_config(tmp_path / "run.yaml")


def test_clips_do_not_overlap_and_drop_the_rest():
    motion = _motion()
    clips = HandClips(motion, 32)
    assert len(clips) == 4  # 2 of 70, none of 31, 2 of 64
    torch.testing.assert_close(clips.fingers[1], motion.rotation_vectors[32:64])
    torch.testing.assert_close(clips.R_world_wrist[2], motion.R_world_wrist[101:133])
    assert clips.batch(torch.tensor([3, 0]))["fingers"].shape == (2, 32, 15, 3)
    with pytest.raises(DataError, match="128"):
        HandClips(motion, 128)


def test_the_ramp_rises_once():
    weights = HmpWeights()
    assert [weights.ramp(epoch) for epoch in (0, 25, 50, 999)] == pytest.approx([0.01, 1.0, 1.0, 1.0])
    assert weights.ramp(12.5) == pytest.approx(0.505)


def test_loss_terms_are_the_papers(bones):
    torch.manual_seed(0)
    R_true = roma.rotvec_to_rotmat(0.4 * torch.randn(2, 3, 15, 3))
    R_wrist_true = roma.random_rotmat(6).view(2, 3, 3, 3)
    fingers = rotations_in_wrist(R_true)
    fingers_made = fingers @ roma.rotvec_to_rotmat(0.1 * torch.randn(2, 3, 15, 3))
    turn = roma.rotvec_to_rotmat(torch.tensor([0.0, 0.3, 0.0]))
    mean, log_variance = torch.randn(2, 7), torch.randn(2, 7)
    made = HmpPass(fingers_made, R_wrist_true @ turn, mean, log_variance, torch.zeros(2, 4), torch.zeros(2, 4))
    terms = hmp_loss(made, R_true, R_wrist_true, bones, HmpWeights(), epoch=0)
    assert float(terms["orientation_deg"]) == pytest.approx(np.rad2deg(0.3), rel=1e-4)
    cosine = ((fingers.mT @ fingers_made).diagonal(dim1=-2, dim2=-1).sum(-1) - 1.0) / 2.0
    angle = float(cosine.arccos().sum() / (2 * 3 * 16))  # the wrist's sixteenth angle is zero
    assert float(terms["angle_deg"]) == pytest.approx(np.rad2deg(angle), rel=1e-3)
    divergence = float((0.5 * (mean**2 + log_variance.exp() - 1 - log_variance)).sum(-1).mean())
    assert float(terms["divergence_nat"]) == pytest.approx(divergence, rel=1e-5)
    assert float(terms["wrist_divergence_nat"]) == 0.0
    reconstruction = 0.3 + angle + 10.0 * float(terms["position_mm"]) * 1e-3
    assert float(terms["reconstruction"]) == pytest.approx(reconstruction, rel=1e-3)
    difference = float(terms["total"] - terms["reconstruction"])
    assert difference == pytest.approx(1e-5 * 0.01 * divergence, rel=0.2)


def test_loss_of_a_perfect_pass_is_zero_with_a_finite_gradient(bones):
    R_true = roma.rotvec_to_rotmat(0.4 * torch.randn(2, 3, 15, 3))
    R_wrist_true = roma.random_rotmat(6).view(2, 3, 3, 3)
    fingers = rotations_in_wrist(R_true).requires_grad_()
    zero = torch.zeros(2, 4)
    made = HmpPass(fingers, R_wrist_true, zero, zero, zero, zero)
    total = hmp_loss(made, R_true, R_wrist_true, bones, HmpWeights(), epoch=30)["total"]
    assert float(total.detach()) < 1e-3
    assert torch.isfinite(torch.autograd.grad(total, fingers)[0]).all()


def test_training_reduces_the_loss(bones):
    torch.manual_seed(0)
    config = HmpTraining(network=SMALL, batch=4, epochs=60, learning_rate=3e-3)
    clips = HandClips(_motion((640,)), 32)
    task = HmpTask(config, bones, clips, {})
    assert task.settings.steps == 60 * 5
    task.start()
    optimizer = task.configure_optimizer()
    assert isinstance(optimizer, torch.optim.Adamax)
    task.model.train()
    curve = []
    for step in range(120):
        losses = task.loss(task.draw(step), step)
        optimizer.zero_grad()
        losses["total"].backward()
        optimizer.step()
        curve.append(float(losses["reconstruction"].detach()))
    assert np.mean(curve[-10:]) < 0.6 * np.mean(curve[:10])
    batch = task.draw(7)
    torch.testing.assert_close(batch["fingers"], task.draw(7)["fingers"])
    assert batch["R_world_wrist"].shape == (4, 32, 3, 3)


def test_whitening_makes_the_latents_of_the_clips_standard(bones):
    config = HmpTraining(network=SMALL, batch=4, epochs=1)
    clips = HandClips(_motion((3200,)), 32)
    task = HmpTask(config, bones, clips, {})
    task.start()
    vae = task.model.eval()
    whitening = task._whitening(vae)
    R = roma.rotvec_to_rotmat(clips.fingers)
    white = (vae.posterior(R, torch.ones(R.shape[:3]))[0] - whitening.mean) @ whitening.to_white.T
    spread = white.std(0)
    assert white.mean(0).abs().max() < 1e-2
    assert 0.8 < float(spread[0]) < 1.2
    assert torch.isfinite(whitening.from_white).all()


def test_fingers_alone_get_a_still_wrist_and_the_networks_rate():
    motion = _motion((120, 60), rate_hz=60.0)
    hands = HandMotion.of_fingers(motion.fingers(), 30.0)
    assert hands.lengths.tolist() == [60, 30]
    assert hands.rate_hz == 30.0
    torch.testing.assert_close(hands.R_world_wrist, torch.eye(3).expand(90, 3, 3))
    torch.testing.assert_close(hands.rotation_vectors[10], motion.rotation_vectors[20], atol=0.01, rtol=0.0)
    with pytest.raises(DataError, match="rate"):
        HandMotion.join([hands, motion])


def test_resampling_neither_delays_nor_aliases():
    time = np.arange(600) / 120.0
    slow = 0.5 * np.sin(2 * np.pi * 1.0 * time)
    axis = np.array([0.0, 0.6, 0.8])
    R = roma.rotvec_to_rotmat(torch.from_numpy(slow[:, None] * axis)).numpy()
    out = roma.rotmat_to_rotvec(torch.from_numpy(resample_rotations(R, 120.0, 30.0))).numpy() @ axis
    assert len(out) == 150
    np.testing.assert_allclose(out[5:-5], slow[::4][5:-5], atol=2e-3)
    # 28 Hz would appear as 2 Hz in every fourth frame.
    fast = 0.2 * np.sin(2 * np.pi * 28.0 * time)
    R = roma.rotvec_to_rotmat(torch.from_numpy((slow + fast)[:, None] * axis)).numpy()
    out = roma.rotmat_to_rotvec(torch.from_numpy(resample_rotations(R, 120.0, 30.0))).numpy() @ axis
    assert np.abs(out[5:-5] - slow[::4][5:-5]).max() < 0.03
    # A rate that is no divisor: interpolated at exact times.
    out = roma.rotmat_to_rotvec(torch.from_numpy(resample_rotations(R[::4], 30.0, 50.0))).numpy() @ axis
    assert len(out) == 249
    same = resample_rotations(R, 120.0, 120.0)
    assert same is R


def _write_grab(folder, frames=1500):
    rng = np.random.default_rng(0)
    time = np.arange(frames)[:, None] / 120.0
    poses = 0.4 * rng.normal(size=156) * np.sin(3.0 * time + rng.uniform(0, 6, 156))
    folder.mkdir(parents=True)
    np.savez(
        folder / "cup_lift_poses.npz", poses=poses, mocap_framerate=np.array(120.0), trans=np.zeros((frames, 3))
    )


def test_captured_sets_are_found_by_their_names(tmp_path, bones):
    model = load_hand_model()
    config = HmpTraining(train=("GRAB",))

    def gather(places, config=config):
        return gather_hands(config, CONFIG, places, model, bones, tmp_path / "cache", lambda *_: None)

    _write_grab(tmp_path / "sets/GRAB/s1")
    motion, description = gather([tmp_path / "sets"])
    assert motion.lengths.tolist() == [338, 338]  # 90 % of 12.5 s at 30 Hz, both hands
    assert description["captured"] == ["GRAB"]
    assert description["recordings"] == 2
    _write_grab(tmp_path / "sets/TCDHands/s1")
    whole = read_captured(tmp_path / "sets", ("TCDHands",), config)
    assert whole.lengths.tolist() == [375, 375]
    with pytest.raises(DataError, match="ARCTIC is missing"):
        gather([tmp_path / "sets"], HmpTraining())


def test_without_captured_sets_motion_is_generated(tmp_path, bones):
    config = HmpTraining(generator=GeneratorConfig(recordings=2, seconds=5.0))
    motion, description = gather_hands(
        config, CONFIG, [], load_hand_model(), bones, tmp_path / "cache", lambda *_: None
    )
    assert motion.rate_hz == 30.0
    assert len(HandClips(motion, 128)) == 2
    assert description["recordings"] == 2
    assert isinstance(motion.fingers(), FingerMotion)
