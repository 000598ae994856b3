# SPDX-FileCopyrightText: 2026 The hmp_ros authors
# SPDX-License-Identifier: Apache-2.0
"""All motion of a training run: recorded files without the held-out signs, and generated motion."""

import hashlib
import json
from collections.abc import Callable
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from typing import Any

import torch

from hmp_core.errors import ConfigError
from hmp_core.hand.model import HandModel
from hmp_core.prior.chain import FingerBones
from hmp_core.training.config import GeneratorConfig, TrainingConfig
from hmp_core.training.generator import GENERATOR_VERSION, generate_motion
from hmp_core.training.motion import FingerMotion, read_motion, write_motion
from hmp_core.training.motion_sources import find_motion_sources
from hmp_core.training.retarget import Retargeted


@dataclass(frozen=True)
class Corpus:
    """Sources with their shares of the clips, and a description for the checkpoint."""

    sources: list[tuple[FingerMotion, float]]
    description: dict[str, Any]


def read_held_out(path: Path) -> frozenset[str]:
    """Signs that training must not see.

    Raises:
        ConfigError: the file is missing or is not JSON with a list ``held_out``.
    """
    try:
        return frozenset(str(sign) for sign in json.loads(path.read_text(encoding="utf-8"))["held_out"])
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise ConfigError(f"the split {path} must be JSON with a list 'held_out': {error}") from error


def gather_corpus(
    config: TrainingConfig,
    config_folder: Path,
    places: list[Path],
    model: HandModel,
    bones: FingerBones,
    cache: Path,
    report: Callable[[int, int, str], None],
    mano: Path | None = None,
) -> Corpus:
    """Read recorded motion, leave the held-out signs out, and generate the rest.

    Args:
        config: of the run.
        config_folder: where its ``split`` is found.
        places: files and folders of recorded motion, as :mod:`hmp_core.training.motion_sources` knows it; what the
            generator's share leaves is divided evenly among the sources found there.
        model: the right hand.
        bones: its bones.
        cache: folder for retargeted motion.
        report: called with frames or recordings done, all of them, and what they are.
        mano: MANO_RIGHT.pkl, where ARCTIC comes without its SMPL-X fits.

    Raises:
        ConfigError: the split cannot be read.
        DataError: a place holds no motion, or a file cannot be used.
    """
    sources: list[tuple[FingerMotion, float]] = []
    described: list[dict[str, Any]] = []
    recorded = find_motion_sources(places, cache, mano)
    held_out = read_held_out(config_folder / config.split) if recorded else frozenset()
    for source in recorded:
        result = source.read(model, cache, partial(_named, report, source.name))
        kept = result.motion.select(~result.motion.labelled(held_out))
        sources.append((kept, (1.0 - config.generator.share) / len(recorded)))
        described.append(
            {"file": source.name, "recordings": len(kept.lengths), "frames": int(kept.lengths.sum())}
            | _fit_figures(result)
        )
    share = config.generator.share if recorded else 1.0
    if share > 0.0:
        settings = config.generator
        report(0, settings.recordings, "generated")
        made = _generated(bones, settings, cache)
        report(settings.recordings, settings.recordings, "generated")
        sources.append((made, share))
    return Corpus(
        sources, {"hand": model.name, "files": described, "held_out": sorted(held_out), "run": asdict(config)}
    )


def _fit_figures(result: Retargeted) -> dict[str, float]:
    """How well retargeting went; nothing for poses, which need none."""
    if not len(result.residual_m):
        return {}
    residual_mm = 1e3 * float(result.residual_m[result.residual_m.isfinite()].median())
    return {"rejected": result.rejected, "residual_mm": residual_mm}


def _generated(bones: FingerBones, settings: GeneratorConfig, cache: Path) -> FingerMotion:
    """Made-up motion, or what an earlier run with the same hand and settings left in the cache."""
    hand = torch.cat((bones.bases, bones.bones)).numpy().tobytes()
    key = f"{GENERATOR_VERSION} {settings.recordings} {settings.seconds} {settings.seed}".encode() + hand
    entry = cache / f"generated_{hashlib.sha256(key).hexdigest()[:16]}.safetensors"
    motion = read_motion(entry)
    if motion is None:
        motion = generate_motion(bones, settings.recordings, settings.seconds, settings.seed)
        write_motion(entry, motion)
    return motion


def _named(report: Callable[[int, int, str], None], what: str, done: int, total: int) -> None:
    report(done, total, what)
