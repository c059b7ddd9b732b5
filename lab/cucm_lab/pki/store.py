# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A node's certificate store: identities, trust stores and requests, and the rules of uploading.

State is in the cluster's database: `pki_identity` (what the node holds), `pki_active` (what a service that has not
been restarted still presents), `pki_csr`, `pki_trust`. Key pairs and the certificates of the installation
are in `volatile_` tables, which a comparison of two states leaves out: they are secret, or made when first read.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from cryptography import x509

from . import material, rules
from .making import CsrOptions, Maker
from .refusals import StoreError, refusal
from .units import COPIES, STORES, Unit, find_store, find_unit, units

if TYPE_CHECKING:
    from ..world import Lab, Node

__all__ = ["CertificateStore", "CsrOptions", "StoreError"]

_SCHEMA = """
CREATE TABLE IF NOT EXISTS pki_identity (
  node TEXT, unit TEXT, certificate TEXT NOT NULL, distribution TEXT NOT NULL, PRIMARY KEY (node, unit));
CREATE TABLE IF NOT EXISTS pki_active (node TEXT, unit TEXT, certificate TEXT NOT NULL, PRIMARY KEY (node, unit));
CREATE TABLE IF NOT EXISTS pki_csr (
  node TEXT, unit TEXT, csr TEXT NOT NULL, distribution TEXT NOT NULL, PRIMARY KEY (node, unit));
CREATE TABLE IF NOT EXISTS pki_trust (
  node TEXT, store TEXT, filename TEXT, certificate TEXT NOT NULL, PRIMARY KEY (node, store, filename));
CREATE TABLE IF NOT EXISTS volatile_pki_shipped (
  node TEXT, unit TEXT, certificate TEXT NOT NULL, PRIMARY KEY (node, unit));
CREATE TABLE IF NOT EXISTS volatile_pki_key (spki TEXT PRIMARY KEY, pem TEXT NOT NULL);
"""


