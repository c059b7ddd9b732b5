# Copyright: siptls.cucm contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What prevents SIP TLS, checked before anything is changed. Pure; private to siptls.cucm."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import timedelta
from typing import Any

from ansible_collections.siptls.cucm.plugins.module_utils._ca.options import guard_warnings
from ansible_collections.siptls.cucm.plugins.module_utils._dialplan.patterns import covers
from ansible_collections.siptls.cucm.plugins.module_utils._module import DOWN, MASKS
from ansible_collections.siptls.cucm.plugins.module_utils._net.clock import apart
from ansible_collections.siptls.cucm.plugins.module_utils._releases import newer_than_known, newest
from ansible_collections.siptls.cucm.plugins.module_utils._roles.certificate_users import (
    certificate_users,
    users_sentence,
)
from ansible_collections.siptls.cucm.plugins.module_utils._roles.model import (
    FACTS,
    Cluster,
    Node,
    Plan,
    Settings,
    typed_settings,
)
from ansible_collections.siptls.cucm.plugins.module_utils._roles.names import common_name
from ansible_collections.siptls.cucm.plugins.module_utils._roles.nodes import node_problems, placed
from ansible_collections.siptls.cucm.plugins.module_utils._roles.numbers import routes
from ansible_collections.siptls.cucm.plugins.module_utils._roles.peers import left_as_shipped, peer_problems
from ansible_collections.siptls.cucm.plugins.module_utils._roles.phones import (
    ITL_SIGNER,
    ctl_problems,
    due,
    signer_warnings,
)
from ansible_collections.siptls.cucm.plugins.module_utils._roles.preflight_objects import (
    check_objects,
    existing_objects,
    listed,
)
from ansible_collections.siptls.cucm.plugins.module_utils._roles.roll_over import guarded
from ansible_collections.siptls.cucm.plugins.module_utils._roles.secrets import secret_problems
from ansible_collections.siptls.cucm.plugins.module_utils._roles.sentences import (
    ACCOUNT_HINTS,
    in_inventory_words,
)
from ansible_collections.siptls.cucm.plugins.module_utils._roles.signing import trust_problems
from ansible_collections.siptls.cucm.plugins.module_utils._roles.transit import transit_problems, unreached
from ansible_collections.siptls.cucm.plugins.module_utils._roles.trust import (
    chain_above,
    named_authorities,
    unknown_issuer,
)
from ansible_collections.siptls.cucm.plugins.module_utils._text import clipped
from ansible_collections.siptls.cucm.plugins.module_utils._x509.certificate import Certificate
from ansible_collections.siptls.cucm.plugins.module_utils._x509.chain import climb
from ansible_collections.siptls.cucm.plugins.module_utils._x509.purposes import TRUNK, TVS

#: what the roles need of a trust certificate; facts are printed at -v
_TRUST_KEYS = ("purpose", "name", "subject", "common_name", "issuer", "sha256", "days_left", "self_signed", "pem")
_HOSTNAME = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?(?:\.[A-Za-z0-9-]+)*\Z")
_CLOCK_WORTH_A_WORD = 60  # seconds
_DEFAULT_NAMES = {"localhost", "localhost.localdomain"}
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
    named = _authority(cluster, authority, warn_days)
    planned = _typed(planned)
    if not info.get("nodes"):
        _failed(cluster, info, f"{name}: the publisher returned no nodes.")
        return cluster
    addresses = addresses or {}
    version = str(info.get("version") or "")
    warnings = (*_limited(name, left_out), *_silent_cluster(cluster, planned), *_release(version))
    problems = (*_masked(info, certificates), *_unknown(info, addresses), *_rights(info.get("rights") or {}))
    cluster.warnings += [f"{name}: {text}" for text in warnings]
    cluster.problems += [f"{name}: {text}" for text in problems]
    for result in certificates:
        _check_node(cluster, result, addresses, warn_days)
        _check_clock(cluster, result["item"]["name"], result.get("clock") or {}, backdating)
    _check_issuers(cluster, named, kept=planned is not None and _keeps_any(authority))
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
    issuer = _subject(str(authority.get("pem") or ""))
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


