# SPDX-FileCopyrightText: 2026 The hmp_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The file that describes a robot hand: dex-retargeting's own entries, and two that it has no word for."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import numpy as np
import yaml
from numpy.typing import NDArray
from scipy.spatial.transform import Rotation

from hmp_core.errors import ConfigError

_TYPES: Final = ("vector", "dexpilot")
_SECTIONS: Final = {"retargeting", "robot"}
_ROBOT_ENTRIES: Final = {"operator_rpy", "neutral"}


@dataclass(frozen=True)
class RetargetingConfiguration:
    """How a human hand is mapped onto a robot hand.

    Attributes:
        path: the file it came from, for messages.
        urdf_path: the robot hand.
        entries: of ``dex_retargeting.RetargetingConfig``, its type among them, ``urdf_path`` left out.
        R_root_operator: [3, 3] axes of the operator frame (x out of the palm, z to the fingertips) in the
            robot's root link, where dex-retargeting measures its vectors.
        neutral: angles to start from [rad] or [m]; joints that are not named start at zero, or at the limit next
            to it.
    """

    path: Path
    urdf_path: Path
    entries: Mapping[str, Any]
    R_root_operator: NDArray[np.float64] = field(default_factory=lambda: np.eye(3))
    neutral: Mapping[str, float] = field(default_factory=dict)


def read_configuration(path: Path, urdf_path: Path | None = None) -> RetargetingConfiguration:
    """Read a configuration file.

    The section ``retargeting`` is dex-retargeting's, so that its own files work unchanged. The optional section
    ``robot`` may hold ``operator_rpy`` (roll, pitch, yaw of the operator frame in the robot's root link [rad],
    as in a URDF) and ``neutral`` (angle by joint name).

    Args:
        path: YAML.
        urdf_path: used instead of the file's ``urdf_path``, which is relative to the file.

    Raises:
        ConfigError: a file is missing or not YAML, or an entry cannot be used.
    """
    sections = _read(path)
    entries = dict(_section(sections, "retargeting", path))
    robot = _section(sections, "robot", path)
    if unknown := robot.keys() - _ROBOT_ENTRIES:
        raise ConfigError(f"{path}: robot has no {_listed(unknown)}; it may hold {_listed(_ROBOT_ENTRIES)}")
    kind = str(entries.get("type", "")).lower()
    if kind not in _TYPES:
        raise ConfigError(f"{path}: type must be vector or DexPilot, got {entries.get('type')!r}")
    if entries.get("add_dummy_free_joint"):
        raise ConfigError(f"{path}: add_dummy_free_joint is for recordings; a hand on an arm has no free joint")
    named = entries.pop("urdf_path", None)
    if urdf_path is None:
        if named is None:
            raise ConfigError(f"{path}: urdf_path is missing; name the robot hand's URDF there or by parameter")
        urdf_path = path.parent / str(named)
    if not urdf_path.is_file():
        raise ConfigError(f"the URDF {urdf_path} does not exist")
    rpy = _numbers(robot.get("operator_rpy", (0.0, 0.0, 0.0)), f"{path}: operator_rpy must be three angles [rad]")
    neutral = robot.get("neutral", {})
    if not isinstance(neutral, Mapping):
        raise ConfigError(f"{path}: neutral must map joint names to angles")
    angles = {
        str(name): _number(angle, f"{path}: neutral: {name} must be an angle") for name, angle in neutral.items()
    }
    return RetargetingConfiguration(path, urdf_path, entries, Rotation.from_euler("xyz", rpy).as_matrix(), angles)


def _read(path: Path) -> Mapping[str, Any]:
    try:
        sections = yaml.safe_load(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise ConfigError(f"the retargeting configuration {path} cannot be read: {error}") from error
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise ConfigError(f"the retargeting configuration {path} is not YAML: {error}") from error
    if not isinstance(sections, Mapping) or "retargeting" not in sections:
        raise ConfigError(f"{path} has no section 'retargeting'; see config/retargeting for examples")
    if unknown := sections.keys() - _SECTIONS:
        raise ConfigError(f"{path} has the unknown section {_listed(unknown)}; it may have {_listed(_SECTIONS)}")
    return sections


def _section(sections: Mapping[str, Any], name: str, path: Path) -> Mapping[str, Any]:
    section = sections.get(name) or {}
    if not isinstance(section, Mapping):
        raise ConfigError(f"{path}: the section {name} must hold names and values")
    return section


def _numbers(values: Any, complaint: str) -> NDArray[np.float64]:
    if not isinstance(values, (list, tuple)) or len(values) != 3:
        raise ConfigError(f"{complaint}, got {values!r}")
    return np.array([_number(value, complaint) for value in values])


def _number(value: Any, complaint: str) -> float:
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not np.isfinite(value):
        raise ConfigError(f"{complaint}, got {value!r}")
    return float(value)


def _listed(names: Any) -> str:
    return ", ".join(sorted(str(name) for name in names))
