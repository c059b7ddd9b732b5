# Copyright: siptls.cucm contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What prevents SIP TLS on one cluster, checked before anything is changed. Pure; private to siptls.cucm."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from ansible_collections.siptls.cucm.plugins.module_utils._module import MASKS
from ansible_collections.siptls.cucm.plugins.module_utils._releases import newer_than_known, newest
from ansible_collections.siptls.cucm.plugins.module_utils._roles.certificates.phones import (
    ctl_problems,
    due,
    signer_warnings,
)
from ansible_collections.siptls.cucm.plugins.module_utils._roles.certificates.users import (
    certificate_users,
    users_sentence,
)
from ansible_collections.siptls.cucm.plugins.module_utils._roles.model import (
    Cluster,
    Plan,
    Settings,
    typed_settings,
    whole,
)
from ansible_collections.siptls.cucm.plugins.module_utils._roles.nodes import node_problems, placed
from ansible_collections.siptls.cucm.plugins.module_utils._roles.numbers import routes
from ansible_collections.siptls.cucm.plugins.module_utils._roles.preflight.authority import (
    check_issuers,
    check_named_authorities,
    keeps_any,
    subject_of,
)
from ansible_collections.siptls.cucm.plugins.module_utils._roles.preflight.node import check_clock, check_node
from ansible_collections.siptls.cucm.plugins.module_utils._roles.preflight.objects import (
    existing_objects,
    listed,
)
from ansible_collections.siptls.cucm.plugins.module_utils._roles.preflight.sentences import (
    report_failure,
)
from ansible_collections.siptls.cucm.plugins.module_utils._roles.trunk.peers import left_as_shipped
from ansible_collections.siptls.cucm.plugins.module_utils._roles.trunk.transit import unreached
from ansible_collections.siptls.cucm.plugins.module_utils._x509.purposes import TRUNK

#: roles of the application account: what writes, what only reads
_WRITE_ROLES = {"Standard AXL API Access", "Standard CCM Admin Users", "Standard CCM Super Users"}
_READ_ROLE = "Standard AXL Read Only API Access"


def check_cluster(
    name: str,
    info: Mapping[str, Any],
    certificates: Sequence[Mapping[str, Any]],
    *,
    addresses: Mapping[str, str] | None = None,
    patterns: Iterable[Any] = (),
    warn_days: Any = 30,
    inventory: Iterable[str] = (),
    asked: bool = True,
    left_out: Sequence[str] = (),
    options: Iterable[str] = (),
    authority: Mapping[str, Any] | None = None,
    planned: Mapping[str, Any] | None = None,
    backdating: Any = 10,
    ecdsa: str = "sign",
    ctl: Mapping[str, Any] | None = None,
) -> Cluster:
    """What is known of one cluster, and its problems.

    info is the result of cucm_info; certificates are the results of cucm_certificate_info, one per node, each with the
    node as `item`. A failed result carries `msg` and none of its own keys. inventory are the mistakes in the inventory
    of the cluster; with one on any cluster none is contacted, and asked is false. left_out are the peers that --limit
    leaves out. options are what is wrong with the options of the roles; authority holds `pem`, `where` and
    `renew_before` of the CA that is to sign. planned holds the `peers` and the `settings` of role sip_tls_trunk, and
    without it trunks are not checked. backdating: minutes that the CA lets its certificates begin in the past; None
    if nothing will be signed.
    ecdsa: what becomes of CallManager-ECDSA, sign or leave.
    ctl holds the `policy` (callmanager_certificate_ctl), `regenerate`, `window`, `drain` and `check` (nothing will be
    changed) of role callmanager_certificate; and `peers` and `trunk_name` (with {peer}) of role sip_tls_trunk.
    """
    numbers = routes(list(patterns))
    cluster = Cluster(
        name, version=info.get("version"), security_mode=info.get("security_mode"),
        phone_security=info.get("phone_security"), routes=numbers,
        patterns=[number["pattern"] for number in numbers], mistakes=[*inventory, *options],
    )  # fmt: skip
    warn_days = whole(warn_days, 30)
    if not asked:
        return cluster
    named = check_named_authorities(cluster, authority, warn_days)
    planned = _typed(planned)
    if not info.get("nodes"):
        report_failure(cluster, info, f"{name}: the publisher returned no nodes.")
        return cluster
    addresses = addresses or {}
    version = str(info.get("version") or "")
    warnings = (*_limited(name, left_out), *_silent_cluster(cluster, planned), *_release(version))
    problems = (*_masked(info, certificates), *_unknown(info, addresses), *_rights(info.get("rights") or {}))
    cluster.warnings += [f"{name}: {text}" for text in warnings]
    cluster.problems += [f"{name}: {text}" for text in problems]
    for result in certificates:
        check_node(cluster, result, addresses, warn_days)
        check_clock(cluster, result["item"]["name"], result.get("clock") or {}, backdating)
    check_issuers(cluster, named, kept=planned is not None and keeps_any(authority))
    cluster.nodes = placed(cluster.nodes, info, planned["settings"] if planned is not None else None)
    cluster.restarts = list(TRUNK.services_at(version))
    _check_phones(cluster, info, authority or {}, {"ecdsa": ecdsa, **(ctl or {})})
    if planned is not None:
        _check_trunks(cluster, info, planned, ecdsa)
    return cluster


def _typed(planned: Mapping[str, Any] | None) -> Mapping[str, Any] | None:
    return None if planned is None else {**planned, "settings": typed_settings(planned["settings"])}


