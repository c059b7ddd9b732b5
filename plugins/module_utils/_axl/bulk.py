# Copyright: siptls.cucm contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Read the objects of a large task by one list, so that unchanged objects need no request of their own.

An object counts as unchanged only if the list shows all that the task asks for. An object that differs, is not listed,
or has an option that lists do not return is read by itself as usual. Nothing is written because of what a list shows.
Private to siptls.cucm: no other collection may rely on it.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace
from itertools import takewhile
from typing import Any

from ansible_collections.siptls.cucm.plugins.module_utils._axl.faults import AxlFault
from ansible_collections.siptls.cucm.plugins.module_utils._axl.plan import Item
from ansible_collections.siptls.cucm.plugins.module_utils._axl.schema import Resource
from ansible_collections.siptls.cucm.plugins.module_utils._axl.session import Found, Session
from ansible_collections.siptls.cucm.plugins.module_utils._axl.validation import key_of
from ansible_collections.siptls.cucm.plugins.module_utils._axl.values import UUID, Named, braced, differing

#: number of objects from which one list is cheaper than reading each of them
FEWEST = 20
#: characters that a search interprets, apart from % and _: the backslash escapes
_LITERAL = re.compile(r"[^%_\\']*")
#: where route patterns lead to
# A device has its name alone, whatever its kind.
_LEADS = (
    "select distinct n.pkid as pkid, d.name as name, d.pkid as device, l.fkdevice as via from numplan n inner join "
    "devicenumplanmap m on m.fknumplan=n.pkid inner join device d on d.pkid=m.fkdevice left outer join routelist l on "
    "l.fkdevice=d.pkid where n.tkpatternusage=5 and n.dnorpattern like '{prefix}%'"
)


def unsettled(items: Sequence[Item], session: Session) -> list[Item]:
    """The objects of a task that have to be read one by one; the others are filled in and require no change."""
    if len(items) < FEWEST:
        return list(items)
    resource = items[0].resource
    listed = {row.option for row in resource.rows(session.version, "list")}
    listed |= resource.unlisted
    fit = [item for item in items if _fits(item) and item.desired.keys() <= listed]
    if len(fit) < FEWEST:
        return list(items)
    there = _listed(resource, fit, session)
    settled = set()
    for item in fit:
        found = there.get(key_of(resource, item.desired))
        if found is None or not item.desired.keys() <= found.values.keys():
            continue
        if not differing(resource.fields, item.desired, found.values):
            item.current = item.only_asked(found)
            settled.add(id(item))
    return [item for item in items if id(item) not in settled]


def _fits(item: Item) -> bool:
    named = not UUID.fullmatch(str(item.desired.get(item.resource.first) or ""))
    return named and item.state == "present" and not item.renames


def _listed(resource: Resource, items: Sequence[Item], session: Session) -> dict[tuple[str, ...], Found]:
    """The listed objects that begin as all items do, by key; keys that occur twice, which they should not, are left
    out.
    """
    asked = {option for item in items for option in item.desired} | set(resource.key)
    row = resource.field(resource.first, session.version)
    prefix = _prefix([str(item.desired[resource.first]) for item in items])
    try:
        found = session.listed(resource, sorted(asked), **{row.axl: f"{prefix}%"})
        if asked & resource.unlisted:
            leads = _leads(session, prefix)
            found = [replace(listed, values={**listed.values, **leads.get(listed.uuid, {})}) for listed in found]
    except AxlFault:
        # An account without the right to list or to query reads what it may, one by one.
        return {}
    count = Counter(key_of(resource, listed.values) for listed in found)
    return {key: listed for listed in found if count[key := key_of(resource, listed.values)] == 1}


def _prefix(names: Sequence[str]) -> str:
    """The common beginning of all names, up to the first character that a search interprets."""
    pairs = takewhile(lambda pair: pair[0] == pair[1], zip(min(names), max(names), strict=False))
    literal = _LITERAL.match("".join(pair for pair, _other in pairs))
    return literal[0] if literal else ""


def _leads(session: Session, prefix: str) -> dict[str, Mapping[str, Any]]:
    """The destination of each pattern, by the pattern's uuid."""
    found: dict[str, Mapping[str, Any]] = {}
    for row in session.client.sql(_LEADS.format(prefix=prefix)):
        device = Named(row.get("name", ""))
        device.uuid = braced(row.get("device", ""))
        kind, other = ("route_list", "gateway") if row.get("via") else ("gateway", "route_list")
        found[braced(row.get("pkid", ""))] = {kind: device, other: ""}
    return found
