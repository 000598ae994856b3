# SPDX-FileCopyrightText: 2026 The hmp_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Everything that decides a training run of the paper's configuration."""

from dataclasses import dataclass, field
from pathlib import Path

from hmp_core.errors import ConfigError
from hmp_core.prior.hmp.config import HmpConfig
from hmp_core.training.body_motion import Preparation
from hmp_core.training.config import GeneratorConfig, TrainingConfig, build_config, read_entries
from hmp_core.training.hmp_loss import HmpWeights
from hmp_core.training.task import MachineConfig

_KINDS = ("realtime", "hmp")


@dataclass(frozen=True)
class HmpTraining:
    """One training run; the defaults are those of the paper's code.

    Attributes:
        network: sizes.
        weights: of the loss.
        preparation: what is kept of captured sequences, and their rate, which is the network's.
        train: captured sets to train on: "ARCTIC", or the folder name of a sub-dataset of AMASS.
        validation: sets by which HMP chose its model; nothing here trains on them.
        test: sets that HMP reports on.
        untrimmed: sets whose sequences are kept from end to end.
        generator: made-up motion, for runs without captured sets; its share counts against recorded files.
        split: JSON file that lists the signs held out of recorded files, relative to the YAML file.
        epochs: passes over the clips; a step draws its clips at random.
        batch: clips a step, in each process.
        learning_rate: of Adamax.
        weight_decay: of Adamax.
        seed: of the run.
        save_minutes: time between two states to resume from [min].
        machine: where the run takes place.
    """

    network: HmpConfig = field(default_factory=HmpConfig)
    weights: HmpWeights = field(default_factory=HmpWeights)
    preparation: Preparation = field(default_factory=Preparation)
    train: tuple[str, ...] = ("GRAB", "ARCTIC")
    validation: tuple[str, ...] = ("SAMP",)
    test: tuple[str, ...] = ("TCDHands",)
    untrimmed: tuple[str, ...] = ("TCDHands",)
    generator: GeneratorConfig = field(default_factory=GeneratorConfig)
    split: str = "prior_split.json"
    epochs: int = 1000
    batch: int = 16
    learning_rate: float = 1e-4
    weight_decay: float = 1e-4
    seed: int = 0
    save_minutes: float = 5.0
    machine: MachineConfig = field(default_factory=MachineConfig)

    def __post_init__(self) -> None:
        """Refuse what cannot work.

        Raises:
            ConfigError: naming the value and the allowed range.
        """
        for name in ("epochs", "batch"):
            if getattr(self, name) < 1:
                raise ConfigError(f"{name} is {getattr(self, name)}, allowed is 1 or more")
        for name in ("learning_rate", "save_minutes"):
            if getattr(self, name) <= 0:
                raise ConfigError(f"{name} is {getattr(self, name)}, allowed is anything above 0")
        if self.preparation.rate_hz != self.network.rate_hz:
            raise ConfigError(
                f"preparation.rate_hz is {self.preparation.rate_hz}, network.rate_hz {self.network.rate_hz}; "
                "they must be the same"
            )
        twice = set(self.train) & (set(self.validation) | set(self.test))
        if twice:
            raise ConfigError(f"train has {sorted(twice)[0]}, which validation or test has too")


def read_run_config(path: Path) -> TrainingConfig | HmpTraining:
    """Read a run of either configuration, told apart by the entry ``kind``: realtime (the default) or hmp.

    Raises:
        ConfigError: the file is missing, not YAML, or has unknown or wrong entries.
    """
    entries = read_entries(path)
    if not isinstance(entries, dict):
        raise ConfigError(f"{path} must hold names and values, not {type(entries).__name__}")
    kind = entries.pop("kind", "realtime")
    if kind not in _KINDS:
        raise ConfigError(f"{path}: kind is {kind!r}, allowed are {' and '.join(_KINDS)}")
    if kind == "hmp":
        return build_config(HmpTraining, entries, str(path))
    return build_config(TrainingConfig, entries, str(path))
