# SPDX-FileCopyrightText: 2026 The hmp_ros authors
# SPDX-License-Identifier: Apache-2.0
"""ONNX Runtime sessions: the one place that picks execution providers and threads."""

from pathlib import Path
from typing import Final

import onnxruntime as ort

from hmp_core.errors import AssetError

_PREFERRED_PROVIDERS: Final = ("CUDAExecutionProvider", "CPUExecutionProvider")
_ERRORS_ONLY: Final = 3


def open_session(
    path: Path, inputs: tuple[str, ...], outputs: tuple[str, ...], inner: tuple[str, ...] = ()
) -> ort.InferenceSession:
    """Load a network on the best provider there is, with one thread that does not spin between runs.

    Several networks and the window solver share few cores; a spinning pool would take them from the others.

    Args:
        path: the ONNX file.
        inputs: names that the network must take, exactly these.
        outputs: names that it must give, and maybe more.
        inner: float tensors inside the network that are wanted as further outputs; ONNX Runtime gives them without
            noticeable cost, for they are computed anyway.

    Raises:
        AssetError: when the file is no ONNX network, or has other inputs, outputs or inner tensors.
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
        model = path.read_bytes() + _more_outputs(inner) if inner else str(path)
        session = ort.InferenceSession(model, sess_options=options, providers=providers)
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


def _more_outputs(names: tuple[str, ...]) -> bytes:
    """What makes float tensors outputs when it is appended to an ONNX file.

    An ONNX file is a Protocol Buffers message, and of these a second copy of an embedded message is merged into
    the first, lists joined (protobuf.dev/programming-guides/encoding, "Last One Wins"). So a second ``graph`` that
    holds outputs alone adds them, without the ``onnx`` package and without another copy of the network on disk.
    """
    # Field numbers of onnx.proto: ModelProto.graph 7, GraphProto.output 12, ValueInfoProto.name 1 and type 2,
    # TypeProto.tensor_type 1, its elem_type 1 (a varint), of which 1 is FLOAT.
    any_float = _embedded(1, b"\x08\x01")
    outputs = (_embedded(12, _embedded(1, name.encode()) + _embedded(2, any_float)) for name in names)
    return _embedded(7, b"".join(outputs))


def _embedded(field: int, content: bytes) -> bytes:
    """A length-delimited field of fewer than 16 kB."""
    low, high = len(content) & 0x7F, len(content) >> 7
    return bytes([field << 3 | 2, *([low | 0x80, high] if high else [low])]) + content
