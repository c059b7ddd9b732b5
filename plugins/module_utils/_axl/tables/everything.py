# Copyright: siptls.cucm contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""All kinds of objects that have a table.

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

RESOURCES: tuple[Resource, ...] = (
    SIP_TRUNK_SECURITY_PROFILE,
    SIP_PROFILE,
    SIP_TRUNK,
    ROUTE_GROUP,
    ROUTE_LIST,
    ROUTE_PATTERN,
)
