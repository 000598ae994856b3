# SPDX-FileCopyrightText: 2026 The hmp_ros authors
# SPDX-License-Identifier: Apache-2.0
"""`hmp report`: a page to look at what a run gave."""

from pathlib import Path
from typing import Annotated, Final

import typer

from hmp_core.errors import ConfigError
from hmp_core.evaluation.run_folder import read_run_folder
from hmp_core.evaluation.run_page import MAX_VIDEO_BYTES, write_run_page

_BYTES_PER_MB: Final = 1_000_000


def report(
    folder: Annotated[Path, typer.Argument(help="What hmp track or hmp fit wrote with --out.")],
    out: Annotated[Path | None, typer.Option(help="The page; by default report.html in the folder.")] = None,
    video_mb: Annotated[
        float, typer.Option(help="Largest overlay video in the page [MB]; a larger one is scaled down.")
    ] = MAX_VIDEO_BYTES / _BYTES_PER_MB,
) -> None:
    """Write one HTML page with the overlay, statuses, joint curves with their sigmas, and latency."""
    path = folder / "report.html" if out is None else out
    if path.suffix != ".html":
        raise ConfigError(f"a report of a recording is .html, not {path.name!r}")
    if not video_mb >= 0:
        raise ConfigError(f"--video-mb is {video_mb:g}, but sizes are not negative")
    write_run_page(read_run_folder(folder), path, round(video_mb * _BYTES_PER_MB))
    print(path)
