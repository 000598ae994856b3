# SPDX-FileCopyrightText: 2026 The hmp_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The `hmp` command."""

import sys

import typer
from rich.markup import escape

from hmp_core.cli.console import STDERR, configure_logs
from hmp_core.cli.evaluate import eval_app
from hmp_core.cli.evaluate_prior import evaluate_prior
from hmp_core.cli.samples import samples
from hmp_core.cli.synth import synth
from hmp_core.cli.track import track
from hmp_core.cli.train import train
from hmp_core.cli.train_initializer import train_initializer
from hmp_core.errors import HmpError

app = typer.Typer(
    rich_markup_mode=None,
    name="hmp",
    help="Hand motion from one camera that survives occlusion.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
app.command()(track)
app.command()(synth)
app.command()(samples)
app.command()(train)
app.command()(train_initializer)
eval_app.command("prior")(evaluate_prior)
app.add_typer(eval_app, name="eval")


def main() -> None:
    """Run the command; errors made for people become one line on stderr and exit code 2."""
    configure_logs()
    try:
        app()
    except HmpError as error:
        STDERR.print(f"[red]error:[/red] {escape(str(error))}", highlight=False, soft_wrap=True)
        sys.exit(2)
