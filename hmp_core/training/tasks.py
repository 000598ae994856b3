# SPDX-FileCopyrightText: 2026 The hmp_ros authors
# SPDX-License-Identifier: Apache-2.0
"""From a run's configuration and motion files to the task that the trainer runs."""

from collections.abc import Callable
from pathlib import Path

from hmp_core.hand.loading import load_hand_model
from hmp_core.prior.chain import FingerBones
from hmp_core.training.corpus import gather_corpus
from hmp_core.training.dataset import ClipSampler
from hmp_core.training.hand_motion import HandClips
from hmp_core.training.hmp_config import HmpTraining, read_run_config
from hmp_core.training.hmp_data import gather_hands
from hmp_core.training.hmp_task import HmpTask
from hmp_core.training.realtime_task import RealtimeTask
from hmp_core.training.task import TrainingTask


def prepare_task(
    config: Path,
    data: list[Path],
    mano: Path | None,
    cache: Path,
    report: Callable[[int, int, str], None],
) -> TrainingTask:
    """Gather the motion of a run and build what it trains.

    Args:
        config: YAML file of the run; its entry ``kind`` says which network.
        data: motion files, or folders with some, of any form that is known; without any, motion is generated.
        mano: MANO_RIGHT.pkl; None for the open hand.
        cache: folder for retargeted and generated motion.
        report: called with what is done, all there is, and what it is.

    Raises:
        ConfigError: the configuration cannot be used.
        DataError: a motion file is missing or cannot be used.
    """
    settings = read_run_config(config)
    model = load_hand_model(mano)
    bones = FingerBones.of(model)
    if isinstance(settings, HmpTraining):
        motion, description = gather_hands(settings, config.parent, data, model, bones, cache, report, mano)
        return HmpTask(settings, bones, HandClips(motion, settings.network.frames), description)
    corpus = gather_corpus(settings, config.parent, data, model, bones, cache, report, mano)
    sampler = ClipSampler(corpus.sources, settings.prior.window_s)
    return RealtimeTask(settings, bones, sampler, corpus.description)
