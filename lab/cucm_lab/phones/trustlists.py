# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The two files that phones trust: the CTL of a cluster in mixed mode, and the ITL of each TFTP node.

What signs them goes by release: the publisher's (the TFTP node's) CallManager certificate up to 11.5, ITLRecovery
from 12.0 (Cisco document 214231). The tokenless CTL exists from 10.0; before, the CTL client signs it with an eToken.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

from cryptography import x509
from cryptography.hazmat.primitives import hashes

from ..inferred import register
from ..services import CALLMANAGER, TFTP

if TYPE_CHECKING:
    from ..world import Cluster, Node

SAST, CCM, TVS, CAPF = "System Administrator Security Token", "CCM+TFTP", "TVS", "CAPF"
#: the name of an eToken's certificate, which no node holds
ETOKEN = "SAST-ADN00000000"

register("phones.itl_rebuilt", "tftp", "A node's ITL contains new certificates from the next start of Cisco Tftp")

register(
    "phones.itlrecovery_in_ctl_since",
    [11, 0],
    "First release whose CTL contains ITLRecovery (10.5.1 was seen without it)",
)


@dataclass(frozen=True)
class Entry:
    """One record: what a certificate may do, and the certificate's SHA-256, serial number and names."""

    function: str
    node: str
    sha256: str
    serial: str
    subject: str
    issuer: str

    @classmethod
    def of(cls, function: str, node: str, pem: str) -> Entry:
        """The record of a certificate."""
        certificate = x509.load_pem_x509_certificate(pem.encode())
        return cls(
            function, node, certificate.fingerprint(hashes.SHA256()).hex(), f"{certificate.serial_number:x}",
            certificate.subject.rfc4514_string(), certificate.issuer.rfc4514_string(),
        )  # fmt: skip


@dataclass(frozen=True)
class TrustList:
    """A CTL or an ITL: who signed it, when it was made, and its records."""

    signer: Entry
    made: float
    entries: tuple[Entry, ...]

    def trusts(self, sha256: str, function: str = "") -> bool:
        """Whether a record has this certificate (for this function)."""
        return any(entry.sha256 == sha256 and function in ("", entry.function) for entry in self.entries)

    def to_json(self) -> str:
        """For the database."""
        return json.dumps(asdict(self))

    @classmethod
    def from_json(cls, text: str) -> TrustList:
        """From the database."""
        data = json.loads(text)
        return cls(Entry(**data["signer"]), data["made"], tuple(Entry(**row) for row in data["entries"]))


class Memory:
    """What is stored about files and phones.

    In a `volatile_` table: a file is made when it is first read, and a comparison of two states leaves that out.
    """

    def __init__(self, cluster: Cluster) -> None:
        self._db = cluster.db
        self._db.schema("CREATE TABLE IF NOT EXISTS volatile_phones (name TEXT PRIMARY KEY, value TEXT NOT NULL)")

    def get(self, name: str) -> str | None:
        """A value, or None."""
        row = self._db.one("SELECT value FROM volatile_phones WHERE name = ?", (name,))
        return None if row is None else str(row["value"])

    def set(self, name: str, value: str | None) -> None:
        """Remember a value; None forgets it."""
        self._db.execute("DELETE FROM volatile_phones WHERE name = ?", (name,))
        if value is not None:
            self._db.execute("INSERT INTO volatile_phones VALUES (?, ?)", (name, value))


class TrustLists:
    """The files of one cluster."""

    def __init__(self, cluster: Cluster, memory: Memory) -> None:
        self._cluster = cluster
        self._memory = memory

    # -- CTL

    @property
    def mixed_mode(self) -> bool:
        """ClusterSecurityMode is 1."""
        rows = self._cluster.config.objects("ServiceParameter")
        found = next((row for row in rows if row.get("name") == "ClusterSecurityMode"), None)
        return (str(found.get("value")) if found else str(self._cluster.spec.security_mode)) == "1"

    def ctl(self) -> TrustList | None:
        """The CTL as TFTP serves it; a cluster that was installed in mixed mode has one from the start."""
        stored = self._memory.get("ctl")
        if stored is None and self.mixed_mode:
            return self.update_ctl()
        return TrustList.from_json(stored) if stored else None

    def update_ctl(self) -> TrustList:
        """Make a new one from the certificates that the nodes hold, restarted or not."""
        return self._keep("ctl", self._build_ctl())

    def set_mixed_mode(self, mixed: bool) -> None:
        """`utils ctl set-cluster`: the parameter, and the CTL with it or without CallManager's certificates."""
        config = self._cluster.config
        for record in config.records("ServiceParameter"):
            if record.name.startswith("ClusterSecurityMode") or record.body.get("name") == "ClusterSecurityMode":
                record.body["value"] = "1" if mixed else "0"
                config.replace(record)
        if mixed:
            self.update_ctl()
        else:
            self._memory.set("ctl", None)

    def _build_ctl(self) -> TrustList:
        publisher = self._cluster.publisher
        release = self._cluster.release
        entries = []
        if release.has_tokenless_ctl:
            signer = self._signer(publisher, SAST)
            entries.append(signer)
            if release.number >= tuple(self._cluster.lab.inferred["phones.itlrecovery_in_ctl_since"]):
                entries.append(Entry.of(SAST, publisher.name, publisher.certs.held_certificate("ITLRecovery")))
        else:
            signer = Entry(SAST, "", "etoken", "3cf9270000", f"CN={ETOKEN}", "CN=Cisco Manufacturing CA")
            entries.append(signer)
        for node in self._cluster.nodes:
            if any(node.services.get(name).activated for name in (CALLMANAGER, TFTP)):
                entries.append(Entry.of(CCM, node.name, node.certs.held_certificate("CallManager")))
        entries.append(Entry.of(CAPF, publisher.name, publisher.certs.held_certificate("CAPF")))
        return TrustList(signer, self._cluster.lab.clock.time(), tuple(dict.fromkeys(entries)))

    # -- ITL

    def itl(self, node: Node) -> TrustList:
        """The ITL as a node's TFTP serves it."""
        stored = self._memory.get(f"itl/{node.name}")
        return TrustList.from_json(stored) if stored else self.rebuild_itl(node)

    def rebuild_itl(self, node: Node) -> TrustList:
        """Make a new one from the certificates that the nodes hold; TFTP does so when it starts."""
        entries = [self._signer(node, SAST), Entry.of(CCM, node.name, node.certs.held_certificate("CallManager"))]
        entries += [Entry.of(TVS, each.name, each.certs.held_certificate("TVS")) for each in self._cluster.nodes]
        publisher = self._cluster.publisher
        entries.append(Entry.of(CAPF, publisher.name, publisher.certs.held_certificate("CAPF")))
        made = TrustList(entries[0], self._cluster.lab.clock.time(), tuple(dict.fromkeys(entries)))
        return self._keep(f"itl/{node.name}", made)

    def _signer(self, node: Node, function: str) -> Entry:
        if self._cluster.release.itl_recovery_signs:
            # One certificate for the cluster, made by the publisher.
            publisher = self._cluster.publisher
            return Entry.of(function, publisher.name, publisher.certs.held_certificate("ITLRecovery"))
        return Entry.of(function, node.name, node.certs.held_certificate("CallManager"))

    def _keep(self, name: str, made: TrustList) -> TrustList:
        self._memory.set(name, made.to_json())
        self._cluster.lab.log.write("phones", cluster=self._cluster.name, file=name, signer=made.signer.subject)
        return made
