# Copyright: siptls.cucm contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What CUCM keeps certificates for: one row per purpose, and the only place that names them.

Services to restart and their order: Cisco document 214231, which restarts service by service, each on the publisher and
then on the subscribers; Cisco HAProxy from 14: Security Guide 15.
Private to siptls.cucm: no other collection may rely on it.
"""

from __future__ import annotations

from dataclasses import dataclass

from ansible_collections.siptls.cucm.plugins.module_utils._releases import OLDEST, features
from ansible_collections.siptls.cucm.plugins.module_utils._x509.extensions import BOTH_USES, SERVER_AUTH
from ansible_collections.siptls.cucm.plugins.module_utils._x509.keys import EC, RSA

TRUST_SUFFIX = "-trust"
EC_SUFFIX = "-ECDSA"


@dataclass(frozen=True)
class Service:
    """A service that a new certificate requires to be restarted, by the full name that Control Center shows."""

    name: str
    #: the field of Release that says whether a release has it; empty: every release does
    comes_with: str = ""
    #: also on the nodes of the cluster that have no new certificate: it serves or verifies those of other nodes
    on_every_node: bool = False


@dataclass(frozen=True)
class Purpose:
    """A purpose (CUCM's "unit").

    services: what to restart, in order; uses: what its certificate has to allow; reuses: the purpose whose multi-server
    certificate can serve for it, too (release 14 and later).
    """

    name: str
    services: tuple[Service, ...] = ()
    port: int | None = None
    uses: tuple[str, ...] = (SERVER_AUTH,)
    key: str = RSA
    reuses: str = ""

    def services_at(self, version: str, *, other_nodes: bool = False) -> tuple[str, ...]:
        """The services to restart on a release, in this order; of an unknown release those that every one has.

        other_nodes: on the nodes that have no new certificate.
        """
        release = features(version) if version else OLDEST
        return tuple(
            service.name
            for service in self.services
            if (not service.comes_with or getattr(release, service.comes_with))
            and (service.on_every_node or not other_nodes)
        )

    @property
    def trust(self) -> str:
        """The trust store that belongs to it; the EC certificate of a purpose shares that of the RSA one."""
        return self.name.removesuffix(EC_SUFFIX) + TRUST_SUFFIX


_TVS_SERVICE = Service("Cisco Trust Verification Service", on_every_node=True)
_CALLMANAGER_SERVICES = (
    Service("Cisco CallManager"),
    Service("Cisco CTIManager"),
    _TVS_SERVICE,
    Service("Cisco Tftp", on_every_node=True),
    Service("Cisco HAProxy", comes_with="haproxy"),
)
#: the purpose whose certificate CUCM presents on SIP trunks, and its elliptic twin (11.0 and later)
TRUNK = Purpose("CallManager", _CALLMANAGER_SERVICES, 5061, BOTH_USES, reuses="tomcat")
TRUNK_EC = Purpose("CallManager-ECDSA", _CALLMANAGER_SERVICES, 5061, BOTH_USES, EC, reuses="tomcat-ECDSA")
#: verifies files for phones; signs the CTL and ITL files from release 12.0 on
TVS = Purpose("TVS", (_TVS_SERVICE,))
ITL_RECOVERY = Purpose("ITLRecovery", uses=())
IPSEC = Purpose("ipsec", uses=())
PURPOSES = {
    purpose.name: purpose
    for purpose in (
        TRUNK,
        TRUNK_EC,
        Purpose("tomcat", (Service("Cisco Tomcat"),), 8443),
        Purpose("tomcat-ECDSA", (Service("Cisco Tomcat"),), 8443, key=EC),
        TVS,
        ITL_RECOVERY,
        Purpose("CAPF", (Service("Cisco Certificate Authority Proxy Function"),)),
        IPSEC,
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
