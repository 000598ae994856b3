# SPDX-FileCopyrightText: 2026 The hmp_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What rosdoc2 cannot know about these pages; it sets everything else."""

extensions = ["sphinx.ext.autodoc", "sphinx.ext.napoleon"]
# What rosdep does not install, and what would take minutes to.
autodoc_mock_imports = [
    "av", "lightning", "onnx", "onnxruntime", "onnxscript", "pyvista", "roma", "rosbags", "safetensors", "smplx",
    "threadpoolctl", "torch",
]  # fmt: skip
# Attributes that a class lists in its docstring are documented there, once.
napoleon_use_ivar = True
myst_heading_anchors = 3
# Links to files of the repository that are no pages become plain text.
suppress_warnings = ["myst.xref_missing"]
