# SPDX-FileCopyrightText: 2026 The hmp_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Layouts for RViz and Foxglove name only topics, message fields and namespaces that there are."""

import importlib
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import rclpy
import yaml
from rosidl_parser.definition import AbstractNestedType, NamespacedType
from test_display import hands_message

from hmp_ros.display_node import DisplayNode
from hmp_ros.markers import build_markers

CONFIG = Path(__file__).parents[2] / "config"
_PATH = re.compile(r"(?P<topic>/[\w/]+)(?P<fields>\.[^/]+)?")
_FIELD = re.compile(r"(?P<name>\w+)(?P<slice>\[:\])?(?:\{(?P<filter>\w+)==\d+\})?")


@pytest.fixture
def published(context: rclpy.Context) -> dict[str, str]:
    """Topics and their types; those of the display node from the node itself."""
    node = DisplayNode(context=context)
    own = dict(node.get_publisher_names_and_types_by_node(node.get_name(), node.get_namespace()))
    node.destroy_node()
    return {
        **{topic: kinds[0] for topic, kinds in own.items()},
        "/hand/mano": "hmp_ros/msg/ManoHandArray",
        "/diagnostics": "diagnostic_msgs/msg/DiagnosticArray",
    }


def _message_class(type_name: str) -> Any:
    package, _, name = type_name.split("/")
    return getattr(importlib.import_module(f"{package}.msg"), name)


def _field_type(message: Any, name: str) -> Any:
    fields = list(message.get_fields_and_field_types())
    assert name in fields, f"{message.__name__} has no field {name}"
    return message.SLOT_TYPES[fields.index(name)]


def _check_path(path: str, published: dict[str, str]) -> None:
    """That a Foxglove message path leads somewhere."""
    match = _PATH.fullmatch(path)
    assert match is not None, path
    assert match["topic"] in published, path
    message = _message_class(published[match["topic"]])
    for part in filter(None, (match["fields"] or "").split(".")):
        field = _FIELD.fullmatch(part)
        assert field is not None, path
        kind = _field_type(message, field["name"])
        assert isinstance(kind, AbstractNestedType) == bool(field["slice"]), path
        if isinstance(kind, AbstractNestedType):
            kind = kind.value_type
        if isinstance(kind, NamespacedType):
            message = _message_class("/".join(kind.namespaced_name()))
        if field["filter"]:
            _field_type(message, field["filter"])


def _leaves(layout: Any) -> Iterator[str]:
    if isinstance(layout, str):
        yield layout
        return
    assert layout["direction"] in ("row", "column")
    assert 0 < layout["splitPercentage"] < 100
    yield from _leaves(layout["first"])
    yield from _leaves(layout["second"])


def _namespaces() -> set[str]:
    return {marker.ns for marker in build_markers(hands_message()).markers}


def test_foxglove_s_layout_names_what_there_is(published: dict[str, str]) -> None:
    layout = json.loads((CONFIG / "foxglove.json").read_text(encoding="utf-8"))
    assert set(layout) == {"configById", "globalVariables", "userNodes", "playbackConfig", "layout"}
    panels = layout["configById"]
    assert sorted(_leaves(layout["layout"])) == sorted(panels), "every panel is on the screen once"
    for name, panel in panels.items():
        kind = name.split("!")[0]
        if kind == "Image":
            assert published[panel["imageMode"]["imageTopic"]].startswith("sensor_msgs/msg/")
        elif kind == "3D":
            assert {published[topic] for topic in panel["topics"]} == {"visualization_msgs/msg/MarkerArray"}
            assert set(panel["topics"]["/hand/markers"]["namespaces"]) == _namespaces()
        elif kind == "DiagnosticSummary":
            assert published[panel["topicToRender"]] == "diagnostic_msgs/msg/DiagnosticArray"
        else:
            assert kind in ("Plot", "StateTransitions")
            for path in panel["paths"]:
                _check_path(path["value"], published)


def test_rviz_s_layout_names_what_there_is(published: dict[str, str]) -> None:
    manager = yaml.safe_load((CONFIG / "hmp.rviz").read_text(encoding="utf-8"))["Visualization Manager"]
    displays = {display["Name"]: display for display in manager["Displays"]}
    topics = {name: display["Topic"]["Value"] for name, display in displays.items() if "Topic" in display}
    assert topics.pop("Camera") == "/image"
    for name, topic in topics.items():
        kind = {"Image": "sensor_msgs/msg/Image", "MarkerArray": "visualization_msgs/msg/MarkerArray"}
        assert published[topic] == kind[displays[name]["Class"].split("/")[1]]
    assert set(displays["Hands"]["Namespaces"]) == _namespaces()
