# SPDX-FileCopyrightText: 2026 The hmp_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The stage table of a sequence fit: what is free when, which terms count how much, and how long each solver runs.

Tables are YAML files; those of the package are named ``default``, ``paper_lab`` and ``paper_wild``.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from functools import partial
from importlib.resources import files
from pathlib import Path
from typing import Any, Final

import yaml

from hmp_core.errors import ConfigError
from hmp_core.fitting.objective import ALL_UNKNOWNS
from hmp_core.fitting.terms.robust import Kernel, absolute, geman_mcclure, squared

SHIPPED_TABLES: Final = ("default", "paper_lab", "paper_wild")
TERMS: Final = (
    "orientation_anchor", "translation_anchor", "shape", "orientation_smoothness", "translation_smoothness",
    "keypoints_px", "keypoints", "latent", "landmarks", "limits", "seam", "wrist_process", "residual_process",
)  # fmt: skip
"""Names of terms in a table; see :mod:`hmp_core.fitting.stage_terms` for what each means."""


@dataclass(frozen=True)
class TermSetting:
    """One term of one stage.

    Attributes:
        weight: of the term.
        kernel: ``squared``, ``absolute`` or ``geman_mcclure``.
        scale: of the Geman-McClure kernel, in units of the residual.
    """

    weight: float = 1.0
    kernel: str = "squared"
    scale: float = 1.0

    def __post_init__(self) -> None:
        """Refuse what cannot work.

        Raises:
            ConfigError: naming the value and what is allowed.
        """
        if self.kernel not in ("squared", "absolute", "geman_mcclure"):
            raise ConfigError(f"kernel is {self.kernel!r}, allowed are squared, absolute and geman_mcclure")
        if not self.weight > 0.0 or not self.scale > 0.0:
            raise ConfigError(f"weight is {self.weight} and scale {self.scale}, allowed is anything above 0")

    def kernel_function(self) -> Kernel:
        """The kernel, its scale bound."""
        if self.kernel == "geman_mcclure":
            return partial(geman_mcclure, scale=self.scale)
        return absolute if self.kernel == "absolute" else squared


@dataclass(frozen=True)
class Stage:
    """One optimisation.

    Attributes:
        name: for messages.
        free: unknowns that may move, out of ``ALL_UNKNOWNS``.
        terms: settings by name.
        gn_iterations, adam_iterations: most steps of each solver.
    """

    name: str
    free: frozenset[str]
    terms: dict[str, TermSetting]
    gn_iterations: int
    adam_iterations: int


@dataclass(frozen=True)
class AdamSettings:
    """The paper's optimiser.

    Attributes:
        learning_rate: of the first steps.
        decay, decay_every: the rate is multiplied by ``decay`` after as many steps.
        largest_gradient: norm to which gradients are cut.
    """

    learning_rate: float = 0.05
    decay: float = 0.7
    decay_every: int = 200
    largest_gradient: float = 5.0


@dataclass(frozen=True)
class StageTable:
    """A whole fit.

    Attributes:
        residual: fingers may leave the latent's motion by a small residual, which also keeps the initial detail.
        stages: in order.
        adam: settings of that solver.
    """

    residual: bool
    stages: tuple[Stage, ...]
    adam: AdamSettings = field(default_factory=AdamSettings)


def read_stage_table(name: str) -> StageTable:
    """Read a table.

    Args:
        name: of a shipped one, or the path of a YAML file.

    Raises:
        ConfigError: it is missing, not YAML, or has unknown or wrong entries.
    """
    if name in SHIPPED_TABLES:
        text = files("hmp_core.fitting").joinpath("tables", f"{name}.yaml").read_text(encoding="utf-8")
    else:
        try:
            text = Path(name).read_text(encoding="utf-8")
        except OSError as error:
            known = ", ".join(SHIPPED_TABLES)
            raise ConfigError(f"{name} is neither a shipped stage table ({known}) nor a file: {error}") from error
    try:
        entries = yaml.safe_load(text)
    except yaml.YAMLError as error:
        raise ConfigError(f"the stage table {name} is not YAML: {error}") from error
    return _table(entries, f"stage table {name}")


def _table(entries: Any, where: str) -> StageTable:
    values = _known(entries, {"residual", "stages", "adam"}, where)
    stages = values.get("stages")
    if not isinstance(stages, list) or not stages:
        raise ConfigError(f"{where}: stages must be a list of at least one stage")
    adam = _known(values.get("adam", {}), {item.name for item in fields(AdamSettings)}, f"{where}: adam")
    read = tuple(_stage(stage, f"{where}: stage {number + 1}") for number, stage in enumerate(stages))
    return StageTable(bool(values.get("residual", False)), read, AdamSettings(**adam))


def _stage(entries: Any, where: str) -> Stage:
    values = _known(entries, {item.name for item in fields(Stage)}, where)
    missing = {item.name for item in fields(Stage)} - set(values)
    if missing:
        raise ConfigError(f"{where}: {', '.join(sorted(missing))} missing")
    free = frozenset(values["free"])
    if not free <= ALL_UNKNOWNS:
        unknown, known = ", ".join(sorted(free - ALL_UNKNOWNS)), ", ".join(sorted(ALL_UNKNOWNS))
        raise ConfigError(f"{where}: free has {unknown}; known are {known}")
    settings = _known(values["terms"], set(TERMS), f"{where}: terms")
    names = {item.name for item in fields(TermSetting)}
    terms = {
        name: TermSetting(**_known(setting or {}, names, f"{where}: {name}")) for name, setting in settings.items()
    }
    iterations = int(values["gn_iterations"]), int(values["adam_iterations"])
    return Stage(str(values["name"]), free, terms, *iterations)


def _known(entries: Any, names: set[str], where: str) -> dict[str, Any]:
    if not isinstance(entries, Mapping):
        raise ConfigError(f"{where} must hold names and values, not {type(entries).__name__}")
    unknown = set(entries) - names
    if unknown:
        raise ConfigError(f"{where}: unknown {', '.join(sorted(unknown))}; known are {', '.join(sorted(names))}")
    return dict(entries)
