# SPDX-FileCopyrightText: 2026 The hmp_ros authors
# SPDX-License-Identifier: Apache-2.0
"""`hmp eval motion`: recorded motion through a simulated detector, hidden now and then, by all methods."""

from pathlib import Path
from typing import Annotated, Final

import numpy as np
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
from hmp_core.errors import DataError
from hmp_core.evaluation.detector_model import load_detector_model
from hmp_core.evaluation.detector_simulation import DetectorSimulation
from hmp_core.evaluation.occluded_window import occluded_windows
from hmp_core.evaluation.occlusion_page import Trace, trace_of
from hmp_core.evaluation.occlusion_report import OcclusionReport
from hmp_core.evaluation.recorded_motion import read_recorded_motion
from hmp_core.hand.loading import load_hand_model
from hmp_core.media.report_page import check_page
from hmp_core.perception.initializer import HandInitializer
from hmp_core.threads import use_one_thread
from hmp_core.training.corpus import read_held_out

_PLOTTED: Final = 6


def evaluate_motion(
    files: Annotated[
        list[Path], typer.Argument(help="Motion files: .npz of 21 joints, or sequences of AMASS or ARCTIC.")
    ],
    prior: Prior = None,
    baselines: Baselines = None,
    detector: Annotated[Path | None, typer.Option(help="Measured detector errors; by default the shipped.")] = None,
    split: Split = None,
    cache: Annotated[Path, typer.Option(help="Folder where retargeted motion is kept.")] = Path("~/.cache/hmp_ros"),
    windows: Annotated[int, typer.Option(min=1, help="Windows per file.")] = 96,
    seed: Annotated[int, typer.Option(min=0, help="Of windows, cameras, hands and detector errors.")] = 0,
    paper: Paper = False,
    report: Report = None,
    as_json: AsJson = False,
) -> None:
    """Follow recorded hands through occlusion and judge every method by the exact truth.

    Each window is a piece of a recording in front of a simulated camera, with a hand of random size (7 %) and
    shape; for 0.2 to 2 s all of it, some fingers, or what lies behind an edge is hidden. What perception would have
    said is drawn from errors measured on renders: hidden joints yield false points, with the sigmas that perception
    states. All methods get the same observations. Errors are wrist-relative.

    Methods: detector and initializer (both keep their last output where nothing is found), hold, slerp and
    kalman_rts (these two know the future), one_euro, kalman, pca and gmm (pose models given each image and the last
    output), online (the real-time fitter), offline (hmp fit) and paper_adam (hmp fit with the paper's table and
    optimiser, with --paper).
    """
    use_one_thread()
    check_page(report)
    model = load_hand_model()
    benchmark = open_benchmark(model, prior, baselines, paper)
    simulation = DetectorSimulation(load_detector_model(detector), HandInitializer(model))
    signs, traces = read_held_out(split) if split else None, list[Trace]()
    tables: OcclusionReport | None = None
    rate_hz: float | None = None
    with progress_bar() as bar:
        task = bar.add_task("windows", total=windows * len(files), note="")
        for path in files:
            bar.update(task, note=path.name)
            reading = bar.add_task("frames", total=None, note="retargeting")
            motion = read_recorded_motion(
                path,
                model,
                cache.expanduser(),
                signs,
                lambda done, total, at=reading: bar.update(at, completed=done, total=total),  # type: ignore[misc]
            )
            bar.remove_task(reading)
            rate_hz = rate_hz or motion.fingers.rate_hz
            if motion.fingers.rate_hz != rate_hz:
                raise DataError(f"{path} has {motion.fingers.rate_hz:g} Hz and the files before it {rate_hz:g} Hz")
            tables = tables or open_tables(benchmark, rate_hz)
            for number, window in enumerate(occluded_windows(motion, model, windows, seed)):
                frames = simulation.observe(window.hand, np.random.default_rng(seed + number))
                run = benchmark.run(window, frames)
                tables.add(run)
                if len(traces) < _PLOTTED and window.active:
                    title = f"{path.stem}, {window.label}: {window.kind} hidden for {window.gap_s:g} s"
                    traces.append(trace_of(run, window.hand.times_s, title))
                bar.advance(task)
    assert tables is not None
    conclude(tables, f"hmp eval motion: {', '.join(path.name for path in files)}", traces, report, as_json)
