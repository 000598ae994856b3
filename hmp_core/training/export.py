# SPDX-FileCopyrightText: 2026 The hmp_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The prior's encoder as ONNX, for those who want its one-pass fill without torch."""

import logging
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import onnx
import torch
from torch import Tensor, nn

from hmp_core.prior.prior import MotionPrior
from hmp_core.whole_file import whole_file

INPUTS, OUTPUTS = ("rotations", "visible"), ("z",)
_OPSET = 18
_NEWTON_STEPS = 24


class _Encoder(nn.Module):
    """:meth:`MotionPrior.encode` as a module's forward."""

    def __init__(self, prior: MotionPrior) -> None:
        super().__init__()
        self.prior = prior

    def forward(self, rotations: Tensor, visible: Tensor) -> Tensor:
        return self.prior.encode(rotations, visible)


def export_encoder(prior: MotionPrior, path: Path) -> None:
    """Write the encoder as one ONNX file with a free batch size.

    Inputs are ``rotations`` [B, N, 15, 3, 3] float32, local finger rotations at ``prior.grid_times()`` (anything
    where unseen), and ``visible`` [B, N, 15] float32, 1 where seen; the output is ``z`` [B, D], the whitened
    posterior mean.
    """
    grid = len(prior.grid_times())
    # Batch and contents are examples; a batch of one would be taken for a constant.
    examples = (torch.eye(3).repeat(2, grid, 15, 1, 1), torch.ones(2, grid, 15))
    batch = torch.export.Dim("batch")
    exported = torch.export.export(_Encoder(prior).eval(), examples, dynamic_shapes=({0: batch}, {0: batch}))
    # ONNX has no running maximum and solves no linear systems.
    missing = {
        torch.ops.aten.cummax.default: _cummax,
        torch.ops.aten.cummin.default: _cummin,
        torch.ops.aten.linalg_solve.default: _solve,
    }
    with _silence():
        program = torch.onnx.export(
            exported.run_decompositions(missing),
            dynamo=True,
            opset_version=_OPSET,
            input_names=INPUTS,
            output_names=OUTPUTS,
            verbose=False,
        )
    assert program is not None
    onnx.checker.check_model(program.model_proto, full_check=True)
    with whole_file(path) as partial:
        onnx.save(program.model_proto, partial)


@contextmanager
def _silence() -> Iterator[None]:
    """No word about libraries that the exporter knows and this network does not use."""
    before = logging.root.manager.disable
    logging.disable(logging.WARNING)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", FutureWarning)
            yield
    finally:
        logging.disable(before)


def _cummax(values: Tensor, dim: int) -> tuple[Tensor, Tensor]:
    """Running maximum of integers along a short dimension, and where it is."""
    count = values.shape[dim]
    until_now = torch.ones(count, count, dtype=torch.bool, device=values.device).tril()
    lowest = torch.iinfo(values.dtype).min
    seen = torch.where(until_now, values.movedim(dim, -1).unsqueeze(-2), lowest)
    return seen.amax(-1).movedim(-1, dim), seen.argmax(-1).movedim(-1, dim)


def _cummin(values: Tensor, dim: int) -> tuple[Tensor, Tensor]:
    """Running minimum of integers along a short dimension, and where it is."""
    largest, where = _cummax(-values, dim)
    return -largest, where


def _solve(matrix: Tensor, sides: Tensor) -> Tensor:
    """Solution of positive definite systems [B, Q, Q] for [B, Q]: the inverse by Newton's iteration, then refined.

    Each iteration squares what is missing to the identity, so the count suffices for conditions up to a million.
    """
    inverse = torch.eye(matrix.shape[-1], dtype=matrix.dtype) / matrix.abs().sum(-1).amax(-1)[:, None, None]
    for _ in range(_NEWTON_STEPS):
        inverse = 2.0 * inverse - inverse @ matrix @ inverse
    columns = sides.unsqueeze(-1)
    solution = inverse @ columns
    return (solution + inverse @ (columns - matrix @ solution)).squeeze(-1)
