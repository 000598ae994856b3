#!/usr/bin/env python3
# SPDX-FileCopyrightText: 2026 The hmp_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Convert MediaPipe's palm detector and hand landmark network (Apache-2.0) from TFLite to ONNX.

Run from anywhere with the project's Python::

    python tools/convert_mediapipe.py                    # makes a throw-away environment for TensorFlow
    python tools/convert_mediapipe.py --task hand.task   # only packs the TFLite files for the mediapipe package

It downloads the wheel ``mediapipe==0.10.21`` with pip, takes the two TFLite files out of it, converts them with
tf2onnx at opset 17, gives inputs and outputs stable names, adds the landmark network's pooled features as an
output (they are computed anyway), rewrites what ONNX Runtime is slow at (``blocked_layout.py``: the palm detector
takes three fifths of the time, the landmark network stays as it is), and writes the ONNX files and their manifest
entries to ``hmp_core/assets``.
"""

import argparse
import hashlib
import subprocess
import sys
import tempfile
import venv
import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import Final

REPOSITORY: Final = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(REPOSITORY))

from hmp_core.assets.manifest import ASSETS_DIR, record_asset  # noqa: E402

WHEEL: Final = "mediapipe==0.10.21"
CONVERTER: Final = ("tensorflow-cpu==2.19.1", "tf2onnx==1.17.0", "onnx==1.22.0", "numpy==2.1.3")
OPSET: Final = 17


@dataclass(frozen=True)
class _Network:
    """A TFLite file of the wheel, what it becomes, and its tensors' new names (old output order is kept)."""

    member: str
    sha256: str
    task_name: str
    file: str
    outputs: tuple[str, ...]
    pooled: str | None
    description: str


NETWORKS: Final = (
    _Network(
        member="mediapipe/modules/palm_detection/palm_detection_full.tflite",
        sha256="1b14e9422c6ad006cde6581a46c8b90dd573c07ab7f3934b5589e7cea3f89a54",
        task_name="hand_detector.tflite",
        file="palm_detector.onnx",
        outputs=("boxes", "scores"),
        pooled=None,
        description="Palm detector: image [1,192,192,3] RGB in 0..1 -> boxes [1,2016,18] relative to SSD anchors "
        "(centre, size, 7 keypoints; px of the input), scores [1,2016,1] (logits).",
    ),
    _Network(
        member="mediapipe/modules/hand_landmark/hand_landmark_full.tflite",
        sha256="11c272b891e1a99ab034208e23937a8008388cf11ed2a9d776ed3d01d0ba00e3",
        task_name="hand_landmarks_detector.tflite",
        file="hand_landmarks.onnx",
        outputs=("landmarks", "presence", "handedness", "world_landmarks"),
        pooled="features",
        description="Hand landmark network: image [1,224,224,3] RGB in 0..1 -> landmarks [1,63] (x, y px of the "
        "input, z), presence [1,1], handedness [1,1], world_landmarks [1,63] (m, crop axes), "
        "features [1,1152] (pooled, before the heads).",
    ),
)

# Runs inside the throw-away environment, where TensorFlow lives.
_CONVERT: Final = """
import sys
import onnx
from tf2onnx import convert
source, target, pooled, *outputs = sys.argv[1:]
model, _ = convert.from_tflite(source, opset=int({opset}))
graph = model.graph
names = {{graph.input[0].name: "image", **{{old.name: new for old, new in zip(graph.output, outputs)}}}}
if pooled:
    (squeeze,) = [node for node in graph.node if node.op_type == "Squeeze"]
    heads = [node for node in graph.node if squeeze.output[0] in node.input]
    weights = {{tensor.name: tensor for tensor in graph.initializer}}
    width = weights[heads[0].input[1]].dims[0]
    names[squeeze.output[0]] = pooled
    graph.output.append(onnx.helper.make_tensor_value_info(squeeze.output[0], onnx.TensorProto.FLOAT, [1, width]))
# tf2onnx numbers constants in an order that changes from run to run: number by first use, merge equal ones.
weights, values, merged = {{tensor.name: tensor for tensor in graph.initializer}}, [], {{}}
for index, node in enumerate(graph.node):
    node.name = ""
    for place, name in enumerate(node.input):
        if name in weights and name not in names:
            value = onnx.numpy_helper.to_array(weights[name])
            key = (value.dtype.str, value.shape, value.tobytes())
            if key not in merged:
                merged[key] = f"constant_{{len(merged)}}"
                values.append(onnx.numpy_helper.from_array(value, merged[key]))
            names[name] = merged[key]
        node.input[place] = names.get(name, name)
    for place, name in enumerate(node.output):
        node.output[place] = names.setdefault(name, f"tensor_{{index}}_{{place}}")
del graph.initializer[:]
graph.initializer.extend(values)
for value in (*graph.input, *graph.output):
    value.name = names[value.name]
del graph.value_info[:]
onnx.checker.check_model(model, full_check=True)
onnx.save(model, target)
"""


def _extract(folder: Path) -> list[Path]:
    """Download the wheel and take the two TFLite files out of it, checked."""
    # The platform is pinned so that the same wheel arrives everywhere; nothing of it is run.
    platform = ("--only-binary=:all:", "--python-version=3.11", "--platform=manylinux_2_28_x86_64")
    pip = (sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", *platform)
    subprocess.run([*pip, "--dest", str(folder), WHEEL], check=True)
    (wheel,) = folder.glob("mediapipe-*.whl")
    paths = []
    with zipfile.ZipFile(wheel) as archive:
        for network in NETWORKS:
            content = archive.read(network.member)
            if hashlib.sha256(content).hexdigest() != network.sha256:
                raise SystemExit(f"{network.member} in {wheel.name} is not the file that this tool was made for")
            path = folder / network.task_name
            path.write_bytes(content)
            paths.append(path)
    return paths


def _convert(folder: Path, sources: list[Path]) -> None:
    """Convert in a fresh environment and record the results in the manifest."""
    environment = folder / "environment"
    venv.create(environment, with_pip=True)
    python = environment / ("Scripts/python.exe" if sys.platform == "win32" else "bin/python")
    subprocess.run([python, "-m", "pip", "install", "--quiet", *CONVERTER], check=True)
    for network, source in zip(NETWORKS, sources, strict=True):
        target = ASSETS_DIR / network.file
        script = _CONVERT.format(opset=OPSET)
        arguments = [str(source), str(target), network.pooled or "", *network.outputs]
        subprocess.run([python, "-c", script, *arguments], check=True)
        subprocess.run([python, REPOSITORY / "tools" / "blocked_layout.py", target], check=True)
        asset = record_asset(
            network.file,
            licence="Apache-2.0",
            source=f"Copyright The MediaPipe Authors; {network.member} of the wheel {WHEEL}, "
            f"converted with tf2onnx, opset {OPSET}, then tools/blocked_layout.py",
            tool="python tools/convert_mediapipe.py",
            description=network.description,
        )
        print(f"{target}: {asset.bytes} bytes, sha256 {asset.sha256}")


def main() -> None:
    """Run the conversion, or only pack the TFLite files as a ``.task`` bundle."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--task", type=Path, help="write a .task bundle for the mediapipe package; convert nothing")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        sources = _extract(folder)
        if arguments.task:
            with zipfile.ZipFile(arguments.task, "w") as archive:
                for source in sources:
                    archive.write(source, source.name)
            print(arguments.task)
        else:
            _convert(folder, sources)


if __name__ == "__main__":
    main()
