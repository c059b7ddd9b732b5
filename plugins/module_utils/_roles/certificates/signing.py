# Copyright: siptls.cucm contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whether the CA can sign for a cluster, and whether the trust stores take its chain: found out before any CSR is made.

The task that will sign is run in check mode on a request as the node would make it, and the chain is checked by the
function that plans uploads to a trust store. Private to siptls.cucm.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ansible.module_utils.common.arg_spec import ArgumentSpecValidator, ValidationResult
from ansible_collections.siptls.cucm.plugins.module_utils._module import DOWN, Face, Failure, perform
from ansible_collections.siptls.cucm.plugins.module_utils._net.clock import NodeClock
from ansible_collections.siptls.cucm.plugins.module_utils._node.checks import trust_plan
from ansible_collections.siptls.cucm.plugins.module_utils._node.standin import stand_in_csr
from ansible_collections.siptls.cucm.plugins.module_utils._node.store import CsrOptions, Entry
from ansible_collections.siptls.cucm.plugins.module_utils._releases import features
from ansible_collections.siptls.cucm.plugins.module_utils._roles.certificates.owners import requester
from ansible_collections.siptls.cucm.plugins.module_utils._roles.model import Cluster
from ansible_collections.siptls.cucm.plugins.module_utils._roles.preflight.sentences import in_inventory_words
from ansible_collections.siptls.cucm.plugins.module_utils._x509.certificate import Certificate
from ansible_collections.siptls.cucm.plugins.module_utils._x509.keys import EC
from ansible_collections.siptls.cucm.plugins.module_utils._x509.purposes import TRUNK
from ansible_collections.siptls.cucm.plugins.module_utils._x509.reading import read_certificate


@dataclass
class _CheckMode:
    """A task in check mode."""

    params: dict[str, Any]
    check_mode: bool = True
    tmpdir: str = ""


def add_signing(
    cluster: Cluster,
    face: Face,
    given: Mapping[str, Any],
    *,
    csrs: Iterable[Mapping[str, Any]] = (),
    variables: Mapping[str, Mapping[str, Any]] | None = None,
    hosts: Sequence[str] = (),
) -> None:
    """Add `signing_chain`, the CAs that will sign, and the problems of signing to a cluster.

    face is that of ca_sign, given are its options as the role will pass them, with those of the CA as `ca`. The chain
    is empty for a CA that the run is going to make. csrs are the results of cucm_csr in check mode, with the node and
    the purpose as `item`; variables and hosts, as in owners.py, say whose the names of a pending CSR are.
    """
    options = {name: value for name, value in given.items() if value is not None}
    ca = {name: value for name, value in (options.get("ca") or {}).items() if name != "request_ids"}
    made = ca.get("local_ca_key_type", ca.get("ca_key_type", "RSA"))
    if ca.get("provider", "local") == "local" and not {"local_ca_key_size", "ca_key_size"} & set(ca):
        # The key of a CA that the run is going to make takes a second; one of another kind shows the same.
        ca.setdefault("local_ca_key_type", "EC")
    problems, result = _signed(face, {**options, "ca": ca, "csr": _request(cluster)})
    cluster.ca_rejected = result.get("reason") == "account"
    chain = list(result.get("signing_chain") or ())
    certificates = [read_certificate(pem) for pem in chain]
    problems += [f"The CA (sip_tls_ca) cannot be used: {text}." for text in _own_store_problems(certificates)]
    cluster.signing_chain = [] if result.get("ca_created") else chain
    cluster.mistakes += problems
    if not problems:
        # A CA that the run makes has the key that the options name.
        kinds = [made if result.get("ca_created") else certificate.key.kind for certificate in certificates]
        cluster.warnings += list(_unproven_keys(cluster, certificates, kinds))
        refused = _refused(cluster, certificates)
        cluster.problems += [f"{cluster.name}{where}: {text}." for where, text in refused]
        for csr in csrs:
            node = str(csr["item"]["name"])
            owners = requester(cluster, node, variables=variables, hosts=hosts)
            wrong = _pending(face, {**options, "ca": ca, "requester": owners}, csr)
            cluster.problems += [f"{cluster.name}, node {node}: {text}" for text in wrong]


