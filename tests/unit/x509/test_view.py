# Copyright: siptls.cucm contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Views and chains of certificates, compared with what the openssl program says of the same ones."""

from __future__ import annotations

import random
import re
import subprocess
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from ansible_collections.siptls.cucm.plugins.module_utils._module import Failure
from ansible_collections.siptls.cucm.plugins.module_utils._x509.names import san_key
from ansible_collections.siptls.cucm.plugins.module_utils._x509.reading import read_certificate, read_request
from ansible_collections.siptls.cucm.plugins.module_utils._x509.view import (
    certificate_view,
    order_chain,
    split_chain,
)
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.support.requests_made import make_csr, openssl


def make_chain(folder: Path, digest: str = "sha256", key: str = "ec:P-256") -> list[str]:
    """leaf, intermediate, root; each is made by openssl."""
    made: list[str] = []
    kind, _unused, size = key.partition(":")
    new = ["-newkey", key] if kind == "rsa" else ["-newkey", "ec", "-pkeyopt", f"ec_paramgen_curve:{size}"]
    above = ""
    for name, ca in (("Root", True), ("Sub", True), ("CUCMA", False)):
        (folder / "ext").write_text(
            f"basicConstraints=critical,CA:{str(ca).upper()}\nsubjectAltName=DNS:{name}.lab,IP:10.1.2.3,IP:2001:db8::1\n"
            "extendedKeyUsage=serverAuth,clientAuth,1.3.6.1.5.5.7.3.5\nkeyUsage=digitalSignature,dataEncipherment\n"
        )
        request = openssl(
            "req", "-new", *new, "-nodes", "-keyout", str(folder / f"{name}.key"), f"-{digest}",
            "-subj", f"/C=IN/ST=cisco/O=a, b/OU=x\\+y/CN={name}",
        )  # fmt: skip
        signer = ["-CA", str(folder / f"{above}.pem"), "-CAkey", str(folder / f"{above}.key")] if above else []
        signer = signer or ["-signkey", str(folder / f"{name}.key")]
        pem = openssl(
            "x509", "-req", *signer, "-set_serial", "0x0ABC" + "1F" * 8, "-days", "40", f"-{digest}",
            "-extfile", str(folder / "ext"), feed=request,
        )  # fmt: skip
        (folder / f"{name}.pem").write_text(pem)
        made.insert(0, pem)
        above = name
    return made


@pytest.mark.parametrize(("digest", "key"), [("sha1", "rsa:1024"), ("sha256", "ec:P-256"), ("sha384", "ec:P-384")])
def test_a_view_says_what_openssl_says(tmp_path: Path, digest: str, key: str) -> None:
    leaf, sub, root = make_chain(tmp_path, digest, key)
    view = certificate_view(leaf)
    said = openssl("x509", "-noout", "-serial", "-fingerprint", "-sha256", "-startdate", "-enddate", feed=leaf)
    assert f"serial={view['serial']}\n" in said and f"={view['sha256']}\n" in said
    ends = datetime.strptime(re.search(r"notAfter=(.+) GMT", said)[1], "%b %d %H:%M:%S %Y")  # type: ignore[index]
    assert view["not_after"] == f"{ends.isoformat()}Z" and view["days_left"] == 39
    assert view["subject"] == r"C=IN, ST=cisco, O=a\, b, OU=x\+y, CN=CUCMA" and view["common_name"] == "CUCMA"
    assert view["sans"] == ["DNS:CUCMA.lab", "IP:10.1.2.3", "IP:2001:db8::1"]
    assert view["eku"] == ["serverAuth", "clientAuth", "ipsecEndSystem"]
    assert view["key_usage"] == ["digitalSignature", "dataEncipherment"]
    assert (view["key_type"], str(view["key_size"])) == (
        key.split(":", maxsplit=1)[0].upper(),
        re.sub(r"\D", "", key.split(":")[1]),
    )
    assert (view["is_ca"], view["self_signed"]) == (False, False) and view["pem"] == leaf
    assert certificate_view(root)["self_signed"] and certificate_view(root)["is_ca"]
    leaf_c, sub_c, root_c = map(read_certificate, (leaf, sub, root))
    assert leaf_c.signed_by(sub_c) and sub_c.signed_by(root_c)
    assert not leaf_c.signed_by(root_c) and not root_c.signed_by(leaf_c)
    spki = openssl("x509", "-noout", "-pubkey", feed=leaf)
    hashed = subprocess.run(
        ["openssl", "dgst", "-sha256", "-c"], check=True, capture_output=True,
        input=subprocess.run(["openssl", "pkey", "-pubin", "-outform", "DER"], input=spki.encode(), check=True,
                             capture_output=True).stdout,
    ).stdout.decode()  # fmt: skip
    assert read_certificate(leaf).key.sha256 == hashed.split("= ")[1].strip().upper()


def test_days_left_count_down_below_zero(tmp_path: Path) -> None:
    leaf = make_chain(tmp_path)[0]
    assert certificate_view(leaf, now=datetime.now(UTC) + timedelta(days=45))["days_left"] == -6


