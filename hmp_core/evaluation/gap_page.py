# SPDX-FileCopyrightText: 2026 The hmp_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The page of ``hmp eval video``: gaps painted over a real clip, one by one."""

from typing import Final

import numpy as np
from matplotlib.figure import Figure

from hmp_core.evaluation.gap import METHODS, GapResult
from hmp_core.evaluation.occlusion_page import colour_of
from hmp_core.media.report_page import ReportPage

_AS: Final = {"output": "online"}
"""The output is the online fitter's, and has its colour."""


def gap_rows(results: list[GapResult]) -> tuple[list[str], list[list[str]]]:
    """Heads and rows of a table: wrist-relative and camera-frame error of each gap and method, and the means."""
    heads = ["frames", "infilled", *(f"{name} (mm)" for name in METHODS), "rejoin jump (mm)"]
    rows = []
    for result in results:
        infilled = [status.name for status in result.statuses].count("INFILLED")
        errors = (f"{result.relative_mm[name]:.1f} / {result.camera_mm[name]:.1f}" for name in METHODS)
        span, of = f"{result.gap.first}-{result.gap.last}", f"{infilled} of {len(result.statuses)}"
        rows.append([span, of, *errors, f"{result.rejoin_jump_mm:.1f}"])
    means = (
        f"{np.mean([result.relative_mm[name] for result in results]):.1f} / "
        f"{np.mean([result.camera_mm[name] for result in results]):.1f}"
        for name in METHODS
    )
    largest = max(result.rejoin_jump_mm for result in results)
    return heads, [*rows, ["mean", "", *means, f"{largest:.1f} (largest)"]]


def add_gaps(page: ReportPage, results: list[GapResult], rate_hz: float) -> None:
    """Write all gaps down.

    Args:
        page: to write on.
        results: at least one.
        rate_hz: of the clip.
    """
    page.heading("Error against the clean run")
    page.paragraph(
        "Wrist-relative / camera frame. The clean run of the online fitter is a reference for agreement and no "
        "ground truth; slerp and hold start from it. Revised is what the online fitter says of the gap soon after "
        "its end, offline what hmp fit makes of the images with the boxes."
    )
    page.table(*gap_rows(results))
    for number, result in enumerate(results):
        page.heading(f"Frames {result.gap.first} to {result.gap.last}")
        page.picture(f"gap_{number}", result.picture)
        page.plot(f"errors_{number}", _course(result, rate_hz))


def _course(result: GapResult, rate_hz: float) -> Figure:
    """Wrist-relative error over the gap."""
    figure = Figure(figsize=(9, 2.6), layout="constrained")
    axes = figure.add_subplot()
    for number, name in enumerate(METHODS):
        values, known_as = result.course_mm[name], _AS.get(name, name)
        axes.plot(np.arange(len(values)) / rate_hz, values, label=name, color=colour_of(known_as, number))
    axes.set(xlabel="s since the gap began", ylabel="mm", ylim=(0, None))
    axes.legend(fontsize=7, loc="center left", bbox_to_anchor=(1.0, 0.5), frameon=False)
    return figure
