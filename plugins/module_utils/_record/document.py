# Copyright: siptls.cucm contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The record of a cluster: one document that a person can review and a lab can make a twin of. Pure.

A record has no secret, no private key and no name of a user. Certificates are in it by what they say, not as bytes: a
twin has to make new keys anyway. Numbers of certificates follow their dates, so that two records of equal clusters are
equal, whatever the names in them.
Private to siptls.cucm: no other collection may rely on it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from ansible_collections.siptls.cucm.plugins.module_utils._record import peers as foreign
from ansible_collections.siptls.cucm.plugins.module_utils._x509.certificate import Certificate, time_text
from ansible_collections.siptls.cucm.plugins.module_utils._x509.chain import issuer_of

FORMAT = "siptls.cucm record"
VERSION = 1


def cluster_record(
    name: str,
    configuration: Mapping[str, Any],
    certificates: Iterable[Mapping[str, Any]],
    *,
    trunks: Iterable[Mapping[str, Any]] = (),
    local_patterns: Iterable[Any] = (),
    peers: Iterable[Mapping[str, Any]] = (),
) -> dict[str, Any]:
    """The record of one cluster.

    configuration is the result of cucm_configuration_info; certificates are the results of cucm_certificate_info, one
    per node, each with the node as `item`; trunks are those of cucm_sip_trunk_info; peers are the results of
    sip_tls_probe, one per destination outside of the clusters, each with what `foreign_peers` returned as `item`.
    """
    results, probes = list(certificates), list(peers)
    readable = _readable(results) | {certificate.sha256: certificate for certificate in foreign.certificates_of(probes)}
    return numbered(
        {
            "format": FORMAT,
            "version": VERSION,
            "redacted": False,
            "cluster": {
                "name": name,
                "release": configuration["version"],
                "security_mode": configuration["security_mode"],
                "parameters": configuration["parameters"],
                "local_patterns": [_pattern(local_pattern) for local_pattern in local_patterns],
            },
            "nodes": [_node(node, configuration, results) for node in configuration["nodes"]],
            "certificates": _described(readable),
            "stores": {str(result["item"]["name"]): _store(result) for result in results},
            "lines": configuration["lines"],
            "objects": configuration["objects"],
            "trunks": [
                {"name": trunk["name"], "node": trunk.get("node"), "in_service": trunk.get("in_service")}
                for trunk in trunks
            ],
            "peers": [foreign.peer_entry(probe) for probe in probes],
            "not_recorded": [*configuration["not_read"], *_unreadable(results), *foreign.peer_problems(probes)],
        }
    )


def _pattern(pattern: Any) -> str:
    return str(pattern["pattern"]) if isinstance(pattern, Mapping) else str(pattern)


def _node(
    node: Mapping[str, Any], configuration: Mapping[str, Any], results: Sequence[Mapping[str, Any]]
) -> dict[str, Any]:
    own: Mapping[str, Any] = next((result for result in results if result["item"]["name"] == node["name"]), {})
    offset = (own.get("clock") or {}).get("offset")
    return {
        "name": node["name"],
        "role": node["role"],
        "address": node["address"],
        # The seconds of a reading differ from run to run.
        "clock_offset_minutes": None if offset is None else round(offset / 60),
        "services": configuration["services"].get(node["name"], {}),
    }


def _readable(results: Iterable[Mapping[str, Any]]) -> dict[str, Certificate]:
    """Every certificate of the nodes once, by its fingerprint."""
    views = (view for result in results for view in result.get("certificates") or ())
    found = (Certificate.from_view(view) for view in views)
    return {certificate.sha256: certificate for certificate in found if certificate is not None}


def _unreadable(results: Iterable[Mapping[str, Any]]) -> list[str]:
    sentences = [
        f"certificates of {result['item']['name']}: {result.get('msg', 'they could not be read')}"
        for result in results
        if not result.get("certificates")
    ]
    return sentences + [
        f"{view['purpose']}/{view['name']} of {result['item']['name']}: {view.get('problem') or 'it cannot be read'}"
        for result in results
        for view in result.get("certificates") or ()
        if Certificate.from_view(view) is None
    ]


def _store(result: Mapping[str, Any]) -> dict[str, list[str]]:
    """The fingerprints in each store of a node."""
    found: dict[str, list[str]] = {}
    for view in result.get("certificates") or ():
        if view.get("sha256"):
            found.setdefault(view["purpose"], []).append(view["sha256"])
    return found


def _described(certificates: Mapping[str, Certificate]) -> dict[str, dict[str, Any]]:
    known = list(certificates.values())
    return {sha256: _described_one(certificate, known) for sha256, certificate in certificates.items()}


def _described_one(certificate: Certificate, known: Iterable[Certificate]) -> dict[str, Any]:
    issuer = issuer_of(certificate, known)
    extensions = certificate.extensions
    return {
        "subject": certificate.subject.parts,
        "issuer": certificate.issuer.parts,
        "issued_by": issuer.sha256 if issuer is not None else None,
        "serial": certificate.serial_text,
        "not_before": time_text(certificate.not_before),
        "not_after": time_text(certificate.not_after),
        "key": f"{certificate.key.kind} {certificate.key.bits}",
        "signature": certificate.signature.algorithm,
        "sans": list(certificate.sans),
        "ca": extensions.ca,
        "path_length": extensions.path_length,
        "key_usage": None if extensions.key_usage is None else list(extensions.key_usage),
        "eku": None if extensions.eku is None else list(extensions.eku),
    }


def numbered(record: dict[str, Any]) -> dict[str, Any]:
    """The record with its certificates in order and numbered from 1, in place of what identified them before."""
    described: Mapping[str, Mapping[str, Any]] = record["certificates"]
    order = sorted(described, key=lambda key: _rank(described[key]))
    number = {key: place for place, key in enumerate(order, 1)}
    certificates = {
        number[key]: {**described[key], "issued_by": number.get(described[key]["issued_by"])} for key in order
    }
    stores = {
        node: {purpose: sorted(number[key] for key in keys) for purpose, keys in sorted(stores.items())}
        for node, stores in record["stores"].items()
    }
    peers = [
        {**peer, **{which: [number[key] for key in peer[which]] for which in ("chain", "expected_chain")}}
        for peer in record["peers"]
    ]
    return {**record, "certificates": certificates, "stores": stores, "peers": peers}


def _rank(certificate: Mapping[str, Any]) -> tuple[str, ...]:
    """By what stays when names are replaced, then by the names."""
    fixed = (
        certificate["not_before"],
        certificate["not_after"],
        certificate["key"],
        certificate["signature"],
        str(certificate["ca"]),
    )
    return (*fixed, "\n".join(certificate["subject"]), "\n".join(certificate["issuer"]))