def _subject(pem: str) -> str:
    """The subject of the CA that is to sign; nothing where it is not known or can't be read."""
    from ansible_collections.siptls.cucm.plugins.module_utils._module import Failure
    from ansible_collections.siptls.cucm.plugins.module_utils._x509.view import certificate_view

    try:
        return str(certificate_view(pem)["subject"]) if pem.strip() else ""
    except Failure:
        return ""


def _check_node(cluster: Cluster, result: Mapping[str, Any], addresses: Mapping[str, str], warn_days: int) -> None:
    node = result["item"]
    name = node["name"]
    address = addresses.get(name) or node.get("address") or name
    cluster.nodes.append(Node(name, address, node.get("role")))
    cluster.certificates[name], cluster.ec_certificates[name], cluster.trust[name] = None, None, []
    if "certificates" not in result:
        cluster.unread.append(name)
        _failed(cluster, result, f"{cluster.name}: the certificates of {name} could not be read.")
        return
    _take_certificates(cluster, name, result["certificates"])
    _check_names(cluster, name)
    _check_dates(cluster, name, warn_days)
    _check_ports(cluster, name, result.get("ports") or {})


def _take_certificates(cluster: Cluster, node: str, certificates: Iterable[Mapping[str, Any]]) -> None:
    """Put the certificates of a node where they belong, by purpose."""
    for certificate in certificates:
        purpose = certificate["purpose"]
        if purpose in FACTS:
            cluster.by_node(purpose)[node] = certificate
        elif purpose == TRUNK.trust:
            cluster.trust[node].append({key: certificate.get(key) for key in _TRUST_KEYS})
        elif purpose == ITL_SIGNER:
            cluster.itl_signer = {key: certificate.get(key) for key in ("subject", "days_left", "not_after")}
        elif purpose == TVS.name:
            cluster.tvs[node] = {key: certificate.get(key) for key in ("serial", "days_left", "not_before")}


def _check_ports(cluster: Cluster, node: str, ports: Mapping[str, Any]) -> None:
    """What the SIP TLS port of a node presents beside what the node holds."""
    cluster.old_peers[node] = (ports.get(TRUNK.name) or {}).get("old_peers")
    cluster.served[node] = {purpose: _presented(ports, purpose) for purpose in FACTS}
    for purpose in FACTS:
        port = ports.get(purpose) or {}
        if purpose == TRUNK.name or port.get("state") == "tls":
            found = _port(port, cluster.by_node(purpose)[node])
            cluster.warnings += [f"{cluster.name}, node {node}: {text}" for text in found]


def _presented(ports: Mapping[str, Any], purpose: str) -> str | None:
    """The SHA-256 of the certificate that the port presents; "" where it presents none, None where it is not known."""
    port = ports.get(purpose) or {}
    if port.get("state") == "tls":
        return str(port["sha256"])
    # A port that responds with one certificate and refuses the ciphers of the other does not present that one.
    answers = purpose != TRUNK.name and (ports.get(TRUNK.name) or {}).get("state") == "tls"
    return "" if answers or port.get("state") == "refused" else None


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


def whole(value: Any, otherwise: int) -> int:
    """A number from a template, which is text before ansible-core 2.19; a wrong one is reported with the options."""
    try:
        return int(value)
    except (TypeError, ValueError):
        return otherwise


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


def _authority(cluster: Cluster, authority: Mapping[str, Any] | None, warn_days: int) -> list[Certificate] | None:
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


def _keeps_any(authority: Mapping[str, Any] | None) -> bool:
    """Whether a certificate that another CA issued is kept: with an issuer, or if all are renewed, it is replaced."""
    return authority is not None and authority.get("regenerate") != "always" and not authority["pem"].strip()


