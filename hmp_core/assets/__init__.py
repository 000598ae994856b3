# SPDX-FileCopyrightText: 2026 The hmp_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Shipped model files, checked against their manifest before use."""

from functools import cache
from pathlib import Path

from hmp_core.assets.manifest import ASSETS_DIR, file_sha256, read_manifest, restore_command
from hmp_core.errors import AssetError

__all__ = ["asset_path"]


def asset_path(name: str) -> Path:
    """Path of a shipped model file whose content matches the manifest; the check runs once per process.

    Raises:
        AssetError: when the file is unknown, missing or altered; names it and the command that restores it.
    """
    return _checked_path(ASSETS_DIR, name)


@cache
def _checked_path(folder: Path, name: str) -> Path:
    assets = read_manifest(folder)
    if name not in assets:
        raise AssetError(f"no shipped model is called {name!r}; there are {', '.join(sorted(assets))}")
    path, asset = folder / name, assets[name]
    if not path.is_file():
        trouble = "is missing"
    elif path.stat().st_size != asset.bytes or file_sha256(path) != asset.sha256:
        trouble = "does not match its recorded SHA-256"
    else:
        return path
    raise AssetError(
        f"the shipped model {path} {trouble}; restore it with {restore_command(path)}, "
        f"or make it anew with `{asset.tool}` from the repository root"
    )
