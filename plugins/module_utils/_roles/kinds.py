# Copyright: siptls.cucm contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The kinds of objects that role sip_tls_trunk makes: one row per kind, with what the role calls it.

The lists of objects, the change document, removal and restoring are derived from the rows.
Private to siptls.cucm: no other collection may rely on it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from ansible_collections.siptls.cucm.plugins.module_utils._axl.schema import Resource
from ansible_collections.siptls.cucm.plugins.module_utils._axl.tables.everything import BY_MODULE
from ansible_collections.siptls.cucm.plugins.module_utils._axl.tables.route_group import ROUTE_GROUP
from ansible_collections.siptls.cucm.plugins.module_utils._axl.tables.route_list import ROUTE_LIST
from ansible_collections.siptls.cucm.plugins.module_utils._axl.tables.route_pattern import ROUTE_PATTERN
from ansible_collections.siptls.cucm.plugins.module_utils._axl.tables.sip_profile import SIP_PROFILE
from ansible_collections.siptls.cucm.plugins.module_utils._axl.tables.sip_trunk import SIP_TRUNK
from ansible_collections.siptls.cucm.plugins.module_utils._axl.tables.sip_trunk_security_profile import (
    SIP_TRUNK_SECURITY_PROFILE,
)

#: the lists of objects in the results of the filters
ObjectList = Literal["sip_profiles", "profiles", "trunks", "route_groups", "route_lists", "patterns"]


@dataclass(frozen=True)
class Made:
    """A kind of object that the role makes."""

    resource: Resource
    objects: ObjectList  # its list in the results of the filters, and in sip_tls_trunk_objects
    registered: str  # the variable that the role's task registers
    named_by: str  # the option of the role that gives the name
    title: str = ""  # the key of its name in object_names; empty when it is not named after a peer
    description: str = ""  # how removal and preflight recognise what the role made; {peer} is the peer's name

    @property
    def noun(self) -> str:
        """The kind as in a sentence."""
        return self.resource.noun

    def described(self, peer: str) -> str:
        """The description of an object that the role makes for a peer."""
        return self.description.replace("{peer}", peer)


PROFILE = Made(
    SIP_TRUNK_SECURITY_PROFILE,
    "profiles",
    "sip_tls_trunk_profiles",
    "sip_tls_trunk_profile",
    "profile",
    "SIP over mutual TLS with {peer}",
)
TRUNK = Made(SIP_TRUNK, "trunks", "sip_tls_trunk_trunks", "sip_tls_trunk_name", "name", "SIP over mutual TLS to {peer}")
GROUP = Made(ROUTE_GROUP, "route_groups", "sip_tls_trunk_route_groups", "sip_tls_trunk_route_group", "route_group")
LIST = Made(ROUTE_LIST, "route_lists", "sip_tls_trunk_route_lists", "sip_tls_trunk_route_list", "route_list")
PATTERN = Made(
    ROUTE_PATTERN,
    "patterns",
    "sip_tls_trunk_patterns",
    "cucm_local_patterns",
    description="To {peer} by SIP over mutual TLS",
)
#: in the order of the role's tasks; removal goes the other way
MADE = (
    Made(SIP_PROFILE, "sip_profiles", "sip_tls_trunk_sip_profiles", "sip_tls_trunk_sip_profile"),
    PROFILE,
    TRUNK,
    GROUP,
    LIST,
    PATTERN,
)
#: what the role names after a peer, in the order of removal
PER_PEER = tuple(made for made in reversed(MADE) if made.title)
BY_KIND = {made.resource.module: made for made in MADE}


def noun(kind: str) -> str:
    """A kind of cucm_object_info in words: SIP trunk; `device` for a device of another kind."""
    return BY_MODULE[kind].noun if kind in BY_MODULE else kind


def in_words(name: str, partition: str = "") -> str:
    """A name, with the partition of a pattern."""
    return f"{name} in partition {partition}" if partition else name


def key_options(kind: str, name: str, partition: str, current: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """The options of a module that name an object; what else its key holds comes from the object as it is."""
    resource = BY_MODULE[kind]
    more = {option: current[option] for option in resource.key[1:] if (current or {}).get(option)} if current else {}
    return {**more, resource.first: name, **({"partition": partition} if "partition" in resource.key else {})}
