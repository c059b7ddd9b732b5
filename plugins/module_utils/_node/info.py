# Copyright: siptls.cucm contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Every certificate of a node, and what is the matter with it.

Private to siptls.cucm: no other collection may rely on it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from ansible_collections.siptls.cucm.plugins.module_utils._module import PLATFORM, ArgSpec, Failure, Outcome
from ansible_collections.siptls.cucm.plugins.module_utils._net.clock import NodeClock
from ansible_collections.siptls.cucm.plugins.module_utils._node.opening import open_store
from ansible_collections.siptls.cucm.plugins.module_utils._node.store import CertificateStore, Entry
from ansible_collections.siptls.cucm.plugins.module_utils._x509.purposes import TRUNK, is_trust

if TYPE_CHECKING:
    from ansible_collections.siptls.cucm.plugins.module_utils._module import Task

SPEC = PLATFORM + ArgSpec(
    options={
        "purposes": {"type": "list", "elements": "str"},
        "expiring_within": {"type": "int", "default": 30},
        "served_ports": {"type": "dict", "default": {TRUNK.name: TRUNK.port}},
    },
)
LONGEST_LOOK = 5  # seconds; a port that a firewall hides must not hold up the rest
TROUBLES = ("expired", "expiring", "lacking_client_auth", "not_served")


def service(task: Task) -> Outcome:
    """The whole of cucm_certificate_info."""
    params = task.params
    ports = _ports(params["served_ports"])
    store = open_store(params)
    try:
        seen = {purpose: _seen(params, port) for purpose, port in ports.items()}
        found = list(_certificates(store, params, seen))
        result: dict[str, Any] = {
            "certificates": found, "interface": store.kind.lower(), "clock": store.clock.for_result(), "ports": seen
        }  # fmt: skip
        for trouble in TROUBLES:
            result[trouble] = [f"{one['purpose']}/{one['name']}" for one in found if one[trouble]]
        return Outcome(result=result, warnings=list(store.warnings))
    finally:
        store.close()


def _ports(given: Mapping[str, Any]) -> dict[str, int]:
    try:
        return {purpose: int(port) for purpose, port in given.items()}
    except (TypeError, ValueError):
        raise Failure("served_ports maps purposes to TCP ports, for example {CallManager: 5061}.") from None


def _certificates(
    store: CertificateStore, params: Mapping[str, Any], seen: Mapping[str, Mapping[str, Any]]
) -> Iterator[dict[str, Any]]:
    wanted = params["purposes"]
    if wanted is None:
        identities, trusted = store.identities(), store.trust()
    else:
        own = [purpose for purpose in wanted if not is_trust(purpose)]
        identities = [entry for purpose in own if (entry := store.identity(purpose)) is not None]
        trusted = [entry for purpose in wanted if purpose not in own for entry in store.trust(purpose)]
    for entry in identities:
        yield _shown(entry, "identity", params, seen.get(entry.purpose, {}).get("sha256"), store.clock)
    for entry in trusted:
        yield _shown(entry, "trust", params, None, store.clock)


def _seen(params: Mapping[str, Any], port: int) -> dict[str, Any]:
    """What this machine sees at a port now: state, why there is no certificate, and the certificate that is shown."""
    from ansible_collections.siptls.cucm.plugins.module_utils._evidence.probe import served_certificate
    from ansible_collections.siptls.cucm.plugins.module_utils._x509.view import certificate_view

    try:
        chain = served_certificate(
            params["host"], port, legacy=params["legacy_crypto"], timeout=min(params["timeout"], LONGEST_LOOK)
        )
        leaf = certificate_view(chain[0])
    except Failure as failure:
        state = failure.facts.get("port_state") or failure.facts.get("state") or "no_certificate"
        return {"port": port, "state": state, "said": failure.msg, "sha256": None, "subject": None}
    return {"port": port, "state": "tls", "said": "", "sha256": leaf["sha256"], "subject": leaf["subject"]}


def _shown(entry: Entry, kind: str, params: Mapping[str, Any], served: str | None, clock: NodeClock) -> dict[str, Any]:
    """The view of a certificate with where it is and what is the matter; a trusted CA needs no clientAuth."""
    shown: dict[str, Any] = {"node": params["host"], "purpose": entry.purpose, "name": entry.name, "kind": kind}
    known = entry.facts
    judged: dict[str, Any] = dict.fromkeys(TROUBLES, False)
    if known is not None:
        moment = clock.now()
        shown |= known.view(moment)
        judged["expired"] = known.days_left(moment) < 0
        judged["expiring"] = 0 <= known.days_left(moment) < params["expiring_within"]
        judged["lacking_client_auth"] = kind == "identity" and not known.both_uses
        judged["not_served"] = served is not None and served != known.sha256
    return {**shown, "description": entry.note, "readable": known is not None, "served": served, **judged}