def _check_trunks(cluster: Cluster, info: Mapping[str, Any], planned: Mapping[str, Any], ecdsa: str) -> None:
    """What the cluster means for the trunks of role sip_tls_trunk."""
    name = cluster.name
    cluster.planned = Plan(listed(planned["peers"]), dict(planned["settings"]))
    cluster.existing = existing_objects(info)
    cluster.warnings += [f"{name}: {text}" for text in _security_mode(cluster, cluster.planned.settings)]
    cluster.transit = name in (planned["settings"].get("hubs") or ())
    plan = info.get("dial_plan") or {}
    cluster.search_spaces = plan.get("search_spaces") if cluster.transit and not plan.get("unknown") else None
    cluster.warnings += unreached(name, planned["settings"])
    if ecdsa == "leave":
        cluster.warnings += [f"{name}: {text}" for text in left_as_shipped(cluster, cluster.planned.peers)]
    cluster.problems += node_problems(cluster, info, planned["settings"])


def _check_phones(
    cluster: Cluster, info: Mapping[str, Any], authority: Mapping[str, Any], ctl: Mapping[str, Any]
) -> None:
    """Which certificates will change, and what that means for phones and for others that trust them."""
    issuer = subject_of(str(authority.get("pem") or ""))
    cluster.due = due(
        cluster, renew_before=whole(authority.get("renew_before"), 30), regenerate=str(ctl.get("regenerate") or ""),
        issuer=issuer,
    )  # fmt: skip
    cluster.options = {key: ctl.get(key) for key in ("ecdsa", "policy", "window", "drain")}
    cluster.warnings += [f"{cluster.name}: {text}" for text in signer_warnings(cluster)]
    severity = cluster.warnings if ctl.get("check") else cluster.problems
    severity += [f"{cluster.name}: {text}" for text in ctl_problems(cluster, str(ctl.get("policy") or "done"))]
    _list_users(cluster, info, issuer, ctl)


def _list_users(cluster: Cluster, info: Mapping[str, Any], issuer: str, ctl: Mapping[str, Any]) -> None:
    """Who else trusts the certificates that will change."""
    own_trunks = [str(ctl.get("trunk_name")).replace("{peer}", peer) for peer in listed(ctl.get("peers"))]
    cluster.certificate_users = certificate_users(
        info.get("certificate_users") or {}, issuer=issuer, own_trunks=own_trunks
    )
    changing = [cluster.certificates.get(node) or {} for node in cluster.due]
    same_ca = bool(issuer) and all(node.get("issuer") == issuer for node in changing)
    cluster.warnings += [f"{cluster.name}: {text}" for text in users_sentence(cluster, same_ca=same_ca)]


def _limited(name: str, left_out: Sequence[str]) -> Iterator[str]:
    """What a run of a part of the group leaves undone."""
    if left_out:
        peers = ", ".join(left_out)
        yield (
            f"--limit leaves out {peers}: this run neither makes nor checks that side of the trunks. If it gives "
            f"{name} a certificate of another CA or for another name, {peers} will refuse calls until a run has it."
        )


def _silent_cluster(cluster: Cluster, planned: Mapping[str, Any] | None) -> Iterator[str]:
    hub = planned is not None and cluster.name in (planned["settings"].get("hubs") or ())
    if planned is not None and not cluster.patterns and not hub:
        yield "cucm_local_patterns is empty, so that no peer routes calls to this cluster."


def _masked(info: Mapping[str, Any], certificates: Iterable[Mapping[str, Any]]) -> Iterator[str]:
    """Names of the cluster that hold a password of the inventory: Ansible masks it in whatever a module returns."""
    names = [str(node.get(key) or "") for node in info["nodes"] for key in ("name", "address")]
    for result in certificates:
        for certificate in result.get("certificates") or ():
            names += [str(certificate.get(key) or "") for key in ("subject", "issuer", "name")]
            names += [str(san) for san in certificate.get("sans") or ()]
    found = next((name for name in names if any(mask in name for mask in MASKS)), None)
    if found:
        yield (
            f"a password is part of a name on the cluster, which Ansible shows as {found}. The masked name would be "
            "written to CUCM. Change cucm_password or cucm_os_password to one that no name contains."
        )


def _unknown(info: Mapping[str, Any], addresses: Mapping[str, str]) -> Iterator[str]:
    names = [str(node["name"]) for node in info["nodes"]]
    for name in addresses:
        if name not in names:
            yield (
                f"cucm_node_addresses names {name}, which is not a node of the cluster. Its nodes are "
                f"{', '.join(names)}: correct the name, or take it out."
            )


def _rights(rights: Mapping[str, Any]) -> Iterator[str]:
    """What the application account lacks. Custom roles may give any right, so only CUCM's own roles count."""
    roles = set(rights.get("roles") or ())
    own = {role for role in roles if not role.startswith("Standard ")}
    if _READ_ROLE in roles and not roles & _WRITE_ROLES and not own:
        yield (
            f"the application account may only read by AXL: it has the role {_READ_ROLE} and not Standard AXL API "
            "Access. Give it that role, on User Management > Access Control Group."
        )
    if rights.get("control_center"):
        yield f"services can't be restarted nor trunks watched: {rights['control_center']}"


def _release(version: str) -> Iterator[str]:
    if re.match(r"\d", version) and newer_than_known(version):
        yield (
            f"release {version} is newer than siptls.cucm knows (up to {newest()}). Rehearse the run with "
            "--check --diff."
        )


def _security_mode(cluster: Cluster, settings: Settings) -> Iterator[str]:
    """SIP TLS needs no mixed mode, encrypted media between phones does: a warning, as calls work without."""
    if cluster.security_mode == "non-secure" and settings.get("srtp_allowed"):
        yield (
            "the cluster is in non-secure mode. Trunks will use TLS, but phones encrypt their media (SRTP) only in "
            "mixed mode (`utils ctl set-cluster mixed-mode`), so that a call may run with plain RTP."
        )
