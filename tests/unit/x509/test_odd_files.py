# Copyright: siptls.cucm contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Files as programs and people leave them: everything in them is read, or the sentence says what they are."""

from __future__ import annotations

import base64
import subprocess
from collections.abc import Callable
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from ansible_collections.siptls.cucm.plugins.module_utils._module import Failure
from ansible_collections.siptls.cucm.plugins.module_utils._x509.reading import read_certificates

from tests.support.requests_made import openssl


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
