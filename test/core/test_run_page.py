# SPDX-FileCopyrightText: 2026 The hmp_ros authors
# SPDX-License-Identifier: Apache-2.0
"""`hmp report`, its page opened in a real browser."""

import json
import re
import shutil
import subprocess

import cv2
import numpy as np
import pytest
from hand_recording import FRAMES, INFILLED, LOST, write_recording
from typer.testing import CliRunner

from hmp_core.cli.main import app
from hmp_core.errors import DataError
from hmp_core.evaluation.run_folder import hand_rows, read_run_folder
from hmp_core.evaluation.run_page import MAX_FRAMES, write_run_page
from hmp_core.hand.skeleton import Side
from hmp_core.media.embedded_video import embed_video

BROWSER = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
FLAGS = (
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-sync",
    "--disable-background-networking", "--disable-component-update", "--hide-scrollbars",
    "--virtual-time-budget=4000", "--window-size=1200,1800",
)  # fmt: skip
# What a reader does: chooses a joint, hovers, zooms in; and what the page then shows.
PROBE = """<script>
const found = { errors: [] };
window.addEventListener("error", event => found.errors.push(event.message));
addEventListener("load", () => {
  const all = selector => document.querySelectorAll(selector).length;
  const line = () => document.querySelector("#curves .line").getAttribute("points");
  found.curves = all("#curves svg"); found.lines = all("#curves .line"); found.bands = all("#curves .band");
  found.shades = [...document.querySelectorAll("#curves .shade")].map(one => one.getAttribute("fill"));
  found.bars = [...document.querySelectorAll("#timeline rect title")].map(one => one.textContent);
  found.histograms = [...document.querySelectorAll("#histograms .head")].map(one => one.textContent);
  const before = line(), joint = document.querySelectorAll("#curves select")[1];
  joint.value = 20; joint.dispatchEvent(new Event("change"));
  found.joint_changed = line() !== before;
  found.title = document.querySelector("#curves .head b").textContent;
  const plot = document.querySelector("#curves svg"), box = plot.getBoundingClientRect();
  const point = (kind, share) => plot.dispatchEvent(
    new PointerEvent(kind, { clientX: box.left + share * box.width, clientY: box.top + 20 }));
  point("pointermove", 0.25);
  found.readout = document.querySelector("#curves .readout").textContent;
  const ticks = () => [...document.querySelectorAll("#timeline svg text")].map(one => one.textContent).join();
  const wide = ticks();
  point("pointerdown", 0.3); point("pointermove", 0.5); point("pointerup", 0.5);
  found.zoomed = ticks() !== wide;
  plot.dispatchEvent(new Event("dblclick"));
  found.zoomed_out = ticks() === wide;
  const video = document.querySelector("video");
  found.video_s = video ? video.duration : null;
  const end = document.createElement("pre");
  end.id = "probe"; end.textContent = JSON.stringify(found); document.body.append(end);
});
</script></body>"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("run") / "wave <1>"
    write_recording(folder)
    return folder


@pytest.fixture(scope="module")
def page(folder):
    result = CliRunner().invoke(app, ["report", str(folder)], catch_exceptions=False)
    assert result.exit_code == 0
    assert result.stdout.strip() == str(folder / "report.html")
    return folder / "report.html"


@pytest.fixture
def browse(tmp_path):
    """Open a page; the browser's own output, stdout."""

    def run(page, *flags):
        if BROWSER is None:
            pytest.skip("the page is not opened: there is no chromium here (apt install chromium)")
        command = [BROWSER, *FLAGS, f"--user-data-dir={tmp_path / 'profile'}", *flags, page.as_uri()]
        return subprocess.run(command, capture_output=True, text=True, timeout=200, check=True).stdout

    return run


def data_of(page):
    text = page.read_text(encoding="utf-8")
    return json.loads(re.search(r'id="data">(.*?)</script>', text).group(1))


def test_the_page_draws_and_answers_in_a_real_browser(page, browse, tmp_path):
    probed = tmp_path / "probed.html"
    probed.write_text(page.read_text(encoding="utf-8").replace("</body>", PROBE), encoding="utf-8")
    found = json.loads(re.search(r'<pre id="probe">(.*?)</pre>', browse(probed, "--dump-dom")).group(1))
    assert found["errors"] == []
    assert found["curves"] == 3
    assert found["lines"] == found["bands"] == 3, (
        "an axis each, and no hole in them: lost hands keep their last pose"
    )
    assert found["shades"] == ["var(--infilled)", "var(--lost)"] * 3
    assert found["bars"] == [
        "track 1: observed for 0.63 s",
        "track 1: infilled for 0.47 s",
        "track 1: lost for 0.13 s",
        "track 2: observed for 0.63 s",
        "track 7: observed for 1.63 s",
    ]
    assert [text.split("median")[0] for text in found["histograms"]] == [
        "latency, image stamp to publishing (ms)",
        "work on an image (ms)",
        "reprojection of observed joints (px)",
    ]
    assert "median 42.0, p95 42.0" in found["histograms"][0]
    assert "median 20.0, p95 20.0" in found["histograms"][1]
    assert found["joint_changed"]
    assert found["title"] == "pinky_tip, x from the wrist (mm)"
    assert re.fullmatch(r"0\.\d\d s   -?\d+\.\d ± 2\.0 mm", found["readout"])
    assert found["zoomed"]
    assert found["zoomed_out"]


