# SPDX-FileCopyrightText: 2026 The hmp_ros authors
# SPDX-License-Identifier: Apache-2.0

from dataclasses import dataclass

import pytest
import rclpy
from rclpy.node import Node
from rclpy.parameter import Parameter

from hmp_core.errors import ConfigError
from hmp_ros.parameters import LiveParameters, declare, parameter


@dataclass(frozen=True)
class _Settings:
    rate_hz: float = parameter(30.0, "Pace.", 0.5, 240.0)
    hands: int = parameter(2, "Hands.", 1, 2, live=True)
    loop: bool = parameter(False, "Again.")
    path: str = parameter("", "File.")


def _node(context: rclpy.Context, **overrides: object) -> Node:
    values = [Parameter(name, value=value) for name, value in overrides.items()]
    return Node("settings", context=context, parameter_overrides=values, start_parameter_services=False)


def test_defaults_and_overrides(context: rclpy.Context) -> None:
    assert declare(_node(context), _Settings) == _Settings()
    node = _node(context, rate_hz=60, hands=1, loop=True, path="clip.mp4")
    assert declare(node, _Settings) == _Settings(60.0, 1, True, "clip.mp4")


def test_descriptors_say_what_is_allowed(context: rclpy.Context) -> None:
    node = _node(context)
    declare(node, _Settings)
    descriptor = node.describe_parameter("rate_hz")
    (span,) = descriptor.floating_point_range
    assert (descriptor.description, span.from_value, span.to_value) == ("Pace.", 0.5, 240.0)
    assert descriptor.read_only
    assert node.describe_parameter("hands").integer_range[0].to_value == 2


@pytest.mark.parametrize(
    ("name", "value", "told"),
    [
        ("rate_hz", 0.1, "float from 0.5 to 240.0"),
        ("rate_hz", 500, "float from 0.5 to 240.0"),
        ("rate_hz", float("nan"), "float from 0.5 to 240.0"),
        ("rate_hz", "fast", "float from 0.5 to 240.0"),
        ("hands", 3, "int from 1 to 2"),
        ("hands", 1.5, "int from 1 to 2"),
        ("hands", True, "int from 1 to 2"),
        ("loop", "yes", "bool"),
        ("path", 7, "str"),
    ],
)
def test_bad_values_are_refused_with_the_allowed_range(
    context: rclpy.Context, name: str, value: object, told: str
) -> None:
    with pytest.raises(ConfigError, match=f"parameter {name} must be {told}"):
        declare(_node(context, **{name: value}), _Settings)


def _refuse_slow_pairs(settings: _Settings) -> None:
    if settings.hands == 2 and settings.rate_hz < 1.0:
        raise ConfigError("two hands need 1 Hz")


def _set(node: Node, name: str, value: object) -> str:
    """Why it was refused; nothing when it was set."""
    (result,) = node.set_parameters([Parameter(name, value=value)])
    return "" if result.successful else result.reason


def test_what_is_set_is_what_is_read(context: rclpy.Context) -> None:
    node = _node(context, rate_hz=60)
    live = LiveParameters(node, _Settings, _refuse_slow_pairs)
    assert live.read() == _Settings(rate_hz=60.0)
    assert _set(node, "rate_hz", 5) == ""
    assert _set(node, "path", "clip.mp4") == ""
    assert live.read() == _Settings(rate_hz=5.0, path="clip.mp4")


@pytest.mark.parametrize(
    ("name", "value", "told"),
    [
        ("hands", 3, "Min: 1, Max: 2"),
        ("hands", "many", "parameter hands must be int from 1 to 2, got 'many'"),
        ("rate_hz", 500, "parameter rate_hz must be float from 0.5 to 240.0"),
        ("rate_hz", 500.0, "Min: 0.5, Max: 240.0"),
        ("rate_hz", 0.7, "two hands need 1 Hz"),
        ("loop", None, "parameter loop must be bool"),
    ],
)
def test_a_refused_change_says_why_and_changes_nothing(
    context: rclpy.Context, name: str, value: object, told: str
) -> None:
    node = _node(context)
    live = LiveParameters(node, _Settings, _refuse_slow_pairs)
    assert told in _set(node, name, value)
    assert live.read() == _Settings()


def test_while_locked_only_live_parameters_change(context: rclpy.Context) -> None:
    node = _node(context)
    live = LiveParameters(node, _Settings, _refuse_slow_pairs)
    live.locked = True
    assert _set(node, "hands", 1) == ""
    assert "path cannot change while the node is configured" in _set(node, "path", "clip.mp4")
    assert _set(node, "path", "") == "", "the value it has"
    live.locked = False
    assert _set(node, "path", "clip.mp4") == ""
    assert live.read() == _Settings(hands=1, path="clip.mp4")


def test_values_that_do_not_fit_together_are_refused_at_the_start(context: rclpy.Context) -> None:
    with pytest.raises(ConfigError, match="two hands need 1 Hz"):
        LiveParameters(_node(context, rate_hz=0.6), _Settings, _refuse_slow_pairs)