def _check_issuers(cluster: Cluster, named: list[Certificate] | None, *, kept: bool) -> None:
    """The chains that peers may trust, and certificates that are kept though nobody named their CA."""
    for purpose, fact in FACTS.items():
        cluster.chains[fact] = {}
        for node, certificate in cluster.by_node(purpose).items():
            cluster.chains[fact][node] = chain_above(certificate, cluster.trust[node], named)
            said = (
                unknown_issuer(certificate, cluster.trust[node], named, purpose) if kept and named is not None else ""
            )
            cluster.problems += [f"{cluster.name}, node {node}: {said}."] if said else []


def _failed(cluster: Cluster, result: Mapping[str, Any], otherwise: str) -> None:
    text = in_inventory_words(str(result.get("msg") or otherwise))
    if result.get("msg"):
        hint = ACCOUNT_HINTS.get("SSH" if "SSH port" in text else "HTTPS") if result.get("reason") == "account" else ""
        text = f"{cluster.name}: {text}{hint}"
    if result.get("reason") in DOWN:
        cluster.unreachable = cluster.unreachable or text
    else:
        cluster.problems.append(text)


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


def _port(seen: Mapping[str, Any], certificate: Mapping[str, Any] | None) -> Iterator[str]:
    """The SIP TLS port as seen from this machine. A closed one, normal before the first TLS trunk, is not reported."""
    port, sha256 = seen.get("port"), (certificate or {}).get("sha256")
    if seen.get("state") == "silent":
        yield (
            f"port {port} does not respond to this machine, a firewall is likely between. Peers may reach it all the "
            "same, but nothing here can prove it: let this machine in, or expect the verdict unproven."
        )
    elif seen.get("state") == "unreachable":
        yield f"port {port} can't be checked from this machine. {seen.get('said')}"
    elif seen.get("state") in ("no_handshake", "no_certificate"):
        yield f"port {port} is open but gives no TLS handshake. {seen.get('said')}"
    elif seen.get("state") == "tls" and sha256 and seen["sha256"] != sha256:
        yield (
            f"port {port} presents another certificate ({seen.get('subject')}) than the node holds: Cisco CallManager "
            "was not restarted since that one came, or another server answers there."
        )


def _check_names(cluster: Cluster, name: str) -> None:
    """The certificate is bound to the host name; it has to be right before anything is signed."""
    where, certificate = f"{cluster.name}, node {name}", cluster.certificates[name]
    if name.lower() in _DEFAULT_NAMES or not _HOSTNAME.match(name):
        cluster.problems.append(
            f"{where}: {name} is not a host name for a certificate. Set it with `set network "
            "hostname` first, which regenerates all certificates of the node."
        )
        return
    if certificate is None:
        cluster.warnings.append(f"{where}: it holds no {TRUNK.name} certificate yet.")
        return
    common = common_name(certificate).lower()
    short = name.lower().split(".")[0]
    # A multi-server certificate bears the name of one node, the publisher, on all of them.
    shared = {f"{node.name.lower().split('.')[0]}-ms" for node in cluster.nodes}
    address = re.fullmatch(r"[0-9.]+|[0-9a-f:]+", name)
    if common and not address and common.split(".", maxsplit=1)[0] not in {short, *shared}:
        cluster.problems.append(
            f"{where}: the {TRUNK.name} certificate is made for {common_name(certificate)}, but the node is "
            f"called {name}. Certificates are bound to names: correct the host name, or regenerate the "
            "certificate, first."
        )


def _check_dates(cluster: Cluster, name: str, warn_days: int) -> None:
    for certificate in [*(cluster.by_node(purpose)[name] for purpose in FACTS), *cluster.trust[name]]:
        if certificate and certificate.get("days_left") is not None and certificate["days_left"] < warn_days:
            what = f"{certificate['purpose']} certificate {common_name(certificate) or certificate.get('name')}"
            when = "has expired" if certificate["days_left"] < 0 else f"expires in {certificate['days_left']} days"
            cluster.warnings.append(f"{cluster.name}, node {name}: the {what} {when}.")


