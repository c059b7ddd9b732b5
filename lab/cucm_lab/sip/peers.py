# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which trunk a peer belongs to: by the names of its certificate, its address and the port that it connects to."""

from __future__ import annotations

from typing import TYPE_CHECKING

from . import names
from .connection import ConnectionFailed, SipConnection
from .engine import REASONS, Engine
from .trunk import Trunk

if TYPE_CHECKING:
    from ..world import Lab


def check_names(connection: SipConnection, engine: Engine) -> ConnectionFailed | None:
    """Check that the peer's names are those of a profile; the failure shows its names and the expected ones.

    CUCM finds the profile of an incoming connection by (name, incoming port), hence the pair's uniqueness; an
    outgoing one has its trunk's profile. Sets `connection.candidates`.
    """
    peer = engine.peer
    if peer is None:
        return None
    endpoint = connection.endpoint
    inferred = endpoint.lab.inferred

    def fits(trunk: Trunk) -> bool:
        if not trunk.subject_names:
            return bool(inferred["sip.empty_subject_matches"])
        return names.matches(trunk.subject_names, peer, sans=bool(inferred["sip.san_matched"]))

    if connection.incoming:
        port = connection.local[1]
        candidates = [trunk for trunk in endpoint.trunks() if trunk.incoming_tls and trunk.incoming_port == port]
        where = f"of the profiles in use on port {port}"
    else:
        assert connection.trunk is not None
        candidates = [connection.trunk]
        where = f"of the trunk {connection.trunk.name}'s profile {connection.trunk.security_profile}"
    connection.candidates = {trunk.name for trunk in candidates if fits(trunk)}
    if connection.candidates:
        return None
    have = ", ".join(dict.fromkeys((*peer.common_names, *peer.sans)))
    wanted = tuple(sorted({name for trunk in candidates for name in trunk.subject_names}))
    text = f"{REASONS['subject_name_mismatch']}: it has {have}; the names {where} are {', '.join(wanted) or 'none'}"
    return ConnectionFailed(text, local=2, reason="subject_name_mismatch", expected=wanted)


def identify(connection: SipConnection) -> Trunk | None:
    """The trunk whose destination the peer is, on the port and with the names of its profile."""
    if not connection.incoming:
        return connection.trunk
    endpoint, port, peer = connection.endpoint, connection.local[1], connection.remote[0]
    for trunk in endpoint.trunks():
        if trunk.incoming_tls != (connection.engine is not None) or trunk.incoming_port != port:
            continue
        if connection.candidates is not None and trunk.name not in connection.candidates:
            continue
        if any(peer == address(endpoint.lab, host) for host, _unused in trunk.destinations):
            return trunk
    return None


def address(lab: Lab, host: str) -> str:
    """The address of a destination: by the lab's names, else as written. Incoming calls do not wait for DNS."""
    return lab.address_of(host) or host
