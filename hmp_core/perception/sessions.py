# SPDX-FileCopyrightText: 2026 The hmp_ros authors
# SPDX-License-Identifier: Apache-2.0
"""ONNX Runtime sessions: the one place that picks execution providers and threads."""

from pathlib import Path
from typing import Final

import onnxruntime as ort

from hmp_core.errors import AssetError

_PREFERRED_PROVIDERS: Final = ("CUDAExecutionProvider", "CPUExecutionProvider")
_ERRORS_ONLY: Final = 3


def open_session(path: Path, inputs: tuple[str, ...], outputs: tuple[str, ...]) -> ort.InferenceSession:
    """Load a network on the best provider there is, with one thread that does not spin between runs.

    Several networks and the window solver share few cores; a spinning pool would take them from the others.

    Args:
        path: the ONNX file.
        inputs: names that the network must take, exactly these.
        outputs: names that it must give, and maybe more.

    Raises:
        AssetError: when the file is no ONNX network or has other inputs or outputs.
    """
    options = ort.SessionOptions()
    options.intra_op_num_threads = 1
    options.inter_op_num_threads = 1
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    options.add_session_config_entry("session.inter_op.allow_spinning", "0")
    options.log_severity_level = _ERRORS_ONLY
    available = ort.get_available_providers()
    providers = [name for name in _PREFERRED_PROVIDERS if name in available]
    try:
        session = ort.InferenceSession(str(path), sess_options=options, providers=providers)
    # ONNX Runtime raises classes of its own that share no base but Exception.
    except Exception as error:
        raise AssetError(f"{path} cannot be loaded as an ONNX network: {error}") from error
    found_inputs = tuple(node.name for node in session.get_inputs())
    found_outputs = tuple(node.name for node in session.get_outputs())
    if set(found_inputs) != set(inputs) or not set(outputs) <= set(found_outputs):
        raise AssetError(
            f"{path} takes {found_inputs} and gives {found_outputs}; expected {inputs} and at least {outputs}"
        )
    return session
