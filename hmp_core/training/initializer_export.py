# SPDX-FileCopyrightText: 2026 The hmp_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The initializer's network as ONNX. Its packages are those of the extra ``train``; nothing else imports this."""

from pathlib import Path
from typing import Final

import onnx
import onnxscript  # noqa: F401  # torch's exporter imports it at its first call, after hours of training
import torch

from hmp_core.perception.initializer import INPUTS, OUTPUTS
from hmp_core.training.initializer_network import InitializerNetwork

_OPSET: Final = 18


def export_initializer(network: InitializerNetwork, path: Path) -> None:
    """Write a network as ONNX with a free batch size, under the names that the initializer asks for."""
    points, view = torch.eye(3).repeat(2, 7, 1), torch.tensor([[0.0, 0.0, 1.0]]).repeat(2, 1)
    batch = torch.export.Dim("batch")
    program = torch.onnx.export(
        network.eval(),
        (points, points, view),
        dynamo=True,
        opset_version=_OPSET,
        input_names=INPUTS,
        output_names=OUTPUTS,
        dynamic_shapes=({0: batch},) * len(INPUTS),
        verbose=False,
    )
    assert program is not None
    onnx.checker.check_model(program.model_proto, full_check=True)
    onnx.save(program.model_proto, path)