class CertificateStore:
    """The certificates of one node. Every method may be called from any thread."""

    def __init__(self, lab: Lab, node: Node) -> None:
        self._lab = lab
        self._node = node
        self._db = node.cluster.db
        self._release = node.cluster.release
        self._maker = Maker(lab, node)
        self._db.schema(_SCHEMA)
        if self._db.setting(f"pki/{node.name}") is None:
            with self._db.transaction():
                for pem in material.shipped_authorities():
                    self._put_trust(node.name, "CallManager", x509.load_pem_x509_certificate(pem.encode()))
                self._db.set_setting(f"pki/{node.name}", "shipped")

    # -- identities

    def units(self) -> list[str]:
        """The identity units of this node."""
        return [unit.name for unit in units(self._release)]

    def listed_units(self) -> list[str]:
        """The units with a file of their own: one that uses tomcat's certificate is not in the list."""
        return [unit for unit in self.units() if self.reused(unit) is None]

    def reused(self, purpose: str) -> str | None:
        """The unit whose multi-server certificate serves as this unit's, or None."""
        return self._db.setting(f"pki/reuse/{self._node.name}/{self._unit(purpose).name}")

    def reuse(self, source: str, purpose: str) -> bool:
        """Let a tomcat unit's multi-server certificate serve as this unit's on all nodes; False if it has none."""
        unit = self._unit(purpose)
        if self._unit(source).trust != "tomcat" or unit.trust != "CallManager" or not unit.signable:
            raise self._refuse(1025, unit=purpose)
        row = self._db.one(
            "SELECT distribution FROM pki_identity WHERE node = ? AND unit = ?", (self._node.name, source)
        )
        if row is None or row["distribution"] == "this-server":
            return False
        with self._db.transaction():
            for node in self._node.cluster.nodes:
                running = node.certs.active_identity(unit.name)[0]
                self._db.execute("INSERT OR IGNORE INTO pki_active VALUES (?, ?, ?)", (node.name, unit.name, running))
                self._db.set_setting(f"pki/reuse/{node.name}/{unit.name}", source)
        self._log("reuse", unit=unit.name, source=source)
        return True

    def held_certificate(self, purpose: str) -> str:
        """PEM of the identity certificate that the node holds."""
        unit = self._unit(self.reused(purpose) or purpose)
        row = self._db.one(
            "SELECT certificate FROM pki_identity WHERE node = ? AND unit = ?", (self._node.name, unit.name)
        )
        return str(row["certificate"]) if row else self._shipped(unit)

    def held_identity(self, purpose: str) -> tuple[str, str]:
        """(certificate PEM, key PEM) that the node holds: active after the next restart."""
        pem = self.held_certificate(purpose)
        return pem, self._key_of(pem)

    def active_identity(self, purpose: str) -> tuple[str, str]:
        """(certificate PEM, key PEM) that the running service presents."""
        unit = self._unit(purpose)
        row = self._db.one(
            "SELECT certificate FROM pki_active WHERE node = ? AND unit = ?", (self._node.name, unit.name)
        )
        if row is None:
            return self.held_identity(unit.name)
        return str(row["certificate"]), self._key_of(str(row["certificate"]))

    def activate(self, purpose: str) -> None:
        """The service of this unit (and of its elliptic sibling) has been restarted."""
        self._db.execute(
            "DELETE FROM pki_active WHERE node = ? AND unit IN (?, ?)",
            (self._node.name, purpose, f"{purpose}-ECDSA"),
        )
        if purpose == "CallManager":
            self._return_deleted()

    def description(self, purpose: str) -> str:
        """The Description column of an identity."""
        certificate = x509.load_pem_x509_certificate(self.held_certificate(purpose).encode())
        if certificate.issuer == certificate.subject:
            return "Self-signed certificate generated by system"
        return f"Certificate Signed by {material.common_name(certificate.issuer)}"

    def regenerate(self, purpose: str) -> str:
        """A new key and a new self-signed certificate; its PEM. A pending CSR is kept."""
        unit = self._unit(purpose)
        bits, _unused = self._release.self_signed
        pem = self._self_signed(unit, material.new_key(unit.elliptic, 384 if unit.elliptic else bits))
        with self._db.transaction():
            self._replace_identity(self._node, unit, pem, "this-server")
        return pem

    def set_web_security(self, subject: dict[str, str], alternative: Sequence[str]) -> None:
        """`set web-security`: use another subject and more SANs, and regenerate tomcat."""
        self._maker.set_web_security(subject, alternative)
        self.regenerate("tomcat")

    # -- what a twin gets in place of the installation's certificates

    def install(self, purpose: str, certificate: x509.Certificate, key: material.PrivateKey) -> None:
        """Make this the identity of a unit, in use already; ignored if the release has no such unit."""
        unit = find_unit(self._release, purpose)
        if unit is None:
            return
        self._keep_key(key)
        self._db.execute(
            "INSERT OR REPLACE INTO pki_identity VALUES (?, ?, ?, ?)",
            (self._node.name, unit.name, material.pem_of(certificate), "this-server"),
        )

    def fill_trust(self, purpose: str, certificates: Sequence[x509.Certificate]) -> None:
        """Make these the content of this node's trust store; ignored if there is no such store."""
        store = find_store(purpose)
        if store is None:
            return
        self._db.execute("DELETE FROM pki_trust WHERE node = ? AND store = ?", (self._node.name, store))
        for certificate in certificates:
            self._put_trust(self._node.name, store, certificate)

    # -- requests

    def generate_csr(self, purpose: str, options: CsrOptions | None = None) -> str:
        """Make a key pair and a CSR that replaces an earlier one; its PEM."""
        options = options or CsrOptions()
        unit = self._unit(purpose)
        if not unit.signable:
            raise self._refuse(1014, unit=unit.name)
        defaults = self._release.csr
        bits = options.key_length or (384 if unit.elliptic else defaults.key_bits)
        if not unit.elliptic and not 1024 <= bits <= rules.MAXIMUM_KEY_BITS:
            raise self._refuse(1014, unit=unit.name)
        key = material.new_key(unit.elliptic, bits)
        digest = (options.hash or ("sha384" if unit.elliptic else defaults.hash)).lower()
        if digest not in material.HASHES:
            raise self._refuse(1014, unit=unit.name)
        csr = self._maker.request(unit, options, key, digest)
        distribution = str(self._lab.inferred["pki.multi_server_literal"]) if options.multi_server else "this-server"
        with self._db.transaction():
            self._keep_key(key)
            for node in self._node.cluster.nodes if options.multi_server else [self._node]:
                self._db.execute(
                    "INSERT OR REPLACE INTO pki_csr VALUES (?, ?, ?, ?)",
                    (node.name, unit.name, material.pem_of(csr), distribution),
                )
        self._log("csr", unit=unit.name, distribution=distribution)
        return material.pem_of(csr)

    def csr(self, purpose: str) -> str | None:
        """PEM of the pending CSR, or None."""
        unit = self._unit(purpose)
        row = self._db.one("SELECT csr FROM pki_csr WHERE node = ? AND unit = ?", (self._node.name, unit.name))
        return str(row["csr"]) if row else None

    def csr_is_multi_server(self, purpose: str) -> bool:
        """Whether the pending CSR is one for every node."""
        row = self._db.one(
            "SELECT distribution FROM pki_csr WHERE node = ? AND unit = ?",
            (self._node.name, self._unit(purpose).name),
        )
        return row is not None and row["distribution"] != "this-server"

    def csrs(self) -> list[str]:
        """The units with a pending CSR."""
        rows = self._db.execute("SELECT unit FROM pki_csr WHERE node = ? ORDER BY unit", (self._node.name,))
        return [str(row["unit"]) for row in rows]

    # -- uploads

    def import_own(self, purpose: str, text: str) -> str:
        """Upload a signed identity, alone or with its chain in any order; PEM of what the node now holds."""
        unit = find_unit(self._release, purpose)
        if unit is None:
            raise self._refuse(1025, unit=purpose)
        self._break_down(unit.name)
        certificates = rules.read(text, self._refuse)
        # One transaction from reading the CSR to using it, so that nobody replaces it in between.
        with self._db.transaction():
            leaf = self._take(unit, certificates)
        self._log("own", unit=unit.name, serial=f"{leaf.serial_number:x}")
        return material.pem_of(leaf)

    def import_trust(self, purpose: str, text: str) -> list[str]:
        """Upload certificates into a trust store; their file names."""
        store = self._store(purpose)
        self._break_down(f"{store}-trust")
        certificates = rules.read(text, self._refuse)
        with self._db.transaction():
            return [self._import_trust(store, certificate) for certificate in certificates]

    def trust(self, purpose: str) -> list[tuple[str, str]]:
        """(file name, PEM) of a trust store, by name."""
        store = self._store(purpose)
        rows = self._db.execute(
            "SELECT filename, certificate FROM pki_trust WHERE node = ? AND store = ? ORDER BY filename",
            (self._node.name, store),
        )
        return [(str(row["filename"]), str(row["certificate"])) for row in rows]

    def delete_trust(self, purpose: str, filename: str) -> None:
        """Remove a certificate from a trust store; on old releases only from this node's, where it comes back."""
        store = self._store(purpose)
        wanted = filename.rsplit("/", maxsplit=1)[-1].removesuffix(".pem") + ".pem"
        if wanted not in dict(self.trust(store)):
            raise self._refuse(1029, detail=f"{store}-trust/{wanted}")
        old = self._release.number <= tuple(self._lab.inferred["pki.old_trust_deletion_until"])
        alone = old or not STORES[store]
        for node in [self._node] if alone else self._node.cluster.nodes:
            self._db.execute(
                "DELETE FROM pki_trust WHERE node = ? AND store = ? AND filename = ?", (node.name, store, wanted)
            )
        self._log("delete_trust", store=store, filename=wanted)

    # -- internals

    def _take(self, unit: Unit, certificates: list[x509.Certificate]) -> x509.Certificate:
        """Check an upload, store it with its chain and drop the CSR; the identity among the certificates."""
        row = self._db.one(
            "SELECT csr, distribution FROM pki_csr WHERE node = ? AND unit = ?", (self._node.name, unit.name)
        )
        if row is None:
            raise self._refuse(1017, unit=unit.name)
        csr = x509.load_pem_x509_csr(str(row["csr"]).encode())
        leaf, chain = _leaf_and_chain(certificates, csr)
        now = self._node.clock.now()
        rules.check_pair(leaf, csr, self._refuse)
        rules.check_leaf(leaf, self._refuse, bool(self._lab.inferred["pki.checks_eku"]))
        rules.check_dates(leaf, now, self._refuse)
        trusted = [x509.load_pem_x509_certificate(pem.encode()) for _unused, pem in self.trust(unit.trust)]
        rules.check_chain(leaf, [*trusted, *chain], now, self._refuse)
        for authority in chain:
            if authority not in trusted:
                self._import_trust(unit.trust, authority)
        everywhere = row["distribution"] != "this-server"
        for node in self._node.cluster.nodes if everywhere else [self._node]:
            self._replace_identity(node, unit, material.pem_of(leaf), str(row["distribution"]))
            self._db.execute("DELETE FROM pki_csr WHERE node = ? AND unit = ?", (node.name, unit.name))
        return leaf

    def _import_trust(self, store: str, certificate: x509.Certificate) -> str:
        now = self._node.clock.now()
        rules.check_dates(certificate, now, self._refuse)
        rules.check_key(certificate, self._refuse)
        if not self._release.has_ecdsa and not self._lab.inferred["pki.old_store_takes_ec"]:
            rules.check_rsa(certificate, self._refuse)
        common_name = material.common_name(certificate.subject)
        nodes = self._node.cluster.nodes if STORES[store] else [self._node]
        filename = ""
        for target in [store] + ([COPIES[store]] if store in COPIES else []):
            for filename_there, pem in self.trust(target):
                other = x509.load_pem_x509_certificate(pem.encode())
                if material.common_name(other.subject) != common_name:
                    continue
                if other.not_valid_before_utc > certificate.not_valid_before_utc:
                    raise self._refuse(1028, cn=common_name, unit=target)
                self._db.execute(
                    f"DELETE FROM pki_trust WHERE store = ? AND filename = ? AND node IN ({_marks(nodes)})",
                    (target, filename_there, *(node.name for node in nodes)),
                )
            for node in nodes:
                name = self._put_trust(node.name, target, certificate)
            filename = filename or name
        self._log("trust", store=store, filename=filename)
        return filename

    def _put_trust(self, node: str, store: str, certificate: x509.Certificate) -> str:
        name = re.sub(r"[^\w.-]", "_", material.common_name(certificate.subject))
        if self._release.trust_names_with_serial:
            name += f"_{certificate.serial_number:x}"
        self._db.execute(
            "INSERT OR REPLACE INTO pki_trust VALUES (?, ?, ?, ?)",
            (node, store, f"{name}.pem", material.pem_of(certificate)),
        )
        return f"{name}.pem"

    def _return_deleted(self) -> None:
        """Old releases: certificates that the other nodes still have come back to this one."""
        if self._release.number > tuple(self._lab.inferred["pki.old_trust_deletion_until"]):
            return
        replicated = [store for store, everywhere in STORES.items() if everywhere]
        self._db.execute(
            "INSERT OR IGNORE INTO pki_trust SELECT ?, store, filename, certificate FROM pki_trust "
            f"WHERE store IN ({_marks(replicated)})",
            (self._node.name, *replicated),
        )

    def _replace_identity(self, node: Node, unit: Unit, pem: str, distribution: str) -> None:
        node.cluster.telephones.remember()
        running = node.certs.active_identity(unit.name)[0]
        self._db.execute(
            "INSERT OR REPLACE INTO pki_identity VALUES (?, ?, ?, ?)", (node.name, unit.name, pem, distribution)
        )
        # With a certificate of its own, it no longer uses tomcat's.
        self._db.set_setting(f"pki/reuse/{node.name}/{unit.name}", None)
        self._db.execute("INSERT OR IGNORE INTO pki_active VALUES (?, ?, ?)", (node.name, unit.name, running))

    def _shipped(self, unit: Unit) -> str:
        """The self-signed certificate of the installation, made when it is first asked for."""
        where = (self._node.name, unit.name)
        select = "SELECT certificate FROM volatile_pki_shipped WHERE node = ? AND unit = ?"
        row = self._db.one(select, where)
        if row is None:
            bits, _unused = self._release.self_signed
            pem = self._self_signed(unit, material.POOL.take(unit.elliptic, 384 if unit.elliptic else bits))
            # Two threads may make one at the same time; the first is kept.
            self._db.execute("INSERT OR IGNORE INTO volatile_pki_shipped VALUES (?, ?, ?)", (*where, pem))
            row = self._db.one(select, where)
            assert row is not None
        return str(row["certificate"])

    def _self_signed(self, unit: Unit, key: material.PrivateKey) -> str:
        self._keep_key(key)
        return material.pem_of(self._maker.self_signed(unit, key))

    def _keep_key(self, key: material.PrivateKey) -> None:
        self._db.execute(
            "INSERT OR IGNORE INTO volatile_pki_key VALUES (?, ?)", (material.spki_digest(key), material.key_pem(key))
        )

    def _key_of(self, pem: str) -> str:
        digest = material.spki_digest(x509.load_pem_x509_certificate(pem.encode()))
        row = self._db.one("SELECT pem FROM volatile_pki_key WHERE spki = ?", (digest,))
        if row is None:
            raise self._refuse(1027)
        return str(row["pem"])

    def _break_down(self, purpose: str) -> None:
        """Faults of interface `certmgr`, operation `import <purpose>`: fail, garbage (an internal error)."""
        fault = self._lab.faults.match("certmgr", f"import {purpose}", self._node)
        if fault and fault.action in ("fail", "garbage"):
            raise self._refuse(1026 if fault.action == "fail" else 1027, unit=purpose, detail=purpose)

    def _unit(self, purpose: str) -> Unit:
        unit = find_unit(self._release, purpose)
        if unit is None:
            raise self._refuse(1025, unit=purpose)
        return unit

    def _store(self, purpose: str) -> str:
        store = find_store(purpose)
        if store is None:
            raise self._refuse(1025, unit=purpose)
        return store

    def _refuse(self, code: int, **values: str) -> StoreError:
        return refusal(self._lab.inferred, self._release.number, code, **values)

    def _log(self, event: str, **fields: Any) -> None:
        self._lab.log.write("pki", node=self._node.name, event=event, **fields)


def _leaf_and_chain(
    certificates: list[x509.Certificate], csr: x509.CertificateSigningRequest
) -> tuple[x509.Certificate, list[x509.Certificate]]:
    """The certificate of the CSR's key (or the first that is not a CA certificate) and the rest, root first."""
    wanted = material.spki_digest(csr)
    leaf = next((c for c in certificates if material.spki_digest(c) == wanted), None)
    leaf = leaf or next((c for c in certificates if not material.is_ca(c)), certificates[0])
    rest = [c for c in certificates if c is not leaf]
    return leaf, sorted(rest, key=lambda c: c.issuer != c.subject)


def _marks(values: Sequence[object]) -> str:
    return ", ".join("?" * len(values))
