# Copyright: siptls.cucm contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What stands in the way of SIP TLS, judged before anything is changed. Pure; private to siptls.cucm."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from ansible_collections.siptls.cucm.plugins.module_utils._composition.names import common_name
from ansible_collections.siptls.cucm.plugins.module_utils._composition.peers import peer_problems

#: what HTTPS says when nothing answered at all (SSH says reason: connection); any other failure waits for a person
_SILENT = re.compile(r"no connection |no answer within ")
#: what the roles need of a trust certificate; facts are printed at -v
_TRUST_KEYS = ("purpose", "name", "subject", "issuer", "sha256", "days_left", "self_signed", "pem")
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
        "certificates": {}, "trust": {},
        "patterns": [str(one) for one in patterns], "problems": [], "warnings": [], "unreachable": "",
    }  # fmt: skip
    if not info.get("nodes"):
        _failed(facts, info, f"{name}: the publisher told of no nodes.")
        return facts
    for result in certificates:
        node = result["item"]
        name = node["name"]
        address = (addresses or {}).get(name) or node.get("address") or name
        facts["nodes"].append({"name": name, "address": address, "role": node.get("role")})
        facts["certificates"][name], facts["trust"][name] = None, []
        if "certificates" not in result:
            _failed(facts, result, f"{facts['name']}: the certificates of {name} could not be read.")
            continue
        for one in result["certificates"]:
            if one["purpose"] == "CallManager":
                facts["certificates"][name] = one
            elif one["purpose"] == "CallManager-trust":
                facts["trust"][name].append({key: one.get(key) for key in _TRUST_KEYS})
        _judge_names(facts, name)
        _judge_dates(facts, name, warn_days)
    return facts


def _failed(facts: dict[str, Any], result: Mapping[str, Any], otherwise: str) -> None:
    text = str(result.get("msg") or otherwise)
    if result.get("reason") == "connection" or _SILENT.search(text):
        facts["unreachable"] = facts["unreachable"] or text
    else:
        facts["problems"].append(text)


def _judge_names(facts: dict[str, Any], name: str) -> None:
    """The certificate is bound to the host name; it has to be right before anything is signed."""
    where, certificate = f"{facts['name']}, node {name}", facts["certificates"][name]
    if name.lower() in _DEFAULT_NAMES or not _HOSTNAME.match(name):
        facts["problems"].append(
            f"{where}: {name} is no host name that a certificate should be bound to. Set it with `set network "
            "hostname` first; that makes all certificates of the node anew."
        )
        return
    if certificate is None:
        facts["warnings"].append(f"{where}: it holds no CallManager certificate yet.")
        return
    common = common_name(certificate).lower()
    short = name.lower().split(".")[0]
    address = re.fullmatch(r"[0-9.]+|[0-9a-f:]+", name)
    if common and not address and common.split(".")[0] not in (short, f"{short}-ms"):
        facts["problems"].append(
            f"{where}: the CallManager certificate is made for {common_name(certificate)}, but the node is "
            f"called {name}. Certificates are bound to names: correct the host name, or regenerate the "
            "certificate, first."
        )


def _judge_dates(facts: dict[str, Any], name: str, warn_days: int) -> None:
    for one in [facts["certificates"][name], *facts["trust"][name]]:
        if one and one.get("days_left") is not None and one["days_left"] < warn_days:
            what = f"{one['purpose']} certificate {common_name(one) or one.get('name')}"
            when = "has expired" if one["days_left"] < 0 else f"expires in {one['days_left']} days"
            facts["warnings"].append(f"{facts['name']}, node {name}: the {what} {when}.")


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
        for certificate in cluster["certificates"].values():
            common = common_name(certificate or {}).lower()
            other = names.setdefault(common, cluster["name"]) if common else cluster["name"]
            if other != cluster["name"]:
                found.append(
                    f"{other} and {cluster['name']} both have a node whose certificate is made for {common}; a peer "
                    "can't tell them apart. Give one of them another host name."
                )
    return list(dict.fromkeys(found + peer_problems(clusters)))
