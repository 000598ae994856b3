# SPDX-FileCopyrightText: 2026 The hmp_ros authors
# SPDX-License-Identifier: Apache-2.0
"""`hmp eval ho3d` and `hmp eval dexycb`, with the real models on miniature data sets."""

import json
import sys
import zipfile

import cv2
import numpy as np
import pytest
from dataset_files import (
    COVERED,
    FRAMES,
    HO3D_TIPS,
    OPENGL,
    SUBJECT,
    film,
    mano_joints,
    mano_like_fields,
    write_dexycb,
    write_ho3d,
    write_ho3d_evaluation,
    write_mano,
)

from hmp_core.cli.main import main
from hmp_core.evaluation.metrics import ra_mpjpe
from hmp_core.evaluation.occlusion_report import PARTS
from hmp_core.hand.skeleton import PUBLIC_FROM_MANO, Side

METHODS = {"detector", "initializer", "offline", "online"}


@pytest.fixture
def hmp(monkeypatch, capsys):
    """Run the command in this process; returns exit code, stdout, stderr."""

    def run(*arguments):
        monkeypatch.setattr(sys, "argv", ["hmp", "eval", *map(str, arguments)])
        with pytest.raises(SystemExit) as ended:
            main()
        return ended.value.code, *capsys.readouterr()

    return run


def test_ho3d_without_mano_and_with_a_broken_sequence(hmp, tmp_path, caplog):
    write_ho3d(tmp_path, ("ABF10", "MC1"))
    (tmp_path / "train" / "MC1" / "meta" / "0003.pkl").write_bytes(b"broken")
    code, out, _ = hmp("ho3d", tmp_path, "--json")
    assert code == 0
    result = json.loads(out)
    assert set(result["methods"]) == set(result["quiet"]["methods"]) == set(result["published"]) == METHODS
    assert set(result["methods"]["online"]["ra_mpjpe_mm"]) == set(PARTS)
    assert {"by_gap", "coverage_2sigma", "wrist_nees", "windows"} <= result.keys()
    assert (result["frames"], result["sequences"], result["unusable_images"]) == (FRAMES - 2, 1, 0)
    assert list(result["skipped"]) == ["MC1"]
    assert "MC1 is left out" in caplog.text
    published = result["published"]
    for name in METHODS:
        assert published[name]["coverage"] > 0.8
        assert 2 < published[name]["pa_mpjpe_mm"] < 15
        assert published[name]["pa_mpjpe_mm"] < published[name]["ra_mpjpe_mm"] < published[name]["mpjpe_mm"]
        assert published[name]["pa_v2v_mm"] is None
    moving = result["methods"]["online"]
    assert moving["ra_mpjpe_mm"]["observed"] < moving["ra_mpjpe_mm"]["hidden_partial"] < 40
    assert moving["ra_mpjpe_mm"]["hidden_whole"] is None
    assert set(result["by_gap"]) == {"0.5"}
    assert len(COVERED) / 30 <= 0.5


def test_ho3d_with_mano_on_the_occluded_frames_alone(hmp, tmp_path):
    mano = write_mano(tmp_path / "MANO_RIGHT.pkl")
    data = write_ho3d(tmp_path / "data", joints=mano_joints(film(), HO3D_TIPS))
    code, out, _ = hmp("ho3d", data, "--mano", mano, "--occ", "--json")
    assert code == 0
    result = json.loads(out)
    assert result["frames"] == len(COVERED)
    assert result["truth_mesh_mm"] < 1e-3
    measures = result["published"]["online"]
    assert 1 < measures["pa_v2v_mm"] < 20
    assert 0 < measures["pa_f5"] < measures["pa_f15"] <= 1
    assert measures["ra_f15"] <= measures["pa_f15"]
    assert result["published"]["detector"]["pa_v2v_mm"] is None


