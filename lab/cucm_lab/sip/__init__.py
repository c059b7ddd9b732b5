# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The SIP interface of a node: TLS on 5061, TCP on 5060, calls through trunks."""

from __future__ import annotations

from ..world import Lab, Node
from . import settings
from .client import CallResult, place_call
from .endpoint import SipEndpoint
from .ping import trunk_status

__all__ = ["CallResult", "SipEndpoint", "place_call", "settings", "start", "trunk_status"]


async def start(lab: Lab, node: Node) -> SipEndpoint:
    """Serve a node's SIP for as long as its Cisco CallManager runs."""
    endpoint = SipEndpoint(lab, node)
    node.sip = endpoint
    await endpoint.start()
    return endpoint
