# Copyright: siptls.cucm contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A rehearsal on twins: the inventory for it, and what it showed. Pure; private to siptls.cucm."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

#: variables of this collection, which a rehearsal takes over from the inventory
_OURS = re.compile(r"(?:cucm|sip_tls|callmanager_certificate|preflight)_\w+\Z")
#: of those, what leads to the real systems, holds a secret, or is what earlier tasks of this run have found
_LEFT = re.compile(
    r"cucm_(?:host|port|username|password|os_\w+|ssh_\w+|ca_path|tls_fingerprint|validate_\w+|legacy_crypto|interface|"
    r"node_addresses|external_peers|application_connection|platform_connection|python_interpreter)\Z|"
    r"sip_tls_ca\Z|\w*(?:password|passphrase|token|secret)|callmanager_certificate_sign_tasks\Z|\w+_path\Z"
)
IN_SERVICE = "Registered"
_FATAL = re.compile(r"^fatal: \[[^\]\n]*\]: FAILED! => (\{.*\})$", re.MULTILINE)


def rehearsal_inventory(
    hosts: Mapping[str, Mapping[str, Any]],
    twins: Mapping[str, Mapping[str, Any]],
    stand_ins: Sequence[Mapping[str, Any]],
) -> dict[str, Any]:
    """An inventory of the twins with the variables of the originals that are about what is to be made.

    hosts are the variables of the clusters by name, twins those of the lab's inventory, stand_ins the lab's list of CAs
    with the `certificate`, the path of the `key` and the `clusters` that have certificates of each.
    """
    found = {}
    for name, connection in twins.items():
        given = hosts[name]
        own = {key: given[key] for key in sorted(given) if _OURS.match(key) and not _LEFT.match(key)}
        found[name] = {**own, **connection, **_authority(name, stand_ins)}
    return {"cucm_clusters": {"hosts": found}}


def _authority(cluster: str, stand_ins: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """The stand-in of the CA that signed the certificates of a cluster, or of another one; else a new CA."""
    own = next((one for one in stand_ins if cluster in one["clusters"]), stand_ins[0] if stand_ins else None)
    if own is None:
        return {}
    return {"sip_tls_ca": {"provider": "local", "ca_certificate": own["certificate"], "ca_key_path": own["key"]}}


def rehearsal_findings(seen: Mapping[str, Any]) -> dict[str, Any]:
    """What a rehearsal showed: `problems` in sentences, the calls of each pair, and a summary.

    seen holds `code`, `output` and `seconds` of the run, the calls `before`, `during` and `after` it, each with a
    `summary`, and the lab's `status_before` and `status_after`.
    """
    pairs = list(_pairs(seen))
    problems = [*_run(seen), *_calls(pairs), *_lost(seen, "phone"), *_lost(seen, "trunk")]
    answered = sum(pair["after"]["answered"] for pair in pairs)
    total = sum(pair["after"]["calls"] for pair in pairs)
    missed = sum(pair["during"]["calls"] - pair["during"]["answered"] for pair in pairs)
    summary = (
        f"The run on the twins took {seen['seconds']} seconds. Afterwards {answered} of {total} calls between the "
        f"clusters are answered; {missed} calls failed while it ran."
    )
    return {"problems": problems, "pairs": pairs, "summary": summary}


def _pairs(seen: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    nothing = {"calls": 0, "answered": 0, "with_srtp": 0, "reason": ""}
    rounds = {
        when: {(row["from"], row["to"]): row for row in seen[when]["summary"]} for when in ("before", "during", "after")
    }
    for pair in rounds["after"]:
        yield {"from": pair[0], "to": pair[1], **{when: rows.get(pair, nothing) for when, rows in rounds.items()}}


def _run(seen: Mapping[str, Any]) -> Iterator[str]:
    """That the run ended with an error, with the sentences of its failures."""
    if seen["code"]:
        said = list(dict.fromkeys(_failures(str(seen.get("output", "")))))
        yield "The playbook ended with an error on the twins: " + (" ".join(said) or "run.log shows it.")


def _failures(output: str) -> Iterator[str]:
    """The sentences of failed tasks, from the lines of Ansible's default output."""
    for line in _FATAL.findall(output):
        try:
            said = json.loads(line).get("msg")
        except ValueError:
            continue
        if isinstance(said, str):
            yield said.strip()


def _calls(pairs: Iterable[Mapping[str, Any]]) -> Iterator[str]:
    for pair in pairs:
        if pair["after"]["answered"] == pair["after"]["calls"]:
            continue
        before = "were answered before and fail" if pair["before"]["answered"] else "fail as before"
        yield f"Calls from {pair['from']} to {pair['to']} {before} after the run: {pair['after']['reason']}"


def _lost(seen: Mapping[str, Any], what: str) -> Iterator[str]:
    """Phones that are not registered any more, trunks that are not in service any more."""
    working = _phones if what == "phone" else _trunks
    for cluster, gone in _gone(working(seen["status_before"]), working(seen["status_after"])):
        state = "registered" if what == "phone" else "in service"
        yield f"{cluster}: {what} {gone} was {state} before and is not after the run."


def _gone(before: Mapping[str, set[str]], after: Mapping[str, set[str]]) -> Iterator[tuple[str, str]]:
    for cluster, names in before.items():
        for name in sorted(names - after.get(cluster, set())):
            yield cluster, name


def _phones(status: Mapping[str, Any]) -> dict[str, set[str]]:
    return {
        cluster["name"]: {str(phone["phone"]) for phone in cluster["registrations"] if phone["node"]}
        for cluster in status["clusters"]
    }


def _trunks(status: Mapping[str, Any]) -> dict[str, set[str]]:
    return {
        cluster["name"]: {f"{one['name']} on {one['node']}" for one in cluster["trunks"] if one["status"] == IN_SERVICE}
        for cluster in status["clusters"]
    }
