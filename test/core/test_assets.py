# SPDX-FileCopyrightText: 2026 The hmp_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Shipped files: present, checked, and missed with an instruction."""

import shutil
from pathlib import Path

import pytest

import hmp_core.assets as assets
from hmp_core.assets import asset_path
from hmp_core.assets.manifest import ASSETS_DIR, read_manifest, record_asset
from hmp_core.errors import AssetError

NAMES = sorted(read_manifest())


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """A copy of the landmark network and the manifest that `asset_path` reads instead of the shipped ones."""
    for name in ("hand_landmarks.onnx", "manifest.json"):
        shutil.copy(ASSETS_DIR / name, tmp_path)
    monkeypatch.setattr(assets, "ASSETS_DIR", tmp_path)
    return tmp_path


@pytest.mark.parametrize("name", NAMES)
def test_every_shipped_file_matches_its_manifest_entry(name):
    assert asset_path(name) == ASSETS_DIR / name


@pytest.mark.parametrize("name", NAMES)
def test_every_entry_tells_licence_source_and_an_existing_tool(name):
    asset = read_manifest()[name]
    assert asset.licence
    assert asset.source
    assert asset.description
    if (ASSETS_DIR.parents[1] / "tools").is_dir():
        scripts = [word for word in asset.tool.split() if word.startswith("tools/")]
        assert asset.tool.startswith("hmp ") or scripts
        assert all((ASSETS_DIR.parents[1] / script).is_file() for script in scripts)


def test_a_missing_file_is_named_with_the_commands_that_bring_it_back(folder):
    (folder / "hand_landmarks.onnx").unlink()
    with pytest.raises(AssetError, match=r"hand_landmarks\.onnx is missing.*reinstall.*convert_mediapipe\.py"):
        asset_path("hand_landmarks.onnx")


@pytest.mark.parametrize("change", [b"\0", b""])
def test_an_altered_file_is_refused(folder: Path, change: bytes):
    path = folder / "hand_landmarks.onnx"
    content = path.read_bytes()
    path.write_bytes(content[:-1] + (bytes([content[-1] ^ 1]) if change else b""))
    with pytest.raises(AssetError, match=r"hand_landmarks\.onnx does not match its recorded SHA-256"):
        asset_path("hand_landmarks.onnx")


def test_in_a_clone_the_command_is_a_git_checkout(folder):
    (folder / ".git").mkdir()
    (folder / "hand_landmarks.onnx").unlink()
    with pytest.raises(AssetError, match=r"git -C .* checkout -- hand_landmarks\.onnx"):
        asset_path("hand_landmarks.onnx")


def test_an_unknown_name_lists_the_known_ones(folder):
    with pytest.raises(AssetError, match=r"'nothing\.onnx'; there are .*hand_landmarks\.onnx"):
        asset_path("nothing.onnx")


@pytest.mark.parametrize("content", [None, "{", "[]", '{"assets": [{"file": "a"}]}'])
def test_an_unusable_manifest_is_named(folder, content):
    (folder / "manifest.json").unlink()
    if content is not None:
        (folder / "manifest.json").write_text(content)
    with pytest.raises(AssetError, match=r"manifest\.json cannot be used"):
        asset_path("hand_landmarks.onnx")


def test_recording_a_file_makes_it_available(folder):
    (folder / "new.bin").write_bytes(b"content")
    record_asset("new.bin", licence="CC0-1.0", source="a test", tool="true", description="", folder=folder)
    assert asset_path("new.bin") == folder / "new.bin"
    assert asset_path("hand_landmarks.onnx") == folder / "hand_landmarks.onnx"
