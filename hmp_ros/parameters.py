# SPDX-FileCopyrightText: 2026 The hmp_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Parameters of the nodes: each node has one frozen dataclass, made of :func:`parameter` fields, which is the one
place of their names, defaults, ranges and descriptions.

They are read once at start. A value of the wrong type or outside its range is refused with the allowed range.
"""

from dataclasses import field, fields
from typing import Any, TypeVar

from rcl_interfaces.msg import FloatingPointRange, IntegerRange, ParameterDescriptor
from rclpy.exceptions import InvalidParameterValueException
from rclpy.node import Node

from hmp_core.errors import ConfigError

Parameters = TypeVar("Parameters")


def parameter(
    default: bool | int | float | str, description: str, low: float | None = None, high: float | None = None
) -> Any:
    """A field of a parameter dataclass: its type is the default's, its range is inclusive."""
    return field(default=default, metadata={"description": description, "range": (low, high)})


def declare(node: Node, kind: type[Parameters]) -> Parameters:
    """Declare every field of a parameter dataclass on a node and read the values given to it.

    Raises:
        ConfigError: a value has the wrong type or lies outside its range.
    """
    values = {item.name: _declare(node, item) for item in fields(kind)}  # type: ignore[arg-type]
    return kind(**values)


def _declare(node: Node, item: Any) -> Any:
    low, high = item.metadata["range"]
    descriptor = ParameterDescriptor(description=item.metadata["description"], read_only=True, dynamic_typing=True)
    if low is not None and isinstance(item.default, float):
        descriptor.floating_point_range = [FloatingPointRange(from_value=float(low), to_value=float(high))]
    elif low is not None:
        descriptor.integer_range = [IntegerRange(from_value=int(low), to_value=int(high))]
    expected = type(item.default).__name__ + ("" if low is None else f" from {low} to {high}")
    try:
        value = node.declare_parameter(item.name, item.default, descriptor).value
    except InvalidParameterValueException as error:
        raise ConfigError(f"parameter {item.name} must be {expected}: {error}") from error
    if isinstance(item.default, float) and type(value) is int:
        value = float(value)
    if type(value) is not type(item.default) or (low is not None and not low <= value <= high):
        raise ConfigError(f"parameter {item.name} must be {expected}, got {value!r}")
    return value
