# Copyright: siptls.cucm contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Rules across objects, checked before the first write: what CUCM would reject, or worse, accept.

Private to siptls.cucm: no other collection may rely on it.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping
from typing import Any

from ansible_collections.siptls.cucm.plugins.module_utils._axl.plan import Item
from ansible_collections.siptls.cucm.plugins.module_utils._axl.schema import Resource
from ansible_collections.siptls.cucm.plugins.module_utils._axl.session import Session
from ansible_collections.siptls.cucm.plugins.module_utils._axl.tables.sip_trunk import SIP_TRUNK
from ansible_collections.siptls.cucm.plugins.module_utils._axl.tables.sip_trunk_security_profile import (
    SIP_TRUNK_SECURITY_PROFILE,
)
from ansible_collections.siptls.cucm.plugins.module_utils._axl.values import names
from ansible_collections.siptls.cucm.plugins.module_utils._text import is_address

SECURE_MODES = ("Authenticated", "Encrypted")
PROFILE_TAGS = ("name", "security_mode", "incoming_transport", "incoming_port", "x509_subject_names")
# The defaults of a new profile: those of add in the schema.
PROFILE_BIRTH = {"security_mode": "Non Secure", "incoming_transport": "TCP+UDP", "incoming_port": 5060}


def complete(item: Item) -> None:
    """Fill in what one option of a new object implies, before anything is compared.

    A secure mode means TLS in both directions; a profile copied from a non-secure one would keep TCP otherwise.
    """
    if item.resource.kind != "SipTrunkSecurityProfile" or item.current is not None or item.state == "absent":
        return
    if item.desired.get("security_mode") in SECURE_MODES:
        item.desired.setdefault("incoming_transport", "TLS")
        item.desired.setdefault("outgoing_transport", "TLS")


def profiles(session: Session, items: list[Item]) -> Iterator[str]:
    """Mode and transports agree; TLS has a port of its own; a subject name has one profile per port."""
    coming = {item.label.casefold(): {**PROFILE_BIRTH, **item.after, "name": item.label} for item in items}
    for item in items:
        profile = coming[item.label.casefold()]
        yield from _transports(item, profile)
        if "nonce_policy_time" in {row.option for row in item.changes} and not profile.get("digest_authentication"):
            yield f"nonce_policy_time of {item.name} can be changed only while digest_authentication is true."
        if item.action == "update" and profile["security_mode"] not in SECURE_MODES:
            yield from _trunks_in_clear(session, item)
    gone = {str(item.desired["name"]).casefold() for item in items}
    others = [
        found.values
        for found in session.listed(SIP_TRUNK_SECURITY_PROFILE, PROFILE_TAGS)
        if str(found.values["name"]).casefold() not in gone | set(coming)
    ]
    mine = list(coming.values())
    for index, profile in enumerate(mine):
        for other in others + mine[index + 1 :]:
            yield from collisions(profile, other)


def _transports(item: Item, profile: dict[str, Any]) -> Iterator[str]:
    mode = profile["security_mode"]
    secure = mode in SECURE_MODES
    for option in ("incoming_transport", "outgoing_transport"):
        transport = profile.get(option) or ""
        if transport and (transport == "TLS") != secure:
            yield (
                f"{item.name} would have security_mode {mode} with {option} {transport}: "
                f"{'this mode needs TLS' if secure else 'TLS needs security_mode Authenticated or Encrypted'}."
            )


def _trunks_in_clear(session: Session, item: Item) -> Iterator[str]:
    if "security_mode" not in {row.option for row in item.changes}:
        return
    for trunk in users(session, item, "security_profile", ("srtp_allowed",)):
        if trunk.get("srtp_allowed") is True:
            yield (
                f"{item.name} cannot become {item.after['security_mode']}: the SIP trunk {trunk['name']} uses it with "
                "srtp_allowed, and the keys would travel in clear."
            )


def collisions(profile: Mapping[str, Any], other: Mapping[str, Any]) -> Iterator[str]:
    """What two security profiles cannot have in common: a port for TLS and for plain text, a name and its port."""
    port = profile["incoming_port"]
    if other.get("incoming_port") != port:
        return
    tls, other_tls = (side.get("incoming_transport") == "TLS" for side in (profile, other))
    if tls != other_tls:
        yield (
            f"SIP trunk security profiles {profile['name']} ({profile.get('incoming_transport')}) and {other['name']} "
            f"({other.get('incoming_transport')}) cannot share incoming_port {port}: TLS and plain transports need "
            f"ports of their own. {profile['name'] if tls else other['name']} should take another, by convention 5061."
        )
    both = {name.casefold() for name in names(profile.get("x509_subject_names"))} & {
        name.casefold() for name in names(other.get("x509_subject_names"))
    }
    if both:
        yield (
            f"SIP trunk security profiles {profile['name']} and {other['name']} cannot both have the X.509 subject "
            f"name {', '.join(sorted(both))} on incoming_port {port}: CUCM tells trunks apart by name and port."
        )


