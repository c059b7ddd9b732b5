# Copyright: siptls.cucm contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The CA that is to sign, the CAs that the operator named, and a cluster's issuers. Pure; private to siptls.cucm."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from ansible_collections.siptls.cucm.plugins.module_utils._ca.options import guard_warnings
from ansible_collections.siptls.cucm.plugins.module_utils._roles.certificates.trust import (
    chain_above,
    named_authorities,
    unknown_issuer,
)
from ansible_collections.siptls.cucm.plugins.module_utils._roles.model import (
    FACTS,
    Cluster,
)
from ansible_collections.siptls.cucm.plugins.module_utils._roles.names import common_name
from ansible_collections.siptls.cucm.plugins.module_utils._x509.certificate import Certificate
from ansible_collections.siptls.cucm.plugins.module_utils._x509.chain import climb


def check_named_authorities(
    cluster: Cluster, authority: Mapping[str, Any] | None, warn_days: int
) -> list[Certificate] | None:
    """The CAs that the operator named, None where they were not asked for; what is wrong with them is noted."""
    if authority is None:
        return None
    given = {key: value for key, value in authority.items() if key in ("pem", "where", "renew_before")}
    folders, records = authority.get("folders") or (), authority.get("records") or ()
    named, wrong = named_authorities(
        [given["pem"], *(authority.get("trusted") or ())], folders=folders, records=records
    )
    said = check_authority(**given, warn_days=warn_days)
    old, wrong_old = named_authorities(authority.get("old") or (), folders=folders, option="sip_tls_old_cas")
    cluster.mistakes += [*wrong, *wrong_old, *said["problems"]]
    cluster.new_cas, cluster.old_cas = (
        _signing_chain(given["pem"], [*named, *old]),
        [certificate.pem for certificate in old],
    )
    cluster.warnings += [*said["warnings"], *guard_warnings(authority.get("ca") or {})]
    return [*named, *old]


def _signing_chain(pem: str, named: Iterable[Certificate]) -> list[str]:
    """The CA that signs and those above it, as PEM; empty where it is not known or can't be read."""
    own = Certificate.from_view({"pem": pem})
    return [certificate.pem for certificate in climb(own, named).certificates] if own is not None else []


def keeps_any(authority: Mapping[str, Any] | None) -> bool:
    """Whether a certificate that another CA issued is kept: with an issuer, or if all are renewed, it is replaced."""
    return authority is not None and authority.get("regenerate") != "always" and not authority["pem"].strip()


def check_issuers(cluster: Cluster, named: list[Certificate] | None, *, kept: bool) -> None:
    """The chains that peers may trust, and certificates that are kept though nobody named their CA."""
    for purpose, fact in FACTS.items():
        cluster.chains[fact] = {}
        for node, certificate in cluster.by_node(purpose).items():
            cluster.chains[fact][node] = chain_above(certificate, cluster.trust[node], named)
            said = (
                unknown_issuer(certificate, cluster.trust[node], named, purpose) if kept and named is not None else ""
            )
            cluster.problems += [f"{cluster.name}, node {node}: {said}."] if said else []


def subject_of(pem: str) -> str:
    """The subject of the CA that is to sign; nothing where it is not known or can't be read."""
    from ansible_collections.siptls.cucm.plugins.module_utils._module import Failure
    from ansible_collections.siptls.cucm.plugins.module_utils._x509.view import certificate_view

    try:
        return str(certificate_view(pem)["subject"]) if pem.strip() else ""
    except Failure:
        return ""


def check_authority(pem: str, renew_before: Any, warn_days: Any, where: str) -> dict[str, list[str]]:
    """What is wrong with the certificate of the CA that is to sign: `problems` and `warnings`; nothing without one."""
    from ansible_collections.siptls.cucm.plugins.module_utils._module import Failure
    from ansible_collections.siptls.cucm.plugins.module_utils._x509.view import certificate_view

    found: dict[str, list[str]] = {"problems": [], "warnings": []}
    if not pem.strip():
        return found
    try:
        view = certificate_view(pem)
    except Failure as failure:
        found["problems"].append(f"The certificate of the CA ({where}) can't be read: {failure.msg}")
        return found
    title, left = common_name(view) or view["subject"], view["days_left"]
    if not view["is_ca"]:
        found["problems"].append(
            f"The certificate {title} ({where}) is not a CA certificate and cannot sign. Give that of the CA."
        )
    elif left < 0:
        found["problems"].append(
            f"The CA {title} ({where}) has expired, on {view['not_after']}. Make or give a new one; every certificate "
            "that it signed has to be renewed."
        )
    elif left <= int(renew_before):
        found["problems"].append(
            f"The CA {title} ({where}) expires in {left} days, on {view['not_after']}: what it signs would be due for "
            f"renewal at once (callmanager_certificate_renew_before is {renew_before} days). Make or give a new CA."
        )
    elif left < int(warn_days):
        found["warnings"].append(f"The CA {title} ({where}) expires in {left} days, on {view['not_after']}.")
    return found
