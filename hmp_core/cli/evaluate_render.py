# SPDX-FileCopyrightText: 2026 The hmp_ros authors
# SPDX-License-Identifier: Apache-2.0
"""`hmp eval render`: rendered hands behind rendered things through the whole pipeline, by all methods."""

import hashlib
from pathlib import Path
from typing import Annotated, Any, Final

import typer

from hmp_core.cli.console import progress_bar
from hmp_core.cli.occlusion_run import (
    AsJson,
    Baselines,
    Paper,
    Prior,
    Report,
    Split,
    conclude,
    open_benchmark,
    open_tables,
)
from hmp_core.errors import ConfigError
from hmp_core.evaluation.occluded_window import plan_windows
from hmp_core.evaluation.occlusion_page import Trace, trace_of
from hmp_core.evaluation.recorded_motion import RecordedMotion, generated_motion, read_recorded_motion
from hmp_core.evaluation.rendered_sight import Onlooker, draw_results, makers_digest
from hmp_core.evaluation.rendered_window import CAMERA, RATE_HZ, stage_window
from hmp_core.evaluation.staged_hand import Stage
from hmp_core.hand.loading import load_hand_model
from hmp_core.hand.model import HandModel
from hmp_core.media.report_page import check_page
from hmp_core.threads import use_one_thread
from hmp_core.training.corpus import read_held_out

_PLOTTED: Final = 6
_COLOURS: Final = {"online": (40, 140, 255), "offline": (235, 120, 60)}
"""BGR; those of the plots."""
_TRUTH: Final = (245, 245, 245)
_BEHIND: Final = {"whole": "all of it hidden", "fingers": "fingers hidden", "object": "behind an edge"}


def evaluate_render(
    motion: Annotated[
        Path | None, typer.Option(help="Motion file as of `hmp eval motion`; without one motion is made up.")
    ] = None,
    prior: Prior = None,
    baselines: Baselines = None,
    split: Split = None,
    cache: Annotated[
        Path,
        typer.Option(help="Folder where what was seen is kept; the same command goes on after an interruption."),
    ] = Path("~/.cache/hmp_ros"),
    windows: Annotated[int, typer.Option(min=1, help="Windows.")] = 48,
    seed: Annotated[int, typer.Option(min=0, help="Of motion, windows, hands, things and pictures.")] = 0,
    paper: Paper = False,
    report: Report = None,
    as_json: AsJson = False,
) -> None:
    """Render hands behind things, run the whole pipeline on the images, and judge every method by the exact truth.

    Windows, gaps and methods are those of `hmp eval motion`, at 30 Hz, but here solid things hide the hand in
    images of 640x480, and the product's own detector, initializer and evidence see them. A joint is hidden where
    the ray to it meets the thing, or where it lies outside the image; nobody but the judge is told. Errors are
    wrist-relative. All hands are right ones, and one hand at a time is followed.
    """
    use_one_thread()
    check_page(report)
    if split is not None and motion is None:
        raise ConfigError("--split chooses signs of a recording; give --motion, too")
    model, cache = load_hand_model(), cache.expanduser()
    benchmark, traces = open_benchmark(model, prior, baselines, paper), list[Trace]()
    with progress_bar() as bar:
        task = bar.add_task("windows", total=windows, note="reading motion" if motion else "making up motion")
        recorded = _motion(motion, split, model, cache, seed, bar)
        stage, onlooker = Stage(recorded, model, CAMERA), Onlooker(model, _folder(cache, recorded, seed))
        tables = open_tables(benchmark, recorded.fingers.rate_hz)
        for number, plan in enumerate(plan_windows(recorded, windows, seed)):
            window = stage_window(stage, model, plan)
            bar.update(task, note="rendering and looking")
            images = bar.add_task("images", total=plan.frames, note="")
            sight = onlooker.look(window, f"{number:04d}", lambda at=images: bar.advance(at))  # type: ignore[misc]
            bar.remove_task(images)
            bar.update(task, note="fitting")
            truth = window.judged_by(stage, sight.behind)
            run = benchmark.run(truth, sight.observations)
            tables.add(run)
            if len(traces) < _PLOTTED and truth.active:
                title = f"window {number}, {truth.label}: {_BEHIND[truth.kind]} for {truth.gap_s:g} s"
                results = [(window.hand.joints, _TRUTH)]
                results += [(run.outputs[name].joints_camera, colour) for name, colour in _COLOURS.items()]
                traces.append(trace_of(run, window.hand.times_s, title, draw_results(sight, CAMERA, results)))
            bar.advance(task)
    what = "made-up motion" if motion is None else motion.name
    conclude(tables, f"hmp eval render: {what}", traces, report, as_json)


def _motion(
    path: Path | None, split: Path | None, model: HandModel, cache: Path, seed: int, bar: Any
) -> RecordedMotion:
    """Recorded or made-up motion at the rate of rendering."""
    if path is None:
        return generated_motion(model, seed).at_rate(RATE_HZ)
    reading = bar.add_task("frames", total=None, note="retargeting")
    signs = read_held_out(split) if split else None
    recorded = read_recorded_motion(
        path, model, cache, signs, lambda done, total: bar.update(reading, completed=done, total=total)
    )
    bar.remove_task(reading)
    return recorded.at_rate(RATE_HZ)


def _folder(cache: Path, motion: RecordedMotion, seed: int) -> Path:
    """Where the sights of these very windows are kept, as this very code makes them."""
    content = hashlib.sha256(motion.fingers.rotation_vectors.numpy().tobytes())
    content.update(repr((motion.fingers.lengths.tolist(), motion.fingers.labels, seed)).encode())
    if motion.wrist is not None:
        content.update(motion.wrist.R_world_wrist.tobytes() + motion.wrist.position.tobytes())
    return cache / "render" / makers_digest() / content.hexdigest()[:16]
