# Copyright: siptls.cucm contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Who else trusts a CallManager certificate that will change, and what each needs. Pure; private to siptls.cucm.

Beside phones: SIP trunks to somebody else, conference bridges, Expressways, CTI applications (Cisco document 214231
lists them as affected). CUCM does not know what they trust, so this is a list to check and never a problem.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from ansible_collections.siptls.cucm.plugins.module_utils._roles.model import Cluster

#: key of cucm_info's certificate_users: what it is called, and what it needs after {ca} has signed
KINDS: dict[str, tuple[str, str]] = {
    "sip_trunks": (
        "SIP trunk",
        "The far end has to trust {ca} and to accept the names of the new certificates. If it trusts the old "
        "certificate itself, replace that.",
    ),
    "conference_bridges": ("conference bridge", "It has to trust {ca}."),
    "expressways": ("Expressway-C", "Its list of trusted CAs has to contain {ca}, where TLS verify mode is on."),
    "cti_users": ("CTI over TLS", "The application has to load the new CTL file."),
}
#: what no cluster lists
UNLISTED = {
    "what": "Expressway-C for Mobile and Remote Access, and its zones",
    "name": "not in the cluster's configuration",
    "need": KINDS["expressways"][1],
}
_UNREAD = {
    "sip_trunks": "SIP trunks",
    "conference_bridges": "conference bridges",
    "expressways": "Expressway-C servers",
    "cti_users": "access control groups",
}


def certificate_users(
    found: Mapping[str, Any], *, issuer: str = "", own_trunks: Iterable[str] = ()
) -> list[Mapping[str, str]]:
    """A row for each: `what`, `name`, `need`. found is what cucm_info returns; issuer the subject of the new CA.

    own_trunks are the names of the trunks to peers of the inventory, whose far ends a run takes care of.
    """
    ca = f"the CA {issuer}" if issuer else "the CA that signs"
    own = set(own_trunks)
    rows: list[Mapping[str, str]] = [
        {"what": title, "name": _named(user), "need": need.format(ca=ca)}
        for kind, (title, need) in KINDS.items()
        for user in found.get(kind) or ()
        if kind != "sip_trunks" or user["name"] not in own
    ]
    rows += [
        {"what": KINDS[kind][0], "name": f"not known: the account may not read {_UNREAD[kind]}",
         "need": KINDS[kind][1].format(ca=ca)}
        for kind in found.get("unknown") or ()
    ]  # fmt: skip
    return [*rows, {**UNLISTED, "need": UNLISTED["need"].format(ca=ca)}]


def _named(user: Mapping[str, Any]) -> str:
    places = ", ".join(user.get("destinations") or [user.get("address") or ""])
    return f"{user['name']} ({places})" if places else str(user["name"])


def users_sentence(cluster: Cluster, *, same_ca: bool) -> Iterator[str]:
    """The warning of preflight about those that the cluster lists, without the name of the cluster."""
    listed = [row for row in cluster.certificate_users if row["what"] != UNLISTED["what"]]
    if not cluster.due or not listed:
        return
    who = "; ".join(f"{row['what']} {row['name']}" for row in listed)
    text = f"the CallManager certificates of {', '.join(cluster.due)} will change. These also rely on them: {who}."
    if same_ca:
        yield (
            f"{text} The CA remains the same, so that only those have to be changed that trust the certificate "
            "itself and not its CA."
        )
        return
    needs = dict.fromkeys(row["need"] for row in listed)
    yield f"{text} {' '.join(needs)} The plan (siptls.cucm.plan) lists what each needs."
