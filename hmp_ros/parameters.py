# SPDX-FileCopyrightText: 2026 The hmp_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Parameters of the nodes: each node has one frozen dataclass, made of :func:`parameter` fields, which is the one
place of their names, defaults, ranges and descriptions.

A value of the wrong type or outside its range is refused with the allowed range, at the start and by
``ros2 param set``.
"""

from collections.abc import Callable, Sequence
from dataclasses import field, fields, replace
from typing import Any, Generic, TypeVar

from rcl_interfaces.msg import FloatingPointRange, IntegerRange, ParameterDescriptor, SetParametersResult
from rclpy.exceptions import InvalidParameterValueException
from rclpy.node import Node

from hmp_core.errors import ConfigError

Parameters = TypeVar("Parameters")


def parameter(
    default: bool | int | float | str,
    description: str,
    low: float | None = None,
    high: float | None = None,
    live: bool = False,
) -> Any:
    """A field of a parameter dataclass: its type is the default's, its range is inclusive.

    Args:
        default: taken when nothing is given.
        description: what it means, with the unit.
        low, high: smallest and largest value.
        live: it may change while the node is configured.
    """
    return field(default=default, metadata={"description": description, "range": (low, high), "live": live})


def declare(node: Node, kind: type[Parameters]) -> Parameters:
    """Declare every field of a parameter dataclass, as read-only, and read the values given to it.

    Raises:
        ConfigError: a value has the wrong type or lies outside its range.
    """
    values = {item.name: _declare(node, item, read_only=True) for item in fields(kind)}  # type: ignore[arg-type]
    return kind(**values)


class LiveParameters(Generic[Parameters]):
    """Parameters that can be set while the node runs; what is set is what :meth:`read` finds.

    Args:
        node: that declares them.
        kind: parameter dataclass.
        check: sees what a change would lead to, and raises ``ConfigError`` against values that do not fit together.

    Attributes:
        locked: only live parameters may change.

    Raises:
        ConfigError: a value has the wrong type, lies outside its range, or is refused by ``check``.
    """

    def __init__(self, node: Node, kind: type[Parameters], check: Callable[[Parameters], object]) -> None:
        self.locked = False
        self._node = node
        self._kind = kind
        self._check = check
        self._fields = {item.name: item for item in fields(kind)}  # type: ignore[arg-type]
        for item in self._fields.values():
            _declare(node, item, read_only=False)
        check(self.read())
        node.add_on_set_parameters_callback(self._judge)

    def read(self) -> Parameters:
        """The present values; cheap, and from any thread."""
        return self._kind(
            **{name: _admit(item, self._node.get_parameter(name).value) for name, item in self._fields.items()}
        )

    def _judge(self, changes: Sequence[Any]) -> SetParametersResult:
        """Allow or refuse; nothing is set here yet."""
        try:
            values = {
                change.name: _admit(self._fields[change.name], change.value)
                for change in changes
                if change.name in self._fields
            }
            present = self.read()
            fixed = [
                name
                for name, value in values.items()
                if not self._fields[name].metadata["live"] and value != getattr(present, name)
            ]
            if self.locked and fixed:
                raise ConfigError(
                    f"{', '.join(fixed)} cannot change while the node is configured: "
                    f"ros2 lifecycle set {self._node.get_fully_qualified_name()} deactivate, then cleanup, "
                    "set it, and configure and activate again"
                )
            self._check(replace(present, **values))  # type: ignore[type-var]
        except ConfigError as error:
            return SetParametersResult(successful=False, reason=str(error))
        return SetParametersResult(successful=True)


def _declare(node: Node, item: Any, read_only: bool) -> Any:
    low, high = item.metadata["range"]
    descriptor = ParameterDescriptor(
        description=item.metadata["description"], read_only=read_only, dynamic_typing=True
    )
    if low is not None and isinstance(item.default, float):
        descriptor.floating_point_range = [FloatingPointRange(from_value=float(low), to_value=float(high))]
    elif low is not None:
        descriptor.integer_range = [IntegerRange(from_value=int(low), to_value=int(high))]
    try:
        value = node.declare_parameter(item.name, item.default, descriptor).value
    except InvalidParameterValueException as error:
        raise ConfigError(f"parameter {item.name} must be {_expected(item)}: {error}") from error
    return _admit(item, value)


def _admit(item: Any, value: Any) -> Any:
    """The value as the field's type; a whole number is a float, too."""
    low, high = item.metadata["range"]
    if isinstance(item.default, float) and type(value) is int:
        value = float(value)
    if type(value) is not type(item.default) or (low is not None and not low <= value <= high):
        raise ConfigError(f"parameter {item.name} must be {_expected(item)}, got {value!r}")
    return value


def _expected(item: Any) -> str:
    low, high = item.metadata["range"]
    return type(item.default).__name__ + ("" if low is None else f" from {low} to {high}")
