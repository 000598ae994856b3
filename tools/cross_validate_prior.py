#!/usr/bin/env python3
# SPDX-FileCopyrightText: 2026 The hmp_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Train a prior on all signs but a fold of them, measure it on that fold, for every fold; report mean and spread.

Run from the repository root::

    python tools/cross_validate_prior.py config/prior_realtime.yaml --data leap_motion_60hz.npz --out out/folds

Each fold trains with ``hmp train``, fits the baselines with ``tools/fit_prior_baselines.py`` and is measured with
``hmp eval prior``, all on its own split, so every figure is of signs that nothing was fitted on. What a fold has
finished is kept: run the same command again after an interruption. The last lines are the table of
``docs/prior.md``, errors against those of a simple method (active infill: SLERP; active forecasts: hold or constant
velocity, whichever errs less; quiet windows: hold), and ``folds.json`` holds all of it.
"""

import argparse
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import yaml

ROOT = Path(__file__).resolve().parent.parent
METHODS = ("prior", "encoder", "pca", "gmm")
TABLES = ("infill_mm", "forecast_mm")
SIMPLE = {
    ("infill_mm", "active"): ("slerp",),
    ("forecast_mm", "active"): ("hold", "velocity"),
    ("infill_mm", "quiet"): ("hold",),
    ("forecast_mm", "quiet"): ("hold",),
}
SECONDS = ("0.5", "1")


def main() -> None:
    """Train and measure the folds, then print and write the summary."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("config", type=Path, help="YAML file of the training run")
    parser.add_argument("--data", type=Path, required=True, help="motion file whose signs are split")
    parser.add_argument("--out", type=Path, required=True, help="folder of the folds")
    parser.add_argument("--cache", type=Path, default=Path("~/.cache/hmp_ros"), help="folder of retargeted motion")
    parser.add_argument("--folds", type=int, default=5, help="parts that the signs are split into")
    parser.add_argument("--skip-baselines", action="store_true", help="leave pca and gmm out; they take as long")
    parser.add_argument("--seed", type=int, default=0, help="of the split")
    arguments = parser.parse_args()
    for name in ("config", "data", "out", "cache"):
        setattr(arguments, name, getattr(arguments, name).expanduser().resolve())
    reports = []
    for number, signs in enumerate(split_signs(arguments.data, arguments.folds, arguments.seed)):
        folder = arguments.out / f"fold_{number}"
        reports.append(run_fold(arguments, folder, signs))
    summary = summarise(reports)
    (arguments.out / "folds.json").write_text(json.dumps({"summary": summary, "folds": reports}, indent=1))
    print_table(summary)


def split_signs(data: Path, folds: int, seed: int) -> list[list[str]]:
    """The file's signs, shuffled and dealt out."""
    with np.load(data, allow_pickle=False) as file:
        signs = sorted(set(file["sign"].tolist()))
    order = np.random.default_rng(seed).permutation(len(signs))
    return [sorted(signs[index] for index in order[fold::folds]) for fold in range(folds)]


def run_fold(arguments: argparse.Namespace, folder: Path, signs: list[str]) -> dict[str, Any]:
    """The report of one fold; made, or read where it was finished before."""
    report = folder / "report.json"
    if not report.exists():
        folder.mkdir(parents=True, exist_ok=True)
        split, config = folder / "split.json", folder / "config.yaml"
        split.write_text(json.dumps({"held_out": signs}))
        config.write_text(yaml.safe_dump(yaml.safe_load(arguments.config.read_text()) | {"split": split.name}))
        place = ["--cache", str(arguments.cache)]
        motion = ["--data", str(arguments.data), *place]
        prior, baselines = folder / "prior.safetensors", folder / "baselines.safetensors"
        if not prior.exists():
            run_hmp("train", str(config), "--out", str(folder), *motion)
        if not baselines.exists() and not arguments.skip_baselines:
            run(str(ROOT / "tools/fit_prior_baselines.py"), str(config), "--out", str(baselines), *motion)
        chosen = ["--prior", str(prior), "--split", str(split), *place]
        if baselines.exists():
            chosen += ["--baselines", str(baselines)]
        report.write_text(run_hmp("eval", "prior", str(arguments.data), "--json", *chosen))
    found: dict[str, Any] = json.loads(report.read_text())
    return found


def run_hmp(*arguments: str) -> str:
    """Standard output of an ``hmp`` command of this checkout."""
    return run("-c", "from hmp_core.cli.main import main; main()", *arguments)


def run(*arguments: str) -> str:
    """Standard output of a Python command run from the repository root; its errors end this program."""
    done = subprocess.run([sys.executable, *arguments], cwd=ROOT, check=True, stdout=subprocess.PIPE, text=True)
    return done.stdout


def summarise(reports: list[dict[str, Any]]) -> dict[str, Any]:
    """Mean and standard deviation over folds, of errors and of their ratios to the simple method."""
    summary: dict[str, Any] = {}
    for (table, activity), simple in SIMPLE.items():
        for hidden, cells in reports[0][table][activity].items():
            for seconds in cells:
                found = [report[table][activity][hidden][seconds] for report in reports]
                usable = [cell for cell in found if all(cell[name] is not None for name in (*simple, "prior"))]
                if usable:
                    summary[f"{table}/{activity}/{hidden}/{seconds}"] = compare(usable, simple)
    for name in ("reconstruction_mm", "limit_violations", "latent_calibration"):
        summary[name] = spread([report[name] for report in reports])
    return summary


def compare(cells: list[dict[str, float | None]], simple: tuple[str, ...]) -> dict[str, Any]:
    """Of one cell in all folds: the simple method's error, and each method's over it and beyond it."""
    best = [min(float(cell[name] or 0.0) for name in simple) for cell in cells]
    row: dict[str, Any] = {"folds": len(cells), "simple_mm": spread(best)}
    for method in METHODS:
        pairs = [
            (value, base) for cell, base in zip(cells, best, strict=True) if (value := cell[method]) is not None
        ]
        if pairs:
            row[method] = {
                "mm": spread([value for value, _ in pairs]),
                "ratio": spread([value / base for value, base in pairs]),
                "excess_mm": spread([value - base for value, base in pairs]),
            }
    return row


def spread(values: list[float]) -> list[float]:
    """Mean and standard deviation."""
    return [round(float(np.mean(values)), 3), round(float(np.std(values)), 3)]


def print_table(summary: dict[str, Any]) -> None:
    """Print rows for active gaps as ratios, for quiet ones as millimetres beyond the simple method."""
    for activity, measure in (("active", "ratio"), ("quiet", "excess_mm")):
        columns = [f"{table[:-3]} {seconds} s" for table in TABLES for seconds in SECONDS]
        print(f"\n| {activity}, {measure} | " + " | ".join(columns) + " |")
        print("|---|" + "---|" * len(columns))
        for hidden in ("one", "two", "three", "thumb", "all"):
            for method in METHODS:
                cells = [
                    summary.get(f"{table}/{activity}/{hidden}/{seconds}", {}).get(method)
                    for table in TABLES
                    for seconds in SECONDS
                ]
                shown = ["–" if cell is None else "{:.2f} ± {:.2f}".format(*cell[measure]) for cell in cells]
                print(f"| {hidden}, {method} | " + " | ".join(shown) + " |")


if __name__ == "__main__":
    main()
