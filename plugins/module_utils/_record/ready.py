# Copyright: siptls.cucm contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What to have ready before a rehearsed change is made on the real clusters, in sentences. Private to siptls.cucm."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

_RESTARTS = re.compile(r"\b(\d{1,6}) restarts? of Cisco CallManager")
_RESETS = re.compile(r"\b(\d{1,6}) resets? of trunks in use")
#: provider -> what its CA requires of people
_AUTHORITIES = {
    "local": "The folder of the CA with a backup, and the passphrase of its key (SIP_TLS_CA_PASSPHRASE) if it has one.",
    "adcs": "The account for the Microsoft CA, and somebody who issues the requests that it leaves pending.",
    "vault": "A token for Vault that is valid until the end of the window.",
    "by_hand": "Somebody who has the requests signed while the run waits for the certificates.",
    "tasks": "Whatever your own signing tasks require: accounts, tokens, and who approves requests.",
}


def what_to_have_ready(seen: Mapping[str, Any]) -> list[str]:
    """A list for whoever prepares the window.

    seen has `seconds`, `plan` (the plan as text), `hosts` (the inventory's variables by cluster), the lab's
    `status_before`, and the calls `after` the run with their `summary`.
    """
    return [
        *_accounts(seen),
        *_authorities(seen),
        _window(seen),
        *_phones(seen),
        *_peers(seen),
        "A backup of each cluster by the Disaster Recovery System, made before the window, with the cluster security "
        "password that a restore asks for.",
        "The way back: sip_tls_backup beside the inventory, which the run fills before its first write; the guide "
        "about undoing a run says how to use it.",
    ]


def _accounts(seen: Mapping[str, Any]) -> Iterator[str]:
    names = ", ".join(sorted(seen.get("hosts") or {}))
    if names:
        yield (
            f"The application account and the platform account of {names}, with passwords that do not expire before "
            "the end of the window, and the passphrase of Ansible Vault if they are encrypted."
        )


def _authorities(seen: Mapping[str, Any]) -> Iterator[str]:
    """A sentence per kind of CA that signs."""
    clusters: dict[str, list[str]] = {}
    for name, variables in sorted((seen.get("hosts") or {}).items()):
        authority = variables.get("sip_tls_ca") or {}
        provider = (
            "tasks" if variables.get("callmanager_certificate_sign_tasks") else authority.get("provider", "local")
        )
        clusters.setdefault(str(provider), []).append(name)
    for provider, names in clusters.items():
        text = _AUTHORITIES.get(provider, f"Access to the CA (provider {provider}).")
        yield text if len(clusters) == 1 else f"For {', '.join(names)}: {text[0].lower()}{text[1:]}"


def _window(seen: Mapping[str, Any]) -> str:
    restarts, resets = (_count(form, str(seen.get("plan") or "")) for form in (_RESTARTS, _RESETS))
    expected = (
        f"The plan has {_many(restarts, 'restart')} of Cisco CallManager and {_many(resets, 'reset')} of trunks in use."
        if restarts is not None and resets is not None
        else "The plan shows how many services restart and how many trunks are reset."
    )
    return (
        f"A maintenance window. The run took {seen['seconds']} seconds on the twins, where a service restarts within a "
        f"second or two. {expected} Add the time that each takes on your nodes, in which its phones register elsewhere "
        "or not at all."
    )


def _count(form: re.Pattern[str], text: str) -> int | None:
    found = form.search(text)
    return int(found[1]) if found else None


def _many(number: int, what: str) -> str:
    return f"{number} {what}" if number == 1 else f"{number} {what}s"


def _phones(seen: Mapping[str, Any]) -> Iterator[str]:
    counted = {
        cluster["name"]: sum(bool(phone["node"]) for phone in cluster["registrations"])
        for cluster in seen["status_before"]["clusters"]
    }
    found = ", ".join(f"{name} {number}" for name, number in sorted(counted.items()) if number)
    if found:
        yield (
            f"Somebody at each site who can restart a phone or delete its trust list, and whom to call there. Phones "
            f"registered on the twins: {found}."
        )


def _peers(seen: Mapping[str, Any]) -> Iterator[str]:
    clusters = {cluster["name"] for cluster in seen["status_before"]["clusters"]}
    foreign = sorted({str(row["to"]) for row in seen["after"]["summary"]} - clusters)
    if foreign:
        yield (
            f"The administrators of {', '.join(foreign)}, who can install the CA of the new certificates there and "
            "look at their side if a call fails."
        )
