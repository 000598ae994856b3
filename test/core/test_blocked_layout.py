# SPDX-FileCopyrightText: 2026 The hmp_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Networks rewritten for ONNX Runtime's blocked layout say what they said before."""

import numpy as np
import onnx
import onnxruntime
import pytest
from blocked_layout import use_blocked_layout

from hmp_core.assets import asset_path

SLOW = {"PRelu", "Pad"}
IMAGE = np.random.default_rng(3).normal(size=(1, 8, 6, 6)).astype(np.float32)


def network(paddings=(0, 0, 0, 0, 0, 8, 0, 0)):
    """Every pattern once: PRelu by channel, 8 channels padded to 16, a 1x1 convolution behind a linear Resize."""
    rng = np.random.default_rng(7)
    node, array = onnx.helper.make_node, onnx.numpy_helper.from_array
    slopes = np.linspace(-2, 3, 8, dtype=np.float32).reshape(1, 8, 1, 1)
    constants = {
        "slopes": slopes,
        "paddings": np.array(paddings),
        "roi": np.zeros(0, np.float32),
        "scales": np.array([1, 1, 2, 2], np.float32),
        "weights": rng.normal(size=(4, 16, 1, 1)).astype(np.float32),
        "bias": rng.normal(size=4).astype(np.float32),
    }
    nodes = [
        node("PRelu", ["image", "slopes"], ["bent"]),
        node("Pad", ["bent", "paddings"], ["wide"]),
        node("Resize", ["wide", "roi", "scales"], ["large"], mode="linear"),
        node("Conv", ["large", "weights", "bias"], ["result"], kernel_shape=[1, 1]),
    ]
    image = onnx.helper.make_tensor_value_info("image", onnx.TensorProto.FLOAT, IMAGE.shape)
    result = onnx.helper.make_tensor_value_info("result", onnx.TensorProto.FLOAT, (1, 4, 12, 12))
    graph = onnx.helper.make_graph(
        nodes, "test", [image], [result], [array(value, name) for name, value in constants.items()]
    )
    return onnx.helper.make_model(graph, ir_version=8, opset_imports=[onnx.helper.make_opsetid("", 17)])


def answer(model):
    session = onnxruntime.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
    return session.run(["result"], {"image": IMAGE})[0]


def test_every_rule_keeps_the_answer():
    model = network()
    before = answer(model)
    use_blocked_layout(model)
    onnx.checker.check_model(model, full_check=True)
    kinds = [node.op_type for node in model.graph.node]
    assert not SLOW & set(kinds)
    assert kinds[-1] == "Resize"
    np.testing.assert_allclose(answer(model), before, rtol=1e-5, atol=1e-5)


def test_a_second_time_changes_nothing():
    model = network()
    use_blocked_layout(model)
    once = model.SerializeToString()
    use_blocked_layout(model)
    assert model.SerializeToString() == once


@pytest.mark.parametrize("place", [0, 1, 2, 3, 4, 6, 7])
def test_other_padding_is_refused(place):
    paddings = [0, 0, 0, 0, 0, 8, 0, 0]
    paddings[place] = 1
    with pytest.raises(ValueError, match=r"wide: only padding"):
        use_blocked_layout(network(paddings))


def test_the_shipped_networks_are_rewritten():
    for name in ("palm_detector.onnx", "hand_landmarks.onnx"):
        assert not SLOW & {node.op_type for node in onnx.load(asset_path(name)).graph.node}
