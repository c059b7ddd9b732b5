# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The certificates of a twin: those of the record with keys of their own, signed by stand-ins of their CAs.

A stand-in has the name, serial number, dates, key size, signature algorithm and extensions of the original. A CA that
is in several clusters is one stand-in in all of them.
"""

from __future__ import annotations

import ipaddress
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cryptography import x509
from cryptography.x509.oid import NameOID

from ..pki import material

if TYPE_CHECKING:
    from ..world import Lab, Node

#: short names of attributes beyond those of a CUCM subject
_ATTRIBUTES = {
    **material.SUBJECT, "emailAddress": NameOID.EMAIL_ADDRESS, "DC": NameOID.DOMAIN_COMPONENT, "UID": NameOID.USER_ID,
    "serialNumber": NameOID.SERIAL_NUMBER, "street": NameOID.STREET_ADDRESS, "postalCode": NameOID.POSTAL_CODE,
    "SN": NameOID.SURNAME, "GN": NameOID.GIVEN_NAME, "title": NameOID.TITLE,
    "organizationIdentifier": NameOID.ORGANIZATION_IDENTIFIER, "businessCategory": NameOID.BUSINESS_CATEGORY,
    "jurisdictionC": NameOID.JURISDICTION_COUNTRY_NAME, "jurisdictionST": NameOID.JURISDICTION_STATE_OR_PROVINCE_NAME,
    "jurisdictionL": NameOID.JURISDICTION_LOCALITY_NAME,
}  # fmt: skip
#: and further ones, as OpenSSL calls them
_NUMBERS = {
    "description": "2.5.4.13", "searchGuide": "2.5.4.14", "postalAddress": "2.5.4.16", "postOfficeBox": "2.5.4.18",
    "physicalDeliveryOfficeName": "2.5.4.19", "telephoneNumber": "2.5.4.20", "telexNumber": "2.5.4.21",
    "teletexTerminalIdentifier": "2.5.4.22", "facsimileTelephoneNumber": "2.5.4.23", "x121Address": "2.5.4.24",
    "internationaliSDNNumber": "2.5.4.25", "registeredAddress": "2.5.4.26", "destinationIndicator": "2.5.4.27",
    "preferredDeliveryMethod": "2.5.4.28", "member": "2.5.4.31", "owner": "2.5.4.32", "roleOccupant": "2.5.4.33",
    "seeAlso": "2.5.4.34", "userPassword": "2.5.4.35", "name": "2.5.4.41", "initials": "2.5.4.43",
    "generationQualifier": "2.5.4.44", "x500UniqueIdentifier": "2.5.4.45", "dnQualifier": "2.5.4.46",
    "enhancedSearchGuide": "2.5.4.47", "distinguishedName": "2.5.4.49", "uniqueMember": "2.5.4.50",
    "houseIdentifier": "2.5.4.51", "dmdName": "2.5.4.54", "pseudonym": "2.5.4.65", "role": "2.5.4.72",
    "unstructuredName": "1.2.840.113549.1.9.2", "unstructuredAddress": "1.2.840.113549.1.9.8",
    "mail": "0.9.2342.19200300.100.1.3", "host": "0.9.2342.19200300.100.1.9", "uid": "0.9.2342.19200300.100.1.44",
    "OGRN": "1.2.643.100.1", "SNILS": "1.2.643.100.3", "INN": "1.2.643.3.131.1.1",
}  # fmt: skip
_DIGESTS = ("sha512", "sha384", "sha256", "sha1")
#: the web interfaces keep the certificates that fit the twin's addresses
_NOT_COPIED = ("tomcat", "tomcat-ECDSA", "tomcat-trust", "ipsec")
_DONE = "twin/certificates"


def install(lab: Lab) -> None:
    """Put the recorded certificates into the stores of all twins, once in the life of their state."""
    # Not at the top: it uses this module.
    from .peers import PeerMaker

    issuers = Reissuer()
    stand_ins: dict[str, StandIn] = {}
    for cluster in lab.clusters.values():
        recorded = cluster.spec.recorded
        if not recorded or cluster.db.setting(_DONE):
            continue
        with cluster.db.transaction():
            for node in cluster.nodes:
                stores = recorded["stores"].get(node.name) or recorded["stores"].get(node.fqdn) or {}
                _fill(node, stores, recorded["certificates"], issuers)
            cluster.db.set_setting(_DONE, "yes")
        for number in signers(recorded):
            made = issuers.stand_in(recorded["certificates"], number)
            stand_ins.setdefault(made.subject, made).clusters.append(cluster.name)
    if not issuers.used:
        return
    maker = PeerMaker(lab, issuers)
    for made in maker.make():
        stand_ins.setdefault(made.subject, made)
    _write(lab.directory / "stand-ins", list(stand_ins.values()), maker.addresses())


def signers(recorded: Mapping[str, Any]) -> list[int]:
    """The CAs that signed the CallManager certificates of a cluster, by their numbers."""
    certificates = recorded["certificates"]
    numbers = (n for stores in recorded["stores"].values() for n in stores.get("CallManager", ()))
    issuers = (certificates[n]["issued_by"] for n in numbers if certificates[n]["issued_by"] != n)
    return list(dict.fromkeys(number for number in issuers if number is not None))


@dataclass
class StandIn:
    """A stand-in of a CA: its certificate with those above it, its key, and the clusters with certificates of it.

    Without clusters it is a CA that a peer trusts.
    """

    subject: str
    chain: list[str]
    key: str
    clusters: list[str] = field(default_factory=list)


def _write(folder: Path, stand_ins: list[StandIn], peers: list[dict[str, Any]]) -> None:
    """For a rehearsal, which signs with them: the keys, stand-ins.json with the certificates, and the peers."""
    folder.mkdir(exist_ok=True)
    listed = []
    for number, stand_in in enumerate(stand_ins, 1):
        key = folder / f"{number}.key"
        key.write_text(stand_in.key, encoding="utf-8")
        key.chmod(0o600)
        listed.append(
            {
                "subject": stand_in.subject,
                "certificate": "".join(stand_in.chain),
                "key": str(key),
                "clusters": stand_in.clusters,
            }
        )
    (folder / "stand-ins.json").write_text(json.dumps(listed, indent=1) + "\n", encoding="utf-8")
    (folder / "peers.json").write_text(json.dumps(peers, indent=1) + "\n", encoding="utf-8")


def _fill(node: Node, stores: Mapping[str, list[int]], certificates: Mapping[int, Any], issuers: Reissuer) -> None:
    for purpose, numbers in stores.items():
        if purpose in _NOT_COPIED:
            continue
        made = [issuers.issue(certificates, number) for number in numbers]
        if purpose.endswith("-trust"):
            node.certs.fill_trust(purpose, [certificate for certificate, _key in made])
        else:
            for certificate, key in made:
                node.certs.install(purpose, certificate, key)


class Reissuer:
    """Issues the certificates of records; equal ones of several records once."""

    def __init__(self) -> None:
        self._made: dict[tuple[str, ...], tuple[x509.Certificate, material.PrivateKey]] = {}

    @property
    def used(self) -> bool:
        """Whether it has issued any."""
        return bool(self._made)

    def issue(self, certificates: Mapping[int, Any], number: int) -> tuple[x509.Certificate, material.PrivateKey]:
        """A certificate of a record by its number there, and its key."""
        record = certificates[number]
        identity = (*record["subject"], "", *record["issuer"], record["serial"], record["not_before"])
        if identity not in self._made:
            key = _new_key(record["key"])
            self._made[identity] = (self._signed(certificates, number, key), key)
        return self._made[identity]

    def stand_in(self, certificates: Mapping[int, Any], number: int) -> StandIn:
        """A CA of a record, ready to sign."""
        certificate, key = self.issue(certificates, number)
        chain, at = [material.pem_of(certificate)], number
        while (above := certificates[at]["issued_by"]) not in (None, at):
            chain.append(material.pem_of(self.issue(certificates, above)[0]))
            at = above
        return StandIn(certificate.subject.rfc4514_string(), chain, material.key_pem(key))

    def _signed(self, certificates: Mapping[int, Any], number: int, key: material.PrivateKey) -> x509.Certificate:
        record = certificates[number]
        builder = (
            x509.CertificateBuilder()
            .subject_name(_name(record["subject"]))
            .issuer_name(_name(record["issuer"]))
            .public_key(key.public_key())
            .serial_number(int(record["serial"], 16) or 1)
            .not_valid_before(_moment(record["not_before"]))
            .not_valid_after(_moment(record["not_after"]))
        )
        builder = _extended(builder, record)
        builder = builder.add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), False)
        return material.sign_certificate(builder, self._signer(certificates, number, key), _digest(record))

    def _signer(self, certificates: Mapping[int, Any], number: int, own: material.PrivateKey) -> material.PrivateKey:
        record = certificates[number]
        if record["issued_by"] == number:
            return own
        if record["issued_by"] is not None:
            return self.issue(certificates, record["issued_by"])[1]
        # No record has the issuer: any key will do, as nobody could verify it.
        elliptic = record["signature"].startswith("ecdsa")
        return material.new_key(elliptic, 384 if elliptic else 2048)


def _new_key(kind: str) -> material.PrivateKey:
    name, _blank, bits = kind.partition(" ")
    return material.new_key(name == "EC", int(bits)) if name in ("RSA", "EC") else material.new_key(False, 2048)


def _digest(record: Mapping[str, Any]) -> str:
    name = record["signature"].lower()
    return next((digest for digest in _DIGESTS if digest in name), "sha256")


def _moment(text: str) -> datetime:
    return datetime.fromisoformat(text).astimezone(UTC)


def _name(parts: list[str]) -> x509.Name:
    found = []
    for part in parts:
        kind, _equals, value = part.partition("=")
        oid = _ATTRIBUTES.get(kind) or x509.ObjectIdentifier(_NUMBERS.get(kind, kind))
        # A foreign name may break rules of X.520 and is copied all the same.
        found.append(x509.NameAttribute(oid, value, _validate=False))
    return x509.Name(found)


def _extended(builder: x509.CertificateBuilder, record: Mapping[str, Any]) -> x509.CertificateBuilder:
    if record["ca"] is not None:
        length = record["path_length"] if record["ca"] else None
        builder = builder.add_extension(x509.BasicConstraints(ca=record["ca"], path_length=length), True)
    if record["key_usage"] is not None:
        builder = builder.add_extension(material.key_usage(record["key_usage"]), False)
    if record["eku"]:
        uses = [material.EKUS.get(use) or x509.ObjectIdentifier(use) for use in record["eku"]]
        builder = builder.add_extension(x509.ExtendedKeyUsage(uses), False)
    names = [found for text in record["sans"] if (found := _alternative(text)) is not None]
    return builder.add_extension(x509.SubjectAlternativeName(names), False) if names else builder


_ALTERNATIVES: Mapping[str, Callable[[str], x509.GeneralName]] = {
    "DNS": x509.DNSName,
    "URI": x509.UniformResourceIdentifier,
    "email": x509.RFC822Name,
    "IP": lambda value: x509.IPAddress(ipaddress.ip_address(value)),
}


def _alternative(text: str) -> x509.GeneralName | None:
    kind, _colon, value = text.partition(":")
    maker = _ALTERNATIVES.get(kind)
    return maker(value) if maker is not None else None
