# Copyright: siptls.cucm contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Who meets the CallManager certificates of a cluster over TLS, apart from its phones. Reads only.

What such a device or application trusts is its own configuration, which CUCM does not show. Tables and columns of the
queries are those of CUCM's data dictionary. Private to siptls.cucm: no other collection may rely on it.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ansible_collections.siptls.cucm.plugins.module_utils._axl.client import AxlClient
from ansible_collections.siptls.cucm.plugins.module_utils._axl.faults import AxlFault
from ansible_collections.siptls.cucm.plugins.module_utils._axl.session import Session
from ansible_collections.siptls.cucm.plugins.module_utils._axl.soap import text
from ansible_collections.siptls.cucm.plugins.module_utils._axl.tables.sip_trunk import SIP_TRUNK
from ansible_collections.siptls.cucm.plugins.module_utils._axl.tables.sip_trunk_security_profile import (
    SIP_TRUNK_SECURITY_PROFILE,
)
from ansible_collections.siptls.cucm.plugins.module_utils._axl.values import TRUE
from ansible_collections.siptls.cucm.plugins.module_utils._releases import features

#: members of this access control group connect to CTIManager over TLS (port 2749)
CTI_GROUP = "Standard CTI Secure Connection"
_PLAIN = "Non Secure"
_DESTINATIONS = (
    "select d.name as trunk, t.address as address, t.addressipv6 as addressipv6, t.port as port from "
    "siptrunkdestination t inner join sipdevice s on s.pkid=t.fksipdevice inner join device d on d.pkid=s.fkdevice"
)
_MEMBERS = (
    "select u.{name} as user from {user} u inner join {user}dirgroupmap m on m.fk{user}=u.pkid inner join dirgroup g "
    "on g.pkid=m.fkdirgroup where g.name='" + CTI_GROUP + "'"
)
_USERS = {"applicationuser": "name", "enduser": "userid"}
_BRIDGE_TAGS = ("name", "product", "securityProfileName", "destinationAddress", "useHttps")


def certificate_users(client: AxlClient) -> dict[str, Any]:
    """SIP trunks over TLS, secure conference bridges, Expressway-C servers, users of CTI over TLS.

    `unknown` has the kinds that the account may not read.
    """
    readers: dict[str, Callable[[AxlClient], list[dict[str, Any]]]] = {
        "sip_trunks": _trunks, "conference_bridges": _bridges, "expressways": _expressways, "cti_users": _cti_users,
    }  # fmt: skip
    found: dict[str, Any] = {"unknown": []}
    for kind, read in readers.items():
        try:
            found[kind] = read(client)
        except AxlFault:
            found[kind] = []
            found["unknown"].append(kind)
    return found


def _trunks(client: AxlClient) -> list[dict[str, Any]]:
    session = Session(client, check_mode=True)
    profiles = session.listed(SIP_TRUNK_SECURITY_PROFILE, ("name", "security_mode"))
    secure = {
        str(profile.values["name"]) for profile in profiles if profile.values.get("security_mode") != "Non Secure"
    }
    trunks = session.listed(SIP_TRUNK, ("name", "security_profile"))
    names = [str(trunk.values["name"]) for trunk in trunks if str(trunk.values.get("security_profile")) in secure]
    reached: dict[str, list[str]] = {}
    for row in client.sql(_DESTINATIONS) if names else ():
        address = row.get("address") or row.get("addressipv6") or ""
        reached.setdefault(row["trunk"], []).append(f"{address}:{row.get('port') or ''}".rstrip(":"))
    return [{"name": name, "destinations": reached.get(name, [])} for name in names]


def _bridges(client: AxlClient) -> list[dict[str, Any]]:
    """The bridges with a secure profile, or with HTTPS."""
    return [
        {"name": text(item, "name"), "product": text(item, "product"), "address": text(item, "destinationAddress")}
        for item in client.listing("ConferenceBridge", "conferenceBridge", {"name": "%"}, _BRIDGE_TAGS)
        if text(item, "useHttps").lower() in TRUE or _is_secure(text(item, "securityProfileName"))
    ]


def _is_secure(profile: str) -> bool:
    return bool(profile) and _PLAIN.lower() not in profile.lower().replace("-", " ")


def _expressways(client: AxlClient) -> list[dict[str, Any]]:
    """The Expressway-C servers under Device > Expressway-C; Mobile and Remote Access works without an entry there."""
    if not features(client.version).expressways:
        return []
    tags = ("HostNameOrIP",)
    items = client.listing("ExpresswayCConfiguration", "expresswayCConfiguration", {"HostNameOrIP": "%"}, tags)
    return [{"name": text(item, "HostNameOrIP")} for item in items]


def _cti_users(client: AxlClient) -> list[dict[str, Any]]:
    rows = [row for user, name in _USERS.items() for row in client.sql(_MEMBERS.format(user=user, name=name))]
    return [{"name": name} for name in sorted({row["user"] for row in rows if row.get("user")})]
