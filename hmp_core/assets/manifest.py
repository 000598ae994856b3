# SPDX-FileCopyrightText: 2026 The hmp_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The list of shipped model files: what each is, where it comes from, and how to get it back."""

import hashlib
import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Final

from hmp_core.errors import AssetError

ASSETS_DIR: Final = Path(__file__).resolve().parent
MANIFEST_NAME: Final = "manifest.json"


@dataclass(frozen=True)
class Asset:
    """One shipped file.

    Attributes:
        file: name inside the assets folder.
        sha256: hexadecimal digest of its content.
        bytes: its size.
        licence: SPDX identifier of its content.
        source: where its content comes from.
        tool: the command, run from the repository root, that makes it anew.
        description: what it does, with inputs and outputs where it is a network.
    """

    file: str
    sha256: str
    bytes: int
    licence: str
    source: str
    tool: str
    description: str


def read_manifest(folder: Path = ASSETS_DIR) -> dict[str, Asset]:
    """Read the manifest of a folder; keys are file names.

    Raises:
        AssetError: when it is missing or does not have the expected fields.
    """
    path = folder / MANIFEST_NAME
    try:
        entries = json.loads(path.read_text(encoding="utf-8"))["assets"]
        return {entry["file"]: Asset(**entry) for entry in entries}
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise AssetError(
            f"the asset manifest {path} cannot be used ({error}); restore it with {restore_command(path)}"
        ) from error


def record_asset(
    file: str, *, licence: str, source: str, tool: str, description: str, folder: Path = ASSETS_DIR
) -> Asset:
    """Enter a file that a tool has just written into the manifest, replacing an older entry of the same name."""
    path = folder / file
    asset = Asset(file, file_sha256(path), path.stat().st_size, licence, source, tool, description)
    assets = read_manifest(folder) if (folder / MANIFEST_NAME).exists() else {}
    assets[file] = asset
    entries = [asdict(assets[name]) for name in sorted(assets)]
    text = json.dumps({"assets": entries}, indent=2, ensure_ascii=False)
    (folder / MANIFEST_NAME).write_text(text + "\n", encoding="utf-8")
    return asset


def file_sha256(path: Path) -> str:
    """SHA-256 of a file as a hexadecimal string."""
    digest = hashlib.sha256()
    with path.open("rb") as stream:
        while block := stream.read(1 << 20):
            digest.update(block)
    return digest.hexdigest()


def restore_command(path: Path) -> str:
    """The command that brings a shipped file back: from git in a clone, by reinstalling otherwise."""
    for parent in path.parents:
        if (parent / ".git").exists():
            return f"`git -C {parent} checkout -- {path.relative_to(parent)}`"
    return "a reinstallation of hmp_ros (`pip install --force-reinstall`, or `colcon build` in a ROS workspace)"
