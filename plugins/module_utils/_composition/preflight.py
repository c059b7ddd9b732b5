# Copyright: siptls.cucm contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What stands in the way of SIP TLS, judged before anything is changed. Pure; private to siptls.cucm."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from ansible_collections.siptls.cucm.plugins.module_utils._composition.names import common_name

#: what HTTPS says when nothing answered at all (SSH says reason: connection); any other failure waits for a person
_SILENT = re.compile(r"no connection |no answer within ")
_HOSTNAME = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?(?:\.[A-Za-z0-9-]+)*\Z")
_DEFAULT_NAMES = {"localhost", "localhost.localdomain"}


def judge_cluster(
    name: str,
    info: Mapping[str, Any],
    certificates: Sequence[Mapping[str, Any]],
    *,
    addresses: Mapping[str, str] | None = None,
    patterns: Iterable[Any] = (),
    warn_days: int = 30,
) -> dict[str, Any]:
    """The facts of one cluster and what is wrong with it.

    info is the result of cucm_info; certificates are the results of cucm_certificate_info, one a node, each with the
    node as `item`. A failed result carries `msg` and none of its own keys.
    """
    facts: dict[str, Any] = {
        "name": name, "version": info.get("version"), "security_mode": info.get("security_mode"), "nodes": [],
        "patterns": [str(one) for one in patterns], "problems": [], "warnings": [], "unreachable": "",
    }  # fmt: skip
    if not info.get("nodes"):
        _failed(facts, info, f"{name}: the publisher told of no nodes.")
        return facts
    for result in certificates:
        node = result["item"]
        address = (addresses or {}).get(node["name"]) or node.get("address") or node["name"]
        entry = {"name": node["name"], "address": address, "role": node.get("role"), "certificate": None, "trust": []}
        facts["nodes"].append(entry)
        if "certificates" not in result:
            _failed(facts, result, f"{name}: the certificates of {node['name']} could not be read.")
            continue
        for one in result["certificates"]:
            if one["purpose"] == "CallManager":
                entry["certificate"] = one
            elif one["purpose"] == "CallManager-trust":
                entry["trust"].append(one)
        _judge_names(facts, entry)
        _judge_trust(facts, entry, warn_days)
    return facts


def _failed(facts: dict[str, Any], result: Mapping[str, Any], otherwise: str) -> None:
    text = str(result.get("msg") or otherwise)
    if result.get("reason") == "connection" or _SILENT.search(text):
        facts["unreachable"] = facts["unreachable"] or text
    else:
        facts["problems"].append(text)


def _judge_names(facts: dict[str, Any], node: Mapping[str, Any]) -> None:
    """The certificate is bound to the host name; it has to be right before anything is signed."""
    name, where = str(node["name"]), f"{facts['name']}, node {node['name']}"
    if name.lower() in _DEFAULT_NAMES or not _HOSTNAME.match(name):
        facts["problems"].append(
            f"{where}: {name} is no host name that a certificate should be bound to. Set it with `set network "
            "hostname` first; that makes all certificates of the node anew."
        )
        return
    if node["certificate"] is None:
        facts["warnings"].append(f"{where}: it holds no CallManager certificate yet.")
        return
    common = common_name(node["certificate"]).lower()
    short = name.lower().split(".")[0]
    address = re.fullmatch(r"[0-9.]+|[0-9a-f:]+", name)
    if common and not address and common.split(".")[0] not in (short, f"{short}-ms"):
        facts["problems"].append(
            f"{where}: the CallManager certificate is made for {common_name(node['certificate'])}, but the node is "
            f"called {name}. Certificates are bound to names: correct the host name, or regenerate the "
            "certificate, first."
        )


def _judge_trust(facts: dict[str, Any], node: Mapping[str, Any], warn_days: int) -> None:
    for one in [node["certificate"], *node["trust"]]:
        if one and one.get("days_left") is not None and one["days_left"] < warn_days:
            what = f"{one['purpose']} certificate {common_name(one) or one.get('name')}"
            when = "has expired" if one["days_left"] < 0 else f"expires in {one['days_left']} days"
            facts["warnings"].append(f"{facts['name']}, node {node['name']}: the {what} {when}.")


def problems(clusters: Sequence[Mapping[str, Any]], unreachable: str = "skip") -> list[str]:
    """Everything that is wrong over all clusters, those things included that only several of them show."""
    found = [text for cluster in clusters for text in cluster["problems"]]
    if unreachable == "stop":
        found += [cluster["unreachable"] for cluster in clusters if cluster["unreachable"]]
    owners: dict[str, str] = {}
    names: dict[str, str] = {}
    for cluster in clusters:
        for pattern in cluster["patterns"]:
            other = owners.setdefault(pattern, cluster["name"])
            if other != cluster["name"]:
                found.append(
                    f"{other} and {cluster['name']} both claim the number {pattern} (cucm_local_patterns); their peers "
                    "can route it to one of them only."
                )
        for node in cluster["nodes"]:
            common = common_name(node["certificate"] or {}).lower()
            other = names.setdefault(common, cluster["name"]) if common else cluster["name"]
            if other != cluster["name"]:
                found.append(
                    f"{other} and {cluster['name']} both have a node whose certificate is made for {common}; a peer "
                    "can't tell them apart. Give one of them another host name."
                )
    return found
