# SPDX-FileCopyrightText: 2026 The hmp_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What is kept of compiled loops never outlives its sources, and needs no folder."""

import ast
import os
import subprocess
import sys
from pathlib import Path

import hmp_core
from hmp_core.compiled import SOURCES

PACKAGE = Path(hmp_core.__file__).parent
LOOP = """
import numpy as np
from hmp_core.hand.so3_loops import exponentials
print(exponentials(np.zeros((1, 3)))[0, 0, 0])
print(len(exponentials.stats.cache_hits), len(exponentials.stats.cache_misses))
"""


def _imported(source: Path) -> set[str]:
    """Modules of the package that a source file imports, as file names."""
    names = set()
    for node in ast.walk(ast.parse(source.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("hmp_core."):
            names.add(node.module.removeprefix("hmp_core.").replace(".", "/") + ".py")
    return names


def test_all_that_loops_are_made_of_is_watched() -> None:
    loops = [path for path in PACKAGE.rglob("*.py") if "compiled.py" in _imported(path)]
    assert len(loops) > 5
    for path in loops:
        needed = {path.relative_to(PACKAGE).as_posix()} | _imported(path)
        assert needed <= set(SOURCES), f"{path} needs {needed - set(SOURCES)} in SOURCES of hmp_core/compiled.py"
    assert all((PACKAGE / name).is_file() for name in SOURCES)


def _run(**environment: str) -> list[str]:
    done = subprocess.run(
        [sys.executable, "-c", LOOP], env={**os.environ, **environment}, capture_output=True, text=True, check=True
    )
    return done.stdout.split()


def test_loops_are_kept_where_numba_is_told_and_compiled_once(tmp_path) -> None:
    assert _run(NUMBA_CACHE_DIR=str(tmp_path)) == ["1.0", "0", "1"]
    (folder,) = tmp_path.iterdir()
    assert folder.name.startswith("loops_")
    assert any(folder.rglob("*.nbc"))
    assert _run(NUMBA_CACHE_DIR=str(tmp_path)) == ["1.0", "1", "0"]
