# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the server checks beyond the schema: one function per kind, called with the whole body before it is stored."""

from __future__ import annotations

import re
import time
import uuid
from collections.abc import Callable
from typing import Any

from ...config import REFERENCE, ConfigStore, Record
from ...inferred import Inferred
from . import faults
from .faults import AxlFault

#: (store, inferred, body, the record's pkid if it exists already)
Rule = Callable[[ConfigStore, Inferred, dict[str, Any], str | None], None]

DEVICE_NAME = re.compile(r"[a-zA-Z0-9._-]{1,50}")
BAD_NAME = (
    "The specified name has invalid characters or is not formatted correctly for this device type."
    "Valid characters include [a-zA-Z0-9._-]{1,50}"
)
BAD_PROFILE = "The specified Security Profile is not valid for this device type (model and protocol)."
PATTERN = re.compile(r"\\?\+?[0-9A-D*#+@X.!\[\]\-^?\\]+")
DESTINATIONS = 16


def subject_names(text: str | None) -> set[str]:
    """The names of x509SubjectName: separated by space, comma, semicolon or colon."""
    return {name.lower() for name in re.split(r"[\s,;:]+", text or "") if name}


def _between(inferred: Inferred, body: dict[str, Any], field: str, low: int, high: int) -> None:
    value = body.get(field)
    if value is not None and not low <= value <= high:
        raise faults.inferred(inferred, "axl.bad_value", field=field, value=value)


def _profile(store: ConfigStore, inferred: Inferred, body: dict[str, Any], own: str | None) -> None:
    mode, incoming, outgoing = body["securityMode"], body["incomingTransport"], body["outgoingTransport"]
    if not mode:
        mode = body["securityMode"] = "Non Secure"
    if not outgoing:
        outgoing = body["outgoingTransport"] = "TLS" if mode != "Non Secure" else "TCP"
    for transport in (incoming, outgoing):
        if (mode != "Non Secure") != (transport == "TLS"):
            raise faults.inferred(inferred, "axl.mode_transport", transport=transport, mode=mode)
    _between(inferred, body, "incomingPort", 0, 65535)
    names, port = subject_names(body["x509SubjectName"]), body["incomingPort"]
    for other in store.records("SipTrunkSecurityProfile"):
        if other.pkid == own or other.body["incomingPort"] != port:
            continue
        if (other.body["incomingTransport"] == "TLS") != (incoming == "TLS"):
            raise faults.inferred(inferred, "axl.port_transport_clash", port=port, other=other.name)
        both = names & subject_names(other.body["x509SubjectName"])
        if both:
            subject = ", ".join(sorted(both))
            raise faults.inferred(inferred, "axl.subject_port_collision", subject=subject, port=port, other=other.name)


def _device(store: ConfigStore, inferred: Inferred, name: str, own: str | None) -> None:
    if not DEVICE_NAME.fullmatch(name):
        raise AxlFault(int(inferred["axl.bad_name"]), BAD_NAME)
    for kind in ("SipTrunk", "RouteList"):
        other = store.record(kind, name)
        if other and other.pkid != own:
            raise faults.duplicate()


def _trunk(store: ConfigStore, inferred: Inferred, body: dict[str, Any], own: str | None) -> None:
    _device(store, inferred, body["name"], own)
    for field, wanted in (("product", "SIP Trunk"), ("class", "Trunk"), ("protocol", "SIP")):
        if body[field] != wanted:
            raise faults.inferred(inferred, "axl.bad_literal", field=field, value=body[field])
    profile = store.by_id(body["securityProfileName"][REFERENCE])
    if profile is None or profile.kind != "SipTrunkSecurityProfile":
        raise AxlFault(int(inferred["axl.bad_profile"]), BAD_PROFILE)
    destinations = body["destinations"]
    if len(destinations) > DESTINATIONS:
        raise faults.inferred(inferred, "axl.bad_value", field="destinations", value=len(destinations))
    for destination in destinations:
        _between(inferred, destination, "port", 0, 65535)
    _unique_order(inferred, destinations, "sortOrder")
    digits = body.get("sigDigits")
    if digits is not None and digits != 99 and not 0 <= digits <= 32:
        raise faults.inferred(inferred, "axl.bad_value", field="sigDigits", value=digits)
    if any(d.get("addressIpv4") and re.fullmatch(r"[\d.]+", d["addressIpv4"]) for d in destinations):
        # The web page enforces this: an address with a port is not looked up by an SRV record.
        body["destAddrIsSrv"] = False
    body["model"] = "SIP Trunk"
    body.setdefault("_ctiid", store.next_number("ctiid"))
    body["versionStamp"] = f"{{{int(time.time())}-{str(uuid.uuid4()).upper()}}}"


