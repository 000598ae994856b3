# SPDX-FileCopyrightText: 2026 The hmp_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The losses of a run as a CSV file that outlives interruptions."""

import csv
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from lightning.pytorch.loggers import Logger
from lightning.pytorch.utilities import rank_zero_only
from typing_extensions import override

from hmp_core.whole_file import whole_file


class CsvLog(Logger):
    """Appends one row a call; lightning's own CSV logger starts a new file at each start."""

    def __init__(self, path: Path) -> None:
        """Write to ``path``, behind what is there."""
        super().__init__()
        self._path = path

    @property
    @override
    def name(self) -> str:
        """Name of the file."""
        return self._path.name

    @property
    @override
    def version(self) -> str:
        """One version a folder."""
        return ""

    @override
    def log_hyperparams(self, params: Any, *args: Any, **kwargs: Any) -> None:
        """Nothing: a run is described by its configuration, which travels in the prior."""

    @override
    @rank_zero_only
    def log_metrics(self, metrics: Mapping[str, float], step: int | None = None) -> None:
        """Write a row: the step, then the metrics with as many digits as tell any two float32 apart."""
        new = not self._path.exists()
        with self._path.open("a", newline="", encoding="utf-8") as stream:
            writer = csv.writer(stream)
            if new:
                writer.writerow(("step", *metrics))
            writer.writerow((step, *(f"{value:.9g}" for value in metrics.values())))

    @rank_zero_only
    def drop_after(self, step: int) -> None:
        """Remove what a killed run logged after the state that it left."""
        if not self._path.exists():
            return
        head, *rows = self._path.read_text(encoding="utf-8").splitlines(keepends=True)
        # A row without its end was being written.
        kept = [row for row in rows if row.endswith("\n") and int(row.split(",", 1)[0]) <= step]
        with whole_file(self._path) as partial:
            partial.write_text("".join((head, *kept)), encoding="utf-8", newline="")
