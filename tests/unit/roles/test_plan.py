# Copyright: siptls.cucm contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The change document: what a run would do, from what its tasks predicted; hostile names stay names."""

from __future__ import annotations

import re
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import jinja2
import pytest
from ansible_collections.siptls.cucm.plugins.module_utils._roles.plan.document import change_plan
from ansible_collections.siptls.cucm.plugins.module_utils._roles.plan.steps import text_of

TEMPLATES = Path(__file__).resolve().parents[3] / "playbooks" / "templates"
HEAD = {"title": "Plan", "rows": [{"name": "With", "value": "siptls.cucm 1.0.0"}]}
HOSTILE = "<script>alert(1)</script>|`x`[y](javascript:z) *b*\n# h"
NODE = {"name": "A", "address": "10.0.0.1", "role": "Publisher"}
SERVICES = ("Cisco CallManager", "Cisco CTIManager", "Cisco Trust Verification Service", "Cisco Tftp")
HELD = {"subject": "CN=A", "issuer": "CN=A", "not_after": "2030-01-01T00:00:00Z", "sans": []}


def one(name: str, changed: bool, before: dict[str, Any], after: dict[str, Any]) -> dict[str, Any]:
    return {"name": name, "changed": changed, "previous": before, "object": after}


def facts(*trunks: dict[str, Any], needed: bool = True, reset: tuple[str, ...] = (), **more: Any) -> dict[str, Any]:
    """The results of a host after the predicting roles."""
    csr = {"item": NODE, "needed": needed, "reason": "it is self-signed", "certificate": HELD}
    signed = {**NODE, "view": {**HELD, "issuer": "CN=Our CA"}, "predicted": True, "ca_created": False}
    upload = {"item": signed, "actions": ["would put CN=Our CA into CallManager-trust"]}
    return {
        "preflight_cluster": {"version": "10.5.2", "nodes": [NODE], "warnings": ["a: to know"]},
        "callmanager_certificate_csrs": {"results": [csr]},
        "callmanager_certificate_signed": [signed] if needed else [],
        "callmanager_certificate_uploads": {"results": [upload] if needed else []},
        "callmanager_certificate_restarts": {
            "results": [{"item": NODE, "changed": needed, "restarted": [SERVICES[0]] if needed else [], "pending": []}]
        },
        "callmanager_certificate_followed": {
            "results": [{"item": NODE, "restarted": [name], "pending": []} for name in SERVICES[1:] if needed]
        },
        "sip_tls_trunk_objects": {"trunks": [{"name": "T", "location": "Hub_None"}], "waiting": []},
        "sip_tls_trunk_trunks": {"objects": list(trunks), "reset": list(reset)},
        "sip_tls_trunk_route_groups": {"skipped": True, "changed": False},
        **more,
    }  # fmt: skip


OLD = one(
    "T",
    True,
    {"location": "Here", "device_pool": "D", "destinations": [{"address": "a", "port": 5060}]},
    {"location": "Hub_None", "device_pool": "D", "destinations": [{"address": "b", "port": 5061, "order": 1}]},
)
NEW = one("T", True, {}, {"name": "T", "location": "Hub_None", "mtp_required": False})
SAME = one("T", False, {"location": "Hub_None"}, {"location": "Hub_None"})


def test_the_steps_come_in_the_order_of_the_run_with_their_effects() -> None:
    (cluster,) = change_plan({"a": facts(OLD, reset=("T",))})["clusters"]
    assert [step["kind"] for step in cluster["steps"]] == [
        "manual", "certificate", "certificate", *["restart"] * 4, "manual", "object", "reset",
    ]  # fmt: skip
    assert "powered on and registered" in cluster["steps"][0]["title"]
    assert "TVS certificate must not change" in cluster["steps"][0]["effect"]
    assert cluster["steps"][2]["title"] == "Put CN=Our CA into CallManager-trust"
    assert cluster["steps"][1]["changes"] == [{"option": "signed by", "before": "CN=A", "after": "CN=Our CA"}]
    assert [step["title"] for step in cluster["steps"][3:7]] == [f"Restart {name}" for name in SERVICES]
    assert "Calls of this node end" in cluster["steps"][3]["effect"] and cluster["steps"][3]["where"] == "A"
    assert "out of service" in cluster["steps"][3]["effect"], "there is no other node to which its phones could go"
    assert "Reset all phones" in cluster["steps"][7]["title"]
    assert "Calls over this trunk end" in cluster["steps"][9]["effect"]


