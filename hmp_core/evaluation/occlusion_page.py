# SPDX-FileCopyrightText: 2026 The hmp_ros authors
# SPDX-License-Identifier: Apache-2.0
"""A page with tables and plots of an occlusion benchmark, as HTML with all in it or as Markdown beside PNGs."""

import base64
import io
import json
from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from pathlib import Path
from typing import Any, Final

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray

from hmp_core.errors import ConfigError
from hmp_core.evaluation.metrics import wrist_aligned
from hmp_core.evaluation.occlusion_report import PARTS, HandRun, charged

SUFFIXES: Final = (".html", ".md")
_SHOWN: Final = ("initializer", "kalman", "online")
_DPI: Final = 110


@dataclass(frozen=True)
class Trace:
    """Errors in one window over time.

    Attributes:
        title: what window it is.
        times_s: [T].
        hidden: [T] share of joints hidden.
        error_mm: [T] mean wrist-relative error of all joints, by method.
    """

    title: str
    times_s: NDArray[np.float64]
    hidden: NDArray[np.float64]
    error_mm: dict[str, NDArray[np.float64]]


def trace_of(run: HandRun, times_s: NDArray[np.float64], title: str) -> Trace:
    """The errors of a run; frames that are not judged are NaN."""
    truth = wrist_aligned(run.truth_camera)
    errors = {
        name: 1e3 * np.linalg.norm(wrist_aligned(charged(output.joints_camera)) - truth, axis=-1).mean(axis=1)
        for name, output in run.outputs.items()
        if name in _SHOWN
    }
    return Trace(title, times_s, run.hidden.mean(axis=1), errors)


def write_page(path: Path, title: str, summary: dict[str, Any], traces: Sequence[Trace]) -> None:
    """Write the page.

    Args:
        path: ``.html`` or ``.md``; a Markdown page's plots lie beside it.
        title: of the page.
        summary: of :class:`~hmp_core.evaluation.occlusion_report.OcclusionReport`, with what else is to be kept.
        traces: windows to plot.

    Raises:
        ConfigError: another suffix.
    """
    if path.suffix not in SUFFIXES:
        raise ConfigError(f"a report is {' or '.join(SUFFIXES)}, not {path.name!r}")
    plots = {"parts": _parts(summary), "gaps": _gaps(summary)}
    plots |= {f"window_{number}": _window(trace) for number, trace in enumerate(traces)}
    tables = [("active windows", summary), ("quiet windows", summary["quiet"])]
    path.parent.mkdir(parents=True, exist_ok=True)
    settings = json.dumps({key: summary[key] for key in ("baselines",) if key in summary}, indent=1)
    if path.suffix == ".html":
        images = (_inline(figure) for figure in plots.values())
        body = "".join(f"<h2>{escape(name)}</h2>{_html_table(part)}" for name, part in tables)
        pictures = "".join(f'<p><img src="data:image/png;base64,{image}"></p>' for image in images)
        style = "<style>body{font-family:sans-serif}td,th{padding:2px 8px;text-align:right}</style>"
        page = f"<!DOCTYPE html><meta charset=utf-8><title>{escape(title)}</title>{style}<h1>{escape(title)}</h1>"
        path.write_text(f"{page}{body}{pictures}<pre>{escape(settings)}</pre>\n", encoding="utf-8")
        return
    lines = [f"# {title}", ""]
    for name, part in tables:
        lines += [f"## {name}", "", *_markdown_table(part), ""]
    for name, figure in plots.items():
        image = path.with_name(f"{path.stem}_{name}.png")
        figure.savefig(image, dpi=_DPI)
        lines += [f"![{name}]({image.name})", ""]
    path.write_text("\n".join([*lines, "```", settings, "```", ""]), encoding="utf-8")


