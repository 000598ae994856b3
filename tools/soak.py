#!/usr/bin/env python3
# SPDX-FileCopyrightText: 2026 The hmp_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Soak: the nodes for many minutes at 30 Hz, and what memory and latency do meanwhile.

Run from the repository root, ``install/setup.bash`` sourced::

    python tools/soak.py --minutes 20 --out out/soak.json

The clip of ``hmp bench`` (1280x720, one hand that is hidden twice) plays again and again through real DDS into the
nodes, each a process of its own. Each minute has a row; the JSON file has all of them and, for each process, the
slope of a line through its memory, the first minute left out: there models, caches and allocators still settle.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any, Final

import numpy as np
import rclpy
from rclpy.executors import SingleThreadedExecutor
from rich.console import Console
from rich.table import Table

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from hmp_core.cli.console import STDERR
from hmp_core.evaluation.benchmark_clips import one_hand_clip
from hmp_ros.listener import CONNECT_S, LOOK_S, Listener
from hmp_ros.node_processes import NodeProcesses

MINUTE_S: Final = 60.0
FIRST_S: Final = 60.0
"""How long the first image may take to come."""
PERCENTILES: Final = {"median": 50, "p95": 95, "p99": 99, "max": 100}
CACHE: Final = Path("~/.cache/hmp_ros")

Row = dict[str, Any]


def main() -> None:
    """Run for ``--minutes``; the table to the terminal, the rows to ``--out``."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--minutes", type=int, default=20, help="whole minutes to run")
    parser.add_argument("--out", type=Path, default=Path("out/soak.json"), help="JSON file to write")
    arguments = parser.parse_args()
    if arguments.minutes < 1:
        parser.error("--minutes must be 1 or more")
    os.environ.setdefault("ROS_AUTOMATIC_DISCOVERY_RANGE", "LOCALHOST")
    os.environ.setdefault("ROS_DOMAIN_ID", str(1 + os.getpid() % 100))
    rows = soak(arguments.minutes, Path(tempfile.mkdtemp(prefix="hmp_soak_")))
    arguments.out.parent.mkdir(parents=True, exist_ok=True)
    result = {"minutes": rows, "growth_mb_per_hour": growth_mb_per_hour(rows)}
    arguments.out.write_text(json.dumps(result, indent=1) + "\n", encoding="utf-8")
    print_table(rows, result["growth_mb_per_hour"])


def soak(minutes: int, logs: Path) -> list[Row]:
    """One row a minute; the nodes' output goes to the folder.

    Raises:
        SourceError: a node could not start or ended by itself.
    """
    clip = one_hand_clip(CACHE.expanduser(), lambda done, total: None)
    played = {"video": clip.video, "camera_file": clip.camera, "wait_for_subscribers": 2, "loop": True}
    rclpy.init()
    listener = Listener("hmp_soak")
    executor = SingleThreadedExecutor()
    executor.add_node(listener)
    rows: list[Row] = []
    with NodeProcesses(logs) as nodes:
        processes = {name: nodes.start(name) for name in ("window_node", "initializer_node")}
        processes["video_publisher"] = nodes.start("video_publisher", played)
        nodes.wait_until(lambda: listener.hears("hand/mano", "hand/observations", "camera_info"))
        time.sleep(CONNECT_S)
        listener.begin()
        asked = time.monotonic()
        while not listener.images:
            executor.spin_once(LOOK_S)
            nodes.check_alive()
            if time.monotonic() - asked > FIRST_S:
                raise SystemExit(f"no image came within {FIRST_S:.0f} s; the nodes' logs are in {logs}")
        listener.began()
        began = time.monotonic()
        for minute in range(1, minutes + 1):
            while time.monotonic() - began < minute * MINUTE_S:
                executor.spin_once(LOOK_S)
                nodes.check_alive()
            rows.append({"minute": minute, **measured(listener, processes)})
            STDERR.print(json.dumps(rows[-1]), highlight=False, soft_wrap=True)
            for kept in (listener.images, listener.hands, listener.timings):
                kept.clear()
    executor.shutdown()
    rclpy.try_shutdown()
    return rows


def measured(listener: Listener, processes: dict[str, "subprocess.Popen[bytes]"]) -> Row:
    """What came since the listener was emptied, and memory at this instant [MB]; drops are since the start."""
    latency = listener.latency_ms
    newest = max(listener.timings.items(), default=(0, None))[1]
    return {
        "images": len(listener.images),
        "hands": len(listener.hands),
        "dropped_images": None if newest is None else newest.dropped_images,
        "dropped_solves": None if newest is None else newest.dropped_solves,
        "latency_ms": {
            name: round(float(np.percentile(latency, percent)), 1) if latency else None
            for name, percent in PERCENTILES.items()
        },
        "rss_mb": {name: round(rss_mb(process.pid), 2) for name, process in processes.items()},
    }


def rss_mb(pid: int) -> float:
    """Resident memory of a process [MB of 10^6 bytes]."""
    pages = int(Path(f"/proc/{pid}/statm").read_text(encoding="ascii").split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 1e6


def growth_mb_per_hour(rows: list[Row]) -> dict[str, float | None]:
    """Slope of memory over time after the first minute, by process; None below three rows."""
    settled = rows[1:]
    if len(settled) < 3:
        return dict.fromkeys(rows[0]["rss_mb"])
    minutes = [row["minute"] for row in settled]
    return {
        name: round(60.0 * float(np.polyfit(minutes, [row["rss_mb"][name] for row in settled], 1)[0]), 2)
        for name in rows[0]["rss_mb"]
    }


def print_table(rows: list[Row], growth: dict[str, float | None]) -> None:
    """A line a minute: messages, latency in ms, memory in MB."""
    title = "messages, latency from camera to hand/mano (ms), memory (MB)"
    table = Table("minute", "images", "hands", *PERCENTILES, title=title, box=None, pad_edge=False)
    for name in growth:
        table.add_column(name.replace("_", "\n"))
    for row in rows:
        latency = ["-" if value is None else f"{value:.0f}" for value in row["latency_ms"].values()]
        memory = [f"{value:.1f}" for value in row["rss_mb"].values()]
        table.add_row(str(row["minute"]), str(row["images"]), str(row["hands"]), *latency, *memory)
    slopes = ["-" if value is None else f"{value:+.1f}" for value in growth.values()]
    table.add_row("MB/h", *[""] * (2 + len(PERCENTILES)), *slopes)
    Console().print(table)


if __name__ == "__main__":
    main()
