# Copyright: siptls.cucm contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What CUCM keeps certificates for: one row per purpose, and the only place that names them.

Services to restart, in order: Cisco documents 214231, 217138 and 118731; Cisco HAProxy from 14: Security Guide 15.
Private to siptls.cucm: no other collection may rely on it.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from ansible_collections.siptls.cucm.plugins.module_utils._x509.extensions import BOTH_USES, SERVER_AUTH
from ansible_collections.siptls.cucm.plugins.module_utils._x509.keys import EC, RSA

#: services that not every release has: the first major release
SERVICES_SINCE = {"Cisco HAProxy": 14}
TRUST_SUFFIX = "-trust"
EC_SUFFIX = "-ECDSA"


@dataclass(frozen=True)
class Purpose:
    """A purpose (CUCM's "unit"). services: what its new certificate takes effect with; uses: what it has to allow."""

    name: str
    services: tuple[str, ...] = ()
    port: int | None = None
    uses: tuple[str, ...] = (SERVER_AUTH,)
    key: str = RSA

    def services_at(self, version: str) -> tuple[str, ...]:
        """The services to restart on a release, in this order; of an unknown release those that every one has."""
        major = re.match(r"\d+", version)
        known = int(major[0]) if major else 0
        return tuple(name for name in self.services if SERVICES_SINCE.get(name, 0) <= known)

    @property
    def trust(self) -> str:
        """The trust store that belongs to it; the EC certificate of a purpose shares that of the RSA one."""
        return self.name.removesuffix(EC_SUFFIX) + TRUST_SUFFIX


_CALLMANAGER_SERVICES = (
    "Cisco CallManager", "Cisco CTIManager", "Cisco Trust Verification Service", "Cisco Tftp", "Cisco HAProxy",
)  # fmt: skip
#: the purpose whose certificate CUCM presents on SIP trunks, and its elliptic twin (11.0 and later)
TRUNK = Purpose("CallManager", _CALLMANAGER_SERVICES, 5061, BOTH_USES)
TRUNK_EC = Purpose("CallManager-ECDSA", _CALLMANAGER_SERVICES, 5061, BOTH_USES, EC)
PURPOSES = {
    one.name: one
    for one in (
        TRUNK,
        TRUNK_EC,
        Purpose("tomcat", ("Cisco Tomcat",), 8443),
        Purpose("tomcat-ECDSA", ("Cisco Tomcat",), 8443, key=EC),
        Purpose("TVS", ("Cisco Trust Verification Service",)),
        Purpose("CAPF", ("Cisco Certificate Authority Proxy Function",)),
        Purpose("ipsec", uses=()),
    )
}


def purpose_of(name: str) -> Purpose:
    """The row of a purpose, or what can be said of one that a later release brings."""
    return PURPOSES.get(name) or Purpose(name, uses=(), key=EC if name.endswith(EC_SUFFIX) else RSA)


def is_trust(name: str) -> bool:
    """Whether a name is that of a trust store."""
    return name.endswith(TRUST_SUFFIX)


def unit_of(store: str) -> str:
    """The unit of a trust store, by which the CLI knows it: CallManager of CallManager-trust."""
    return store.removesuffix(TRUST_SUFFIX)
