# SPDX-FileCopyrightText: 2026 The hmp_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Nothing in the tree runs code that came out of a file or from the network."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
FILES = sorted(
    path for folder in ("hmp_core", "hmp_ros", "launch", "tools") for path in (ROOT / folder).rglob("*.py")
)
# Every class that a pickle may name is replaced by a stand-in there.
UNPICKLING = "hmp_core/hand/unpickling.py"


def _calls(tree: ast.AST) -> Iterator[tuple[str, ast.Call]]:
    """Dotted name of what is called, and the call."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            yield ast.unparse(node.func), node


def _keyword(call: ast.Call, name: str) -> object:
    """Value of a literal keyword argument, None where it is missing."""
    values = [item.value for item in call.keywords if item.arg == name]
    return values[0].value if values and isinstance(values[0], ast.Constant) else None


def _offences(source: str) -> list[str]:
    found = []
    for name, call in _calls(ast.parse(source)):
        last = name.split(".")[-1]
        unsafe = (
            name in ("eval", "exec", "compile", "__import__", "os.system", "os.popen")
            or (
                last in ("load", "loads", "Unpickler")
                and name.split(".")[0] in ("pickle", "dill", "joblib", "marshal")
            )
            or (name == "torch.load" and _keyword(call, "weights_only") is not True)
            or (name in ("yaml.load", "yaml.unsafe_load", "yaml.full_load", "yaml.load_all"))
            or (last == "load" and _keyword(call, "allow_pickle") not in (None, False))
            or _keyword(call, "shell") is True
        )
        if unsafe:
            found.append(f"line {call.lineno}: {ast.unparse(call)[:80]}")
    return found


@pytest.mark.parametrize(
    "source",
    [
        "pickle.load(file)",
        "pickle.loads(data)",
        "torch.load(path)",
        "torch.load(path, weights_only=False)",
        "yaml.load(text, Loader=yaml.Loader)",
        "np.load(path, allow_pickle=True)",
        "eval(text)",
        "exec(text)",
        "subprocess.run(command, shell=True)",
        "os.system(command)",
    ],
)
def test_the_net_has_no_such_holes(source: str) -> None:
    assert _offences(source)


@pytest.mark.parametrize(
    "source",
    [
        "torch.load(path, weights_only=True)",
        "yaml.safe_load(text)",
        "np.load(path)",
        "model.eval()",
        "json.load(file)",
    ],
)
def test_what_is_safe_passes(source: str) -> None:
    assert not _offences(source)


def test_nothing_runs_what_a_file_holds() -> None:
    assert FILES
    offences = {
        str(path.relative_to(ROOT)): found
        for path in FILES
        if path != ROOT / UNPICKLING and (found := _offences(path.read_text()))
    }
    assert offences == {}


def test_pickles_are_opened_in_one_place() -> None:
    importers = {
        str(path.relative_to(ROOT))
        for path in FILES
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Import | ast.ImportFrom) and "pickle" in ast.unparse(node).split()
    }
    assert importers == {UNPICKLING}