def test_the_picture_of_the_page_is_not_empty(page, browse, tmp_path):
    shot = tmp_path / "page.png"
    browse(page, f"--screenshot={shot}")
    image = cv2.imread(str(shot))
    assert image.shape[:2] == (1800, 1200)
    green = (np.abs(image.astype(int) - (110, 200, 60)) < 12).all(axis=2)
    assert green.sum() > 5000, "the status bar of observed frames"
    assert (image.std(axis=2) > 30).mean() > 0.01, "curves have colours"


def test_the_page_needs_nothing_from_anywhere(page):
    text = page.read_text(encoding="utf-8")
    assert "http" not in text.replace("http://www.w3.org/2000/svg", "")
    assert set(re.findall(r'(?:src|poster|href)="(.{5})', text)) == {"data:"}
    assert "wave &lt;1&gt;" in text
    assert page.stat().st_size < 3_000_000


def test_numbers_in_the_page_are_those_of_the_recording(page, folder):
    hands = {hand["name"]: hand for hand in data_of(page)["hands"]}
    assert list(hands) == ["right", "left"]
    status = np.ones(FRAMES, int)
    status[INFILLED], status[LOST] = 3, 5
    np.testing.assert_array_equal(hands["right"]["status"], status)
    np.testing.assert_array_equal(hands["left"]["status"], [0] * 10 + [1] * 50)
    assert set(hands["right"]["observed"]) == {0, 2**21 - 1}


def test_two_hands_of_one_side_have_a_row_each_and_successive_tracks_share_one(folder):
    arrays = read_run_folder(folder).arrays
    rows = hand_rows(arrays)
    assert [row.side for row in rows] == [Side.RIGHT, Side.LEFT]
    np.testing.assert_array_equal(np.unique(rows[0].of(arrays["track_id"], -1)), [1, 2])
    both = {**arrays, "side": np.where(arrays["side"] > 0, 2, 0).astype(np.uint8)}
    assert [row.side for row in hand_rows(both)] == [Side.RIGHT, Side.RIGHT]


def test_a_long_recording_is_thinned(folder, tmp_path):
    run = read_run_folder(folder)
    many = {name: np.concatenate([values] * 200) for name, values in run.arrays.items()}
    many["stamps_ns"] = np.arange(200 * FRAMES) * 33_333_333
    long = type(run)("long", many, run.latency_ms, None)
    write_run_page(long, tmp_path / "long.html", 0)
    data = data_of(tmp_path / "long.html")
    assert len(data["hands"][0]["status"]) <= MAX_FRAMES
    assert (tmp_path / "long.html").stat().st_size < 8_000_000


def test_a_large_video_becomes_a_smaller_one_or_a_picture(folder):
    path = folder / "overlay.mp4"
    whole = embed_video(path, 10**8, 0.5)
    assert whole.note == ""
    shrunk = embed_video(path, path.stat().st_size - 1, 0.5)
    assert "copy of overlay.mp4" in shrunk.note
    assert 0 < len(shrunk.video) < len(whole.video)
    none = embed_video(path, 0, 0.5)
    assert none.video == ""
    assert none.poster == whole.poster


@pytest.mark.parametrize("kept", [("hands.npz",), ("hands.npz", "hands.mcap")])
def test_only_the_arrays_are_needed(folder, tmp_path, kept):
    for name in kept:
        shutil.copy(folder / name, tmp_path)
    result = CliRunner().invoke(app, ["report", str(tmp_path)], catch_exceptions=False)
    assert result.exit_code == 0
    assert "No overlay video" in (tmp_path / "report.html").read_text()


def test_a_recording_without_hands_or_frames_is_a_page_too(folder, tmp_path):
    arrays = read_run_folder(folder).arrays
    nobody = {**arrays, "status": np.zeros_like(arrays["status"]), "side": np.zeros_like(arrays["side"])}
    for name, content in {"nobody": nobody, "nothing": {}}.items():
        (tmp_path / name).mkdir()
        np.savez(tmp_path / name / "hands.npz", **content)
        write_run_page(read_run_folder(tmp_path / name), tmp_path / f"{name}.html", 0)
        assert "No hand was seen" in (tmp_path / f"{name}.html").read_text()


def test_a_folder_that_is_none_of_ours_is_named(tmp_path):
    with pytest.raises(DataError, match=r"holds no hands\.npz; give the folder"):
        read_run_folder(tmp_path)
    np.savez(tmp_path / "hands.npz", other=np.zeros(3))
    with pytest.raises(DataError, match="lacks stamps_ns"):
        read_run_folder(tmp_path)
    (tmp_path / "hands.npz").write_bytes(b"PK nothing")
    with pytest.raises(DataError, match="cannot read"):
        read_run_folder(tmp_path)
    np.savez(tmp_path / "hands.npz", stamps_ns=np.array([object()]))
    with pytest.raises(DataError, match="cannot read"):
        read_run_folder(tmp_path)