def test_the_steps_of_a_cluster_in_mixed_mode_are_those_of_ciscos_regeneration_guide() -> None:
    """Document 214231: check phones, certificates, CTL file, reset encrypted phones, services, reset all phones."""
    nodes: list[dict[str, Any]] = [
        NODE,
        {"name": "B", "address": "10.0.0.2", "role": "Subscriber"},
        {"name": "T", "address": "10.0.0.3", "role": "Subscriber", "callmanager": False},
    ]
    found = facts(SAME)
    found["preflight_cluster"] |= {
        "version": "14.0.1.11900-132", "nodes": nodes, "security_mode": "mixed",
        "phone_security": {"Encrypted": 11, "Authenticated": 1, "Non Secure": 30},
        "options": {"ecdsa": "sign", "policy": "update", "window": "01:00-04:00", "drain": 30},
    }  # fmt: skip
    found["callmanager_certificate_ctl_file"] = {"changed": True}
    rows: list[dict[str, Any]] = [{"item": node, "restarted": [SERVICES[0]], "pending": []} for node in nodes[:2]]
    found["callmanager_certificate_restarts"] = {"results": rows}
    found["callmanager_certificate_followed"] = {
        "results": [
            {"item": node, "restarted": [name], "pending": []} for name in (*SERVICES[1:], "Cisco HAProxy")
            for node in nodes[: 3 if name in SERVICES[2:] else 2]
        ]
    }  # fmt: skip
    plan = change_plan({"a": found})
    steps = plan["clusters"][0]["steps"]
    assert [(step["kind"], step["title"].partition(",")[0][:16], step["where"]) for step in steps] == [
        ("manual", "Check that all p", "RTMT"),
        ("certificate", "New CallManager ", "A"),
        ("certificate", "Put CN=Our CA in", "A"),
        ("ctl", "Update the CTL f", "A"),
        ("manual", "Reset 12 phones ", "Cisco Unified CM Administration"),
        ("restart", "Restart Cisco Ca", "A"),
        ("restart", "Restart Cisco Ca", "B"),
        ("restart", "Restart Cisco CT", "A, then B"),
        ("restart", "Restart Cisco Tr", "A, then B, then T"),
        ("restart", "Restart Cisco Tf", "A, then B, then T"),
        ("restart", "Restart Cisco HA", "A, then B"),
        ("manual", "Reset all phones", "Cisco Unified CM Administration"),
    ]
    assert plan["restarts"] == 2
    assert "ITLRecovery" in steps[-1]["effect"] and "TVS" not in steps[0]["effect"]
    assert "register with another node" in steps[5]["effect"] and "30 minutes" in steps[5]["effect"]
    assert "01:00-04:00" in steps[5]["effect"] and "Calls go on" in steps[7]["effect"]
    assert "CallManager group" in steps[6]["effect"] and "has no other node" not in steps[6]["effect"]
    # Outside the window the same steps are listed, in the same order.
    found["callmanager_certificate_restarts"] = {
        "results": [{"item": node, "restarted": [], "pending": [SERVICES[0]]} for node in nodes[:2]]
    }
    found["callmanager_certificate_followed"] = {
        "results": [{"item": nodes[2], "restarted": [], "pending": [name]} for name in SERVICES[2:]]
    }
    found["callmanager_certificate_following"] = {
        "waiting": [{"item": node, "pending": [*SERVICES[1:], "Cisco HAProxy"]} for node in nodes[:2]]
    }
    waiting = change_plan({"a": found})["clusters"][0]["steps"]
    assert [step["title"] for step in waiting] == [step["title"] for step in steps]
    rows[1]["item"] = {**nodes[1], "only_in": ["Branch"]}
    found["callmanager_certificate_restarts"] = {"results": rows}
    alone = change_plan({"a": found})["clusters"][0]["steps"][6]["effect"]
    assert "The CallManager group Branch has no other node: its phones are out of service" in alone
    found["preflight_cluster"]["options"] |= {"policy": "done"}
    by_hand = change_plan({"a": found})["clusters"][0]["steps"][3]
    assert by_hand["kind"] == "manual" and "utils ctl update CTLFile" in by_hand["title"]


