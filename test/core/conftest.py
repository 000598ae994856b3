# SPDX-FileCopyrightText: 2026 The hmp_ros authors
# SPDX-License-Identifier: Apache-2.0
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
from hand_scene import HandScene, moving_hand

from hmp_core.fitting.online import OnlineFitter
from hmp_core.hand.loading import load_hand_model
from hmp_core.hand.skeleton import Side
from hmp_core.media.scene import SceneConfig
from hmp_core.media.synth import synthesize
from hmp_core.prior.prior import load_prior
from hmp_core.threads import use_one_thread

use_one_thread()  # as every command does: a second thread of BLAS only spins, for twice the time


@dataclass(frozen=True)
class Clip:
    """A synthesized clip: where it is and its truth."""

    folder: Path
    config: SceneConfig
    truth: dict[str, np.ndarray]

    @property
    def video(self):
        return str(self.folder / "video.mp4")

    @property
    def camera(self):
        return str(self.folder / "camera.json")


@pytest.fixture(scope="session")
def clip(tmp_path_factory):
    """Two seconds of both hands, with one pass of a box."""
    folder = tmp_path_factory.mktemp("clip")
    config = SceneConfig(
        seconds=2.0,
        fps=30.0,
        width=480,
        height=360,
        sides=(Side.RIGHT, Side.LEFT),
        passes=1,
        occluder="box",
        seed=4,
    )
    assert list(synthesize(folder, config)) == list(range(1, 61))
    with np.load(folder / "truth.npz") as arrays:
        return Clip(folder, config, dict(arrays))


@pytest.fixture(scope="session")
def parts():
    """The shipped hand and prior, which a fitter is made of."""
    return load_hand_model(None), load_prior()


@pytest.fixture
def fitter(parts) -> OnlineFitter:
    return OnlineFitter(*parts)


@pytest.fixture(scope="session")
def scene() -> HandScene:
    """Two and a half seconds of a hand that opens and closes, turns and drifts."""
    return moving_hand(75)
