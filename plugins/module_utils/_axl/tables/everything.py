# Copyright: siptls.cucm contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""All kinds of objects that have a table, and those that are only referred to.

Private to siptls.cucm: no other collection may rely on it.
"""

from __future__ import annotations

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
#: kinds that are only referred to, by their name: (wrapper element, noun)
REFERRED = {
    "CallManagerGroup": ("callManagerGroup", "CallManager group"),
    "Css": ("css", "calling search space"),
    "DevicePool": ("devicePool", "device pool"),
    "Location": ("location", "location"),
    "PresenceGroup": ("presenceGroup", "presence group"),
    "RoutePartition": ("routePartition", "partition"),
}
#: every kind that a field can refer to
NAMED = REFERRED | {one.kind: (one.wrapper, one.noun) for one in RESOURCES if one.key == ("name",)}
