# SPDX-FileCopyrightText: 2026 The hmp_ros authors
# SPDX-License-Identifier: Apache-2.0
"""`hmp bench`: how fast it is, against the paper's schedule and through DDS."""

import json
from pathlib import Path
from typing import Annotated, Any, Final

import numpy as np
import typer
from rich.console import Console
from rich.progress import TaskID
from rich.table import Table

from hmp_core.cli.console import STDERR, progress_bar
from hmp_core.cli.options import CameraOption, JsonOption
from hmp_core.errors import ConfigError
from hmp_core.evaluation.benchmark import Benchmark
from hmp_core.evaluation.benchmark_clips import BenchmarkClip
from hmp_core.evaluation.solver_race import Contender

PARTS: Final = ("stages", "offline", "dds")


def bench(
    video: Annotated[
        Path | None, typer.Option(help="Clip of one hand for stages and dds; by default the one that is shipped.")
    ] = None,
    camera: CameraOption = None,
    seconds: Annotated[
        float | None, typer.Option(help="Of video in every part; by default the clip, 4 and 60 s.")
    ] = None,
    only: Annotated[str, typer.Option(help=f"Parts to measure, out of {','.join(PARTS)}.")] = ",".join(PARTS),
    cache: Annotated[Path, typer.Option(help="Folder where made clips are kept.")] = Path("~/.cache/hmp_ros"),
    as_json: JsonOption = False,
) -> None:
    """Measure speed: stages, solvers against the paper's schedule, and the way through DDS."""
    parts = {part.strip() for part in only.split(",")}
    if not parts <= set(PARTS):
        raise ConfigError(f"--only has {', '.join(sorted(parts - set(PARTS)))}; parts are {', '.join(PARTS)}")
    if seconds is not None and seconds < 1.0:
        raise ConfigError(f"--seconds is {seconds}, allowed is 1 and more")
    with progress_bar() as bar:
        tasks: dict[str, TaskID] = {}

        def report(what: str, done: int, total: int | None) -> None:
            if what not in tasks:
                tasks[what] = bar.add_task(what, total=total, note="")
            bar.update(tasks[what], completed=done, total=total)

        clip = BenchmarkClip(video, camera) if video else None
        benchmark = Benchmark(cache.expanduser(), clip, seconds, report)
        for part in PARTS:
            if part in parts:
                getattr(benchmark, part)()
    for part, reason in benchmark.left_out.items():
        STDERR.print(f"{part} is left out: {reason}", highlight=False, soft_wrap=True)
    if as_json:
        print(json.dumps(benchmark.figures))
    else:
        _print(benchmark.figures, benchmark.contenders)


def _print(figures: dict[str, Any], contenders: dict[str, Contender]) -> None:
    """Everything that was measured, and the race in full."""
    table = Table("what", "value", title="speed")
    for stage, times in figures["stage_ms"].items():
        table.add_row(f"{stage} (ms), median / p95", _pair(times))
    table.add_row("online solve of one hand (ms), median / p95", _pair(figures["online_solve_ms"]))
    for name, fps in figures["fps"].items():
        table.add_row(f"images a second, {name.replace('_', ' ')}", _number(fps))
    for name in ("offline", "online"):
        values = figures[name].values()
        table.add_row(f"{name}: compute less than the paper's by, hidden error over its", _row(values))
    for name in ("dds", "dds_two_hands", "dds_without_profile"):
        row = figures[name]
        title = f"{name}: Hz, latency (ms) median / p95, images dropped"
        table.add_row(title, ", ".join((_number(row["hz"]), _pair(row["latency_ms"]), _number(row["dropped"]))))
    table.add_row("memory at most (MB)", _number(figures["rss_mb"]))
    console = Console()
    console.print(table)
    if contenders:
        race = Table("method", "wall (s), median", "CPU (s), median", "fits", "hidden error (mm)", title="solvers")
        for contender in contenders.values():
            wall, cpu = float(np.median(contender.wall_s)), float(np.median(contender.cpu_s))
            numbers = (_number(wall), _number(cpu), str(len(contender.wall_s)), _number(contender.hidden_mm))
            race.add_row(contender.name, *numbers)
        console.print(race)


def _pair(spread: dict[str, float | None]) -> str:
    return _row((spread["median"], spread["p95"]))


def _row(values: Any) -> str:
    return " / ".join(_number(value) for value in values)


def _number(value: float | None) -> str:
    return "-" if value is None else f"{value:.4g}"
