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
from ansible_collections.siptls.cucm.plugins.module_utils._platform.opening import open_store
from ansible_collections.siptls.cucm.plugins.module_utils._platform.store import CertificateStore, Entry

if TYPE_CHECKING:
    from ansible.module_utils.basic import AnsibleModule

SPEC = PLATFORM + ArgSpec(
    options={
        "purposes": {"type": "list", "elements": "str"},
        "expiring_within": {"type": "int", "default": 30},
        "served_ports": {"type": "dict", "default": {"CallManager": 5061}},
    },
)
TROUBLES = ("expired", "expiring", "lacking_client_auth", "not_served")


def service(module: AnsibleModule) -> Outcome:
    """The whole of cucm_certificate_info."""
    params = module.params
    ports = _ports(params["served_ports"])
    store = open_store(params)
    try:
        found = list(_certificates(store, params, ports))
        result: dict[str, Any] = {"certificates": found, "interface": store.kind.lower()}
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
    store: CertificateStore, params: Mapping[str, Any], ports: Mapping[str, int]
) -> Iterator[dict[str, Any]]:
    wanted = params["purposes"]
    if wanted is None:
        identities, trusted = store.identities(), store.trust()
    else:
        own = [purpose for purpose in wanted if not purpose.endswith("-trust")]
        identities = [entry for purpose in own if (entry := store.identity(purpose)) is not None]
        trusted = [entry for purpose in wanted if purpose not in own for entry in store.trust(purpose)]
    for entry in identities:
        served = _served(params, ports.get(entry.purpose))
        yield _shown(entry, "identity", params, served)
    for entry in trusted:
        yield _shown(entry, "trust", params, None)


def _served(params: Mapping[str, Any], port: int | None) -> str | None:
    """The SHA-256 of what a port presents now; None when it is not asked or shows nothing."""
    if port is None:
        return None
    from ansible_collections.siptls.cucm.plugins.module_utils._platform.services import Serving

    return Serving(params["host"], port, None, params["legacy_crypto"], params["timeout"]).presented()


def _shown(entry: Entry, kind: str, params: Mapping[str, Any], served: str | None) -> dict[str, Any]:
    """The view of a certificate with where it is and what is the matter; a trusted CA needs no clientAuth."""
    shown: dict[str, Any] = {"node": params["host"], "purpose": entry.purpose, "name": entry.name, "kind": kind}
    known = entry.facts
    judged: dict[str, Any] = dict.fromkeys(TROUBLES, False)
    if known is not None:
        shown |= known.shown
        judged["expired"] = known.days_left < 0
        judged["expiring"] = 0 <= known.days_left < params["expiring_within"]
        judged["lacking_client_auth"] = kind == "identity" and not known.both_sides
        judged["not_served"] = served is not None and served != known.sha256
    return {**shown, "description": entry.note, "readable": known is not None, "served": served, **judged}
