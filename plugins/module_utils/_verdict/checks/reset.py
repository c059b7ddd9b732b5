# Copyright: siptls.cucm contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whether a trunk still uses settings from before their last change. Pure; private to this collection.

CUCM stores a change at once and applies it when the trunk is reset. AXL shows what is stored; RIS, the wire and the
traces show what the trunk uses. Only the doctor needs this: what the trunk uses has its own checks.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from ansible_collections.siptls.cucm.plugins.module_utils._verdict.checks.certificates import Check
from ansible_collections.siptls.cucm.plugins.module_utils._verdict.checks.transport import WEAK_CIPHERS
from ansible_collections.siptls.cucm.plugins.module_utils._verdict.evidence import Direction, between, host_of

NOT_RESET = "not_reset"
RESET = "Reset the trunk of {cluster} (cucm_sip_trunk with reset: always), which ends its calls."
#: checks of stored settings with which no connection over TLS comes about
_NEEDED = ("destinations", "profile", "peer_profile", "server_name", "client_name")


def reset_checks(case: Direction, checks: Iterable[Check]) -> Iterator[Check]:
    """What shows that a trunk of the direction has not been reset since its settings were changed."""
    checks = list(checks)
    yield from _works_all_the_same(case, checks)
    yield from _points_elsewhere(case)
    yield from _sends_in_the_clear(case, checks)


def accepted_now(case: Direction, received: str | None, *, at_target: bool) -> bool:
    """Whether the stored profile accepts the certificate with this name, which its trunk refused.

    received: a name in that certificate; None if only the trunk is known, so that the profile has to accept all.
    """
    leg, nodes = (case.back, case.source_nodes) if at_target else (case.leg, case.target_nodes)
    accepted = {name.lower() for name in leg.accepted_names or ()}
    known = [
        {name.lower() for name in identity.certificate.matched_names}
        for node in nodes
        for identity in node.identities
        if identity.certificate
    ]
    if received is None:
        return bool(known) and all(names & accepted for names in known)
    refused = [names for names in known if received.lower() in names]
    return received.lower() in accepted or any(names & accepted for names in refused)


def _works_all_the_same(case: Direction, checks: list[Check]) -> Iterator[Check]:
    """The trunk is in service over TLS, with stored settings that do not allow that."""
    tls = [
        shown
        for shown in between(case.captures, case.source_nodes, case.target_nodes)
        if shown.get("protocol") == "tls"
    ]
    last = tls[-1] if tls else {}
    cipher = str(last.get("cipher") or "")
    if not ((case.leg.status or {}).get("in_service") and last.get("established")):
        return
    passed = {check.name for check in checks if check.state == "pass"}
    for check in checks:
        if check.name not in _NEEDED or check.state != "fail" or check.name in passed:
            continue
        # A profile that is Authenticated works over TLS too, without encryption.
        if "Authenticated" in check.text and (not cipher or cipher.startswith(WEAK_CIPHERS)):
            continue
        yield Check(
            "running_settings", "fail", f"{check.text}; but {case.source} reports its trunk in service, and a "
            f"connection over TLS to {case.target} was captured", check.source,
            remedy=f"{check.remedy} Until the trunk is reset, it works with the settings from before.", cause=NOT_RESET,
        )  # fmt: skip


def _points_elsewhere(case: Direction) -> Iterator[Check]:
    """The last alarm, or RIS, shows other destinations than those that are stored.

    No document says whether RIS shows the destinations of every trunk: an address of the cluster itself is none.
    """
    status = case.leg.status or {}
    stored = _addresses(address for address, _port in case.leg.destinations or ())
    alarmed = [peer.get("address") or peer.get("host") for peer in status.get("destinations") or ()]
    used = _addresses(alarmed or status.get("addresses") or ())
    used -= frozenset().union(*(node.addresses for node in case.source_nodes))
    if status.get("in_service") is False and stored and used and not stored & used:
        yield Check(
            "running_settings", "fail", f"the trunk of {case.source} is stored with the destination "
            f"{', '.join(sorted(stored))}, but uses {', '.join(sorted(used))}", "status",
            remedy=RESET.format(cluster=case.source), cause=NOT_RESET,
        )  # fmt: skip


def _addresses(given: Iterable[Any]) -> set[str]:
    """The addresses; empty if a host name is among them, which may stand for any of the others."""
    found = {str(address).strip().lower() for address in given}
    try:
        return {str(ipaddress.ip_address(address)) for address in found}
    except ValueError:
        return set()


def _sends_in_the_clear(case: Direction, checks: list[Check]) -> Iterator[Check]:
    """SIP in the clear to a destination of a trunk whose stored profile uses TLS."""
    if not any(check.name == "profile" and check.state == "pass" for check in checks):
        return
    captured = between(case.captures, case.source_nodes, case.target_nodes)
    if captured and captured[-1].get("protocol") == "sip" and _endpoint(captured[-1]) in (case.leg.destinations or ()):
        shown = captured[-1]
        yield Check(
            "running_settings", "fail", f"the profile of the trunk of {case.source} uses TLS, but {shown['client']} "
            f"sends SIP in the clear to its destination {shown['server']}", "capture",
            remedy=RESET.format(cluster=case.source), cause=NOT_RESET,
        )  # fmt: skip


def _endpoint(connection: Mapping[str, Any]) -> tuple[str, int]:
    """Address and port of the server."""
    return host_of(connection["server"]), int(str(connection["server"]).rpartition(":")[2])
