# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""HTTPS on 8443: AXL, Control Center, RIS, PerfMon, Log Collection, DIME, the certificate REST API, UDS."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ..world import Lab, Node, Stoppable


async def start(lab: Lab, node: Node) -> Stoppable:
    """Serve HTTPS on a node."""
    from .server import start as serve

    return await serve(lab, node)
