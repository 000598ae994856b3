# SPDX-FileCopyrightText: 2026 The hmp_ros authors
# SPDX-License-Identifier: Apache-2.0
"""`hmp eval video`: how well gaps are filled on real video."""

import json
from collections import Counter
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import typer
from rich.console import Console
from rich.table import Table

from hmp_core.cli.console import progress_bar
from hmp_core.cli.options import CameraOption, FovOption, ManoOption
from hmp_core.evaluation.gap import GapResult, evaluate_gaps, spread_gaps
from hmp_core.evaluation.gap_page import add_gaps, gap_rows
from hmp_core.frame import Frame
from hmp_core.media.intrinsics import DEFAULT_FOV_DEG, Intrinsics, load_camera
from hmp_core.media.report_page import ReportPage, check_page
from hmp_core.media.sources import open_source
from hmp_core.pipeline import open_pipeline


def evaluate_video(
    source: Annotated[str, typer.Argument(help="Video, image folder or bag with one hand in view throughout.")],
    camera: CameraOption = None,
    fov: FovOption = DEFAULT_FOV_DEG,
    gaps: Annotated[int, typer.Option(help="How many gaps to paint.")] = 5,
    gap_frames: Annotated[int, typer.Option(help="Length of each gap [frames].")] = 30,
    max_frames: Annotated[int | None, typer.Option(help="Use only the first frames.")] = None,
    mano: ManoOption = None,
    report: Annotated[Path | None, typer.Option(help="Page with tables, plots and pictures, .html or .md.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
) -> None:
    """Paint a grey box over the hand now and then, and compare what fills the gaps with the run that saw it."""
    check_page(report)
    calibrated = load_camera(camera) if camera else None
    total = open_source(source, Intrinsics(calibrated, fov)).frame_count or 0
    total = min(total, max_frames or total)
    stamps_ns: list[int] = []
    with progress_bar() as bar:
        task = bar.add_task("clean and painted run", total=2 * total, note="")

        def frames() -> Iterator[Frame]:
            for frame in islice(open_source(source, Intrinsics(calibrated, fov)), max_frames):
                stamps_ns.append(frame.stamp_ns)
                yield frame
                bar.advance(task)

        _, results = evaluate_gaps(frames, lambda: open_pipeline(mano), spread_gaps(total, gap_frames, gaps))
    if report is not None:
        page = ReportPage(f"hmp eval video: {Path(source).name}")
        add_gaps(page, results, 1e9 / float(np.median(np.diff(stamps_ns))))
        page.write(report)
    if as_json:
        print(json.dumps([_as_fields(result) for result in results]))
    else:
        print_results(results)


def _as_fields(result: GapResult) -> dict[str, Any]:
    return {
        "first": result.gap.first,
        "last": result.gap.last,
        "status": dict(Counter(status.name.lower() for status in result.statuses)),
        "relative_mm": result.relative_mm,
        "camera_mm": result.camera_mm,
        "rejoin_jump_mm": result.rejoin_jump_mm,
    }


def print_results(results: list[GapResult]) -> None:
    """One row a gap, wrist-relative and camera-frame error per method, and the mean of all gaps."""
    heads, rows = gap_rows(results)
    table = Table(*heads, title="error against the clean run: wrist-relative / camera frame")
    for row in rows:
        table.add_row(*row)
    Console().print(table)