def _pattern(store: ConfigStore, inferred: Inferred, body: dict[str, Any], own: str | None) -> None:
    if not PATTERN.fullmatch(body["pattern"]):
        raise faults.inferred(inferred, "axl.bad_value", field="pattern", value=body["pattern"])
    destination = body.get("destination") or {}
    chosen = [name for name, value in destination.items() if value]
    if len(chosen) > 1:
        raise faults.inferred(inferred, "axl.two_choices", fields=", ".join(chosen))
    if not chosen:
        raise faults.null_column("numplan", "fkdevice")
    if "@" in body["pattern"] and not body.get("dialPlanName"):
        raise faults.null_column("numplan", "fkdialplan")
    body["usage"] = "Route"


def _translation(store: ConfigStore, inferred: Inferred, body: dict[str, Any], own: str | None) -> None:
    if not PATTERN.fullmatch(body["pattern"]):
        raise faults.inferred(inferred, "axl.bad_value", field="pattern", value=body["pattern"])
    if "@" in body["pattern"] and not body.get("dialPlanName"):
        raise faults.null_column("numplan", "fkdialplan")
    body["usage"] = "Translation"


def _transformation(kind: str) -> Rule:
    def check(_unused: ConfigStore, inferred: Inferred, body: dict[str, Any], __: str | None) -> None:
        if not PATTERN.fullmatch(body["pattern"]):
            raise faults.inferred(inferred, "axl.bad_value", field="pattern", value=body["pattern"])
        body["usage"] = inferred["axl.transformation_usage"][kind]

    return check


def _unique_order(inferred: Inferred, items: list[dict[str, Any]], field: str) -> None:
    orders = [item.get(field) for item in items]
    if None in orders:
        raise faults.null_column("siptrunkdestination" if field == "sortOrder" else "routelist", field.lower())
    if len(set(orders)) != len(orders):
        raise faults.duplicate()


def _members(key: str, order: str) -> Rule:
    def check(_unused: ConfigStore, inferred: Inferred, body: dict[str, Any], __: str | None) -> None:
        targets = [member.get(key) for member in body["members"]]
        if None in targets:
            raise faults.null_column("routelist", f"fk{key.lower()}")
        if len({target[REFERENCE] for target in targets if target}) != len(targets):
            raise faults.duplicate()
        _unique_order(inferred, body["members"], order)

    return check


def _group(store: ConfigStore, inferred: Inferred, body: dict[str, Any], own: str | None) -> None:
    if not body["members"]:
        raise faults.null_column("routelist", "fkdevice")
    _members("deviceName", "deviceSelectionOrder")(store, inferred, body, own)


def _list(store: ConfigStore, inferred: Inferred, body: dict[str, Any], own: str | None) -> None:
    _device(store, inferred, body["name"], own)
    _members("routeGroupName", "selectionOrder")(store, inferred, body, own)


def _options_ping(store: ConfigStore, inferred: Inferred, body: dict[str, Any], own: str | None) -> None:
    for field, low, high in (
        ("optionsPingIntervalWhenStatusOK", 5, 600),
        ("optionsPingIntervalWhenStatusNotOK", 5, 600),
        ("sipOptionsRetryTimer", 100, 1000),
        ("sipOptionsRetryCount", 1, 10),
    ):
        _between(inferred, body, field, low, high)


RULES: dict[str, Rule] = {
    "SipTrunkSecurityProfile": _profile,
    "SipTrunk": _trunk,
    "SipProfile": _options_ping,
    "RoutePattern": _pattern,
    "TransPattern": _translation,
    **{
        kind: _transformation(kind)
        for kind in ("CallingPartyTransformationPattern", "CalledPartyTransformationPattern")
    },
    "RouteGroup": _group,
    "RouteList": _list,
}


def trunks_of(store: ConfigStore, record: Record) -> list[Record]:
    """The trunks that a reset of this object resets."""
    if record.kind == "SipTrunk":
        return [record]
    return [user for _unused, user in store.referrers(record.pkid) if user.kind == "SipTrunk"]
