# Copyright: siptls.cucm contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A cluster of a running lab, where numbers are dialled: over AXL and over the lab's own control socket."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from ansible_collections.siptls.cucm.plugins.module_utils._axl.client import AxlClient
from ansible_collections.siptls.cucm.plugins.module_utils._axl.dial_plan import dial_plan
from ansible_collections.siptls.cucm.plugins.module_utils._dialplan.plan import DialPlan
from cucm_lab.testing import LabProcess


@dataclass
class Site:
    """One cluster of a running lab, over AXL and over the lab's own control socket."""

    lab: LabProcess
    client: AxlClient

    def analysed(self, called: str, **way: Any) -> dict[str, Any]:
        """The lab's word on a number."""
        found: dict[str, Any] = self.lab.ask("digits", cluster="cucma", called=called, **way)
        return found

    def plan(self) -> DialPlan:
        """The product's reading."""
        return DialPlan.read(dial_plan(self.client))


def update(site: Site, operation: str, inner: str) -> None:
    """One write as a document of our own."""
    body = (
        '<e:Envelope xmlns:e="http://schemas.xmlsoap.org/soap/envelope/"><e:Body>'
        f'<n:{operation} xmlns:n="http://www.cisco.com/AXL/API/12.5">{inner}</n:{operation}></e:Body></e:Envelope>'
    )
    headers = {"Content-Type": "text/xml", "SOAPAction": f'"CUCM:DB ver=12.5 {operation}"'}
    answer, _root = site.client.post(operation, body.encode(), headers)
    assert answer.status == 200, answer.text(2000)