def users(session: Session, item: Item, reference: str, tags: tuple[str, ...] = ()) -> list[dict[str, Any]]:
    """The SIP trunks that use a profile, under its present or its new name."""
    mine = {str(item.desired["name"]).casefold(), item.label.casefold()}
    listed = session.listed(SIP_TRUNK, ("name", reference, *tags))
    return [found.values for found in listed if str(found.values[reference]).casefold() in mine]


def trunks(session: Session, items: list[Item]) -> Iterator[str]:
    """SRTP keys never travel in clear; an address that is looked up by SRV is a name."""
    secured = [item for item in items if item.after.get("srtp_allowed") is True and item.after.get("security_profile")]
    keys = sorted({str(item.after["security_profile"]) for item in secured})
    found = session.client.side_by_side(lambda name: session.fetch(SIP_TRUNK_SECURITY_PROFILE, {"name": name}), keys)
    modes = {name: profile.values.get("security_mode") for name, profile in zip(keys, found, strict=True) if profile}
    for item in secured:
        name = str(item.after["security_profile"])
        if modes.get(name, SECURE_MODES[0]) in SECURE_MODES:
            continue
        problem = (
            f"srtp_allowed of {item.name} needs a TLS profile, and {name} is {modes[name]}: the SRTP keys would travel "
            "in clear. Set security_profile to one with security_mode Encrypted."
        )
        if session.check_mode:
            # An earlier task of the same run may correct the profile, which check mode does not show.
            session.warnings.append(f"{problem} Unless an earlier task changes that profile, a run would fail here.")
        else:
            yield problem
    most = SIP_TRUNK.field("destinations").most
    for item in items:
        count = len(item.after.get("destinations") or [])
        if count > most and "destinations" not in item.desired:  # a whole list has been checked before
            yield f"{item.name} would have {count} destinations; CUCM takes at most {most}."


def trunk_values(name: str, values: Mapping[str, Any], changed: Collection[str]) -> Iterator[str]:
    """Destinations that cannot be reached as they are written: SRV records, IPv6 addresses, port 0."""
    if not {"destinations", "add_destinations", "destination_is_srv", "common_device_configuration"} & set(changed):
        return
    srv = values.get("destination_is_srv") is True
    for entry in values.get("destinations") or []:
        yield from _destination(name, entry, srv=srv)
        if entry.get("address_ipv6") and not entry.get("address") and not values.get("common_device_configuration"):
            yield (
                f"the destination {entry['address_ipv6']} of {name} is an IPv6 address alone, and a trunk uses IPv6 "
                "only with a common device configuration whose IP addressing mode allows it. Set "
                "common_device_configuration."
            )


def _destination(name: str, entry: Mapping[str, Any], *, srv: bool) -> Iterator[str]:
    address = str(entry.get("address") or "")
    if srv and is_address(address):
        yield f"destination_is_srv of {name} excludes the IP address {address}."
    if not srv and address.startswith("_"):
        yield f"the destination {address} of {name} is the name of an SRV record. Set destination_is_srv to true."
    if not srv and entry.get("port") == 0:
        yield (
            f"the destination {address or entry.get('address_ipv6')} of {name} has port 0, at which nobody listens. "
            "Give the port, or set destination_is_srv to true."
        )
    if not srv and ":" in address and is_address(address):
        yield f"the destination {address} of {name} is an IPv6 address. Give it as address_ipv6."


def pattern_values(name: str, values: Mapping[str, Any], changed: Collection[str]) -> Iterator[str]:
    """What CUCM requires of one pattern."""
    if "@" in str(values.get("pattern")) and not values.get("dial_plan"):
        yield f"{name} contains @ and needs a dial_plan."
    if "blocked_call_percentage" in changed and not values.get("enable_dcc_enforcement"):
        yield f"blocked_call_percentage of {name} needs enable_dcc_enforcement: true."


RULES: dict[str, Callable[[Session, list[Item]], Iterator[str]]] = {
    "SipTrunkSecurityProfile": profiles,
    "SipTrunk": trunks,
}
#: rules about one object's values, for which nothing has to be read; preflight uses them, too
VALUE_RULES: dict[str, Callable[[str, Mapping[str, Any], Collection[str]], Iterator[str]]] = {
    "SipTrunk": trunk_values,
    "RoutePattern": pattern_values,
}


def check_values(resource: Resource, name: str, values: Mapping[str, Any], changed: Collection[str]) -> Iterator[str]:
    """Problems of an object with the values that it will have; changed are the options that the task sets."""
    rule = VALUE_RULES.get(resource.kind)
    if rule is not None:
        yield from rule(name, values, changed)


def check(session: Session, resource: Resource, items: list[Item]) -> Iterator[str]:
    """All problems with the coming writes."""
    writes = [item for item in items if item.action in ("add", "update")]
    for item in writes:
        changed = {row.option for row in item.changes} if item.action == "update" else set(item.desired)
        yield from check_values(resource, item.name, {**item.after, **item.final_key}, changed)
    rule = RULES.get(resource.kind)
    if rule is not None and writes:
        yield from rule(session, writes)


def devices_to_reset(session: Session, item: Item) -> list[str]:
    """The SIP trunks that a change of this object concerns."""
    if item.resource is SIP_TRUNK:
        return [item.label]
    reference = item.resource.trunk_option
    return [str(trunk["name"]) for trunk in users(session, item, reference)] if reference else []