def test_dexycb_finds_a_left_hand(hmp, tmp_path):
    write_dexycb(tmp_path, Side.LEFT)
    page = tmp_path / "page.html"
    code, out, _ = hmp("dexycb", tmp_path, "--sequences", SUBJECT, "--json", "--report", page)
    assert code == 0
    result = json.loads(out)
    assert page.read_text().count("data:image/png") >= 2
    statuses = result["by_status"]
    assert sum(cell["frames"] for cell in statuses.values()) == result["frames"]
    assert statuses["observed"]["frames"] > 0
    assert statuses["lost"] == {"frames": 0, "ra_mpjpe_mm": None}
    assert (result["dataset"], result["setup"], result["frames"]) == ("DexYCB", None, FRAMES - 2)
    assert result["published"]["online"]["coverage"] > 0.8
    assert result["published"]["online"]["ra_mpjpe_mm"] < 30


def test_dexycb_tables_for_people(hmp, tmp_path):
    mano = write_mano(tmp_path / "MANO_RIGHT.pkl")
    write_dexycb(tmp_path / "data", fields=mano_like_fields())
    code, out, _ = hmp("dexycb", tmp_path / "data", "--sequences", SUBJECT, "--max-frames", 6, "--mano", mano)
    assert code == 0
    for shown in ("online", "initializer", "pa_v2v_mm", "coverage", '"frames": 6'):
        assert shown in out


def test_submission_in_the_servers_order_and_axes(hmp, tmp_path):
    mano = write_mano(tmp_path / "MANO_RIGHT.pkl")
    data, out_file = write_ho3d_evaluation(tmp_path / "data", frames=6), tmp_path / "pred.zip"
    # Nothing is to be seen in the second sequence of the list: a stand-in at the given wrist.
    for path in (data / "evaluation" / "AP10" / "rgb").iterdir():
        cv2.imwrite(str(path), np.full((480, 640, 3), 128, np.uint8))
    code, out, _ = hmp("ho3d", data, "--split", "evaluation", "--submission", out_file, "--mano", mano, "--json")
    assert code == 0
    assert json.loads(out)["published"]["online"]["mpjpe_mm"] is None
    with zipfile.ZipFile(out_file) as archive:
        assert archive.namelist() == ["pred.json"]
        xyz, verts = (np.array(part) for part in json.loads(archive.read("pred.json")))
    assert (xyz.shape, verts.shape) == ((12, 21, 3), (12, 778, 3))
    assert (xyz[..., 2] < 0).all()
    np.testing.assert_allclose(xyz[:, 0] @ OPENGL, np.tile(film().joints[:6, 0], (2, 1)), atol=1e-5)
    seen = (xyz @ OPENGL)[:, list(PUBLIC_FROM_MANO)]
    assert ra_mpjpe(seen[:6], film().joints[:6]).max() < 40
    assert ra_mpjpe(seen[6:], film().joints[:6]).min() > 40
    assert np.abs(verts[:6] @ OPENGL - film().joints[:6].mean(axis=1, keepdims=True)).max() < 0.25
    assert not verts[6:].any()


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--split", "evaluation"], "evaluation_xyz.json"),
        (["--submission", "a.zip"], "--split evaluation"),
        (["--split", "evaluation", "--submission", "a.zip", "--max-frames", "3"], "--max-frames"),
        (["--split", "evaluation", "--submission", "a.zip", "--sequences", "SM1"], "--sequences"),
        (["--split", "validation"], "splits"),
    ],
)
def test_what_cannot_be_done_is_said(hmp, tmp_path, arguments, said):
    write_ho3d_evaluation(tmp_path, frames=1)
    code, out, err = hmp("ho3d", tmp_path, *arguments)
    assert (code, out) == (2, "")
    assert said in " ".join(err.split())


def test_no_submission_of_half_a_split(hmp, tmp_path):
    write_ho3d_evaluation(tmp_path, frames=1)
    (tmp_path / "evaluation" / "AP10" / "rgb" / "0000.jpg").write_bytes(b"")
    out_file = tmp_path / "pred.zip"
    code, _, err = hmp("ho3d", tmp_path, "--split", "evaluation", "--submission", out_file)
    assert code == 2
    assert "1 of 2 listed frames" in " ".join(err.split())
    assert not list(tmp_path.glob("*.zip"))