@pytest.mark.parametrize("form", ["pem", "text", "crlf", "der", "p7-pem", "p7-der", "p7-as-certificate", "ders"])
def test_a_chain_is_read_in_every_form_and_order(tmp_path: Path, form: str) -> None:
    chain = make_chain(tmp_path)
    mixed = [chain[1], chain[2], chain[0]]
    random.Random(7).shuffle(mixed)
    (tmp_path / "all.pem").write_text("".join(mixed))
    p7 = openssl("crl2pkcs7", "-nocrl", "-certfile", str(tmp_path / "all.pem"))

    def der(kind: str, pem: str) -> bytes:
        return subprocess.run(
            ["openssl", kind, "-outform", "DER"], input=pem.encode(), capture_output=True, check=True
        ).stdout

    given: dict[str, str | bytes] = {
        "pem": "".join(mixed),
        "text": "Bag Attributes\n  localKeyID: 01\n" + "subject=x\n".join(mixed) + "the end\n",
        "crlf": "".join(mixed).replace("\n", "\r\n").encode(),
        "der": der("x509", chain[0]),
        "ders": b"".join(der("x509", certificate) for certificate in mixed),
        "p7-pem": p7,
        "p7-der": der("pkcs7", p7),
        "p7-as-certificate": p7.replace("PKCS7", "CERTIFICATE"),
    }
    found = split_chain(given[form])
    assert set(found) == ({chain[0]} if form == "der" else set(chain))
    if form != "der":
        assert order_chain(chain[0], given[form]) == chain


def test_a_missing_link_is_named(tmp_path: Path) -> None:
    leaf, sub, root = make_chain(tmp_path)
    with pytest.raises(Failure, match=r"issued by C=IN.*CN=Sub, whose certificate is not among those given"):
        order_chain(leaf, [root])
    with pytest.raises(Failure, match=r"CA certificate .*CN=Sub is issued by .*CN=Root"):
        order_chain(leaf, [sub])
    assert order_chain(leaf, [root, sub, leaf]) == [leaf, sub, root]
    assert order_chain(leaf, [sub], complete=False) == [leaf, sub]
    assert order_chain(root, []) == [root]


def test_a_ca_of_the_same_name_and_another_key_is_not_taken_for_it(tmp_path: Path) -> None:
    leaf, sub, root = make_chain(tmp_path)
    (tmp_path / "other").mkdir()
    _unused, other_sub, other_root = make_chain(tmp_path / "other")
    assert order_chain(leaf, [other_root, other_sub, root, sub]) == [leaf, sub, root]
    with pytest.raises(Failure, match="signed by a key of"):
        order_chain(leaf, [other_sub, other_root])


@pytest.mark.parametrize(
    ("data", "words"),
    [
        ("", "empty"),
        ("hello", "no certificate"),
        ("-----BEGIN RSA PRIVATE KEY-----\nMIIB\n-----END RSA PRIVATE KEY-----", "holds a RSA PRIVATE KEY"),
        ("-----BEGIN CERTIFICATE-----\nMIIBAAAA\n-----END CERTIFICATE-----", "damaged"),
        ("-----BEGIN CERTIFICATE-----\nA\n-----END CERTIFICATE-----", "Base-64"),
        (b"\x30\x82\x01", "damaged"),
    ],
)
def test_what_is_no_certificate_is_a_sentence(data: str | bytes, words: str) -> None:
    with pytest.raises(Failure, match=words) as caught:
        split_chain(data)
    assert "MIIB" not in caught.value.msg


@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.binary(max_size=300) | st.binary(max_size=60).map(lambda tail: b"\x30\x82\x01\x02" + tail))
def test_any_bytes_are_a_certificate_or_a_failure(data: bytes) -> None:
    for reader in (split_chain, read_request, certificate_view):
        with pytest.raises(Failure):
            reader(data)


@pytest.mark.parametrize("label", ["CERTIFICATE REQUEST", "NEW CERTIFICATE REQUEST", "CERTIFICATE SIGN REQUEST"])
@pytest.mark.parametrize("digest", ["sha1", "sha256"])
def test_a_request_is_read_under_each_of_cucms_labels(tmp_path: Path, label: str, digest: str) -> None:
    pem = make_csr(tmp_path, digest=digest, key="rsa:1024", sans="DNS:a.lab,DNS:B.lab")
    view = read_request(
        "admin:show csr own CallManager\r\n[\r\n" + pem.replace("CERTIFICATE REQUEST", label) + "\r\nadmin:"
    ).view()
    assert view["signature_valid"] and view["sans"] == ["DNS:a.lab", "DNS:B.lab"] and view["pem"] == pem
    assert view["subject"] == "C=IN, ST=cisco, L=cisco, O=cisco, OU=cisco, CN=CUCMA"
    assert view["key_usage"][2] == "dataEncipherment" and not view["is_ca"]


def test_alternative_names_compare_as_on_cucm() -> None:
    assert san_key("DNS:B.lab") == san_key("dns:b.LAB") == san_key("b.lab")
    assert san_key("IP:2001:db8::1") == san_key("2001:DB8::1")
    assert san_key("DNS:a.lab") != san_key("DNS:b.lab")
