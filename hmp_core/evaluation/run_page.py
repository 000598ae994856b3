# SPDX-FileCopyrightText: 2026 The hmp_ros authors
# SPDX-License-Identifier: Apache-2.0
"""A run as one HTML page that needs nothing from anywhere: video, statuses, curves with sigmas, figures.

Plots are drawn by the page's own scripts (``plots.js``, ``run_page.js``) from numbers in the page, so that
they zoom, follow the video and show any joint; on paper they are as the screen last showed them.
"""

import base64
import json
import logging
from html import escape
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from hmp_core.errors import SourceError
from hmp_core.estimate import HandStatus
from hmp_core.evaluation.run_folder import HandRow, RunFolder, hand_rows
from hmp_core.evaluation.summary import STAGES, reprojection_px, summarize
from hmp_core.hand.skeleton import JOINT_NAMES, MIDDLE_MCP, WRIST
from hmp_core.media.embedded_video import embed_video
from hmp_core.media.palette import STATUS_COLOURS
from hmp_core.media.report_page import html_document, html_table
from hmp_core.whole_file import whole_file

MAX_FRAMES: Final = 4000
"""Longer recordings are thinned, so that a page stays below some megabytes of numbers."""
MAX_VIDEO_BYTES: Final = 12_000_000
_SCRIPTS: Final = ("plots.js", "run_page.js")
_BINS: Final = 40

_log = logging.getLogger(__name__)


def write_run_page(run: RunFolder, path: Path, max_video_bytes: int = MAX_VIDEO_BYTES) -> None:
    """Write the page.

    Args:
        run: what to show.
        path: the page.
        max_video_bytes: of the overlay video in it; a longer one is scaled down.
    """
    rows = hand_rows(run.arrays) if run.arrays else []
    data = {
        "joints": JOINT_NAMES,
        "statuses": {int(status): status.name.lower() for status in HandStatus},
        **_curves(run, rows),
        "histograms": _histograms(run, rows),
    }
    video, figures = _video_section(run, rows, max_video_bytes), _figures(run)
    sections = [
        f'<p class="subtitle">{escape(_subtitle(run, rows))}</p>',
        f'<div class="top">{video}<section>{figures}</section></div>',
        '<section id="timeline"><h2>Status of each hand</h2></section>' if rows else "<p>No hand was seen.</p>",
        '<section id="curves"><h2>Joint over time</h2></section>' if rows else "",
        '<section id="quality"><h2>Reprojection and hand size</h2></section>' if rows else "",
        '<section id="histograms"><h2>How long it took, how well it fits</h2></section>',
        *(f"<section><h2>Joints, {escape(row.side.value)} hand</h2>{_joints(run, row)}</section>" for row in rows),
        "<noscript><p>The plots need JavaScript; everything they show lies in this file.</p></noscript>",
        f'<script type="application/json" id="data">{json.dumps(data, allow_nan=False)}</script>',
    ]
    here = Path(__file__)
    page = html_document(
        f"Hands of {run.name}",
        "\n".join(sections),
        style=_colours() + here.with_name("run_page.css").read_text(encoding="utf-8"),
        script="".join(here.with_name(name).read_text(encoding="utf-8") for name in _SCRIPTS),
    )
    with whole_file(path) as partial:
        partial.write_text(page, encoding="utf-8")


def _colours() -> str:
    lines = [f"  --{status.name.lower()}: rgb{colour};" for status, colour in STATUS_COLOURS.items()]
    return "\n:root {\n" + "\n".join(lines) + "\n}\n"


def _subtitle(run: RunFolder, rows: list[HandRow]) -> str:
    count, times = len(run.times_s), run.times_s
    if count < 2 or times[-1] <= 0:
        return f"{count} frames"
    size = run.arrays["image_size"][0]
    hands = ", ".join(row.side.value for row in rows) or "no hand"
    camera = "calibrated camera" if run.arrays["calibrated"].all() else "camera not calibrated: depth is nominal"
    rate = (count - 1) / times[-1]
    return f"{count} frames in {times[-1]:.1f} s ({rate:.1f} Hz), {size[0]}x{size[1]}, {hands}; {camera}"


def _video_section(run: RunFolder, rows: list[HandRow], max_bytes: int) -> str:
    if run.overlay is None:
        return '<p class="note">No overlay video was written.</p>'
    try:
        embedded = embed_video(run.overlay, max_bytes, _telling_time_s(run, rows))
    except SourceError as error:
        _log.warning("the report has no video: %s", error)
        return f'<p class="note">{escape(str(error))}</p>'
    note = f"<figcaption>{escape(embedded.note)}</figcaption>" if embedded.note else ""
    if not embedded.video:
        return f'<figure id="video"><img alt="overlay" src="{embedded.poster}">{note}</figure>'
    tag = f'<video controls muted loop preload="auto" poster="{embedded.poster}" src="{embedded.video}"></video>'
    return f'<figure id="video">{tag}{note}</figure>'


