# SPDX-FileCopyrightText: 2026 The hmp_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Everything that decides a training run, read from one YAML file."""

from collections.abc import Mapping
from dataclasses import dataclass, field, fields, is_dataclass
from pathlib import Path
from typing import Any, TypeVar, get_type_hints

import yaml

from hmp_core.errors import ConfigError
from hmp_core.prior.config import PriorConfig
from hmp_core.training.masking import MaskingConfig
from hmp_core.training.task import MachineConfig

T = TypeVar("T")


@dataclass(frozen=True)
class GeneratorConfig:
    """How much motion is made up.

    Attributes:
        recordings: how many individuals.
        seconds: length of each recording [s].
        seed: of the generator.
        share: share of training clips taken from it.
    """

    recordings: int = 600
    seconds: float = 20.0
    seed: int = 1
    share: float = 0.6


@dataclass(frozen=True)
class TrainingConfig:
    """One training run.

    Attributes:
        prior: network sizes.
        masking: what the encoder does not get to see.
        generator: made-up motion.
        split: JSON file that lists the signs held out, relative to the YAML file.
        start_clips: clips for the linear start and, at the end, for the whitening.
        steps: optimiser steps.
        batch: clips a step.
        free_times: irregular times at which each clip is decoded.
        pace: slowest and fastest playing speed of recordings.
        input_noise_rad: largest noise on the rotations that the encoder gets, half of the clips [rad].
        learning_rate: peak of the one-cycle schedule.
        direct_rate: share of the learning rate for the linear paths, which start solved and have
            thousands of inputs.
        weight_decay: of AdamW.
        reproduction_weight: of reproducing what is seen by the latent alone, against filling what is not.
        divergence_weight: final weight of the KL term.
        divergence_ramp: share of the steps over which that weight grows from zero.
        evenness_ramp: shares of the steps between which clips in which little happens come to count as much
            as lively ones.
        average_decay: of the running average of the weights, which is what is saved.
        seed: of the run.
        save_minutes: time between two states to resume from [min].
        machine: accelerator, devices, strategy, precision.
    """

    prior: PriorConfig = field(default_factory=PriorConfig)
    masking: MaskingConfig = field(default_factory=MaskingConfig)
    generator: GeneratorConfig = field(default_factory=GeneratorConfig)
    split: str = "prior_split.json"
    start_clips: int = 24576
    steps: int = 9000
    batch: int = 128
    free_times: int = 6
    pace: tuple[float, float] = (0.6, 1.6)
    input_noise_rad: float = 0.03
    learning_rate: float = 1e-3
    direct_rate: float = 0.1
    weight_decay: float = 0.02
    reproduction_weight: float = 1.0
    divergence_weight: float = 2e-4
    divergence_ramp: float = 0.3
    evenness_ramp: tuple[float, float] = (0.5, 0.85)
    average_decay: float = 0.998
    seed: int = 0
    save_minutes: float = 2.0
    machine: MachineConfig = field(default_factory=MachineConfig)

    def __post_init__(self) -> None:
        """Refuse what cannot work.

        Raises:
            ConfigError: naming the value and the allowed range.
        """
        for name in ("steps", "batch", "free_times"):
            if getattr(self, name) < 1:
                raise ConfigError(f"{name} is {getattr(self, name)}, allowed is 1 or more")
        for name in ("learning_rate", "save_minutes"):
            if getattr(self, name) <= 0:
                raise ConfigError(f"{name} is {getattr(self, name)}, allowed is anything above 0")
        if not self.evenness_ramp[0] < self.evenness_ramp[1]:
            raise ConfigError(f"evenness_ramp is {self.evenness_ramp}, allowed are two shares, smaller first")
        if not 0.0 < self.pace[0] <= self.pace[1]:
            raise ConfigError(f"pace is {self.pace}, allowed are two positive speeds, slowest first")


def read_training_config(path: Path) -> TrainingConfig:
    """Read a run's configuration; what the file leaves out keeps its default.

    Raises:
        ConfigError: the file is missing, not YAML, or has unknown or wrong entries.
    """
    return build_config(TrainingConfig, read_entries(path), str(path))


def read_entries(path: Path) -> Any:
    """What a YAML file holds; an empty mapping for an empty file.

    Raises:
        ConfigError: the file is missing or not YAML.
    """
    try:
        return yaml.safe_load(path.read_text(encoding="utf-8")) or {}
    except (OSError, yaml.YAMLError) as error:
        raise ConfigError(f"the training configuration {path} cannot be read: {error}") from error


def build_config(kind: type[T], entries: Any, where: str) -> T:
    """A dataclass from a mapping, nested ones included.

    Raises:
        ConfigError: an entry is unknown or of a wrong type; the message begins with ``where``.
    """
    if not isinstance(entries, Mapping):
        raise ConfigError(f"{where} must hold names and values, not {type(entries).__name__}")
    hints = get_type_hints(kind)
    known = {entry.name for entry in fields(kind)}  # type: ignore[arg-type]
    values: dict[str, Any] = {}
    for name, value in entries.items():
        if name not in known:
            raise ConfigError(f"{where}: unknown entry {name!r}; known are {', '.join(sorted(known))}")
        hint = hints[name]
        if is_dataclass(hint) and isinstance(hint, type):
            values[name] = build_config(hint, value, f"{where}: {name}")
        elif isinstance(value, list):
            values[name] = tuple(value)
        elif hint is float and isinstance(value, int):
            values[name] = float(value)
        elif isinstance(hint, type) and not isinstance(value, hint):
            raise ConfigError(f"{where}: {name} is {value!r}, expected {hint.__name__}")
        else:
            values[name] = value
    return kind(**values)