def table_rows(part: dict[str, Any]) -> tuple[list[str], list[list[str]]]:
    """Heads and rows of the table of one activity."""
    heads = ["method", *(f"{name.replace('hidden_', '')} (mm)" for name in PARTS)]
    heads += [f"acc. {name.replace('hidden_', '')}" for name in PARTS] + [
        "lateral",
        "depth",
        "wrist (deg)",
        "lag (ms)",
    ]
    rows = []
    for name, figures in part["methods"].items():
        values = [*figures["ra_mpjpe_mm"].values(), *figures["ra_acc_mm_per_frame2"].values()]
        values += [*figures["wrist_mm"].values(), figures["wrist_deg"], figures["lag_ms"]]
        rows.append([name, *("–" if value is None else f"{value:.1f}" for value in values)])
    return heads, rows


def sigma_line(part: dict[str, Any]) -> str:
    """How true the sigmas are, in words."""
    seen, hidden, square = (
        part["coverage_2sigma"]["observed"],
        part["coverage_2sigma"]["hidden"],
        part["wrist_nees"],
    )

    def figure(value: float | None, style: str) -> str:
        return "–" if value is None else format(value, style)

    return (
        f"{part['windows']} windows; within two sigmas: observed {figure(seen, '.1%')}, hidden "
        f"{figure(hidden, '.1%')} (95 % are true); wrist's normalised error squared {figure(square, '.1f')} (6)"
    )


def _html_table(part: dict[str, Any]) -> str:
    heads, rows = table_rows(part)
    cells = "".join("<tr>" + "".join(f"<td>{escape(cell)}" for cell in row) for row in rows)
    top = "".join(f"<th>{escape(head)}" for head in heads)
    return f"<table><tr>{top}{cells}</table><p>{escape(sigma_line(part))}</p>"


def _markdown_table(part: dict[str, Any]) -> list[str]:
    heads, rows = table_rows(part)
    lines = [heads, ["---"] * len(heads), *rows]
    return ["| " + " | ".join(line) + " |" for line in lines] + ["", sigma_line(part)]


def _inline(figure: Figure) -> str:
    stream = io.BytesIO()
    figure.savefig(stream, format="png", dpi=_DPI)
    return base64.b64encode(stream.getvalue()).decode()


def _parts(summary: dict[str, Any]) -> Figure:
    """Bars: error by method and part."""
    figure = Figure(figsize=(9, 3.4), layout="constrained")
    axes, names = figure.add_subplot(), list(summary["methods"])
    width = 0.8 / max(len(names), 1)
    for number, name in enumerate(names):
        values = [summary["methods"][name]["ra_mpjpe_mm"][part] or np.nan for part in PARTS]
        axes.bar(np.arange(len(PARTS)) + number * width, values, width, label=name)
    axes.set_xticks(np.arange(len(PARTS)) + 0.4 - width / 2, PARTS)
    axes.set_ylabel("wrist-relative error (mm)")
    axes.legend(fontsize=7, ncols=2)
    return figure


def _gaps(summary: dict[str, Any]) -> Figure:
    """Lines: error of hidden joints over the gap's length."""
    figure = Figure(figsize=(9, 3.4), layout="constrained")
    gaps = list(summary["by_gap"])
    for number, part in enumerate(PARTS[1:]):
        axes = figure.add_subplot(1, 2, number + 1)
        for name in summary["methods"]:
            values = [summary["by_gap"][gap][name][part] or np.nan for gap in gaps]
            axes.plot(
                [float(gap) for gap in gaps], values, marker="o", label=name, lw=2.5 if name == "online" else 1
            )
        axes.set(title=part, xlabel="gap (s)", ylabel="mm")
    axes.legend(fontsize=7)
    return figure


def _window(trace: Trace) -> Figure:
    """Errors over time; the share hidden is shaded."""
    figure = Figure(figsize=(9, 2.6), layout="constrained")
    axes = figure.add_subplot()
    for name, values in trace.error_mm.items():
        axes.plot(trace.times_s, values, label=name)
    axes.set(title=trace.title, xlabel="s", ylabel="mm")
    axes.legend(fontsize=7, loc="upper left")
    shade = axes.twinx()
    shade.fill_between(trace.times_s, 100 * trace.hidden, step="mid", alpha=0.15, color="k", lw=0)
    shade.set(ylim=(0, 100), ylabel="% hidden")
    return figure
