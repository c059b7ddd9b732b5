# Copyright: siptls.cucm contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Every certificate of a node, and its problems.

Private to siptls.cucm: no other collection may rely on it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from ansible_collections.siptls.cucm.plugins.module_utils._module import PLATFORM, ArgSpec, Failure, Outcome
from ansible_collections.siptls.cucm.plugins.module_utils._net.clock import NodeClock
from ansible_collections.siptls.cucm.plugins.module_utils._node.opening import open_store
from ansible_collections.siptls.cucm.plugins.module_utils._node.store import CertificateStore, Entry
from ansible_collections.siptls.cucm.plugins.module_utils._x509.keys import EC
from ansible_collections.siptls.cucm.plugins.module_utils._x509.purposes import (
    TRUNK,
    TRUNK_EC,
    is_trust,
    purpose_of,
)

if TYPE_CHECKING:
    from ansible_collections.siptls.cucm.plugins.module_utils._module import Task

SPEC = PLATFORM + ArgSpec(
    options={
        "purposes": {"type": "list", "elements": "str"},
        "expiring_within": {"type": "int", "default": 30},
        "old_peers": {"type": "bool", "default": False},
        "served_ports": {"type": "dict", "default": {row.name: row.port for row in (TRUNK, TRUNK_EC)}},
    },
)
LONGEST_LOOK = 5  # seconds; a port that a firewall hides must not hold up the rest
PROBLEMS = ("expired", "expiring", "lacking_client_auth", "not_served")


def service(task: Task) -> Outcome:
    """The whole of cucm_certificate_info."""
    params = task.params
    ports = _ports(params["served_ports"])
    store = open_store(params)
    try:
        entries = _entries(store, params["purposes"])
        present = {entry.purpose for entry in entries}
        # An ECDSA certificate that the node does not hold is not looked for: old releases would only refuse.
        seen = {purpose: _seen(params, purpose, port) for purpose, port in ports.items()
                if purpose in present or purpose_of(purpose).key != EC}  # fmt: skip
        found = [_shown(entry, params, seen.get(entry.purpose, {}).get("sha256"), store.clock) for entry in entries]
        result: dict[str, Any] = {
            "certificates": found, "interface": store.kind.lower(), "clock": store.clock.for_result(), "ports": seen
        }  # fmt: skip
        for problem in PROBLEMS:
            result[problem] = [f"{view['purpose']}/{view['name']}" for view in found if view[problem]]
        return Outcome(result=result, warnings=list(store.warnings))
    finally:
        store.close()


def _ports(given: Mapping[str, Any]) -> dict[str, int]:
    try:
        return {purpose: int(port) for purpose, port in given.items()}
    except (TypeError, ValueError):
        raise Failure("served_ports maps purposes to TCP ports, for example {CallManager: 5061}.") from None


def _entries(store: CertificateStore, wanted: Sequence[str] | None) -> list[Entry]:
    """The identities, then the trust certificates, of the purposes asked for; None: all of the node."""
    if wanted is None:
        return [*store.identities(), *store.trust()]
    own = [purpose for purpose in wanted if not is_trust(purpose)]
    identities = [entry for purpose in own if (entry := store.identity(purpose)) is not None]
    return [*identities, *(entry for purpose in wanted if purpose not in own for entry in store.trust(purpose))]


def _seen(params: Mapping[str, Any], purpose: str, port: int) -> dict[str, Any]:
    """What this machine sees at a port now: state, why there is no certificate, and the certificate that is shown."""
    from ansible_collections.siptls.cucm.plugins.module_utils._evidence.probes.handshake import Asked
    from ansible_collections.siptls.cucm.plugins.module_utils._evidence.probes.probe import (
        Target,
        served_certificate,
        takes_old_peers,
    )
    from ansible_collections.siptls.cucm.plugins.module_utils._x509.view import certificate_view

    try:
        target = Target(params["host"], port, params["legacy_crypto"], min(params["timeout"], LONGEST_LOOK))
        leaf = certificate_view(served_certificate(target, Asked.of_purpose(purpose))[0])
    except Failure as failure:
        state = failure.facts.get("port_state") or failure.facts.get("state") or "no_certificate"
        return {"port": port, "state": state, "said": failure.msg, "sha256": None, "subject": None}
    shown = {"port": port, "state": "tls", "said": "", "sha256": leaf["sha256"], "subject": leaf["subject"]}
    if params["old_peers"] and purpose == TRUNK.name:
        shown["old_peers"] = takes_old_peers(target)
    return shown


def _shown(entry: Entry, params: Mapping[str, Any], served: str | None, clock: NodeClock) -> dict[str, Any]:
    """The view of a certificate with its place and its problems; a trusted CA needs no clientAuth."""
    kind = "trust" if is_trust(entry.purpose) else "identity"
    shown: dict[str, Any] = {"node": params["host"], "purpose": entry.purpose, "name": entry.name, "kind": kind}
    known = entry.facts
    states: dict[str, Any] = dict.fromkeys(PROBLEMS, False)
    if known is not None:
        moment = clock.now()
        shown |= known.view(moment)
        states["expired"] = known.days_left(moment) < 0
        states["expiring"] = 0 <= known.days_left(moment) < params["expiring_within"]
        states["lacking_client_auth"] = kind == "identity" and not known.both_uses
        states["not_served"] = served is not None and served != known.sha256
    return {
        **shown,
        "description": entry.note,
        "reuses": entry.reuses or None,
        "readable": known is not None,
        "problem": entry.problem,
        "served": served,
        **states,
    }
