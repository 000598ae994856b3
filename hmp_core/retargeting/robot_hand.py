# SPDX-FileCopyrightText: 2026 The hmp_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The joints of a robot hand that are commanded: names, limits, where they start."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from xml.etree import ElementTree as ET

import numpy as np
from numpy.typing import NDArray

from hmp_core.errors import ConfigError


@dataclass(frozen=True)
class RobotHand:
    """The commanded joints, in the order of the URDF file; angles are metres for prismatic joints.

    Attributes:
        names: [n] joint names.
        lower, upper: [n] limits of the angles [rad].
        max_velocity: [n] as the URDF says, infinite where it says nothing [rad/s].
        neutral: [n] angles to start from, within the limits [rad].
    """

    names: tuple[str, ...]
    lower: NDArray[np.float64]
    upper: NDArray[np.float64]
    max_velocity: NDArray[np.float64]
    neutral: NDArray[np.float64]

    def within_limits(self, angles: NDArray[np.float64]) -> NDArray[np.float64]:
        """Angles [n] moved into their limits."""
        return np.asarray(np.clip(angles, self.lower, self.upper))


def neutral_angles(
    names: Sequence[str], limits: NDArray[np.float64], given: Mapping[str, float], where: Path
) -> NDArray[np.float64]:
    """Angles to start from [n]: those given, else zero, else the limit next to zero.

    Args:
        names: of the joints.
        limits: [n, 2] [rad].
        given: angle by joint name [rad].
        where: the file that gave them.

    Raises:
        ConfigError: a name is not among the joints, or an angle beyond its limits.
    """
    if strange := given.keys() - set(names):
        raise ConfigError(f"{where}: neutral names {sorted(strange)}, the hand's joints are {list(names)}")
    angles = np.asarray(np.clip(0.0, limits[:, 0], limits[:, 1]))
    for index, name in enumerate(names):
        angle = given.get(name, angles[index])
        if not limits[index, 0] <= angle <= limits[index, 1]:
            raise ConfigError(f"{where}: neutral {name} = {angle} is beyond its limits {limits[index].tolist()}")
        angles[index] = angle
    return angles


def urdf_joint_order(urdf_path: Path) -> list[str]:
    """Names of all joints as they follow each other in the file: the order that robot drivers use.

    Raises:
        ConfigError: the file is no XML.
    """
    try:
        joints = ET.parse(urdf_path).getroot().iterfind("joint")
    except (ET.ParseError, OSError) as error:
        raise ConfigError(f"the URDF {urdf_path} cannot be read: {error}") from error
    return [joint.get("name", "") for joint in joints]
