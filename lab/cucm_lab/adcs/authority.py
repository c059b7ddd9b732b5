# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The CA itself: its certificates, its policy, its requests. State is in `<state>/ca-<name>/`.

Keys of a row of the scenario's `cas:`: name, address, port, accounts [{username, password}], kind (`enterprise`,
`standalone-2003`), tiers (1; 2: a root and an issuing CA), auto_issue (standalone: no request waits for approval),
templates (rows of templates.Template), authentication ([ntlm, basic]), channel_binding (off, allowed, required),
common_name, fqdn, years, legacy_tls, renewals (how often the CA's certificate was renewed with a new key),
permitted_domains (name constraints of the issuing CA of two tiers).
"""

from __future__ import annotations

import re
import threading
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.x509.oid import NameOID

from ..database import Database
from ..pki import material
from .templates import STANDALONE, Template, templates

if TYPE_CHECKING:
    from ..world import Lab

_SCHEMA = """
CREATE TABLE IF NOT EXISTS request (
  id INTEGER PRIMARY KEY AUTOINCREMENT, csr TEXT NOT NULL, template TEXT NOT NULL, requester TEXT NOT NULL,
  state TEXT NOT NULL, disposition TEXT NOT NULL, certificate TEXT);
"""
ISSUED, PENDING, DENIED, ERROR = "issued", "pending", "denied", "error"
_UNSUPPORTED = (
    "Denied by Policy Module  0x80094800, The request was for a certificate template that is not supported by the "
    "Active Directory Certificate Services policy: {name}."
)
_FORBIDDEN = (
    "Denied by Policy Module  0x80094012, The permissions on the certificate template do not allow the current user "
    "to enroll for this type of certificate."
)
_NO_TEMPLATE = "Denied by Policy Module  0x80094801, The request does not contain a certificate template extension or the CertificateTemplate request attribute."  # noqa: E501
_UNPARSED = "Error Parsing Request  ASN1 bad tag value met. 0x8009310b (ASN: 267)"
_BAD_SIGNATURE = "Error Verifying Request Signature or Signing Certificate  0x80090006 (-2146893818 NTE_BAD_SIGNATURE)"


class Authority:
    """One CA. Methods may be called from any thread."""

    def __init__(self, lab: Lab, row: dict[str, Any]) -> None:
        self._lab = lab
        self.name = str(row["name"])
        self.address = str(row["address"])
        self.port = int(row.get("port", 443))
        self.kind = str(row.get("kind", "enterprise"))
        if self.kind not in ("enterprise", "standalone-2003"):
            raise ValueError(f"CA {self.name}: kind {self.kind!r} is neither enterprise nor standalone-2003.")
        self.accounts = {str(a["username"]): str(a["password"]) for a in row.get("accounts", [])}
        self.authentication = tuple(row.get("authentication", ("ntlm", "basic")))
        self.channel_binding = str(row.get("channel_binding", "allowed"))
        self.fqdn = str(row.get("fqdn", f"{self.name}.lab.local"))
        self.templates = templates(row.get("templates", []))
        self.auto_issue = bool(row.get("auto_issue", False))
        self.directory: Path = lab.directory / f"ca-{self.name}"
        self.directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._db = Database(self.directory / "ca.db")
        self._db.schema(_SCHEMA)
        self._lock = threading.Lock()
        #: HTTPS of Windows 2003: TLS 1.0, and a certificate signed with SHA-1
        self.legacy_tls = bool(row.get("legacy_tls", False))
        self._digest = "sha1" if self.kind == "standalone-2003" else "sha256"
        self._open(row)

    # -- its own certificates

    def _open(self, row: dict[str, Any]) -> None:
        stored = self._db.setting("chain")
        if stored is None:
            common_name = str(row.get("common_name", f"LAB {self.name} CA"))
            years = int(row.get("years", 20))
            now = self._lab.clock.now()
            key = material.new_key()
            root = material.self_signed(
                _name(common_name if row.get("tiers", 1) == 1 else f"{common_name} Root"), key, self._digest, now,
                usages=("digitalSignature", "keyCertSign", "cRLSign"), days=366 * years, ca=True, path_length=None,
            )  # fmt: skip
            chain = [root]
            if row.get("tiers", 1) > 1:
                issuing = material.new_key()
                builder = (
                    x509.CertificateBuilder()
                    .subject_name(_name(common_name))
                    .issuer_name(root.subject)
                    .public_key(issuing.public_key())
                    .serial_number(x509.random_serial_number())
                    .not_valid_before(root.not_valid_before_utc)
                    .not_valid_after(root.not_valid_after_utc)
                    .add_extension(x509.BasicConstraints(True, 0), True)
                    .add_extension(material.key_usage(("digitalSignature", "keyCertSign", "cRLSign")), True)
                    .add_extension(x509.SubjectKeyIdentifier.from_public_key(issuing.public_key()), False)
                    .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(key.public_key()), False)
                )
                permitted = [x509.DNSName(str(domain)) for domain in row.get("permitted_domains", ())]
                if permitted:
                    builder = builder.add_extension(x509.NameConstraints(permitted, None), True)
                chain.insert(0, material.sign_certificate(builder, key, self._digest))
                key = issuing
            stored = "".join(material.pem_of(certificate) for certificate in chain)
            older = [
                material.self_signed(
                    chain[-1].subject, material.new_key(), self._digest, now - timedelta(days=365 * back),
                    usages=("digitalSignature", "keyCertSign", "cRLSign"), days=366 * years, ca=True, path_length=None,
                )
                for back in range(int(row.get("renewals", 0)), 0, -1)
            ]  # fmt: skip
            self._db.set_setting("older", "".join(material.pem_of(certificate) for certificate in older))
            self._db.set_setting("key", material.key_pem(key))
            self._db.set_setting("chain", stored)
        self._key = material.load_key(self._db.setting("key") or "")
        #: issuing certificate first, root last
        self.chain = x509.load_pem_x509_certificates(stored.encode())
        older_pems = self._db.setting("older") or ""
        older_roots = x509.load_pem_x509_certificates(older_pems.encode()) if older_pems else []
        #: the chain of each of the CA's certificates, the oldest first; the last one signs
        self.generations = [[root] for root in older_roots] + [self.chain]
        (self.directory / "ca.pem").write_text(stored)

    def web_identity(self) -> tuple[str, str]:
        """(certificate with chain, key) of the web server, issued by the CA itself at each start."""
        key = material.new_key()
        names = [self.fqdn, self.address]
        builder = self._builder(_name(self.fqdn), key.public_key(), 730)
        builder = builder.add_extension(material.alternative_names(names), False)
        builder = builder.add_extension(x509.ExtendedKeyUsage([material.EKUS["serverAuth"]]), False)
        certificate = material.sign_certificate(builder, self._key, "sha1" if self.legacy_tls else "sha256")
        pems = [material.pem_of(certificate), *(material.pem_of(c) for c in self.chain[:-1])]
        return "".join(pems), material.key_pem(key)

    # -- requests

    def submit(self, text: str, attributes: str, requester: str) -> int:
        """Take a new request and return its number; `request` shows its state."""
        found = re.search(r"CertificateTemplate:\s*([^\r\n]+)", attributes)
        wanted = found[1].strip() if found else ""
        csr, problem = _read(text)
        template = STANDALONE if self.kind != "enterprise" else self.templates.get(wanted)
        state, disposition = ISSUED, "Issued"
        if csr is None:
            state, disposition = ERROR, problem
        elif template is None:
            state, disposition = DENIED, _UNSUPPORTED.format(name=wanted) if wanted else _NO_TEMPLATE
        elif template.forbidden:
            state, disposition = DENIED, _FORBIDDEN
        elif template.approval and not (self.kind != "enterprise" and self.auto_issue):
            state, disposition = PENDING, "Taken Under Submission"
        with self._lock:
            self._db.execute(
                "INSERT INTO request (csr, template, requester, state, disposition) VALUES (?, ?, ?, ?, ?)",
                (text, wanted, requester, state, disposition),
            )
            row = self._db.one("SELECT max(id) AS id FROM request")
            assert row is not None
            number = int(row["id"])
            if state == ISSUED and csr is not None and template is not None:
                self._issue(number, csr, template)
        self._log(number, state, disposition)
        return number

    def request(self, number: int) -> dict[str, Any] | None:
        """A request: id, state, disposition, certificate."""
        row = self._db.one("SELECT * FROM request WHERE id = ?", (number,))
        return dict(row) if row else None

    def requests(self) -> list[dict[str, Any]]:
        """Every request, without the PEMs."""
        rows = self._db.execute("SELECT id, template, requester, state, disposition FROM request ORDER BY id")
        return [dict(row) for row in rows]

    def resubmit(self, number: int) -> dict[str, Any]:
        """The manager approves a pending request (`certutil -resubmit`)."""
        row = self._pending(number)
        csr, _unused = _read(row["csr"])
        assert csr is not None
        template = STANDALONE if self.kind != "enterprise" else self.templates[row["template"]]
        with self._lock:
            self._issue(number, csr, template)
        self._log(number, ISSUED, "Issued")
        return {"id": number, "state": ISSUED}

    def deny(self, number: int, by: str = "LAB\\Administrator") -> dict[str, Any]:
        """The manager denies a pending request."""
        self._pending(number)
        self._db.execute(
            "UPDATE request SET state = ?, disposition = ? WHERE id = ?", (DENIED, f"Denied by {by}", number)
        )
        self._log(number, DENIED, f"Denied by {by}")
        return {"id": number, "state": DENIED}

    def _pending(self, number: int) -> dict[str, Any]:
        row = self.request(number)
        if row is None or row["state"] != PENDING:
            state = row["state"] if row else "unknown"
            raise ValueError(f"Request {number} of CA {self.name} is {state}, not pending.")
        return row

    def _issue(self, number: int, csr: x509.CertificateSigningRequest, template: Template) -> None:
        certificate = self._sign(csr, template)
        self._db.execute(
            "UPDATE request SET state = ?, disposition = 'Issued', certificate = ? WHERE id = ?",
            (ISSUED, material.pem_of(certificate), number),
        )

    def _sign(self, csr: x509.CertificateSigningRequest, template: Template) -> x509.Certificate:
        builder = self._builder(csr.subject, csr.public_key(), template.days)
        names = [] if template.drops_san else material.sans(csr)
        if template.adds_cn and (cn := material.common_name(csr.subject)) not in names:
            names.append(cn)
        if names:
            builder = builder.add_extension(material.alternative_names(names), False)
        asked = {type(extension.value): extension.value for extension in csr.extensions}
        eku, usage = asked.get(x509.ExtendedKeyUsage), asked.get(x509.KeyUsage)
        if template.eku is not None:
            eku = x509.ExtendedKeyUsage([material.EKUS[name] for name in template.eku])
        if template.key_usage is not None:
            usage = material.key_usage(template.key_usage)
        for value, critical in ((eku, False), (usage, True)):
            if value is not None:
                builder = builder.add_extension(value, critical)
        return material.sign_certificate(builder, self._key, self._digest)

    def _builder(self, subject: x509.Name, public_key: Any, days: int) -> x509.CertificateBuilder:
        start = self._lab.clock.now().replace(microsecond=0) - timedelta(minutes=10)
        issuer = self.chain[0]
        end = min(start + timedelta(days=days), issuer.not_valid_after_utc)
        return (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(issuer.subject)
            .public_key(public_key)
            .serial_number(x509.random_serial_number())
            .not_valid_before(start)
            .not_valid_after(end)
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(public_key), False)
            .add_extension(
                x509.AuthorityKeyIdentifier.from_issuer_subject_key_identifier(
                    issuer.extensions.get_extension_for_class(x509.SubjectKeyIdentifier).value
                ),
                False,
            )
        )

    def close(self) -> None:
        """Close the database."""
        self._db.close()

    def _log(self, number: int, state: str, disposition: str) -> None:
        self._lab.log.write("adcs", ca=self.name, request=number, state=state, disposition=disposition)


def _name(common_name: str) -> x509.Name:
    return x509.Name(
        [
            x509.NameAttribute(NameOID.DOMAIN_COMPONENT, "local"),
            x509.NameAttribute(NameOID.DOMAIN_COMPONENT, "lab"),
            x509.NameAttribute(NameOID.COMMON_NAME, common_name),
        ]
    )


def _read(text: str) -> tuple[x509.CertificateSigningRequest | None, str]:
    """The request and "", or None and the disposition."""
    try:
        # Web enrolment takes the text with or without its BEGIN and END lines.
        if "-----BEGIN" not in text:
            text = f"-----BEGIN CERTIFICATE REQUEST-----\n{text.strip()}\n-----END CERTIFICATE REQUEST-----\n"
        csr = x509.load_pem_x509_csr(text.encode())
        good = material.signature_holds(
            csr.signature, csr.tbs_certrequest_bytes, csr.signature_hash_algorithm, csr.public_key()
        )
    except ValueError:
        return None, _UNPARSED
    if isinstance(csr.public_key(), rsa.RSAPublicKey) and not good:
        return None, _BAD_SIGNATURE
    return csr, ""
