# SPDX-FileCopyrightText: 2026 The hmp_ros authors
# SPDX-License-Identifier: Apache-2.0
"""`hmp eval prior`: a prior against recorded motion, as JSON."""

import json
import time
from pathlib import Path
from typing import Annotated

import torch
import typer

from hmp_core.evaluation.prior_report import (
    HIDDEN_FINGERS,
    cut_windows,
    infill_errors,
    reconstruction_errors,
    sample_sanity,
)
from hmp_core.hand.loading import load_hand_model
from hmp_core.prior.prior import MotionPrior, load_prior
from hmp_core.threads import use_one_thread
from hmp_core.training.corpus import read_held_out
from hmp_core.training.retarget import retarget_file

_GAPS_S = (0.5, 1.0)
_SHORTEST_S = 0.9


def evaluate_prior(
    files: Annotated[list[Path], typer.Argument(help="Motion files (.npz of 21 joints).")],
    prior: Annotated[Path | None, typer.Option(help="Checkpoint; by default the shipped prior.")] = None,
    split: Annotated[Path | None, typer.Option(help="Use only the signs that this JSON file holds out.")] = None,
    cache: Annotated[Path, typer.Option(help="Folder where retargeted motion is kept.")] = Path("~/.cache/hmp_ros"),
    windows: Annotated[int, typer.Option(help="Windows measured per file.")] = 300,
) -> None:
    """Measure reconstruction and infill of a motion prior on recordings; prints one JSON object."""
    use_one_thread()
    model = load_hand_model()
    measured = load_prior(prior)
    held_out = read_held_out(split) if split else None
    report: dict[str, object] = {"samples": sample_sanity(measured), "jacobian_ms": _jacobian_ms(measured)}
    for path in files:
        result = retarget_file(path, model, cache.expanduser())
        motion = result.motion
        if held_out is not None:
            motion = motion.select(torch.tensor([label in held_out for label in motion.labels]))
        cut = cut_windows(motion, measured.window_s, _SHORTEST_S, windows)
        report[path.name] = {
            "windows": len(cut),
            "retarget_mm": 1e3 * float(result.residual_m[result.residual_m.isfinite()].mean()),
            "rejected": result.rejected,
            "reconstruction": reconstruction_errors(measured, cut),
            "infill_mm": {
                hidden: {str(gap): infill_errors(measured, cut, hidden, gap) for gap in _GAPS_S}
                for hidden in HIDDEN_FINGERS
            },
        }
    typer.echo(json.dumps(report, indent=2))


def _jacobian_ms(prior: MotionPrior) -> float:
    """Median time of 32 values with their full Jacobian on one thread [ms]."""
    z, times = torch.zeros(prior.latent_dim), torch.linspace(0.0, prior.window_s, 32)
    spent = []
    for _ in range(40):
        start = time.perf_counter()
        prior.decode_with_jacobian(z, times)
        spent.append(time.perf_counter() - start)
    return 1e3 * sorted(spent)[len(spent) // 2]