def test_who_would_be_shown_a_certificate_that_is_left_as_shipped() -> None:
    found = facts(SAME, needed=False)
    found["preflight_cluster"] |= {
        "options": {"ecdsa": "leave"}, "ec_certificates": {"A": {"self_signed": True}}, "peers": ["old", "new"],
        "external": [{"name": "sbc", "addresses": ["h"]}],
    }  # fmt: skip
    hosts = {"a": found, **{name: {"preflight_cluster": {"version": version, "nodes": [], "warnings": []}}
                            for name, version in (("old", "10.5.2"), ("new", "12.5.1"))}}  # fmt: skip
    (kept,) = [text for text in change_plan(hosts)["clusters"][0]["same"] if "ECDSA" in text]
    assert kept.startswith("CallManager-ECDSA certificate of A: self-signed as shipped") and "new, sbc would" in kept


def test_of_an_old_object_what_changes_and_of_a_new_one_what_is_asked_for() -> None:
    changed = change_plan({"a": facts(OLD, needed=False)})["clusters"][0]["steps"]
    assert changed[0]["changes"] == [
        {"option": "location", "before": "Here", "after": "Hub_None"},
        {"option": "destinations", "before": "a:5060", "after": "b:5061"},
    ]
    made = change_plan({"a": facts(NEW, needed=False)})["clusters"][0]["steps"]
    assert made[0]["changes"] == [{"option": "location", "before": "", "after": "Hub_None"}]


def test_nothing_is_nothing_and_what_is_kept_is_named() -> None:
    plan = change_plan({"a": facts(SAME, needed=False)})
    assert (plan["changes"], plan["restarts"], plan["resets"], plan["unknown"]) == (0, 0, 0, [])
    assert plan["clusters"][0]["steps"] == []
    assert plan["clusters"][0]["same"] == [
        "CallManager certificate of A: signed by CN=A, valid to 2030-01-01T00:00:00Z", "SIP trunk T",
    ]  # fmt: skip


def test_a_ca_that_is_yet_to_be_made_has_no_name() -> None:
    given = facts(SAME)
    given["callmanager_certificate_signed"][0]["ca_created"] = True
    steps = change_plan({"a": given})["clusters"][0]["steps"]
    assert steps[1]["changes"][0]["after"] == "the new local CA"
    assert steps[2]["title"] == "Put the new local CA into CallManager-trust"


def test_what_could_not_be_found_out_is_not_called_nothing() -> None:
    silent = {"preflight_cluster": {"unreachable": "Asking b failed: no connection.", "nodes": [], "warnings": []}}
    plan = change_plan({"a": facts(SAME, needed=False), "b": silent, "c": {}})
    assert plan["unknown"] == ["b", "c"]
    assert plan["clusters"][1]["why"].endswith("no connection.") and plan["clusters"][2]["why"]
    failed = change_plan({"a": facts(NEW), "b": {**silent, "plan_failure": "Asking b failed: HTTP 500."}})
    assert failed["clusters"][0]["steps"] and failed["unknown"] == ["b"]
    lost = change_plan({"b": {**facts(NEW), "plan_failure": "Asking b failed: HTTP 500."}})["clusters"][0]
    assert not lost["steps"], "a part of the steps would look like all of them"
    assert lost["why"] == "What a run would do could not be found out: Asking b failed: HTTP 500."
    page = written("plan.html", {"b": silent})
    assert "No change." not in page and "no connection." in page


