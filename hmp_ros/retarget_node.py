# SPDX-FileCopyrightText: 2026 The hmp_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Node from hands to a robot hand: ``hand/mano`` to ``hand/<side>/joint_command``, through dex-retargeting."""

import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from ament_index_python.packages import PackageNotFoundError, get_package_share_directory

from hmp_core.errors import ConfigError
from hmp_core.hand.skeleton import Side
from hmp_core.retargeting.configuration import RetargetingConfiguration, read_configuration
from hmp_ros import managed_node
from hmp_ros.executable import run
from hmp_ros.managed_node import ManagedNode
from hmp_ros.parameters import parameter
from hmp_ros.retarget_job import RetargetJob

_FOLDER: Final = Path("config") / "retargeting"


@dataclass(frozen=True)
class RetargetParameters:
    """Parameters of ``retarget_node``; the metadata of each field describes it."""

    autostart: bool = managed_node.autostart()
    side: str = parameter("right", "The operator's hand, and the robot's: left or right.")
    configuration: str = parameter(
        "allegro_vector", "A shipped configuration (allegro_vector, allegro_dexpilot) or your YAML file."
    )
    urdf_path: str = parameter("", "URDF of the robot hand; empty: the one that the configuration names.")
    max_joint_velocity: float = parameter(
        5.0, "No joint is commanded faster; lower limits of the URDF count as well [rad/s].", 0.01, 100.0, live=True
    )
    watchdog_s: float = parameter(
        0.3, "Without hand/mano for so long the robot is held, and told so as often [s].", 0.05, 10.0, live=True
    )

    def read_configuration(self) -> RetargetingConfiguration:
        """The file that they name.

        Raises:
            ConfigError: it cannot be used, or there is no such side.
        """
        if self.side not in set(Side):
            raise ConfigError(f"parameter side must be left or right, got {self.side!r}")
        path = _configuration_path(self.configuration, Side(self.side))
        return read_configuration(path, Path(self.urdf_path) if self.urdf_path else None)


class RetargetNode(ManagedNode[RetargetParameters]):
    """Answers every ``hand/mano`` with a command while it is active.

    Args:
        options: of ``rclpy.lifecycle.LifecycleNode``.

    Raises:
        ConfigError: a parameter or the configuration cannot be used.
    """

    def __init__(self, **options: Any) -> None:
        super().__init__("retarget_node", RetargetParameters, **options)

    def check(self, parameters: RetargetParameters) -> object:
        """Raise ``ConfigError`` for files that cannot be used."""
        return parameters.read_configuration()

    def make_job(self) -> RetargetJob:
        """Build the robot hand and open the topic to write."""
        return RetargetJob(self)


def _configuration_path(name: str, side: Side) -> Path:
    """The user's file, or a shipped one from the installed package or the source tree."""
    if name.endswith((".yml", ".yaml")):
        return Path(name)
    file = _FOLDER / f"{name}_{side.value}.yml"
    source = Path(__file__).resolve().parents[1] / file
    try:
        installed = Path(get_package_share_directory("hmp_ros")) / file
    except PackageNotFoundError:
        installed = source
    for path in (installed, source):
        if path.is_file():
            return path
    raise ConfigError(
        f"parameter configuration must be allegro_vector, allegro_dexpilot or a file ending in .yml, got {name!r}"
    )


def main() -> None:
    """Entry point of ``retarget_node``."""
    sys.exit(run(lambda: [RetargetNode()]))


if __name__ == "__main__":
    main()
