#!/usr/bin/env python3
# SPDX-FileCopyrightText: 2026 The hmp_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Write the tables of ``README.md`` and ``docs/reference.md`` from what they describe.

Topics and services are asked of the running nodes, parameters and launch arguments of the code. The last column of
topics and services is written by hand, in the table itself, and kept.

    python tools/write_reference.py            # in a shell with install/setup.bash sourced
    python tools/write_reference.py --check    # change nothing, say what is out of date
"""

import re
import runpy
import sys
from collections.abc import Iterable
from configparser import ConfigParser
from dataclasses import fields, is_dataclass
from importlib import import_module
from pathlib import Path
from typing import Any, Final
from unittest.mock import MagicMock, patch

import typer.main
from live_graph import Endpoint, observe_graph

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
from hmp_core.cli.main import app

ROOT: Final = Path(__file__).resolve().parents[1]

PAGES: Final = ("README.md", "docs/reference.md")
LAUNCH_FILES: Final = ("hmp.launch.py", "demo.launch.py")
# ROS's launch packages need not be installed to read what a launch file declares.
LAUNCH_MODULES: Final = tuple(
    f"{package}{part}"
    for package in ("launch", "launch_ros")
    for part in (
        "",
        ".actions",
        ".conditions",
        ".descriptions",
        ".launch_description_sources",
        ".parameter_descriptions",
        ".substitutions",
    )
)


def topics(endpoints: Iterable[Endpoint], words: dict[str, str]) -> str:
    """Topics with who writes and who reads them."""
    rows = []
    of_topic: dict[str, list[Endpoint]] = {}
    for item in endpoints:
        if item.role != "serve" and not item.is_infrastructure:
            of_topic.setdefault(item.name, []).append(item)
    for name, ends in of_topic.items():
        ends.sort(key=lambda end: end.role)
        writers = ", ".join(f"`{end.node}`" for end in ends if end.role == "publish")
        readers = ", ".join(f"`{end.node}`" for end in ends if end.role == "subscribe")
        way = " → ".join(filter(None, (writers, readers))) if writers else f"→ {readers}"
        qos = " → ".join(dict.fromkeys(end.qos for end in ends))
        rows.append((f"`{name}`", f"`{_short_kind(ends[0].kind)}`", way, qos, words.get(name, "")))
    return table(("topic", "type", "from → to", "QoS", "what"), rows)


def services(endpoints: Iterable[Endpoint], words: dict[str, str]) -> str:
    """Services of the nodes."""
    rows = [
        (f"`{item.name}`", f"`{_short_kind(item.kind)}`", f"`{item.node}`", words.get(item.name, ""))
        for item in endpoints
        if item.role == "serve" and not item.is_infrastructure
    ]
    return table(("service", "type", "node", "what"), rows)


def launch_arguments() -> str:
    """Arguments of the launch files."""
    rows = []
    for name in LAUNCH_FILES:
        for argument, default, choices, description in declared_arguments(ROOT / "launch" / name):
            shown = argument if name == LAUNCH_FILES[0] else f"{argument} ({name.split('.')[0]})"
            values = ", ".join(f"`{choice}`" if choice else "empty" for choice in choices)
            rows.append((f"`{shown}`", f"`{default}`" if default else "", values, description))
    return table(("argument", "default", "values", "what"), rows)


def declared_arguments(path: Path) -> list[tuple[str, str, tuple[str, ...], str]]:
    """Name, default, choices and description of each argument that a launch file declares."""
    declared = []

    def declare(name: str, default_value: Any = "", description: str = "", choices: Iterable[str] = ()) -> None:
        declared.append((name, str(default_value), tuple(choices), description))

    launch = MagicMock(
        DeclareLaunchArgument=declare,
        PathJoinSubstitution=lambda parts: "/".join(part for part in parts if isinstance(part, str)),
    )
    with patch.dict(sys.modules, dict.fromkeys(LAUNCH_MODULES, launch)):
        runpy.run_path(str(path))["generate_launch_description"]()
    return declared


def parameters() -> str:
    """Parameters of every node, from its dataclass."""
    parts = []
    for node in _executables():
        for kind in vars(import_module(f"hmp_ros.{node}")).values():
            if is_dataclass(kind) and isinstance(kind, type) and kind.__name__.endswith("Parameters"):
                rows = [_parameter_row(item) for item in fields(kind)]
                parts.append(f"### `{node}`\n\n{table(('parameter', 'default', 'range', 'live', 'what'), rows)}")
    return "\n".join(parts)


def _parameter_row(item: Any) -> tuple[str, ...]:
    low, high = item.metadata["range"]
    default = str(item.default).lower() if isinstance(item.default, bool) else str(item.default)
    return (
        f"`{item.name}`",
        f"`{default}`" if default else "",
        "" if low is None else f"{low:g} to {high:g}",
        "yes" if item.metadata.get("live") else "",
        item.metadata["description"],
    )


def messages() -> str:
    """Messages, with the first sentence of each file."""
    rows = []
    for path in sorted((ROOT / "msg").glob("*.msg")):
        comment = re.match(r"(?:#.*\n)+", path.read_text())
        text = " ".join(re.sub(r"(?m)^# ?", "", comment.group()).split()) if comment else ""
        rows.append((f"[`{path.stem}`](../msg/{path.name})", re.split(r"(?<=[.])\s", text)[0]))
    return table(("message", "what"), rows)


def commands() -> str:
    """The ``hmp`` commands."""
    rows = []
    for name, command in typer.main.get_command(app).commands.items():  # type: ignore[attr-defined]
        for sub, inner in getattr(command, "commands", {"": command}).items():
            rows.append((f"`hmp {name} {sub}".rstrip() + "`", inner.help))
    return table(("command", "what"), rows)


def table(head: Iterable[str], rows: Iterable[Iterable[str]]) -> str:
    """A Markdown table."""
    head = tuple(head)
    lines = [head, ("---",) * len(head), *([cell.replace("|", "\\|") for cell in row] for row in rows)]
    return "".join("| " + " | ".join(line) + " |\n" for line in lines)


def written_words(section: str) -> dict[str, str]:
    """The last column of a table by its first one."""
    rows = [re.split(r"(?<!\\)\|", line)[1:-1] for line in section.splitlines() if line.startswith("| `")]
    return {row[0].strip().strip("`"): row[-1].strip().replace("\\|", "|") for row in rows}


def rewrite(page: str, endpoints: list[Endpoint]) -> tuple[str, list[str]]:
    """The page with its sections as they should be, and the names of those that were not."""
    stale = []

    def section(match: re.Match[str]) -> str:
        name, old = match["name"], match["body"]
        words = written_words(old)
        new = {
            "topics": lambda: topics(endpoints, words),
            "services": lambda: services(endpoints, words),
            "launch arguments": launch_arguments,
            "parameters": parameters,
            "messages": messages,
            "commands": commands,
        }[name]()
        missing = re.findall(r"(?m)^\| `([^`]+)` \|.*\|  \|$", new)
        if new != old or missing:
            stale.append(name + (f" (say in the last column what it is: {', '.join(missing)})" if missing else ""))
        return f"{match['head']}{new}{match['tail']}"

    head = r"(?P<head><!-- (?P<name>[a-z ]+): written by tools/write_reference.py -->\n)"
    return re.sub(head + r"(?P<body>.*?)(?P<tail><!-- end -->)", section, page, flags=re.DOTALL), stale


def main() -> int:
    """Write or check every page; 1 where something was out of date and stays so."""
    endpoints = observe_graph()
    left = 0
    for name in PAGES:
        path = ROOT / name
        text, stale = rewrite(path.read_text(), endpoints)
        for section in stale:
            print(f"{name}: {section}")
            left += "--check" in sys.argv or "(say" in section
        if "--check" not in sys.argv:
            path.write_text(text)
    if left and "--check" in sys.argv:
        print("out of date: run `python tools/write_reference.py`")
    return int(left > 0)


def _executables() -> list[str]:
    config = ConfigParser()
    config.read(ROOT / "setup.cfg")
    lines = config["options.entry_points"]["console_scripts"].split()
    return re.findall(r"hmp_ros\.(\w+):main", " ".join(lines))


def _short_kind(kind: str) -> str:
    package, _, name = kind.split("/")
    return name if package == "hmp_ros" else f"{package}/{name}"


if __name__ == "__main__":
    sys.exit(main())
