# Copyright: siptls.cucm contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a run changed, from what the roles' tasks registered. Pure.

Private to siptls.cucm: no other collection may rely on it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from ansible_collections.siptls.cucm.plugins.module_utils._roles.kinds import MADE

# Registered variable of a role -> (what it is about, what was done when the result does not say).
STEPS: dict[str, tuple[str, str]] = {
    "callmanager_certificate_csrs": ("CSR", "made a key and a CSR for CallManager"),
    "callmanager_certificate_uploads": ("Certificates", ""),
    "callmanager_certificate_ctl_file": ("CTL file", "updated the CTL file"),
    "callmanager_certificate_restarts": ("Service", ""),
    "callmanager_certificate_followed": ("Service", ""),
    **{kind.registered: (f"{kind.noun[:1].upper()}{kind.noun[1:]}s", "") for kind in MADE},
    "sip_tls_trunk_last": ("SIP trunks, with both ends there", ""),
    "sip_tls_verify_reset_done": ("SIP trunks, for their handshake to be seen", ""),
}


def changes(hosts: Iterable[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """One entry per cluster and step that changed something: `cluster`, `what`, `actions`, in the order of the steps.

    hosts are the variables of the play's hosts. A host whose roles ran in check mode changed nothing.
    """
    found = []
    for host in hosts:
        for variable, (what, otherwise) in STEPS.items():
            predicted = (
                host.get("sip_tls_verify_evidence", {}).get("predicted") and variable != "sip_tls_verify_reset_done"
            )
            actions = [] if predicted else _actions(host.get(variable) or {}, otherwise)
            if actions:
                found.append({"cluster": str(host["inventory_hostname"]), "what": what, "actions": actions})
    return found


def _actions(result: Mapping[str, Any], otherwise: str) -> list[str]:
    """What a task did, a loop's results in a row."""
    if not result.get("changed"):
        return []
    rows = [row for row in result.get("results") or [result] if row.get("changed")]
    said = [(row, _said(row) or [otherwise]) for row in rows]
    return [text + _where(row) for row, texts in said for text in texts if text]


def _said(result: Mapping[str, Any]) -> list[str]:
    """What a module says that it did."""
    return [*(result.get("actions") or ()), *(f"restarted {name}" for name in result.get("restarted") or ())]


def _where(result: Mapping[str, Any]) -> str:
    """The node that a loop's item is about."""
    item = result.get("item")
    return f" ({item['name']})" if isinstance(item, Mapping) and item.get("name") else ""
