# Copyright: siptls.cucm contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Why CUCM reports a SIP trunk as out of service, in words, and what to do next. Private to this collection."""

from __future__ import annotations

import re

# Reason of an alarm or of a trunk's status page -> (meaning, next step).
REASONS = {
    "local=1": (
        "the OPTIONS request timed out",
        "Check that the peer is reachable and listens on the trunk's port, and that it has a trunk whose destination "
        "is this cluster's address.",
    ),
    "local=2": (
        "no connection could be opened; a failed TLS handshake shows like this",
        "Look at the handshake with sip_tls_probe or cucm_capture: an unknown CA, a name that the profile does not "
        "accept, an expired certificate, one without clientAuth, or a closed port.",
    ),
    "local=3": (
        "the destination's name could not be resolved",
        "Check the destination's name and the DNS servers of the node.",
    ),
    "remote=503": (
        "the peer refuses with 503 Service Unavailable",
        "Check the peer: its own trunk may be out of service, it may have no trunk for this cluster's address, or "
        "(from 15SU3) its node may be set to Busy Out, as for an upgrade.",
    ),
    "remote=408": ("the peer answered 408 Request Timeout", "Check the systems behind the peer."),
}
_CODE = re.compile(r"(?i)\b(local|remote)\s*=\s*(\d{1,9})")


def explain(text: str | None) -> dict[str, str | None]:
    """``reason``, ``meaning`` and ``next_step`` of the first reason code in a text; all None without one."""
    found = _CODE.search(text or "")
    if not found:
        return {"reason": None, "meaning": None, "next_step": None}
    reason = f"{found[1].capitalize()}={int(found[2])}"
    meaning, step = REASONS.get(
        reason.lower(),
        (
            f"the peer answered {found[2]}" if found[1].lower() == "remote" else "a reason that is not documented",
            "Read the traces of Cisco CallManager at this time (cucm_trace_info).",
        ),
    )
    return {"reason": reason, "meaning": meaning, "next_step": step}
