# Copyright: siptls.cucm contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Keep a run within one network when the environment variable SIPTLS_CUCM_NETWORK names it.

A rehearsal sets it to the network of the twins, so that no variable, file or name leads the run to the real clusters.
Private to siptls.cucm: no other collection may rely on it.
"""

from __future__ import annotations

import ipaddress
import os
import socket

from ansible_collections.siptls.cucm.plugins.module_utils._module import Failure

VARIABLE = "SIPTLS_CUCM_NETWORK"


def check(host: str, port: int) -> None:
    """Raise Failure if the run is kept within a network and the host has an address outside of it.

    A name that does not resolve passes: connecting to it fails with a sentence of its own.
    """
    text = os.environ.get(VARIABLE)
    if not text:
        return
    try:
        network = ipaddress.ip_network(text)
    except ValueError:
        raise Failure(
            f"The environment variable {VARIABLE} is {text!r}, which is not a network. Nothing was sent to {host}. "
            "Unset it, or give a network such as 127.77.0.0/16."
        ) from None
    outside = [address for address in _addresses(host, port) if ipaddress.ip_address(address) not in network]
    if outside:
        found = host if outside[0] == host else f"{host} ({outside[0]})"
        raise Failure(
            f"No connection to {found}, port {port}, was attempted: the environment variable {VARIABLE} keeps this run "
            f"within {network}, as a rehearsal on twins does. A variable or a file of yours leads there: remove it for "
            "the rehearsal, or unset the environment variable to reach other hosts.",
            state="unreachable",
            port_state="unreachable",
        )


def _addresses(host: str, port: int) -> list[str]:
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError):
        return []
    return [str(place[0]).partition("%")[0] for *_kind, place in found]
