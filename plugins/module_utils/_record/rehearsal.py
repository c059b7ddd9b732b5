# Copyright: siptls.cucm contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A rehearsal on twins: the inventory for it, and what it showed. Private to siptls.cucm.

Pure but for the certificate of a local CA, which is read from the folder that the inventory names.
"""

from __future__ import annotations

import json
import re
from collections.abc import Container, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from ansible_collections.siptls.cucm.plugins.module_utils._module import Failure
from ansible_collections.siptls.cucm.plugins.module_utils._record.ready import what_to_have_ready
from ansible_collections.siptls.cucm.plugins.module_utils._x509.certificate import Certificate
from ansible_collections.siptls.cucm.plugins.module_utils._x509.reading import read_certificate

#: variables of this collection, which a rehearsal takes over from the inventory
_OURS = re.compile(r"(?:cucm|sip_tls|callmanager_certificate|preflight)_\w+\Z")
#: of those, what leads to the real systems, holds a secret, or is what earlier tasks of this run have found
_LEFT = re.compile(
    r"cucm_(?:host|port|username|password|os_\w+|ssh_\w+|ca_path|tls_fingerprint|validate_\w+|legacy_crypto|interface|"
    r"node_addresses|external_peers|application_connection|platform_connection|python_interpreter)\Z|"
    r"sip_tls_ca\Z|\w*(?:password|passphrase|token|secret)|callmanager_certificate_sign_tasks\Z|\w+_path\Z"
)
#: keys of an external peer that name its CAs
_CHAINS = frozenset({"ca_chain", "ca", "chain", "ca_path", "ca_file", "ca_certificate"})
_TLS_PORT = 5061
IN_SERVICE = "Registered"
_FATAL = re.compile(r"^fatal: \[[^\]\n]*\]: FAILED! => (\{.*\})$", re.MULTILINE)


def rehearsal_inventory(
    hosts: Mapping[str, Mapping[str, Any]],
    twins: Mapping[str, Mapping[str, Any]],
    stand_ins: Sequence[Mapping[str, Any]],
    peers: Sequence[Mapping[str, Any]] = (),
) -> dict[str, Any]:
    """An inventory of the twins with the variables of the originals that are about what is to be made.

    hosts are the variables of the clusters by name, twins those of the lab's inventory. stand_ins is the lab's list of
    CAs with the `certificate`, the path of the `key` and the `clusters` that have certificates of each; peers is its
    list of foreign peers, each with the `peer`, its `port`, and the `address` and `chain` of what stands in for it.
    """
    found = {}
    for name, connection in twins.items():
        given = hosts[name]
        own = {key: given[key] for key in sorted(given) if _OURS.match(key) and not _LEFT.match(key)}
        found[name] = {**own, **connection, **_authority(name, given, stand_ins)}
        external = list(_external(given.get("cucm_external_peers"), peers))
        if external:
            found[name]["cucm_external_peers"] = external
    return {"cucm_clusters": {"hosts": found}}


def _external(given: Any, peers: Sequence[Mapping[str, Any]]) -> Iterator[dict[str, Any]]:
    """The external peers of a cluster as their stand-ins are reached; those without a stand-in are left out."""
    places = {(stand_in["peer"], stand_in["port"]): stand_in for stand_in in peers}
    for peer in given if isinstance(given, list) else ():
        key, addresses = next(((key, peer[key]) for key in ("address", "addresses", "host") if key in peer), ("", []))
        names = [addresses] if isinstance(addresses, str) else list(addresses)
        port = int(peer.get("port", _TLS_PORT))
        found = [places.get((str(name).lower(), port)) for name in names]
        if not found or None in found:
            continue
        chain = dict.fromkeys(pem for stand_in in found if stand_in for pem in stand_in["chain"])
        kept = {name: value for name, value in peer.items() if name not in _CHAINS}
        yield {**kept, key: [stand_in["address"] for stand_in in found if stand_in], "ca_chain": list(chain)}


def _authority(cluster: str, given: Mapping[str, Any], stand_ins: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """The stand-in of the CA that is to sign; nothing where that CA is new to the clusters: the run then makes one.

    A CA that only its provider knows is taken for the one that signed the certificates of the cluster, or of another.
    """
    signing = _local_ca(given)
    if signing is None:
        return {}
    own = next((stand_in for stand_in in stand_ins if cluster in stand_in["clusters"]), None)
    if isinstance(signing, Certificate):
        own = next(
            (
                stand_in
                for stand_in in stand_ins
                if read_certificate(stand_in["certificate"]).subject == signing.subject
            ),
            None,
        )
    elif own is None:
        own = next((stand_in for stand_in in stand_ins if stand_in["clusters"]), None)
    if own is None:
        return {}
    return {"sip_tls_ca": {"provider": "local", "ca_certificate": own["certificate"], "ca_key_path": own["key"]}}


def _local_ca(given: Mapping[str, Any]) -> Certificate | str | None:
    """The certificate of a local CA, the name of another provider, or None for a local CA that is still to be made."""
    ca = given.get("sip_tls_ca") or {}
    if ca.get("provider", "local") != "local":
        return str(ca["provider"])
    pem = ca.get("local_ca_certificate") or ca.get("ca_certificate")
    folder = Path(ca.get("path") or Path(str(given.get("inventory_dir") or ".")) / "ca")
    try:
        return read_certificate(pem or (folder / "ca.pem").read_bytes())
    except (OSError, Failure):
        return None


def rehearsal_findings(seen: Mapping[str, Any]) -> dict[str, Any]:
    """What a rehearsal showed: `problems` in sentences, the calls of each pair, a summary, and what to have `ready`.

    seen holds `code`, `output` and `seconds` of the run, the calls `before`, `during` and `after` it, each with a
    `summary`, the lab's `status_before` and `status_after`, the `plan` as text, and the variables of the `hosts`.
    """
    pairs = list(_pairs(seen))
    clusters = {cluster["name"] for cluster in seen["status_before"]["clusters"]}
    problems = [*_run(seen), *_calls(pairs, clusters), *_lost(seen, "phone"), *_lost(seen, "trunk")]
    answered = sum(pair["after"]["answered"] for pair in pairs)
    total = sum(pair["after"]["calls"] for pair in pairs)
    missed = sum(pair["during"]["calls"] - pair["during"]["answered"] for pair in pairs)
    summary = (
        f"The run on the twins took {seen['seconds']} seconds. Afterwards {answered} of {total} calls are "
        f"answered; {missed} calls failed while it ran."
    )
    return {"problems": problems, "pairs": pairs, "summary": summary, "ready": what_to_have_ready(seen)}


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
        said = [
            failure if failure.endswith((".", "!", "?")) else f"{failure}."
            for failure in _failures(str(seen.get("output", "")))
        ]
        yield "The playbook ended with an error on the twins: " + (" ".join(dict.fromkeys(said)) or "run.log shows it.")


def _failures(output: str) -> Iterator[str]:
    """The sentences of failed tasks, from the lines of Ansible's default output."""
    for line in _FATAL.findall(output):
        try:
            said = json.loads(line).get("msg")
        except ValueError:
            continue
        # A task that shows a list fails with one.
        yield from (
            sentence.strip() for sentence in (said if isinstance(said, list) else [said]) if isinstance(sentence, str)
        )


def _calls(pairs: Iterable[Mapping[str, Any]], clusters: Container[str]) -> Iterator[str]:
    for pair in pairs:
        if pair["after"]["answered"] == pair["after"]["calls"]:
            continue
        if pair["to"] not in clusters and not pair["before"]["answered"]:
            # The number for a foreign peer is made up from a pattern, so it may lead nowhere.
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
        cluster["name"]: {
            f"{trunk['name']} on {trunk['node']}" for trunk in cluster["trunks"] if trunk["status"] == IN_SERVICE
        }
        for cluster in status["clusters"]
    }
