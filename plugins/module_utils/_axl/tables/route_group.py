# Copyright: siptls.cucm contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The fields of a route group in AXL 9.1 to 15.0, in the order of the schema.

Private to siptls.cucm: no other collection may rely on it.
"""

from __future__ import annotations

from typing import Any

from ansible_collections.siptls.cucm.plugins.module_utils._axl.schema import Field, Resource, UsedBy

MEMBER = (
    Field("order", "deviceSelectionOrder", "int", "AUg"),
    Field("dial_plan_wizard_gen_id", "dialPlanWizardGenId", "int", "g"),
    Field("device", "deviceName", "FK", "AUg", ref="SipTrunk"),
    Field("port", "port", "int", "AUg", send="0"),
)

MEMBER_LIST: dict[str, Any] = {"kids": MEMBER, "each": "member", "order": "order", "identity": ("device",)}

FIELDS = (
    Field("name", "name", "Name", "Agl", until="9.1"),
    Field("new_name", "newName", "Name", "u", until="9.1"),
    Field("dial_plan_wizard_gen_id", "dialPlanWizardGenld", "int", "gl"),
    Field("distribution_algorithm", "distributionAlgorithm", "XDistributeAlgorithm", "Augl", default="Circular"),
    Field("remove_members", "removeMembers", "group", "u", delta="members", **MEMBER_LIST),
    Field("add_members", "addMembers", "group", "u", delta="members", **MEMBER_LIST),
    Field("members", "members", "group", "Aug", **MEMBER_LIST),
    Field("new_name", "newName", "string", "u", since="10.0"),
    Field("name", "name", "string", "Agl", since="10.0"),
)

ROUTE_GROUP = Resource(
    kind="RouteGroup",
    module="route_group",
    wrapper="routeGroup",
    noun="route group",
    fields=FIELDS,
    used_by=(
        UsedBy(
            "route_list",
            "select d.name as name, g.name as uses from routelist l inner join device d on d.pkid=l.fkdevice "
            "inner join routegroup g on g.pkid=l.fkroutegroup where g.name in ({names})",
        ),
    ),
)