def test_problems_forbid_the_plan() -> None:
    plan = change_plan({"a": facts(NEW)}, problems=["a: in the way"])
    assert plan["problems"] == ["a: in the way"] and plan["changes"] == 0
    for name in ("plan.html", "plan.md"):
        assert "Not to be approved: 1 problem found" in written(name, {"a": facts(NEW)}, ["a: in the way"])


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, ""), ([], ""), (True, "yes"), (5061, "5061"), (["a", "b"], "a, b"),
        ([{"address": "h", "port": 5061, "order": 1}], "h:5061"), ([{"device": "T", "order": 1}], "T"),
        ({"device": "T", "port": 0}, "device T, port 0"),
    ],
)  # fmt: skip
def test_values_are_shown_as_people_read_them(value: Any, text: str) -> None:
    assert text_of(value) == text


def written(name: str, hosts: dict[str, Any], problems: list[str] | None = None, head: Any = None) -> str:
    """A document as ansible.builtin.template writes it."""
    loader = jinja2.FileSystemLoader(TEMPLATES)
    environment = jinja2.Environment(loader=loader, trim_blocks=True, keep_trailing_newline=True)
    environment.filters["siptls.cucm.sip_tls_plan"] = change_plan
    template = environment.get_template(f"{name}.j2")
    return template.render(plan_facts=hosts, plan_problems=problems or [], plan_head=head or HEAD)


class Page(HTMLParser):
    """The elements and the text of a page; VOID elements need no end."""

    VOID = {"meta", "br"}

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.tags: set[str] = set()
        self.text = ""
        self.feed(text)
        assert not self.open, f"not closed: {self.open}"

    def handle_starttag(self, tag: str, _attrs: Any) -> None:
        self.tags.add(tag)
        self.open += [] if tag in self.VOID else [tag]

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.text += data


def hostile() -> dict[str, Any]:
    """Names of objects, nodes, clusters, peers and reasons that would be markup."""
    given = facts(one(HOSTILE, True, {"location": HOSTILE}, {"location": "x" + HOSTILE}))
    given["preflight_cluster"] |= {
        "warnings": [HOSTILE], "version": HOSTILE, "nodes": [{"name": HOSTILE, "address": HOSTILE}],
        "external": [{"name": HOSTILE, "addresses": [HOSTILE], "names": [HOSTILE], "patterns": [HOSTILE]}],
    }  # fmt: skip
    given["callmanager_certificate_csrs"]["results"][0]["reason"] = HOSTILE
    return {HOSTILE: given}


def test_hostile_names_stay_text_on_the_page() -> None:
    head = {"title": HOSTILE, "rows": [{"name": HOSTILE, "value": HOSTILE}]}
    page = Page(written("plan.html", hostile(), head=head))
    assert "script" not in page.tags and "a" not in page.tags
    assert page.text.count("<script>alert(1)</script>|`x`[y](javascript:z) *b* # h") > 8


def test_hostile_names_stay_text_in_markdown() -> None:
    text = written("plan.md", hostile(), head={"title": HOSTILE, "rows": []})
    assert "<script" not in text
    assert not re.search(r"(?<!\\)`x|(?<!\\)\[y|(?<!\\)\*b", text)
    rows = [line for line in text.splitlines() if line.lstrip().startswith("|")]
    assert rows and all(len(re.findall(r"(?<!\\)\|", row)) == 4 for row in rows)


def test_the_page_of_a_whole_plan_is_sound_html() -> None:
    page = Page(written("plan.html", {"a": facts(OLD, reset=("T",)), "b": facts(SAME, needed=False)}))
    assert {"ol", "table", "section"} <= page.tags and "No change." in page.text
