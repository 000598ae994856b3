# SPDX-FileCopyrightText: 2026 The hmp_ros authors
# SPDX-License-Identifier: Apache-2.0
import math
import pickle

import pytest
import torch

from hmp_core.errors import DataError
from hmp_core.training.state_file import SafetensorsState


def test_a_nested_state_comes_back_as_it_was(tmp_path):
    weight = torch.nn.Parameter(torch.randn(3, 4))
    state = {
        "state_dict": {"a.b": weight, "same": weight.data, "half": torch.ones(2, dtype=torch.bfloat16)},
        "optimizer_states": [
            {"state": {0: {"step": torch.tensor(3.0)}}, "param_groups": [{"betas": (0.9, 0.999)}]}
        ],
        "loops": {"done": True, "nothing": None, "empty": {}, "rate": 0.1 + 0.2, "best": math.inf, "name": "z"},
    }
    file = SafetensorsState()
    file.save_checkpoint(state, tmp_path / "new" / "state.safetensors")
    back = file.load_checkpoint(tmp_path / "new" / "state.safetensors")
    assert back["loops"] == state["loops"]
    assert back["optimizer_states"][0]["param_groups"] == [{"betas": (0.9, 0.999)}]
    assert torch.equal(back["optimizer_states"][0]["state"][0]["step"], torch.tensor(3.0))
    for name, value in state["state_dict"].items():
        assert back["state_dict"][name].dtype == value.dtype
        assert torch.equal(back["state_dict"][name], value)
    assert [path.name for path in (tmp_path / "new").iterdir()] == ["state.safetensors"]


def test_what_only_a_pickle_could_store_is_refused_by_its_place(tmp_path):
    with pytest.raises(DataError, match=r"state\.callbacks\.mine"):
        SafetensorsState().save_checkpoint({"callbacks": {"mine": object()}}, tmp_path / "state")
    assert not (tmp_path / "state").exists()


class _Trap:
    def __reduce__(self):
        return pytest.fail, ("a pickle was run",)


@pytest.mark.parametrize("content", [b"", b"\x00" * 64, pickle.dumps(_Trap())])
def test_a_foreign_file_is_an_error_that_says_what_to_do(tmp_path, content):
    path = tmp_path / "state"
    path.write_bytes(content)
    with pytest.raises(DataError, match="remove it to start anew"):
        SafetensorsState().load_checkpoint(path)
