# Copyright: siptls.cucm contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Certificates of the world: whatever openssl reads, we read the same, or refuse with a sentence about it.

The certificates are those that the authors of cryptography collected; openssl says what is in them.
"""

from __future__ import annotations

import random
import re
import subprocess
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import cryptography_vectors
import pytest
from ansible_collections.siptls.cucm.plugins.module_utils._module import Failure
from ansible_collections.siptls.cucm.plugins.module_utils._node.store import Entry
from ansible_collections.siptls.cucm.plugins.module_utils._x509.certificate import Certificate, Request
from ansible_collections.siptls.cucm.plugins.module_utils._x509.der import first
from ansible_collections.siptls.cucm.plugins.module_utils._x509.names import Attribute
from ansible_collections.siptls.cucm.plugins.module_utils._x509.reading import read_certificates, read_request

ROOT = Path(cryptography_vectors.__file__).parent
#: of the files of the world, a process of openssl for each; one part is compared by `make test`
PARTS = 4
KINDS = {".pem", ".der", ".crt", ".cer", ".csr", ".p7b", ".p7c", ".p12", ".key"}


def openssl(kind: str, data: bytes, *more: str) -> subprocess.CompletedProcess[bytes]:
    form = "DER" if data[:1] == b"\x30" else "PEM"
    names = ("-nameopt", "RFC2253,-esc_msb,utf8,-dn_rev")
    return subprocess.run(
        ["openssl", kind, "-inform", form, "-noout", *names, *more], input=data, capture_output=True, check=False
    )


@cache
def files() -> list[Path]:
    found = sorted(path for path in ROOT.rglob("*") if path.suffix in KINDS and path.is_file())
    assert len(found) > 500, "the vectors are not where they were"
    return found


def read(data: bytes) -> list[Certificate]:
    """The certificates, none when they are refused by a sentence; any other error fails the test."""
    try:
        return read_certificates(data, "the file")
    except Failure as failure:
        assert "the file" in failure.msg and failure.msg.endswith("."), failure.msg
        assert "siptls" not in failure.msg
        return []


def differences(path: Path) -> Iterator[str]:
    data = path.read_bytes()
    ours, said = read(data), openssl("x509", data, "-serial", "-fingerprint", "-sha256", "-subject", "-issuer")
    if said.returncode != 0 or path.suffix == ".p12":
        return
    if not ours:
        yield "openssl reads it, and we do not"
        return
    first = ours[0]
    written = [
        ",".join("+".join(attribute.text for attribute in rdn) for rdn in name.rdns)
        for name in (first.subject, first.issuer)
    ]
    wanted = {
        "serial": first.serial_text,
        "sha256 Fingerprint": first.sha256,
        "subject": written[0],
        "issuer": written[1],
    }
    shown = dict(re.findall(r"(serial|sha256 Fingerprint|subject|issuer)=(.*)", said.stdout.decode("utf-8", "replace")))
    yield from (
        f"{key}: openssl says {shown[key]}, we say {wanted[key]}" for key in wanted if shown[key] != wanted[key]
    )
    assert first.view()["pem"].startswith("-----BEGIN CERTIFICATE-----")


@pytest.mark.parametrize("part", [0, *(pytest.param(part, marks=pytest.mark.matrix) for part in range(1, PARTS))])
def test_every_certificate_reads_as_openssl_reads_it(part: int) -> None:
    paths = [path for path in files() if path.suffix != ".key"][part::PARTS]
    found = [f"{path.relative_to(ROOT)}: {text}" for path in paths for text in differences(path)]
    assert not found, "\n".join(found)


def test_every_request_reads_as_openssl_reads_it() -> None:
    compared = 0
    for path in (path for path in files() if "csr" in path.name or "requests" in path.parts):
        data = path.read_bytes()
        said = openssl("req", data, "-subject", "-verify")
        try:
            ours: Request | None = read_request(data)
        except Failure:
            ours = None
        if b"subject=" in said.stdout:
            assert ours is not None, path
            text = ",".join("+".join(attribute.text for attribute in rdn) for rdn in ours.subject.rdns)
            assert f"subject={text}\n" in said.stdout.decode(), path
            assert ours.signature_valid == (b"verify OK" in said.stderr + said.stdout), path
            compared += 1
    assert compared > 15


def test_damage_ends_in_a_certificate_or_a_sentence() -> None:
    chance = random.Random(19)
    paths = [path for path in files() if path.suffix in (".pem", ".der", ".crt")]
    whole = [certificate.der for path in paths for certificate in read(path.read_bytes())[:1]]
    for der in chance.sample(sorted(set(whole)), 150):
        for _round in range(10):
            at = chance.randrange(len(der))
            for changed in (der[:at] + bytes([chance.randrange(256)]) + der[at + 1 :], der[:at]):
                for certificate in read(changed):
                    certificate.view()


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"", "it is empty"),
        ((ROOT / "pkcs12" / "cert-key-aes256cbc.p12").read_bytes(), "PKCS#12"),
        (b"<!DOCTYPE html><html>", "web page"),
        ((ROOT / "x509" / "requests" / "rsa_sha256.pem").read_bytes(), "certificate request, which no CA has signed"),
        ((ROOT / "x509" / "requests" / "rsa_sha256.der").read_bytes(), "certificate request, which no CA has signed"),
        (b"-----BEGIN CERTIFICATE-----\nMIIB", "its END line is missing"),
    ],
    ids=["empty", "pkcs12", "page", "request", "request-der", "cut"],
)
def test_what_is_not_a_certificate_is_named(data: bytes, words: str) -> None:
    with pytest.raises(Failure, match=re.escape(words)):
        read_certificates(data, "chain")


def test_the_damaged_block_of_a_bundle_is_named() -> None:
    pem = (ROOT / "x509" / "cryptography.io.pem").read_text()
    damaged = pem.replace("\nMI", "\nM$", 1)
    with pytest.raises(Failure, match=r"Certificate number 2 of 2 in chain is damaged.*not Base-64.*'\$'"):
        read_certificates(pem + damaged, "chain")


@pytest.mark.parametrize(("name", "bits"), [("ec_no_named_curve", 256), ("badasn1time", 1024), ("ecdsa_root", 384)])
def test_the_size_of_an_odd_key_is_what_openssl_says(name: str, bits: int) -> None:
    """Of a curve that is written out, and of a modulus without the zero byte that makes it positive."""
    (path,) = ROOT.rglob(f"{name}.pem")
    said = openssl("x509", path.read_bytes(), "-text").stdout.decode("utf-8", "replace")
    assert f"Public-Key: ({bits} bit)" in said
    assert read_certificates(path.read_bytes())[0].key.bits == bits


def test_a_name_in_utf_8_where_ascii_belongs_is_readable() -> None:
    (path,) = ROOT.rglob("utf8-dnsname.pem")
    assert "DNS:biztosítás.hu" in read_certificates(path.read_bytes())[0].sans


@pytest.mark.parametrize("codec", ["utf-16", "utf-16-le", "utf-8-sig"])
def test_what_the_shells_of_windows_write_is_read(codec: str) -> None:
    pem = (ROOT / "x509" / "cryptography.io.pem").read_text()
    assert read_certificates(pem.encode(codec)) == read_certificates(pem)


@pytest.mark.parametrize(
    ("mask", "tag"), [("0x4", b"\x14"), ("0x800", b"\x1e"), ("0x2000", b"\x0c")],
    ids=["T61", "BMP", "UTF8"],
)  # fmt: skip
def test_a_string_is_read_by_its_type(tmp_path: Path, mask: str, tag: bytes) -> None:
    (tmp_path / "cnf").write_text(f"[req]\ndistinguished_name=n\nstring_mask=MASK:{mask}\n[n]\n")
    made = subprocess.run(
        ["openssl", "req", "-x509", "-config", str(tmp_path / "cnf"), "-utf8", "-newkey", "rsa:2048", "-nodes",
         "-keyout", str(tmp_path / "key"), "-subj", "/O=Müller/OU=a+CN=cucm1.example.com"],
        capture_output=True, check=True,
    )  # fmt: skip
    (found,) = read_certificates(made.stdout)
    codec = {0x14: "latin-1", 0x1E: "utf-16-be"}.get(tag[0], "utf-8")
    text = "Müller".encode(codec)
    assert tag + bytes([len(text)]) + text in found.der
    assert found.subject.text.startswith("O=Müller, OU=a") and found.self_signed


def test_a_universal_string_is_read_by_its_type() -> None:
    # No available tool writes one: CN as OpenSSL's own tables have it, and 32 bits for each sign.
    text = "Müller €".encode("utf-32-be")
    value = bytes([0x1C, len(text)]) + text
    content = bytes.fromhex("0603550403") + value
    assert Attribute.read(first(bytes([0x30, len(content)]) + content)).text == "CN=Müller €"


def test_a_store_with_one_odd_certificate_still_shows_the_others() -> None:
    pem = (ROOT / "x509" / "cryptography.io.pem").read_text()
    (good,) = read_certificates(pem)
    entries = [Entry("CallManager-trust", "a.pem", pem), Entry("CallManager-trust", "b.pem", pem[:200] + pem[-60:])]
    assert [entry.facts for entry in entries] == [good, None]
    assert entries[0].problem == "" and "b.pem" in entries[1].problem and "damaged" in entries[1].problem
