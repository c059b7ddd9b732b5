# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which uploaded certificate becomes active at the start of which service.

Cisco CallManager is not here: the ServiceTable activates its certificate itself, before its ports open.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..services import STARTED

if TYPE_CHECKING:
    from ..world import Node

UNIT_OF_SERVICE = {
    "Cisco Tomcat": "tomcat",
    "Cisco Certificate Authority Proxy Function": "CAPF",
    "Cisco Trust Verification Service": "TVS",
}


def activate(node: Node, service: str, status: str) -> None:
    """A listener of the ServiceTable."""
    if status == STARTED and service in UNIT_OF_SERVICE:
        node.certs.activate(UNIT_OF_SERVICE[service])
