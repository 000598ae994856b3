# SPDX-FileCopyrightText: 2026 The hmp_ros authors
# SPDX-License-Identifier: Apache-2.0
"""`hmp samples`: pictures of what a motion prior makes up."""

from pathlib import Path
from typing import Annotated

import torch
import typer
from rich.console import Console

from hmp_core.errors import ConfigError
from hmp_core.hand.loading import load_hand_model
from hmp_core.media.sample_sheet import CLIP_SUFFIX, PICTURE_SUFFIXES, write_sample_clip, write_sample_sheet
from hmp_core.prior.prior import load_prior
from hmp_core.threads import use_one_thread


def samples(
    out: Annotated[Path, typer.Option(help="A .jpg or .png becomes a sheet of stills, an .mp4 a clip.")],
    count: Annotated[int, typer.Option(help="Samples.", min=1)] = 6,
    columns: Annotated[int, typer.Option(help="Times shown on a sheet.", min=1)] = 8,
    seed: Annotated[int, typer.Option(help="Of the samples.")] = 0,
    prior: Annotated[Path | None, typer.Option(help="Checkpoint; by default the shipped prior.")] = None,
    mano: Annotated[Path | None, typer.Option(help="Your MANO_RIGHT.pkl; by default the open hand.")] = None,
) -> None:
    """Draw random samples from a motion prior and render them; the same options give the same picture."""
    use_one_thread()
    suffix = out.suffix.lower()
    if suffix not in (*PICTURE_SUFFIXES, CLIP_SUFFIX):
        raise ConfigError(f"--out is {out}; it must end in {', '.join(PICTURE_SUFFIXES)} or {CLIP_SUFFIX}")
    drawn_from, model = load_prior(prior), load_hand_model(mano)
    z = torch.randn(count, drawn_from.latent_dim, generator=torch.Generator().manual_seed(seed))
    if suffix == CLIP_SUFFIX:
        write_sample_clip(out, drawn_from, model, z)
    else:
        write_sample_sheet(out, drawn_from, model, z, columns)
    Console().print(out)
