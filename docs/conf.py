# SPDX-FileCopyrightText: 2026 The hmp_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What rosdoc2 cannot know about these pages; it sets everything else."""

from sphinx.addnodes import pending_xref
from sphinx.ext.autodoc.mock import _MockObject

extensions = ["sphinx.ext.autodoc", "sphinx.ext.napoleon"]
# What rosdep does not install, or only in minutes.
autodoc_mock_imports = [
    "av", "backports", "lightning", "lz4", "onnx", "onnxruntime", "onnxscript", "pyvista", "rerun", "roma",
    "rosbags", "safetensors", "smplx", "threadpoolctl", "torch", "vtkmodules",
]  # fmt: skip
# Sphinx's stand-ins know no operators, which annotations (torch.Tensor | None) and constants need.
for operator in ("or", "ror", "add", "radd", "sub", "rsub", "mul", "rmul", "matmul", "neg", "setitem"):
    setattr(_MockObject, f"__{operator}__", lambda self, *_: self)
_MockObject.__iter__ = lambda self: iter((self, self))
# Attributes that a class lists in its docstring are documented there, once.
napoleon_use_ivar = True
# Several results, each with its shape.
napoleon_custom_sections = [("Returns", "params_style")]
myst_heading_anchors = 3
# Names of arguments that several classes have are no links.
suppress_warnings = ["ref.python"]


def setup(app):  # noqa: D103
    app.connect("doctree-read", _drop_file_links)


def _drop_file_links(app, page):
    """Links to files of the repository that are no pages become their words."""
    for link in list(page.findall(pending_xref)):
        if link.get("reftype") == "myst" and link.get("refdomain") != "doc":
            link.replace_self(link.children)
