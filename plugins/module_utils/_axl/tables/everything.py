# Copyright: siptls.cucm contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""All kinds of objects that have a table, and those that are only referred to.

Private to siptls.cucm: no other collection may rely on it.
"""

from __future__ import annotations

from dataclasses import dataclass

from ansible_collections.siptls.cucm.plugins.module_utils._axl.schema import Resource
from ansible_collections.siptls.cucm.plugins.module_utils._axl.tables.route_group import ROUTE_GROUP
from ansible_collections.siptls.cucm.plugins.module_utils._axl.tables.route_list import ROUTE_LIST
from ansible_collections.siptls.cucm.plugins.module_utils._axl.tables.route_pattern import ROUTE_PATTERN
from ansible_collections.siptls.cucm.plugins.module_utils._axl.tables.sip_profile import SIP_PROFILE
from ansible_collections.siptls.cucm.plugins.module_utils._axl.tables.sip_trunk import SIP_TRUNK
from ansible_collections.siptls.cucm.plugins.module_utils._axl.tables.sip_trunk_security_profile import (
    SIP_TRUNK_SECURITY_PROFILE,
)

#: in the order in which they are made; removal goes the other way
RESOURCES: tuple[Resource, ...] = (
    SIP_TRUNK_SECURITY_PROFILE,
    SIP_PROFILE,
    SIP_TRUNK,
    ROUTE_GROUP,
    ROUTE_LIST,
    ROUTE_PATTERN,
)
BY_KIND: dict[str, Resource] = {resource.kind: resource for resource in RESOURCES}
BY_MODULE: dict[str, Resource] = {resource.module: resource for resource in RESOURCES}


@dataclass(frozen=True)
class Referred:
    """A kind that a field can refer to by name."""

    noun: str  # as in a sentence
    name: str = "name"  # the AXL element of the name
    listed: bool = False  # get needs more than the name, so that a list is used instead
    wrapper: str = ""  # as in <devicePool>; empty for the kind with a small first letter

    def element(self, kind: str) -> str:
        """The element that holds an object of the kind."""
        return self.wrapper or kind[:1].lower() + kind[1:]


#: kinds that are only referred to
REFERRED = {
    "AarGroup": Referred("AAR group"),
    "CallManagerGroup": Referred("CallManager group"),
    "CommonDeviceConfig": Referred("common device configuration"),
    "Css": Referred("calling search space"),
    "Ddi": Referred("digit discard instruction", listed=True),
    "DevicePool": Referred("device pool"),
    "DialPlan": Referred("dial plan"),
    "ExternalCallControlProfile": Referred("external call control profile"),
    "GeoLocation": Referred("geolocation"),
    "GeoLocationFilter": Referred("geolocation filter"),
    "ImeE164Transformation": Referred("E.164 transformation"),
    "Location": Referred("location"),
    "MediaResourceList": Referred("media resource group list"),
    "PresenceGroup": Referred("presence group"),
    "ResourcePriorityNamespace": Referred("resource priority namespace", name="namespace"),
    "ResourcePriorityNamespaceList": Referred("resource priority namespace list"),
    "RouteFilter": Referred("route filter"),
    "RoutePartition": Referred("partition"),
    "SIPNormalizationScript": Referred("SIP normalization script"),
    "SdpTransparencyProfile": Referred("SDP transparency profile"),
}
#: every kind that a field can refer to
NAMED = REFERRED | {made.kind: Referred(made.noun, wrapper=made.wrapper) for made in RESOURCES if made.key == ("name",)}
