# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The lab's certificate store, judged by openssl: what it makes, and what it refuses."""

from __future__ import annotations

import asyncio
import re
import subprocess
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID
from cucm_lab import scenario
from cucm_lab.pki import rules
from cucm_lab.pki.material import issued_by
from cucm_lab.pki.store import CsrOptions, StoreError
from cucm_lab.world import Lab, Node


def lab_of(directory: Path, name: str) -> Lab:
    return Lab(scenario.load(name), directory)


@pytest.fixture
def lab(tmp_path: Path) -> Iterator[Lab]:
    lab = lab_of(tmp_path, "releases")
    yield lab
    asyncio.run(lab.close())


@pytest.fixture
def three(tmp_path: Path) -> Iterator[Lab]:
    lab = lab_of(tmp_path, "three-nodes")
    yield lab
    asyncio.run(lab.close())


def common_name(node: Node, unit: str) -> str:
    certificate = x509.load_pem_x509_certificate(node.certs.held_certificate(unit).encode())
    return str(certificate.subject.get_attributes_for_oid(NameOID.COMMON_NAME)[0].value)


def openssl(*arguments: str, text: str) -> str:
    done = subprocess.run(["openssl", *arguments], input=text, capture_output=True, text=True, check=True)
    return done.stdout + done.stderr


class Authority:
    """A CA that signs whatever it is asked to."""

    def __init__(self, name: str = "Lab Root", start: datetime | None = None, days: int = 3650) -> None:
        self.key = rsa.generate_private_key(65537, 2048)
        subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
        start = start or datetime.now(UTC) - timedelta(days=1)
        self.certificate = (
            x509.CertificateBuilder().subject_name(subject).issuer_name(subject).public_key(self.key.public_key())
            .serial_number(x509.random_serial_number()).not_valid_before(start)
            .not_valid_after(start + timedelta(days=days))
            .add_extension(x509.BasicConstraints(True, None), True).sign(self.key, hashes.SHA256())
        )  # fmt: skip

    @property
    def pem(self) -> str:
        return self.certificate.public_bytes(serialization.Encoding.PEM).decode()

    def sign(self, csr_pem: str, **changes: Any) -> str:
        csr = x509.load_pem_x509_csr(csr_pem.encode())
        start = changes.get("start") or datetime.now(UTC) - timedelta(hours=1)
        builder = (
            x509.CertificateBuilder().subject_name(changes.get("subject") or csr.subject)
            .issuer_name(self.certificate.subject).public_key(changes.get("public_key") or csr.public_key())
            .serial_number(x509.random_serial_number()).not_valid_before(start)
            .not_valid_after(start + timedelta(days=changes.get("days", 365)))
        )  # fmt: skip
        for extension in csr.extensions:
            replaced = (changes.get("sans") and isinstance(extension.value, x509.SubjectAlternativeName)) or (
                changes.get("eku") and isinstance(extension.value, x509.ExtendedKeyUsage)
            )
            if not replaced:
                builder = builder.add_extension(extension.value, extension.critical)
        if changes.get("sans"):
            names = x509.SubjectAlternativeName([x509.DNSName(name) for name in changes["sans"]])
            builder = builder.add_extension(names, False)
        if changes.get("eku"):
            builder = builder.add_extension(x509.ExtendedKeyUsage(changes["eku"]), False)
        return builder.sign(self.key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM).decode()


def code_of(call: Any, *arguments: Any) -> int:
    with pytest.raises(StoreError) as raised:
        call(*arguments)
    return raised.value.code


