# SPDX-FileCopyrightText: 2026 The hmp_ros authors
# SPDX-License-Identifier: Apache-2.0
import pytest

from hmp_core.whole_file import whole_file


def test_the_file_appears_when_it_is_whole(tmp_path):
    path = tmp_path / "new" / "figures.npz"
    with whole_file(path) as partial:
        partial.write_text("whole")
        assert partial.suffix == ".npz"  # writers go by it
        assert not path.exists()
    assert path.read_text() == "whole"
    assert list(path.parent.iterdir()) == [path]


def test_a_newer_file_takes_the_place_of_an_older_one(tmp_path):
    path = tmp_path / "log.csv"
    path.write_text("old")
    with whole_file(path) as partial:
        partial.write_text("new")
        assert path.read_text() == "old"
    assert path.read_text() == "new"


@pytest.mark.parametrize("error", [OSError, KeyboardInterrupt])
def test_failure_leaves_the_older_file_and_nothing_else(tmp_path, error):
    path = tmp_path / "prior.safetensors"
    path.write_text("old")

    def write():
        with whole_file(path) as partial:
            partial.write_text("hal")
            raise error

    with pytest.raises(error):
        write()
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]


def test_failure_before_anything_is_written_is_told_as_it_is(tmp_path):
    with pytest.raises(ValueError, match="no numbers"), whole_file(tmp_path / "a.npz"):
        raise ValueError("no numbers")
    assert not list(tmp_path.iterdir())
