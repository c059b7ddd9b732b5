# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The phones of a cluster: the CTL and ITL that each holds, and whether it can register.

A phone fetches both files when it resets. It takes a file whose signer it knows by what it holds, or by a Trust
Verification Service that it knows and that vouches for the signer. An encrypted phone registers by TLS, and only
with a Cisco CallManager whose certificate is in the CTL that it holds.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from ..inferred import register
from ..services import CALLMANAGER, STARTED, TFTP, TVS
from .trustlists import CCM, Entry, Memory, TrustList, TrustLists
from .trustlists import TVS as TVS_RECORD

if TYPE_CHECKING:
    from ..world import Cluster, Node, Phone

register(
    "phones.reset_on_start",
    True,
    "Phones reset, and fetch CTL and ITL, when Cisco CallManager, Tftp or TVS of a node starts",
)
register(
    "phones.srtp_in_non_secure_mode",
    False,
    "Secure phones do SRTP also where their cluster is not in mixed mode; real ones do not. The scenarios of the lab "
    "switch it on, because 9.1 in mixed mode needs a CTL client, which the lab does not have",
)
register("phones.unverified_itl_registers", False, "A phone that can no longer verify the ITL still registers")


@dataclass(frozen=True)
class Registration:
    """A phone's registration: with which node, or why there is none."""

    phone: str
    node: Node | None
    reason: str = ""
    #: it registers by TLS
    encrypted: bool = False


class Phones:
    """The phones of one cluster. Subscribe `service_changed` to the service table of each node."""

    def __init__(self, cluster: Cluster) -> None:
        self._cluster = cluster
        self._memory = Memory(cluster)
        self.files = TrustLists(cluster, self._memory)

    def service_changed(self, node: Node, service: str, status: str) -> None:
        """A service has started: TFTP makes a new ITL, and the phones reset."""
        if status != STARTED or service not in (CALLMANAGER, TFTP, TVS):
            return
        self.remember()
        if service == TFTP:
            self.files.rebuild_itl(node)
        if self._cluster.lab.inferred["phones.reset_on_start"]:
            self.reset()

    def remember(self) -> None:
        """Before a certificate changes: phones that have no files yet take those that TFTP serves now."""
        for phone in self._cluster.phones:
            for kind in ("ctl", "itl"):
                self._stored_list(phone, kind)

    def reset(self) -> None:
        """Reset every phone: it fetches CTL and ITL, and accepts those that it can verify."""
        for phone in self._cluster.phones:
            for kind in ("ctl", "itl"):
                self._fetch(phone, kind)

    def registration(self, phone: Phone) -> Registration:
        """Where a phone is registered now, or why it is not."""
        from ..sip.trunk import running_nodes

        encrypted = phone.secure and self.files.mixed_mode
        if phone.behaviour == "unregistered":
            return Registration(phone.extension, None, "it is switched off", encrypted)
        nodes = running_nodes(self._cluster, phone.device_pool)
        if not nodes:
            reason = f"Cisco CallManager runs on no node of the phones' group in cluster {self._cluster.name}"
            return Registration(phone.extension, None, reason, encrypted)
        if self._memory.get(f"phone/{phone.name}/lost") and not self._tolerated:
            reason = f"it can't verify the {self._memory.get(f'phone/{phone.name}/lost')} that TFTP serves"
            return Registration(phone.extension, None, reason, encrypted)
        if not encrypted:
            return Registration(phone.extension, nodes[0], "", False)
        ctl = self._stored_list(phone, "ctl")
        for node in nodes:
            presented = Entry.of(CCM, node.name, node.certs.active_identity("CallManager")[0])
            if ctl and ctl.trusts(presented.sha256, CCM):
                return Registration(phone.extension, node, "", True)
        names = ", ".join(node.name for node in nodes)
        return Registration(phone.extension, None, f"its CTL does not have the certificate of {names}", True)

    def does_srtp(self, phone: Phone) -> bool:
        """Whether the phone encrypts its media: with a secure profile, in mixed mode alone."""
        inferred = self._cluster.lab.inferred["phones.srtp_in_non_secure_mode"]
        return phone.secure and (self.files.mixed_mode or bool(inferred))

    @property
    def _tolerated(self) -> bool:
        return bool(self._cluster.lab.inferred["phones.unverified_itl_registers"])

    def _served(self, kind: str) -> TrustList | None:
        """The file that the first node with TFTP serves; None without file or TFTP."""
        node = next((n for n in self._cluster.nodes if n.services.running(TFTP)), None)
        if node is None:
            return None
        return self.files.ctl() if kind == "ctl" else self.files.itl(node)

    def _stored_list(self, phone: Phone, kind: str) -> TrustList | None:
        stored = self._memory.get(f"phone/{phone.name}/{kind}")
        if stored is not None:
            return TrustList.from_json(stored)
        served = self._served(kind)
        if served is not None:
            self._memory.set(f"phone/{phone.name}/{kind}", served.to_json())
        return served

    def _fetch(self, phone: Phone, kind: str) -> None:
        served, stored = self._served(kind), self._stored_list(phone, kind)
        lost = f"phone/{phone.name}/lost"
        if served is None or stored is None or served == stored:
            return
        if self._verifies(phone, served.signer):
            self._memory.set(f"phone/{phone.name}/{kind}", served.to_json())
            if self._memory.get(lost) == kind.upper():
                self._memory.set(lost, None)
            return
        self._memory.set(lost, kind.upper())
        self._cluster.lab.log.write(
            "phones", event="not_verified", phone=phone.name, file=kind, signer=served.signer.subject
        )

    def _verifies(self, phone: Phone, signer: Entry) -> bool:
        lists = [stored for kind in ("ctl", "itl") if (stored := self._stored_list(phone, kind))]
        return any(stored.trusts(signer.sha256) for stored in lists) or any(
            self._vouches(node, lists, signer) for node in self._cluster.nodes
        )

    def _vouches(self, node: Node, lists: list[TrustList], signer: Entry) -> bool:
        """Whether a Trust Verification Service that the phone knows has the signer's certificate."""
        if not node.services.running(TVS):
            return False
        presented = Entry.of(TVS_RECORD, node.name, node.certs.active_identity("TVS")[0])
        if not any(stored.trusts(presented.sha256, TVS_RECORD) for stored in lists):
            return False
        stored = {
            Entry.of("", each.name, each.certs.held_certificate(unit)).sha256
            for each in self._cluster.nodes
            for unit in each.certs.units()
            if unit in ("CallManager", "ITLRecovery")
        }
        return signer.sha256 in stored
