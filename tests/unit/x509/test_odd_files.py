# Copyright: siptls.cucm contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Files as programs and people leave them: everything in them is read, or the sentence says what they are."""

from __future__ import annotations

import base64
import re
import subprocess
from collections.abc import Callable
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from ansible_collections.siptls.cucm.plugins.module_utils._module import Failure
from ansible_collections.siptls.cucm.plugins.module_utils._x509.reading import read_certificates, read_request

from tests.support.requests_made import openssl

BEGIN, END = b"-----BEGIN CERTIFICATE-----\n", b"-----END CERTIFICATE-----\n"


@cache
def made() -> dict[str, bytes]:
    """The files that openssl makes of two certificates and their keys: by name, PEM and DER."""
    with TemporaryDirectory() as text:
        folder = Path(text)
        for name in "ab":
            openssl(
                "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", f"{text}/{name}.key",
                "-subj", f"/CN={name}.lab", "-out", f"{text}/{name}.pem",
            )  # fmt: skip
            openssl("x509", "-in", f"{text}/{name}.pem", "-outform", "DER", "-out", f"{text}/{name}.der")
        key, pem = ("-in", f"{text}/a.key"), ("-in", f"{text}/a.pem")
        openssl("req", "-new", "-key", f"{text}/a.key", "-subj", "/CN=a.lab", "-outform", "DER", "-out", f"{text}/csr")
        openssl("pkcs12", "-export", "-inkey", f"{text}/a.key", *pem, "-passout", "pass:x", "-out", f"{text}/p12")
        openssl("rsa", *key, "-traditional", "-outform", "DER", "-out", f"{text}/pkcs1")
        openssl("pkcs8", "-topk8", "-nocrypt", *key, "-outform", "DER", "-out", f"{text}/pkcs8")
        openssl("pkcs8", "-topk8", *key, "-passout", "pass:x", "-outform", "DER", "-out", f"{text}/encrypted")
        openssl("ecparam", "-name", "prime256v1", "-genkey", "-noout", "-outform", "DER", "-out", f"{text}/sec1")
        openssl("rsa", *key, "-pubout", "-outform", "DER", "-out", f"{text}/public")
        (folder / "index").write_text("")
        (folder / "cnf").write_text(f"[ca]\ndefault_ca=x\n[x]\ndatabase={text}/index\ndefault_md=sha256\n")
        openssl(
            "ca", "-gencrl", "-config", f"{text}/cnf", "-cert", f"{text}/a.pem", "-keyfile", f"{text}/a.key",
            "-crldays", "9", "-out", f"{text}/crl.pem",
        )  # fmt: skip
        openssl("crl", "-in", f"{text}/crl.pem", "-outform", "DER", "-out", f"{text}/crl")
        return {path.name: path.read_bytes() for path in folder.iterdir()}


def names(data: str | bytes) -> list[str]:
    return [certificate.title for certificate in read_certificates(data, "FILE")]


def first_of_openssl(data: bytes) -> str:
    said = subprocess.run(["openssl", "x509", "-noout", "-subject"], input=data, capture_output=True, check=True)
    return said.stdout.decode().strip().rpartition("= ")[2]


FILES: dict[str, Callable[[bytes, bytes, bytes], bytes]] = {
    "s_client -showcerts without its head": lambda pem, _der, _other: b"0 s:CN = a.lab\n   i:CN = a.lab\n" + pem,
    "a date": lambda pem, _der, _other: b"07/11/2026 exported\n" + pem,
    "a letter after the digit": lambda pem, _der, _other: "0° exported\n".encode() + pem,
    "DER and a newline": lambda _pem, der, _other: der + b"\n",
    "DER and zeros": lambda _pem, der, _other: der + b"\0" * 16,
    "DER and others": lambda _pem, der, _other: der + b"\xff\x01\x02\x03",
}
BOTH: dict[str, Callable[[bytes, bytes, bytes], bytes]] = {
    "DER, DER": lambda _pem, der, other: der + other,
    "DER, newline, DER": lambda _pem, der, other: der + b"\r\n" + other,
    "DER, DER, newline": lambda _pem, der, other: der + other + b"\n",
    "DER, DER, others": lambda _pem, der, other: der + other + b"\xff\x01",
    "DER, PEM": lambda _pem, der, _other: der + made()["b.pem"],
    "DER, newline, PEM": lambda _pem, der, _other: der + b"\n" + made()["b.pem"],
    "Base-64, Base-64": lambda _pem, der, other: base64.encodebytes(der) + base64.encodebytes(other),
    "Base-64 of DER, DER": lambda _pem, der, other: base64.encodebytes(der + other),
}


@pytest.mark.parametrize("form", FILES)
def test_the_certificate_of_an_odd_file_is_that_of_openssl(form: str) -> None:
    data = FILES[form](made()["a.pem"], made()["a.der"], made()["b.der"])
    assert names(data) == ["a.lab"] == [first_of_openssl(data)]


@pytest.mark.parametrize("form", BOTH)
def test_no_certificate_of_several_is_lost(form: str) -> None:
    assert names(BOTH[form](made()["a.pem"], made()["a.der"], made()["b.der"])) == ["a.lab", "b.lab"]


@pytest.mark.parametrize("size", [1, 2, 40, -5])
def test_der_that_was_cut_after_other_der_is_named(size: int) -> None:
    with pytest.raises(Failure, match=r"^Certificate number 2 of 2 in FILE is damaged: it ends in the middle"):
        names(made()["a.der"] + made()["b.der"][:size])