def _telling_time_s(run: RunFolder, rows: list[HandRow]) -> float:
    """A moment at which a hand is filled in, or else the middle."""
    times = run.times_s
    for row in rows:
        infilled = np.flatnonzero(row.of(run.arrays["status"], 0) == HandStatus.INFILLED)
        if infilled.size:
            return float(times[infilled[len(infilled) // 2]])
    return float(times[len(times) // 2]) if times.size else 0.0


def _curves(run: RunFolder, rows: list[HandRow]) -> dict[str, Any]:
    """Everything over time, thinned."""
    stride = max(-(-len(run.times_s) // MAX_FRAMES), 1)
    hands = [_hand_curves(run.arrays, row, stride) for row in rows]
    return {"times": _floats(run.times_s[::stride]), "stride": stride, "hands": hands}


def _hand_curves(arrays: dict[str, NDArray[Any]], row: HandRow, stride: int) -> dict[str, Any]:
    def take(values: NDArray[Any], empty: float = np.nan) -> NDArray[Any]:
        return row.of(values, empty)[::stride]

    joints = take(arrays["joints_camera"])
    sigmas = take(arrays["joint_stddev_m"])
    covariance = take(arrays["wrist_covariance"])
    variances = np.diagonal(covariance, axis1=1, axis2=2)[:, :3]
    weights = 1 << np.arange(len(JOINT_NAMES))
    return {
        "name": row.side.value,
        "tracks": take(arrays["track_id"], -1).tolist(),
        "status": take(arrays["status"], 0).tolist(),
        "observed": (take(arrays["joint_observed"], 0) @ weights).tolist(),
        "xyz": _floats(joints),
        "sigma": _floats(np.where(sigmas > 0, sigmas, np.nan)),
        "wrist_sigma": _floats(np.sqrt(np.where(variances > 0, variances, np.nan))),
        "initial": _floats(take(arrays["initial_joints_camera"])),
        "reprojection": _floats(_row_median(take(reprojection_px(arrays)))),
        "length": _floats(1e3 * np.linalg.norm(joints[:, MIDDLE_MCP] - joints[:, WRIST], axis=-1)),
    }


def _histograms(run: RunFolder, rows: list[HandRow]) -> list[dict[str, Any]]:
    arrays = run.arrays
    if not arrays:
        return []
    work_ms = np.nansum([arrays[f"ms_{stage}"] for stage in STAGES], axis=0)
    # hmp track and hmp fit stamp their messages as if nothing but the work took time: no news beside the work.
    latency_ms = run.latency_ms
    measured = len(latency_ms) != len(work_ms) or not np.allclose(latency_ms, work_ms, atol=0.01)
    found = [
        _histogram("latency, image stamp to publishing", "ms", latency_ms) if measured else None,
        _histogram("work on an image", "ms", work_ms),
        _histogram("reprojection of observed joints", "px", reprojection_px(arrays)),
    ]
    return [item for item in found if item is not None]


def _histogram(name: str, unit: str, values: NDArray[np.float64]) -> dict[str, Any] | None:
    """Counts up to the 99.5th percentile; what lies beyond is counted in the last bar."""
    values = values[np.isfinite(values)]
    if not values.size:
        return None
    median, p95, top = np.percentile(values, [50, 95, 99.5])
    top = top if top > values.min() else values.min() + 1.0
    counts, edges = np.histogram(np.minimum(values, top), bins=_BINS, range=(min(float(values.min()), 0.0), top))
    return {
        "name": name,
        "unit": unit,
        "from": float(edges[0]),
        "to": float(edges[-1]),
        "counts": counts.tolist(),
        "median": float(median),
        "p95": float(p95),
    }


def _figures(run: RunFolder) -> str:
    summary = summarize(run.arrays)
    rows = [["frames with a hand observed or partial", f"{100 * summary['tracked_fraction']:.1f} %"]]
    rows += [[f"hands {name}", str(count)] for name, count in summary["status"].items() if count]
    spreads = {f"{stage} (ms), median / p95": spread for stage, spread in summary["ms"].items()}
    spreads["reprojection (px), median / p95"] = summary["reprojection_px"]
    rows += [[name, f"{_text(one['median'])} / {_text(one['p95'])}"] for name, one in spreads.items()]
    for name, value in summary["acceleration_mm_per_frame2"].items():
        rows.append([f"acceleration of the {name} (mm/frame²)", _text(value)])
    return html_table(["what", "value"], rows)


def _joints(run: RunFolder, row: HandRow) -> str:
    """Joint by joint: how often it was seen, how sure it is, how well it lies on its keypoint."""
    arrays = run.arrays
    observed = row.of(arrays["joint_observed"], 0).astype(bool)
    present = row.slots >= 0
    sigmas = row.of(arrays["joint_stddev_m"], np.nan)
    sigmas = 1e3 * np.where(sigmas > 0, sigmas, np.nan)
    distances = row.of(reprojection_px(arrays), np.nan)
    hidden = ~observed & present[:, None]
    lines = [
        [
            name,
            f"{100 * observed[present, joint].mean():.0f} %",
            _text(_median(sigmas[observed[:, joint], joint])),
            _text(_median(sigmas[hidden[:, joint], joint])),
            _text(_median(distances[:, joint])),
        ]
        for joint, name in enumerate(JOINT_NAMES)
    ]
    return html_table(["joint", "observed", "sigma, observed (mm)", "sigma, not (mm)", "reprojection (px)"], lines)


def _row_median(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """[T] from [T, 21]; NaN where a row has nothing."""
    return np.array([np.nan if (median := _median(row)) is None else median for row in values])


def _median(values: NDArray[np.floating]) -> float | None:
    finite = values[np.isfinite(values)]
    return float(np.median(finite)) if finite.size else None


def _text(value: float | None) -> str:
    return "–" if value is None else f"{value:.2f}"


def _floats(values: NDArray[np.floating]) -> str:
    """Little-endian float32 in base64."""
    return base64.b64encode(np.ascontiguousarray(values, dtype="<f4").tobytes()).decode()