def _pending(face: Face, options: Mapping[str, Any], result: Mapping[str, Any]) -> Iterator[str]:
    """Why no CSR can be made for a node, or why the CA would refuse the one that is pending there."""
    if "needed" not in result:
        if result.get("msg") and result.get("reason") not in DOWN:
            yield in_inventory_words(str(result["msg"]))
    elif result["csr"] and not result["predicted"]:
        validated = _validation(face, {**options, "csr": result["csr"]})
        answer, _warnings = perform(face, _CheckMode(validated.validated_parameters))
        if answer.get("failed"):
            yield (
                f"the CSR for {result['item']['purpose']} that is pending there cannot be signed: {answer['msg']} To "
                "have a new one generated, set callmanager_certificate_regenerate to always for one run."
            )


def _request(cluster: Cluster) -> str:
    """A request as the first node would make it."""
    installed = next((view for view in cluster.certificates.values() if view), None)
    return stand_in_csr(CsrOptions(TRUNK.name, key_type="ec"), Certificate.from_view(installed))


def _signed(face: Face, options: Mapping[str, Any]) -> tuple[list[str], dict[str, Any]]:
    """Problems of the options or of the CA, and the task's result."""
    validated = _validation(face, options)
    if validated.error_messages:
        return [f"sip_tls_ca: {str(text).rstrip('.')}." for text in validated.error_messages], {}
    result, _warnings = perform(face, _CheckMode(validated.validated_parameters))
    return ([f"The CA (sip_tls_ca) cannot sign: {result['msg']}"] if result.get("failed") else []), result


def _validation(face: Face, options: Mapping[str, Any]) -> ValidationResult:
    spec = face.spec.module_arguments()
    names = ("mutually_exclusive", "required_together", "required_one_of", "required_if", "required_by")
    return ArgumentSpecValidator(spec["argument_spec"], **{name: spec[name] for name in names}).validate(options)


def _own_store_problems(chain: Sequence[Certificate]) -> list[str]:
    """Problems that a chain has in an empty trust store: keys, dates, two CAs of one name."""
    return list(trust_plan(TRUNK.trust, chain, (), NodeClock()).problems)


def _unproven_keys(cluster: Cluster, chain: Sequence[Certificate], kinds: Sequence[str]) -> Iterator[str]:
    """CAs of which nothing shows that an old release accepts their key, which is of the kind given."""
    if cluster.version and not features(cluster.version).ecdsa:
        for certificate in (ca for ca, kind in zip(chain, kinds, strict=True) if kind == EC):
            yield (
                f"{cluster.name}: the key of the CA {certificate.subject.text} is EC, and it is not known whether CUCM "
                f"{cluster.version} accepts one; ECDSA came with release 11.0. Use a CA with an RSA key, or try it on "
                "a test cluster first."
            )


def _refused(cluster: Cluster, chain: Sequence[Certificate]) -> Iterator[tuple[str, str]]:
    """Which node's trust store would refuse a chain, and why."""
    for node, views in cluster.trust.items():
        stored = [Entry(TRUNK.trust, str(view.get("name") or ""), view.get("pem")) for view in views]
        for text in trust_plan(TRUNK.trust, chain, stored, NodeClock()).problems:
            yield f", node {node}", text


def trust_problems(clusters: Iterable[Cluster]) -> Iterator[str]:
    """Problems of each cluster's trust store with the CAs of its peers, which the run will put into it."""
    known = {peer.name: peer for peer in clusters if peer.nodes}
    for cluster in known.values():
        chains = {peer: _chain(known[peer]) for peer in cluster.peers or () if peer in known}
        chains |= {peer.name: list(peer.chain) for peer in cluster.external}
        for peer, chain in chains.items():
            refused = _refused(cluster, _certificates(chain))
            yield from (f"{cluster.name}{where}: the CA of {peer}: {text}." for where, text in refused)


def _chain(cluster: Cluster) -> list[str]:
    """The CAs above the certificates that a cluster will have: those that will sign, and those of what is kept."""
    kept = [pem for nodes in cluster.chains.values() for chain in nodes.values() for pem in chain]
    return list(dict.fromkeys([*cluster.signing_chain, *([] if cluster.due else kept)]))


def _certificates(pems: Iterable[str]) -> list[Certificate]:
    found = []
    for pem in pems:
        try:
            found.append(read_certificate(pem))
        except Failure:
            continue  # reported where it was read
    return found