def test_der_that_holds_the_text_of_pem_is_der() -> None:
    inside = b"-----BEGIN CERTIFICATE-----"
    with TemporaryDirectory() as folder:
        comment = f"nsComment={inside.decode()}"
        der = subprocess.run(
            ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", f"{folder}/key", "-subj", "/CN=c",
             "-addext", comment, "-outform", "DER"], check=True, capture_output=True,
        ).stdout  # fmt: skip
    assert inside in der and names(der) == ["c"]


def pem_of(label: str, der: bytes) -> bytes:
    return f"-----BEGIN {label}-----\n{base64.encodebytes(der).decode()}-----END {label}-----\n".encode()


OTHERS = {
    "pkcs1": "a private key",
    "pkcs8": "a private key",
    "sec1": "a private key",
    "encrypted": "an encrypted private key",
    "public": "a public key",
    "p12": "a PKCS#12 file (.pfx, .p12), which holds a private key",
    "csr": "a certificate request, which no CA has signed yet",
    "crl": "a CA's list of revoked certificates (CRL)",
}


@pytest.mark.parametrize("file", OTHERS)
def test_what_is_no_certificate_is_named_in_every_form(file: str) -> None:
    der, words = made()[file], re.escape(OTHERS[file])
    secret = base64.b64encode(der).decode()[40:60]
    # The public key of RSA and SEC1's key are too short for the Base-64 that is known without PEM.
    forms = [der, der + b"\n", *([base64.encodebytes(der)] if der[1] == 0x82 else [])]
    for data in forms:
        with pytest.raises(Failure, match=rf"no certificate that can be read in FILE: it is {words}") as caught:
            names(data)
        assert secret not in caught.value.msg and "ASN.1" not in caught.value.msg
    which = "FILE cannot be read: under the label of a certificate there is "
    with pytest.raises(Failure, match=which + words) as caught:
        names(pem_of("CERTIFICATE", der))
    assert secret not in caught.value.msg
    with pytest.raises(Failure, match=r"^Certificate number 2 of 2 in " + which + words):
        names(made()["a.pem"] + pem_of("CERTIFICATE", der))
    # As in PEM, what comes with a certificate is skipped.
    assert names(made()["a.der"] + der) == ["a.lab"]


@pytest.mark.parametrize("file", ["a.pem", "a.der"])
def test_a_certificate_in_place_of_a_request_is_named(file: str) -> None:
    with pytest.raises(Failure, match="no certificate request in FILE: it is a certificate"):
        read_request(made()[file], "FILE")


def test_a_request_is_read_in_every_form() -> None:
    der = made()["csr"]
    openssl("req", "-noout", "-verify", "-inform", "DER", feed=der)
    pems = (
        pem_of("CERTIFICATE", der),
        pem_of("CERTIFICATE REQUEST", der),
        END + pem_of("NEW CERTIFICATE REQUEST", der),
    )
    for data in (der, der + b"\n", base64.encodebytes(der), *pems, *(made()["a.pem"] + pem for pem in pems)):
        assert read_request(data, "FILE").der == der


LOST = "FILE is damaged: its BEGIN line is missing or misspelt"


@pytest.mark.parametrize(
    ("begin", "which"),
    [
        (b"", "Certificate number 2 of 2 in "),
        (b"-----BEGIN CERTIFCATE-----\n", "Certificate number 2 of 2 in "),
        (b"----- BEGIN CERTIFICATE -----\n", "Certificate number 2 of 2 in "),
    ],
)
def test_a_block_that_lost_its_first_line_is_named(begin: bytes, which: str) -> None:
    pem = made()
    assert pem["b.pem"].startswith(BEGIN)
    lost = pem["b.pem"].replace(BEGIN, begin)
    with pytest.raises(Failure, match=f"^{which}{LOST}"):
        names(pem["a.pem"] + lost)
    with pytest.raises(Failure, match=f"^Certificate number 1 of 2 in {LOST}"):
        names(lost + pem["a.pem"])
    with pytest.raises(Failure, match=f"^The certificate in {LOST}"):
        names(lost)


def test_an_end_line_alone_is_named_and_one_too_many_does_no_harm() -> None:
    with pytest.raises(Failure, match=f"^The certificate in {LOST}"):
        names(END)
    pem = made()["a.pem"]
    assert names(pem + END) == names(END + pem) == ["a.lab"] == [first_of_openssl(pem + END)]
    # This END line belongs to a private key, so no certificate was lost.
    assert names(b"AAAA\n-----END PRIVATE KEY-----\n" + pem) == ["a.lab"]


@pytest.mark.parametrize("mark", [b"", b"\xef\xbb\xbf"])
@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"", "it is empty"),
        (b" \r\n", "it is empty"),
        (b"<!DOCTYPE html><html>", "it is a web page"),
        (b"<!-- saved from url=(0014)about:internet -->\n<html>", "it is a web page"),
        (b"0000 1111", r"it is \d+ bytes of something else"),
    ],
)
def test_a_file_without_anything_is_named(mark: bytes, data: bytes, words: str) -> None:
    for reader in (read_certificates, read_request):
        with pytest.raises(Failure, match=f"in FILE: {words}"):
            reader(mark + data, "FILE")
