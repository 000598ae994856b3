# SPDX-FileCopyrightText: 2026 The hmp_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The motion of a run of the paper's configuration: captured sets, or else recorded and generated fingers."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

from hmp_core.errors import DataError
from hmp_core.hand.model import HandModel
from hmp_core.prior.chain import FingerBones
from hmp_core.training.amass import read_amass
from hmp_core.training.arctic import read_arctic
from hmp_core.training.body_motion import prepare_hands
from hmp_core.training.config import TrainingConfig
from hmp_core.training.corpus import gather_corpus
from hmp_core.training.hand_motion import HandMotion
from hmp_core.training.hmp_config import HmpTraining

_ARCTIC = "ARCTIC"
_ARCTIC_FOLDERS = ("ARCTIC", "arctic", "arctic_data")


def read_captured(root: Path, names: tuple[str, ...], config: HmpTraining, mano: Path | None = None) -> HandMotion:
    """Prepared right hands of captured sets.

    Args:
        root: folder with the sub-datasets of AMASS by their names, and ARCTIC as ARCTIC, arctic or arctic_data.
        names: of the sets, for instance ``config.train``.
        config: what to keep of them.
        mano: MANO_RIGHT.pkl, where ARCTIC comes without its SMPL-X fits.

    Raises:
        DataError: a set is missing, empty or damaged; the message names file and field.
    """
    parts = []
    for name in names:
        keep = replace(config.preparation, middle=1.0) if name in config.untrimmed else config.preparation
        sequences = read_arctic(_arctic_folder(root), mano) if name == _ARCTIC else read_amass(root, name)
        parts.append(prepare_hands(sequences, keep))
    return HandMotion.join(parts)


def gather_hands(
    config: HmpTraining,
    config_folder: Path,
    places: list[Path],
    model: HandModel,
    bones: FingerBones,
    cache: Path,
    report: Callable[[int, int, str], None],
    mano: Path | None = None,
) -> tuple[HandMotion, dict[str, Any]]:
    """Motion to train on, and its description for the checkpoint.

    A folder with captured sets gives those of ``config.train``, all of them. Without one, files of 21 joints are
    retargeted and motion is generated, as for the real-time prior; their wrists do not turn.

    Args:
        config: of the run.
        config_folder: where its ``split`` is found.
        places: folders and files, as the user gave them.
        model: the right hand.
        bones: its bones.
        cache: folder for retargeted and generated motion.
        report: called with what is done, all there is, and what it is.
        mano: as for :func:`read_captured`.

    Raises:
        ConfigError: the split cannot be read.
        DataError: a file cannot be used, or a set is missing.
    """
    captured = next((place for place in places if any(_has(place, name) for name in config.train)), None)
    if captured is not None:
        report(0, 1, ", ".join(config.train))
        motion = read_captured(captured, config.train, config, mano)
        description: dict[str, Any] = {"hand": model.name, "captured": list(config.train)}
    else:
        settings = TrainingConfig(generator=config.generator, split=config.split)
        corpus = gather_corpus(settings, config_folder, places, model, bones, cache, report, mano)
        rate_hz = config.network.rate_hz
        motion = HandMotion.join([HandMotion.of_fingers(fingers, rate_hz) for fingers, _ in corpus.sources])
        description = {name: entry for name, entry in corpus.description.items() if name != "run"}
    description |= {"recordings": len(motion.lengths), "frames": int(motion.lengths.sum())}
    return motion, description


def _has(place: Path, name: str) -> bool:
    folders = _ARCTIC_FOLDERS if name == _ARCTIC else (name,)
    return any((place / folder).is_dir() for folder in folders)


def _arctic_folder(root: Path) -> Path:
    for name in _ARCTIC_FOLDERS:
        if (root / name).is_dir():
            return root / name
    raise DataError(f"ARCTIC is missing: no folder {' or '.join(str(root / name) for name in _ARCTIC_FOLDERS)}")
