# SPDX-FileCopyrightText: 2026 The hmp_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The evidence network as ONNX. Its packages are those of the extra ``train``; nothing else imports this."""

from pathlib import Path
from typing import Final

import onnx
import onnxscript  # noqa: F401  # torch's exporter imports it at its first call, after the training
import torch

from hmp_core.hand.skeleton import NUM_JOINTS
from hmp_core.perception.evidence_head import INPUTS, OUTPUTS
from hmp_core.training.evidence_network import MAP_CHANNELS, POOLED_CHANNELS, EvidenceNetwork

_OPSET: Final = 18
_MAP_SIDES: Final = (28, 14, 14, 7)


def export_evidence(network: EvidenceNetwork, path: Path) -> None:
    """Write a network as ONNX for one look at a time, under the names that the evidence head asks for."""
    maps = [torch.ones(1, width, side, side) for width, side in zip(MAP_CHANNELS, _MAP_SIDES, strict=True)]
    points = torch.arange(63.0).reshape(1, NUM_JOINTS, 3)
    look = (points.flatten(1), points, torch.full((1, 1), 0.9), torch.zeros(1, NUM_JOINTS))
    program = torch.onnx.export(
        network.eval(),
        (*look, torch.ones(1, POOLED_CHANNELS), *maps),
        dynamo=True,
        opset_version=_OPSET,
        input_names=INPUTS,
        output_names=OUTPUTS,
        verbose=False,
    )
    assert program is not None
    model = program.model_proto
    # Stack traces of the export, which say nothing about the network and hold this machine's paths.
    for item in (*model.graph.node, *model.graph.input, *model.graph.output, model.graph, model):
        item.ClearField("metadata_props")
        item.ClearField("doc_string")
    del model.graph.value_info[:]
    onnx.checker.check_model(model, full_check=True)
    onnx.save(model, path)
