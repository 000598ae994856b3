# SPDX-FileCopyrightText: 2026 The hmp_ros authors
# SPDX-License-Identifier: Apache-2.0
import sys

import cv2
import numpy as np
import pytest
import torch

from hmp_core.cli.main import main
from hmp_core.errors import ConfigError
from hmp_core.hand.loading import load_hand_model
from hmp_core.media.sample_sheet import draw_samples, write_sample_sheet
from hmp_core.prior.prior import load_prior


@pytest.fixture(scope="module")
def prior():
    return load_prior()


def hmp(monkeypatch, *arguments):
    monkeypatch.setattr(sys, "argv", ["hmp", *map(str, arguments)])
    with pytest.raises(SystemExit) as ended:
        main()
    return ended.value.code


def test_every_row_differs_and_hands_are_in_the_frame(monkeypatch, tmp_path):
    out = tmp_path / "new" / "samples.png"
    assert hmp(monkeypatch, "samples", "--out", out, "--count", 3, "--columns", 2, "--seed", 4) == 0
    sheet = cv2.imread(str(out)).astype(int)
    assert sheet.shape == (22 + 3 * 170, 2 * 150, 3)
    cells = sheet[22:].reshape(3, 170, 2, 150, 3).swapaxes(1, 2)
    inked = np.ptp(np.concatenate((cells, np.full_like(cells[..., :1], 246)), axis=-1), axis=-1) > 20
    share = inked.mean((2, 3))
    assert (share > 0.08).all()  # there is a hand
    assert (share < 0.6).all()
    assert not inked[:, :, 0].any()  # it does not reach the upper edge,
    assert not inked[:, :, :, [0, -1]].any()  # nor the sides; the forearm leaves at the bottom
    for row in range(3):
        assert (np.abs(cells[row] - cells[row - 1]).max(-1) > 40).mean() > 0.02


def test_the_same_seed_gives_the_same_samples(prior, tmp_path):
    z = torch.randn(1, prior.latent_dim, generator=torch.Generator().manual_seed(0))
    for name in ("one.png", "two.png"):
        write_sample_sheet(tmp_path / name, prior, load_hand_model(), z, 1)
    assert (tmp_path / "one.png").read_bytes() == (tmp_path / "two.png").read_bytes()


def test_pictures_follow_the_motion(prior):
    z = 2.0 * torch.randn(1, prior.latent_dim, generator=torch.Generator().manual_seed(1))
    times = torch.tensor([0.0, 0.0, prior.window_s])
    pictures = [picture.astype(int) for _, _, picture in draw_samples(prior, load_hand_model(), z, times)]
    assert (pictures[0] == pictures[1]).all()
    assert (np.abs(pictures[2] - pictures[0]).max(-1) > 40).mean() > 0.01


def test_an_mp4_becomes_a_clip(monkeypatch, prior, tmp_path):
    out = tmp_path / "samples.mp4"
    assert hmp(monkeypatch, "samples", "--out", out, "--count", 2) == 0
    clip = cv2.VideoCapture(str(out))
    assert clip.get(cv2.CAP_PROP_FRAME_COUNT) == pytest.approx(30 * prior.window_s, abs=1)
    assert clip.get(cv2.CAP_PROP_FRAME_WIDTH) == 300


def test_unusable_requests_say_so(monkeypatch, capsys, prior, tmp_path):
    assert hmp(monkeypatch, "samples", "--out", tmp_path / "samples.doc") == 2
    assert ".jpg" in capsys.readouterr().err
    with pytest.raises(ConfigError, match="at least one"):
        write_sample_sheet(tmp_path / "s.png", prior, load_hand_model(), torch.zeros(0, prior.latent_dim), 3)
    (tmp_path / "file").touch()
    with pytest.raises(ConfigError, match="cannot be written"):
        write_sample_sheet(
            tmp_path / "file" / "s.png", prior, load_hand_model(), torch.zeros(1, prior.latent_dim), 1
        )
