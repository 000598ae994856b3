# SPDX-FileCopyrightText: 2026 The hmp_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What the pages of occlusion benchmarks share: tables by method, plots by part and by gap, errors over time."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import NDArray

from hmp_core.evaluation.metrics import wrist_aligned
from hmp_core.evaluation.occlusion_report import PARTS, HandRun, charged
from hmp_core.media.report_page import ReportPage

_SHOWN: Final = ("initializer", "kalman", "online", "offline")
_OURS: Final = {"online": "#ff8c28", "offline": "#3c78eb"}
_OTHERS: Final = (
    "#7f7f7f", "#bcbd22", "#2ca02c", "#d62728", "#9467bd", "#8c564b", "#e377c2", "#17becf", "#a9c3a0", "#444444",
)  # fmt: skip


@dataclass(frozen=True)
class Trace:
    """Errors in one window over time.

    Attributes:
        title: what window it is.
        times_s: [T].
        hidden: [T] share of joints hidden.
        error_mm: [T] mean wrist-relative error of all joints, by method.
        picture: BGR [height, width, 3] of the window, if it was rendered or filmed.
    """

    title: str
    times_s: NDArray[np.float64]
    hidden: NDArray[np.float64]
    error_mm: dict[str, NDArray[np.float64]]
    picture: NDArray[np.uint8] | None = None


def trace_of(
    run: HandRun, times_s: NDArray[np.float64], title: str, picture: NDArray[np.uint8] | None = None
) -> Trace:
    """The errors of a run; frames that are not judged are NaN."""
    truth = wrist_aligned(run.truth_camera)
    errors = {
        name: 1e3 * np.linalg.norm(wrist_aligned(charged(output.joints_camera)) - truth, axis=-1).mean(axis=1)
        for name, output in run.outputs.items()
        if name in _SHOWN
    }
    return Trace(title, times_s, run.hidden.mean(axis=1), errors, picture)


def add_benchmark(page: ReportPage, summary: dict[str, Any], traces: Sequence[Trace]) -> None:
    """Write a benchmark down.

    Args:
        page: to write on.
        summary: of :class:`~hmp_core.evaluation.occlusion_report.OcclusionReport`.
        traces: windows to plot.
    """
    for number, (name, part) in enumerate((("Hands that move", summary), ("Hands at rest", summary["quiet"]))):
        if not part["windows"]:
            continue
        page.heading(name)
        page.table(*table_rows(part))
        page.paragraph(sigma_line(part))
        page.plot(f"parts_{number}", _parts(part))
        if len(part["by_gap"]) > 1:
            page.plot(f"gaps_{number}", _gaps(part))
    if traces:
        page.heading("Windows")
        page.paragraph("Error of all joints over time; the grey area is the share of the joints that is hidden.")
        if any(trace.picture is not None for trace in traces):
            page.paragraph("In the pictures the truth is white, and the fitters have their colours of the plots.")
    for number, trace in enumerate(traces):
        if trace.picture is not None:
            page.picture(f"frames_{number}", trace.picture)
        page.plot(f"window_{number}", _window(trace))


def table_rows(part: dict[str, Any]) -> tuple[list[str], list[list[str]]]:
    """Heads and rows of the table of one activity."""
    heads = ["method", *(f"{name.replace('hidden_', '')} (mm)" for name in PARTS)]
    heads += [f"acc. {name.replace('hidden_', '')}" for name in PARTS]
    heads += ["lateral", "depth", "wrist (deg)", "lag (ms)"]
    rows = []
    for name, figures in part["methods"].items():
        values = [*figures["ra_mpjpe_mm"].values(), *figures["ra_acc_mm_per_frame2"].values()]
        values += [*figures["wrist_mm"].values(), figures["wrist_deg"], figures["lag_ms"]]
        rows.append([name, *("–" if value is None else f"{value:.1f}" for value in values)])
    return heads, rows


def sigma_line(part: dict[str, Any]) -> str:
    """How true the sigmas are, in words."""
    seen, hidden = (part["coverage_2sigma"][key] for key in ("observed", "hidden"))
    square = part["wrist_nees"]

    def figure(value: float | None, style: str) -> str:
        return "–" if value is None else format(value, style)

    return (
        f"{part['windows']} windows; within two sigmas: observed {figure(seen, '.1%')}, hidden "
        f"{figure(hidden, '.1%')} (95 % are true); wrist's normalised error squared {figure(square, '.1f')} (6)"
    )


def _ran(part: dict[str, Any]) -> list[str]:
    """The methods with any figure at all."""
    return [name for name, figures in part["methods"].items() if any(figures["ra_mpjpe_mm"].values())]


def _parts(part: dict[str, Any]) -> Figure:
    """Bars: error by method and part."""
    figure = Figure(figsize=(9, 3.6), layout="constrained")
    axes, names = figure.add_subplot(), _ran(part)
    width = 0.85 / max(len(names), 1)
    for number, name in enumerate(names):
        values = [part["methods"][name]["ra_mpjpe_mm"][place] or np.nan for place in PARTS]
        edge = "black" if name in _OURS else "none"
        places = np.arange(len(PARTS)) + number * width
        axes.bar(places, values, 0.9 * width, label=name, color=colour_of(name, number), edgecolor=edge)
    axes.set_xticks(np.arange(len(PARTS)) + 0.425 - width / 2, [place.replace("_", ", ") for place in PARTS])
    axes.set_ylabel("wrist-relative error (mm)")
    _legend(axes)
    return figure


def _gaps(part: dict[str, Any]) -> Figure:
    """Lines: error of hidden joints over the gap's length."""
    figure = Figure(figsize=(9, 3.6), layout="constrained")
    gaps = list(part["by_gap"])
    for number, place in enumerate(PARTS[1:]):
        axes = figure.add_subplot(1, 2, number + 1)
        for index, name in enumerate(_ran(part)):
            values = [part["by_gap"][gap][name][place] or np.nan for gap in gaps]
            colour, lw = colour_of(name, index), 2.5 if name in _OURS else 1
            axes.plot(gaps, values, marker="o", ms=4, label=name, color=colour, lw=lw)
        axes.set(title=place.replace("_", ", "), xlabel="gap (s)", ylabel="mm")
    _legend(axes)
    return figure


def colour_of(name: str, number: int) -> str:
    """The colour of a method in all plots and pictures, "#rrggbb"; ours have their own."""
    return _OURS.get(name, _OTHERS[number % len(_OTHERS)])


def _legend(axes: Axes) -> None:
    axes.legend(fontsize=7, loc="center left", bbox_to_anchor=(1.0, 0.5), frameon=False)


def _window(trace: Trace) -> Figure:
    """Errors over time; the share hidden is shaded."""
    figure = Figure(figsize=(9, 2.6), layout="constrained")
    axes = figure.add_subplot()
    for number, (name, values) in enumerate(trace.error_mm.items()):
        colour = colour_of(name, number)
        axes.plot(trace.times_s, values, label=name, color=colour, lw=1.8 if name in _OURS else 1)
    axes.set(title=trace.title, xlabel="s", ylabel="mm", ylim=(0, None))
    shade = axes.twinx()
    shade.fill_between(trace.times_s, 100 * trace.hidden, step="mid", alpha=0.15, color="k", lw=0)
    shade.set(ylim=(0, 100), ylabel="% hidden")
    axes.legend(fontsize=7, loc="center left", bbox_to_anchor=(1.07, 0.5), frameon=False)
    return figure