def _check_clock(cluster: Cluster, name: str, clock: Mapping[str, Any], backdating: Any) -> None:
    """A node that is behind finds new certificates, its own and its peers', not yet valid.

    backdating: minutes; None if nothing will be signed.
    """
    offset = int(clock.get("offset") or 0)
    text = f"{cluster.name}, node {name}: its clock is {apart(timedelta(seconds=offset))}"
    minutes = whole(backdating, 10)
    if backdating is not None and offset < -60 * minutes:
        cluster.problems.append(
            f"{text}. A new certificate begins {minutes} minutes in the past at most, so that the node would take "
            "it for not yet valid and refuse it. Correct the node's NTP (`utils ntp status`) first, or the "
            "controller's clock if that one is wrong."
        )
    elif abs(offset) > _CLOCK_WORTH_A_WORD:
        cluster.warnings.append(
            f"{text}. CUCM checks certificates by it, and days left are counted by it here. Check the node's NTP "
            "(`utils ntp status`)."
        )


def problems(
    clusters: Sequence[Cluster],
    unreachable: str = "skip",
    overlaps: str = "stop",
    roll_over: str = "stop",
    variables: Mapping[str, Mapping[str, Any]] | None = None,
) -> list[str]:
    """Everything that is wrong over all clusters, those things included that only several of them show.

    unreachable, overlaps and roll_over are options of role preflight. variables are hostvars, for their secrets.
    """
    found = [*_mistakes(clusters), *(text for cluster in clusters for text in cluster.problems)]
    silent = [cluster.unreachable for cluster in clusters if cluster.unreachable]
    for cluster in clusters:
        found += check_objects(cluster, clusters)
    found = list(
        dict.fromkeys(
            [
                *found,
                *_numbers(clusters),
                *_same_names(clusters),
                *peer_problems(clusters),
                *transit_problems(clusters),
                *trust_problems(clusters),
            ]
        )
    )
    if overlaps == "stop":
        found += _overlaps(clusters)
    found += secret_problems(clusters, variables or {})
    if roll_over == "stop":
        found += guarded(clusters)
    # If no cluster responds, none is left with which the run could continue.
    listed = found or unreachable == "stop" or len(silent) == len(clusters)
    return [clipped(text) for text in ([*found, *silent] if listed else [])]


def _mistakes(clusters: Sequence[Cluster]) -> Iterator[str]:
    """What is wrong with options: one in group variables concerns every cluster and is reported once."""
    owners: dict[str, list[str]] = {}
    for cluster in clusters:
        for text in dict.fromkeys(cluster.mistakes):
            owners.setdefault(text, []).append(cluster.name)
    for text, names in owners.items():
        yield text if len(names) == len(clusters) else f"{', '.join(names)}: {text}"


def _numbers(clusters: Iterable[Cluster]) -> Iterator[str]:
    owners: dict[str, str] = {}
    for cluster in clusters:
        for pattern in cluster.patterns:
            other = owners.setdefault(pattern, cluster.name)
            if other != cluster.name:
                yield (
                    f"{other} and {cluster.name} both claim the number {pattern} (cucm_local_patterns); their peers "
                    "can route it to one of them only."
                )


def _overlaps(clusters: Iterable[Cluster]) -> Iterator[str]:
    """Patterns of one cluster that cover a number of another; _numbers reports equal ones."""
    owned = [(pattern, cluster.name) for cluster in clusters for pattern in cluster.patterns]
    for wide, owner in owned:
        if not set(wide) & set("X![?+"):
            continue
        for narrow, other in owned:
            if other != owner and narrow != wide and covers(wide, narrow):
                yield (
                    f"the pattern {wide} of {owner} covers {narrow} of {other} (cucm_local_patterns), so that a wrong "
                    f"digit reaches the other cluster. Give {owner} narrower patterns, or set "
                    "preflight_overlaps: allow when that is intended."
                )


def _same_names(clusters: Iterable[Cluster]) -> Iterator[str]:
    names: dict[str, str] = {}
    for cluster in clusters:
        for certificate in cluster.certificates.values():
            common = common_name(certificate or {}).lower()
            other = names.setdefault(common, cluster.name) if common else cluster.name
            if other != cluster.name:
                yield (
                    f"{other} and {cluster.name} both have a node whose certificate is made for {common}; a peer "
                    "can't tell them apart. Give one of them another host name."
                )


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
