# SPDX-FileCopyrightText: 2026 The hmp_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The Fast DDS profile that lets raw images through, and how to switch it on.

With its defaults Fast DDS loses nearly all 1280x720 images between processes; with a shared-memory segment that
holds some of them it delivers all. The publisher is the one that needs it.
"""

import os
from pathlib import Path
from typing import Final

from ament_index_python.packages import PackageNotFoundError, get_package_share_directory

_FILE: Final = "fastdds_shm.xml"
_OLD_NAME: Final = "FASTRTPS_DEFAULT_PROFILES_FILE"
_NEW_NAME: Final = "FASTDDS_DEFAULT_PROFILES_FILE"


def profile_path() -> Path:
    """The shipped profile, from the installed package or the source tree."""
    source = Path(__file__).resolve().parents[1] / "config" / _FILE
    try:
        installed = Path(get_package_share_directory("hmp_ros")) / "config" / _FILE
    except PackageNotFoundError:
        return source
    return installed if installed.is_file() else source


def profile_variable() -> str:
    """The environment variable that this ROS distribution's Fast DDS reads."""
    return _OLD_NAME if os.environ.get("ROS_DISTRO") in ("humble", "jazzy") else _NEW_NAME


def export_line() -> str:
    """The line to type where the camera driver is started."""
    return f"export {profile_variable()}={profile_path()}"


def use_profile() -> None:
    """Switch the profile on for this process, before its first node; a profile of the user's own stays."""
    if not any(os.environ.get(name) for name in (_OLD_NAME, _NEW_NAME)):
        os.environ[profile_variable()] = str(profile_path())
