# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Alarms by syslog over UDP, as a node sends them to its Remote Syslog Server.

The form of CertExpired is that of a public support article; the names of the earlier warnings are inferred from the
alarm catalogs, and so is that trunk alarms differ from it in their facility and parameters only.
"""

from __future__ import annotations

import socket
from collections.abc import Iterable
from datetime import datetime
from typing import TYPE_CHECKING

from cryptography import x509

if TYPE_CHECKING:
    from ..clock import Clock
    from ..world import Lab, Node

#: severities of CUCM's alarms, by name
SEVERITIES = {"Emergency": 0, "Alert": 1, "Critical": 2, "Error": 3, "Warning": 4, "Notice": 5, "Informational": 6}
#: the alarm of the certificate monitor by the number of days left, the most severe first
CERTIFICATE_ALARMS = (
    (0, "CertExpired", "Emergency", "Certificate has Expired and needs to be changed at the earliest"),
    (1, "CertValidLessthanADay", "Alert", "Certificate is about to expire in less than a day"),
    (7, "CertValidfor7days", "Critical", "Certificate expires in 7 days or less"),
    (30, "CertValidLessthanMonth", "Error", "Certificate expires in 30 days or less"),
)
LOCAL7 = 23


class Syslog:
    """Where a lab's nodes send their alarms; nowhere until a server is set."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self.server: tuple[str, int] | None = None
        self._number = 0

    def name(self, server: str) -> None:
        """Send to address:port from now on; nowhere with an empty string."""
        address, _colon, port = server.rpartition(":")
        self.server = (address, int(port)) if server else None

    def send(
        self, node: Node, facility: str, alarm: tuple[str, str, str], parameters: Iterable[tuple[str, str]]
    ) -> None:
        """One alarm (name, severity, text) of a node."""
        if self.server is None:
            return
        self._number += 1
        name, severity, text = alarm
        level = SEVERITIES[severity]
        shown = "".join(f"[{key}={value}]" for key, value in parameters)
        now: datetime = self._clock.now()
        stamp = f"{now:%b %d %Y %H:%M:%S}.{now.microsecond // 10000:02d} UTC"
        line = (
            f"<{LOCAL7 * 8 + level}>{self._number}: {node.name}: {stamp} :  "
            f"%UC_{facility}-{level}-{name}: %{shown}[NodeID={node.name}]: {text}"
        )
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
            sender.sendto(line.encode(), self.server)

    def check_certificates(self, lab: Lab) -> int:
        """Send an alarm per certificate that expires soon, as the certificate monitor does once a day; their number."""
        count = 0
        for node in lab.nodes:
            for unit in node.certs.units():
                certificate = x509.load_pem_x509_certificate(node.certs.held_certificate(unit).encode())
                left = (certificate.not_valid_after_utc - lab.clock.now()).total_seconds() / 86400
                found = next((row for row in CERTIFICATE_ALARMS if left <= row[0]), None)
                if found is None:
                    continue
                count += 1
                message = (
                    f"Certificate expiration Notification. Certificate name:{unit}.der Unit:{unit} Type:own-cert "
                    f"Expiration:{certificate.not_valid_after_utc:%a %b %d %H:%M:%S:000 UTC %Y}"
                )
                parameters = [("Message", message), ("AppID", "Cisco Certificate Monitor"), ("ClusterID", "")]
                self.send(node, "CERT", (found[1], found[2], found[3]), parameters)
        return count