@pytest.mark.parametrize(
    ("cluster", "signature", "key"),
    [("cucm91", "sha1WithRSAEncryption", "1024 bit"), ("cucm105", "sha256WithRSAEncryption", "2048 bit"),
     ("cucm150", "sha256WithRSAEncryption", "2048 bit")],
)  # fmt: skip
def test_openssl_reads_shipped_certificate_and_csr(lab: Lab, cluster: str, signature: str, key: str) -> None:
    store = lab.cluster(cluster).publisher.certs
    pem, key_pem = store.active_identity("CallManager")
    text = openssl("x509", "-noout", "-text", text=pem)
    assert signature in text
    assert key in text
    assert openssl("x509", "-noout", "-pubkey", text=pem) == openssl("pkey", "-pubout", text=key_pem)
    csr = store.generate_csr("CallManager")
    text = openssl("req", "-noout", "-text", "-verify", text=csr)
    assert "verify OK" in text
    assert signature in text
    assert key in text
    assert "TLS Web Server Authentication, TLS Web Client Authentication" in text
    assert "Data Encipherment" in text


def test_self_signed_certificates_verify_themselves(lab: Lab) -> None:
    for node in lab.nodes:
        for unit in node.certs.units():
            certificate = x509.load_pem_x509_certificate(node.certs.held_certificate(unit).encode())
            assert issued_by(certificate, certificate), (node.name, unit)


def test_units_by_release(lab: Lab) -> None:
    assert "ITLRecovery" not in lab.cluster("cucm91").publisher.certs.units()
    assert "ITLRecovery" in lab.cluster("cucm105").publisher.certs.units()
    pair = lab.cluster("cucm115").publisher
    names = {unit: common_name(pair, unit) for unit in pair.certs.units()}
    assert re.fullmatch("CAPF-[0-9a-f]{8}", names["CAPF"]), names
    assert names["ITLRecovery"] == f"ITLRECOVERY_{names['CallManager']}"
    pair.certs.regenerate("CAPF")
    assert common_name(pair, "CAPF") != names["CAPF"], "as the trust stores of real clusters show, each key has its own"
    assert "CallManager-ECDSA" not in lab.cluster("cucm105").publisher.certs.units()
    assert "CallManager-ECDSA" in lab.cluster("cucm115").publisher.certs.units()


def test_csr_names_and_subject_by_release(lab: Lab) -> None:
    def csr(cluster: str) -> x509.CertificateSigningRequest:
        return x509.load_pem_x509_csr(lab.cluster(cluster).publisher.certs.generate_csr("CallManager").encode())

    with pytest.raises(x509.ExtensionNotFound):
        csr("cucm91").extensions.get_extension_for_class(x509.SubjectAlternativeName)
    names = csr("cucm105").extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert names.get_values_for_type(x509.DNSName) == ["cucm105.lab.local", "lab.local"]
    assert csr("cucm105").subject.rfc4514_string() == "CN=CUCM105,OU=cisco,O=cisco,L=cisco,ST=cisco,C=IN"
    assert csr("cucm150").subject.rfc4514_string() == "CN=cucm150.lab.local,O=cisco,L=cisco,ST=cisco,C=IN"


def test_upload_takes_effect_at_the_restart_and_uses_the_csr_up(lab: Lab) -> None:
    store = lab.cluster("cucm91").publisher.certs
    shipped = store.active_identity("CallManager")
    authority = Authority()
    leaf = authority.sign(store.generate_csr("CallManager"))
    assert code_of(store.import_own, "CallManager", leaf) == 1018
    store.import_trust("CallManager-trust", authority.pem)
    store.import_own("CallManager", leaf)
    assert store.csr("CallManager") is None
    assert store.held_identity("CallManager")[0].strip() == leaf.strip()
    assert store.active_identity("CallManager") == shipped
    assert store.description("CallManager") == "Certificate Signed by Lab Root"
    store.activate("CallManager")
    assert store.active_identity("CallManager")[0].strip() == leaf.strip()
    assert code_of(store.import_own, "CallManager", leaf) == 1017


