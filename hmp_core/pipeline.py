# SPDX-FileCopyrightText: 2026 The hmp_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The whole path from an image to hands: perception and fitter with the shipped models."""

from dataclasses import dataclass
from pathlib import Path

from hmp_core.estimate import FrameEstimate
from hmp_core.fitting.config import FitterConfig
from hmp_core.fitting.online import OnlineFitter
from hmp_core.frame import Frame
from hmp_core.hand.loading import load_hand_model
from hmp_core.hand.model import HandModel
from hmp_core.observation import FrameObservation
from hmp_core.perception.config import PerceptionConfig
from hmp_core.perception.initializer import HandInitializer
from hmp_core.perception.pipeline import HandPerception
from hmp_core.prior.prior import load_prior
from hmp_core.threads import use_one_thread


@dataclass(frozen=True)
class Pipeline:
    """Perception and fitter of one stream.

    Attributes:
        model: right hand.
        perception: images to observations.
        fitter: observations to estimates.
    """

    model: HandModel
    perception: HandPerception
    fitter: OnlineFitter

    def process(self, frame: Frame) -> tuple[FrameObservation, FrameEstimate]:
        """See and fit one image.

        Raises:
            ImageError: the image cannot be used; count it and go on.
        """
        observation = self.perception.process(frame)
        return observation, self.fitter.update(observation)


def open_pipeline(mano: Path | None = None, max_hands: int = 2, hand_length_m: float = 0.0) -> Pipeline:
    """Load the shipped models.

    Args:
        mano: the user's MANO file or its folder; None for the open hand.
        max_hands: hands followed at a time, 1 or 2.
        hand_length_m: wrist to middle knuckle of whoever is seen, 0.05 to 0.15; 0: not measured [m].

    Raises:
        AssetError: a shipped model is missing or altered.
        HandModelError: the MANO file is unusable.
        ConfigError: ``max_hands`` or ``hand_length_m`` out of range.
    """
    config = FitterConfig(hand_length_m=hand_length_m)
    model, perception = open_perception(mano, max_hands)
    fitter = OnlineFitter(model, load_prior(), config)
    fitter.warm_up()
    return Pipeline(model, perception, fitter)


def open_perception(mano: Path | None = None, max_hands: int = 2) -> tuple[HandModel, HandPerception]:
    """The right hand's model and what sees hands in images; arguments and errors as in :func:`open_pipeline`."""
    use_one_thread()
    model = load_hand_model(mano)
    return model, HandPerception(PerceptionConfig(max_hands=max_hands), HandInitializer(model))
