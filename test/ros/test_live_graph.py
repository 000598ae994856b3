# SPDX-FileCopyrightText: 2026 The hmp_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What the running nodes have is what the documents say and what the security policy allows."""

from pathlib import Path
from xml.etree import ElementTree

import pytest
from live_graph import NODES, Endpoint, observe_graph
from write_reference import PAGES, rewrite

ROOT = Path(__file__).parents[2]
POLICY = ROOT / "config" / "sros2_policy.xml"
# With use_sim_time, compressed, target_frame, publish_tf and side, and from Jazzy on.
ON_DEMAND = {
    ("subscribe", "/clock"),
    ("subscribe", "image/compressed"),
    ("subscribe", "/tf"),
    ("subscribe", "/tf_static"),
    ("publish", "/tf"),
    ("publish", "hand/left/joint_command"),
    ("serve", "~/get_type_description"),
}


@pytest.fixture(scope="module")
def endpoints() -> list[Endpoint]:
    """What the nodes have, seen from outside."""
    pytest.importorskip("dex_retargeting", reason="retarget_node needs it: pip install -e '.[teleop]'")
    return observe_graph()


@pytest.mark.slow
@pytest.mark.parametrize("page", PAGES)
def test_the_tables_are_up_to_date(page: str, endpoints: list[Endpoint]) -> None:
    text, stale = rewrite((ROOT / page).read_text(), endpoints)
    assert not stale, f"{page} is out of date: run `python tools/write_reference.py`"
    assert text == (ROOT / page).read_text()


@pytest.mark.slow
@pytest.mark.parametrize("node", NODES)
def test_the_policy_allows_what_a_node_does_and_no_more(node: str, endpoints: list[Endpoint]) -> None:
    done = {(item.role, item.name) for item in endpoints if item.node == node}
    allowed = _allowed(f"/hmp_ros/{node}")[node]
    assert done - allowed == set(), "add it to config/sros2_policy.xml"
    assert allowed - done - ON_DEMAND == set(), "no node does this any more"


@pytest.mark.slow
def test_an_operator_sees_the_hands_and_asks_for_services(endpoints: list[Endpoint]) -> None:
    offered = {"publish": "subscribe", "serve": "request"}
    ours = {(offered[item.role], _absolute(item)) for item in endpoints if item.role in offered}
    allowed = _allowed("/hmp_ros/operator")["operator"]
    assert allowed <= ours
    assert {role for role, _ in allowed} <= {"subscribe", "request"}
    assert {("subscribe", "hand/mano"), ("request", "/window_node/pause")} <= allowed


def test_both_nodes_in_one_process_may_do_what_each_may() -> None:
    alone = {name: _allowed(f"/hmp_ros/{name}")[name] for name in ("initializer_node", "window_node")}
    assert _allowed("/hmp_ros/hmp_node") == alone


def _allowed(enclave: str) -> dict[str, set[tuple[str, str]]]:
    """By node: roles and names."""
    tree = ElementTree.parse(POLICY)
    (element,) = (item for item in tree.iter("enclave") if item.get("path") == enclave)
    roles = {"publish": "publish", "subscribe": "subscribe", "reply": "serve", "request": "request"}
    nodes = {}
    for profile in element.iter("profile"):
        nodes[str(profile.get("node"))] = {
            (roles[role], str(name.text))
            for rules in profile
            for role in rules.keys() & roles.keys()
            for name in rules
        }
    return nodes


def _absolute(item: Endpoint) -> str:
    return item.name.replace("~", f"/{item.node}", 1)