def test_each_class_of_refusal(lab: Lab) -> None:
    store = lab.cluster("cucm125").publisher.certs
    authority = Authority()
    store.import_trust("CallManager", authority.pem)
    csr = store.generate_csr("CallManager")
    other = Authority("Foreign")
    before = store.held_certificate("CallManager")
    hour = timedelta(hours=1)
    wildcard = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "*.lab.local")])
    for text, code in (
        ("no PEM at all", 1021),
        ("-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n", 1020),
        (csr, 1022),
        (authority.sign(csr, public_key=other.key.public_key()), 1015),
        (authority.sign(csr, sans=["cucm125.lab.local"]), 1016),
        (authority.sign(csr, sans=["cucm125.lab.local", "lab.local", "extra.lab.local"]), 1016),
        (authority.sign(csr, subject=wildcard), 1022),
        (authority.sign(csr, start=datetime.now(UTC) - timedelta(days=9), days=8), 1022),
        (authority.sign(csr, start=datetime.now(UTC) + hour), 1022),
        (other.sign(csr), 1018),
    ):
        assert code_of(store.import_own, "CallManager", text) == code, text[:60]
    assert code_of(store.import_own, "Nothing", authority.sign(csr)) == 1025
    assert code_of(store.generate_csr, "ITLRecovery") == 1014
    assert store.held_certificate("CallManager") == before
    assert store.csr("CallManager") == csr
    # Order of names does not matter, nor does their case.
    store.import_own("CallManager", authority.sign(csr, sans=["LAB.local", "cucm125.lab.local"]))


def test_an_expired_authority_and_a_store_that_breaks_down(lab: Lab) -> None:
    store = lab.cluster("cucm115").publisher.certs
    authority = Authority(days=30)
    store.import_trust("CallManager", authority.pem)
    leaf = authority.sign(store.generate_csr("CallManager"))
    lab.clock.shift(40 * 86400)
    assert code_of(store.import_own, "CallManager", leaf) == 1019
    lab.clock.reset()
    lab.faults.add(interface="certmgr", action="fail", operation="import CallManager", count=1)
    assert code_of(store.import_own, "CallManager", leaf) == 1026
    lab.faults.add(interface="certmgr", action="garbage", operation="import CallManager-trust", count=1)
    assert code_of(store.import_trust, "CallManager", authority.pem) == 1027
    store.import_own("CallManager", leaf)


def test_one_certificate_a_common_name(lab: Lab) -> None:
    store = lab.cluster("cucm91").publisher.certs
    now = datetime.now(UTC)
    older, newer = Authority(start=now - timedelta(days=9)), Authority(start=now - timedelta(days=2))
    store.import_trust("CallManager", older.pem)
    store.import_trust("CallManager", newer.pem)
    assert [pem for name, pem in store.trust("CallManager-trust") if name == "Lab_Root.pem"] == [newer.pem]
    assert code_of(store.import_trust, "CallManager", older.pem) == 1028
    expired = Authority("Old", start=now - timedelta(days=9), days=1)
    assert code_of(store.import_trust, "CallManager", expired.pem) == 1022


def test_keys_that_are_too_long(lab: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    # A key of 8192 bits would take this test half a minute to make.
    monkeypatch.setattr(rules, "MAXIMUM_KEY_BITS", 1024)
    store = lab.cluster("cucm91").publisher.certs
    assert code_of(store.import_trust, "CallManager", Authority().pem) == 1022


def test_releases_before_ecdsa_refuse_an_ec_key_where_the_table_says_so(lab: Lab, tmp_path: Path) -> None:
    order = ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout",
             str(tmp_path / "key"), "-subj", "/CN=EC CA", "-addext", "keyUsage=keyCertSign"]  # fmt: skip
    pem = subprocess.run(order, check=True, capture_output=True, text=True).stdout
    lab.inferred.set("pki.old_store_takes_ec", False)
    assert code_of(lab.cluster("cucm91").publisher.certs.import_trust, "CallManager", pem) == 1022
    lab.cluster("cucm125").publisher.certs.import_trust("CallManager", pem)
    lab.inferred.set("pki.old_store_takes_ec", True)
    lab.cluster("cucm91").publisher.certs.import_trust("CallManager", pem)


