# SPDX-FileCopyrightText: 2026 The hmp_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The state of an interrupted run: arrays in a safetensors file, all else as JSON in its header.

Lightning's own checkpoint is a pickle, and reading a pickle runs what is in it. Nothing here does.
"""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from lightning.fabric.plugins import CheckpointIO
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor
from typing_extensions import override

from hmp_core.errors import DataError
from hmp_core.whole_file import whole_file

_FORMAT = "hmp_training_state/1"


class SafetensorsState(CheckpointIO):
    """Keeps lightning's nested state in one safetensors file, which appears whole or not at all."""

    @override
    def save_checkpoint(
        self, checkpoint: dict[str, Any], path: str | Path, storage_options: object | None = None
    ) -> None:
        """Write a state.

        Raises:
            DataError: something in it is neither a tensor nor plain data; names where it is.
        """
        tensors: dict[str, Tensor] = {}
        tree = _flatten(checkpoint, "state", tensors)
        with whole_file(Path(path)) as partial:
            save_file(tensors, partial, metadata={"format": _FORMAT, "state": json.dumps(tree)})

    @override
    def load_checkpoint(
        self, path: str | Path, map_location: object | None = None, weights_only: bool | None = None
    ) -> dict[str, Any]:
        """Read a state, its tensors on the CPU; lightning moves them to where they belong.

        Raises:
            DataError: the file is missing, damaged, or something else.
        """
        try:
            with safe_open(str(path), framework="pt") as stream:
                header = stream.metadata() or {}
                tensors = {name: stream.get_tensor(name) for name in stream.keys()}  # noqa: SIM118
        except (OSError, SafetensorError) as error:
            raise DataError(
                f"the training state {path} cannot be read: {error}; remove it to start anew"
            ) from error
        if header.get("format") != _FORMAT:
            raise DataError(f"{path} is not a training state of format {_FORMAT}; remove it to start anew")
        try:
            state: dict[str, Any] = _restore(json.loads(header["state"]), tensors)
        except (KeyError, TypeError, ValueError) as error:
            raise DataError(f"the training state {path} is damaged: {error}; remove it to start anew") from error
        return state

    @override
    def remove_checkpoint(self, path: str | Path) -> None:
        """Remove a state."""
        Path(path).unlink(missing_ok=True)


def _flatten(value: object, name: str, tensors: dict[str, Tensor]) -> Any:
    """Plain data for JSON; each tensor goes to ``tensors`` under the name of its place."""
    if isinstance(value, Tensor):
        # A copy, since safetensors refuses tensors that share memory.
        tensors[name] = value.detach().to("cpu", copy=True, memory_format=torch.contiguous_format)
        return {"tensor": name}
    if isinstance(value, Mapping):
        # Pairs, since JSON would turn the optimiser's integer keys into strings.
        return {
            "map": [[_plain(key, name), _flatten(entry, f"{name}.{key}", tensors)] for key, entry in value.items()]
        }
    if isinstance(value, list | tuple):
        entries = [_flatten(entry, f"{name}.{index}", tensors) for index, entry in enumerate(value)]
        return {"tuple" if isinstance(value, tuple) else "list": entries}
    return _plain(value, name)


def _plain(value: object, name: str) -> Any:
    if value is None or type(value) in (bool, int, float, str):
        return value
    raise DataError(f"the training state holds a {type(value).__name__} at {name}, which only a pickle could store")


def _restore(tree: Any, tensors: dict[str, Tensor]) -> Any:
    """Undo :func:`_flatten`."""
    if not isinstance(tree, dict):
        return tree
    ((kind, content),) = tree.items()
    if kind == "tensor":
        return tensors[content]
    if kind == "map":
        return {key: _restore(entry, tensors) for key, entry in content}
    entries = [_restore(entry, tensors) for entry in content]
    return tuple(entries) if kind == "tuple" else entries
