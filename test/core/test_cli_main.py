# SPDX-FileCopyrightText: 2026 The hmp_ros authors
# SPDX-License-Identifier: Apache-2.0
import subprocess
import sys

import numpy as np
import pytest
from typer.main import get_command

from hmp_core.cli.evaluate_video import print_results
from hmp_core.cli.main import app, eval_app, main
from hmp_core.cli.track import print_summary
from hmp_core.errors import HmpError
from hmp_core.estimate import HandStatus
from hmp_core.evaluation.gap import METHODS, Gap, GapResult
from hmp_core.evaluation.gap_page import add_gaps
from hmp_core.evaluation.summary import summarize
from hmp_core.media.report_page import ReportPage


def run(monkeypatch, *arguments):
    monkeypatch.setattr(sys, "argv", ["hmp", *arguments])
    with pytest.raises(SystemExit) as ended:
        main()
    return ended.value.code


def test_help_names_every_command(monkeypatch, capsys):
    assert run(monkeypatch, "--help") == 0
    shown = capsys.readouterr().out
    for command in ("track", "synth", "train", "eval"):
        assert command in shown


def test_help_is_there_before_anything_heavy_is_imported():
    program = """
import sys
from hmp_core.cli.main import app
for arguments in (["--help"], ["eval", "--help"]):
    app(arguments, standalone_mode=False)
print({"torch", "scipy", "cv2", "pyvista", "rosbags"} & set(sys.modules))
"""
    ended = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=300.0)
    assert ended.stdout.splitlines()[-1] == "set()"


@pytest.mark.parametrize("group", [app, eval_app])
def test_summaries_are_what_the_commands_say_of_themselves(group):
    for name, deferred in get_command(group).commands.items():
        if name != "eval":
            own = " ".join(deferred.make_context(name, [], resilient_parsing=True).command.help.split())
            assert own == deferred.help or own.startswith(f"{deferred.help} "), name


def test_plain_commands_need_no_package_of_an_extra():
    """Without what only training and development need, every command can at least be asked for help."""
    program = """
import sys
from importlib.machinery import PathFinder
extras = {"lightning", "onnx", "onnxscript", "anny", "mediapipe", "dex_retargeting", "rclpy"}
class Plain(PathFinder):
    @classmethod
    def find_spec(cls, name, path=None, target=None):
        return None if name.partition(".")[0] in extras else super().find_spec(name, path, target)
sys.meta_path = [Plain if finder is PathFinder else finder for finder in sys.meta_path]
from hmp_core.cli.main import app
for arguments in (["--help"], ["track", "--help"], ["eval", "prior", "--help"], ["train-initializer", "--help"]):
    app(arguments, standalone_mode=False)
assert not extras & set(sys.modules)
app(["train-initializer", "--out", "never.onnx"], standalone_mode=False)
"""
    ended = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=300.0)
    assert "Usage" in ended.stdout
    # The one that does need them says so before it works for an hour.
    assert "ConfigError: training needs the package onnx" in ended.stderr.splitlines()[-1]


@pytest.mark.parametrize(
    "arguments", [["track"], ["dance"], ["track", "a.mp4"], ["synth", "--out", "x", "--fps", "fast"]]
)
def test_wrong_usage_ends_with_code_2(monkeypatch, capsys, arguments):
    assert run(monkeypatch, *arguments) == 2
    assert capsys.readouterr().out == ""


def test_error_text_is_shown_as_it_is(monkeypatch, capsys):
    @app.command("fail-for-test")
    def fail():
        raise HmpError("sigma [rad] of [3] is wrong")

    try:
        assert run(monkeypatch, "fail-for-test") == 2
    finally:
        app.registered_commands.pop()
    assert capsys.readouterr().err.strip() == "error: sigma [rad] of [3] is wrong"


def test_tables_show_units_and_dashes_for_what_was_not_measured(monkeypatch, capsys, tmp_path):
    monkeypatch.setenv("COLUMNS", "160")
    print_summary({**summarize({}), "files": {"hands.npz": "out/hands.npz"}})
    shown = capsys.readouterr().out
    for text in ("optimize (ms)", "reprojection (px)", "mm/frame²", "- / -", "out/hands.npz"):
        assert text in shown
    errors = {name: 12.34 for name in METHODS}
    statuses, course = (HandStatus.INFILLED, HandStatus.LOST), {name: np.array([12.0, 12.68]) for name in METHODS}
    picture = np.zeros((40, 60, 3), np.uint8)
    results = [GapResult(Gap(3, 4), statuses, errors, errors, 5.0, course, picture)]
    page = ReportPage("gaps")
    add_gaps(page, results, 30.0)
    page.write(tmp_path / "gaps.md")
    assert {path.name for path in tmp_path.iterdir()} == {"gaps.md", "gaps_gap_0.jpg", "gaps_errors_0.png"}
    assert "| mean |" in (tmp_path / "gaps.md").read_text()
    print_results(results)
    shown = capsys.readouterr().out
    for text in ("slerp (mm)", "12.3 / 12.3", "1 of 2", "3-4"):
        assert text in shown