def test_usages_are_checked_where_the_table_says_so(lab: Lab) -> None:
    store = lab.cluster("cucm125").publisher.certs
    authority = Authority()
    store.import_trust("CallManager", authority.pem)
    leaf = authority.sign(store.generate_csr("CallManager"), eku=[ExtendedKeyUsageOID.SERVER_AUTH])
    lab.inferred.set("pki.checks_eku", True)
    assert code_of(store.import_own, "CallManager", leaf) == 1022
    lab.inferred.set("pki.checks_eku", False)
    store.import_own("CallManager", leaf)


def test_dates_follow_the_lab_clock(lab: Lab) -> None:
    store = lab.cluster("cucm150").publisher.certs
    lab.clock.shift(20 * 365 * 86400)
    assert code_of(store.import_trust, "CallManager", Authority().pem) == 1022
    certificate = x509.load_pem_x509_certificate(store.regenerate("CallManager").encode())
    assert certificate.not_valid_before_utc.year == (datetime.now(UTC) + timedelta(days=20 * 365)).year


def test_trust_replicates_and_identity_does_not(three: Lab) -> None:
    nodes = max(three.clusters.values(), key=lambda c: len(c.nodes)).nodes
    first, second = nodes[0].certs, nodes[1].certs
    authority = Authority()
    (name,) = first.import_trust("CallManager-trust", authority.pem)
    assert name in dict(second.trust("CallManager"))
    first.import_own("CallManager", authority.sign(first.generate_csr("CallManager")))
    assert second.description("CallManager").startswith("Self-signed")
    first.delete_trust("CallManager", name)
    old = nodes[0].cluster.release.number <= (10, 5)
    assert (name in dict(second.trust("CallManager"))) == old
    first.import_trust("CAPF-trust", authority.pem)
    assert name in dict(first.trust("CallManager"))


def test_multi_server(three: Lab) -> None:
    nodes = max(three.clusters.values(), key=lambda c: len(c.nodes)).nodes
    authority = Authority()
    nodes[0].certs.import_trust("CallManager-trust", authority.pem)
    csr = nodes[0].certs.generate_csr("CallManager", CsrOptions(multi_server=True))
    leaf = authority.sign(csr)
    nodes[0].certs.import_own("CallManager", leaf)
    assert "-ms." in csr or f"{nodes[0].name}-ms" in openssl("req", "-noout", "-subject", text=csr)
    for node in nodes:
        assert node.certs.held_identity("CallManager")[0].strip() == leaf.strip()
        assert node.certs.csr("CallManager") is None


def test_chosen_key_and_eku(lab: Lab) -> None:
    store = lab.cluster("cucm150").publisher.certs
    csr = store.generate_csr("CallManager", CsrOptions(key_length=4096, hash="sha512", alt_names=["a.example.com"]))
    text = openssl("req", "-noout", "-text", text=csr)
    assert "4096 bit" in text
    assert "sha512WithRSAEncryption" in text
    assert "DNS:a.example.com" in text
    assert code_of(store.generate_csr, "CallManager", CsrOptions(key_length=8192)) == 1014
    loaded = x509.load_pem_x509_csr(store.generate_csr("CallManager-ECDSA").encode())
    usages = loaded.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value
    assert ExtendedKeyUsageOID.CLIENT_AUTH in usages
    assert "NIST CURVE: P-384" in openssl("req", "-noout", "-text", text=store.csr("CallManager-ECDSA") or "")


def test_state_survives_a_restart(tmp_path: Path) -> None:
    lab = lab_of(tmp_path, "two-clusters")
    store = lab.cluster("cucma").publisher.certs
    shipped, csr = store.active_identity("CallManager"), store.generate_csr("CallManager")
    asyncio.run(lab.close())
    lab = lab_of(tmp_path, "two-clusters")
    store = lab.cluster("cucma").publisher.certs
    assert store.active_identity("CallManager") == shipped
    assert store.csr("CallManager") == csr
    asyncio.run(lab.close())
