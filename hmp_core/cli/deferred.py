# SPDX-FileCopyrightText: 2026 The hmp_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Commands that are imported when they are run: torch, VTK and the readers of bags take seconds."""

from importlib import import_module
from typing import Any

import typer
from typer.core import TyperCommand
from typer.main import get_command


def add_command(app: typer.Typer, name: str, module: str, summary: str) -> None:
    """Add the command that is the function ``module`` of ``hmp_core.cli.<module>``, without importing it.

    Args:
        app: the group of commands.
        name: what people type.
        module: of this folder; its function has the same name.
        summary: what the group's help says, the first sentence of the function's docstring.
    """

    class Deferred(TyperCommand):
        def make_context(self, *args: Any, **kwargs: Any) -> Any:
            """Leave the command line, and everything after it, to the real command."""
            alone = typer.Typer(rich_markup_mode=None, add_completion=False)
            alone.command(name)(getattr(import_module(f"hmp_core.cli.{module}"), module))
            return get_command(alone).make_context(*args, **kwargs)

    app.command(name, cls=Deferred, help=summary)(lambda: None)
