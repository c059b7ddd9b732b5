# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A Microsoft CA beside the clusters: Active Directory Certificate Services with web enrolment (/certsrv)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from weakref import WeakKeyDictionary

from . import web
from .authority import Authority

if TYPE_CHECKING:
    from ..world import Lab, Stoppable

__all__ = ["command", "start"]

_AUTHORITIES: WeakKeyDictionary[Lab, dict[str, Authority]] = WeakKeyDictionary()


async def start(lab: Lab, ca: dict[str, Any]) -> Stoppable:
    """Serve one row of the scenario's `cas:`."""
    authority = Authority(lab, ca)
    _AUTHORITIES.setdefault(lab, {})[authority.name] = authority
    return await web.start(lab, authority)


def command(lab: Lab, order: dict[str, Any]) -> Any:
    """What the CA's administrator does: {"what": "list"|"issue"|"deny", "request": n, "ca": name}; ValueError."""
    found = _AUTHORITIES.get(lab, {})
    name = order.get("ca") or next(iter(found), "")
    if name not in found:
        raise ValueError(f"The lab has no CA {name!r}; it has {', '.join(found) or 'none'}.")
    authority = found[name]
    if order["what"] == "list":
        return authority.requests()
    number = int(order["request"])
    if order["what"] == "issue":
        return authority.resubmit(number)
    if order["what"] == "deny":
        return authority.deny(number)
    raise ValueError(f"{order['what']!r} is not one of list, issue, deny.")
