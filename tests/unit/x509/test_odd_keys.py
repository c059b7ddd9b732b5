# Copyright: siptls.cucm contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Certificates with keys and signatures that CUCM never makes: they are shown, whatever is in them."""

from __future__ import annotations

import base64
import re
import subprocess
from collections.abc import Callable
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from ansible_collections.siptls.cucm.plugins.module_utils._x509.certificate import Certificate, Unreadable
from ansible_collections.siptls.cucm.plugins.module_utils._x509.der import Element, first
from ansible_collections.siptls.cucm.plugins.module_utils._x509.keys import PublicKey
from ansible_collections.siptls.cucm.plugins.module_utils._x509.reading import read_certificate
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.support.der_changes import changed, tlv, walk
from tests.support.requests_made import openssl

RSA_KEY, EC_KEY = ("-newkey", "rsa:2048"), ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256")
PSS = ("-sigopt", "rsa_padding_mode:pss", "-sigopt")
RSA_ENCRYPTION = bytes.fromhex("2a864886f70d010101")
KINDS = {
    "rsa": (*RSA_KEY, "-sha256"),
    "pss": (*RSA_KEY, "-sha256", *PSS, "rsa_pss_saltlen:32"),
    "pss-key": ("-newkey", "rsa-pss", "-sha256"),
    "ec": EC_KEY,
    "ed25519": ("-newkey", "ed25519"),
}


@cache
def made(kind: str) -> Certificate:
    """A self-signed certificate with several extensions, made by openssl once for all tests."""
    with TemporaryDirectory() as folder:
        return read_certificate(
            openssl(
                "req", "-x509", *KINDS[kind], "-nodes", "-keyout", str(Path(folder) / "key"), "-subj", "/O=Lab/CN=odd",
                "-addext", "subjectAltName=DNS:odd.lab,IP:10.1.2.3", "-addext", "keyUsage=keyCertSign",
                "-addext", "extendedKeyUsage=serverAuth",
            )
        )  # fmt: skip


def test_a_salt_that_no_machine_word_holds_is_shown() -> None:
    salt, huge = tlv(0xA2, tlv(0x02, b"\x20")), tlv(0xA2, tlv(0x02, (1 << 64).to_bytes(9, "big")))
    whole = first(made("pss").der)
    *_signed, at = (number for number, element in enumerate(walk(whole)) if element.whole == salt)
    view = Certificate.from_der(changed(whole, at, lambda _element: huge)).view()
    assert view["signature_algorithm"] == "rsassaPss" and not view["self_signed"] and view["common_name"] == "odd"


#: what openssl signs a certificate with -> the arguments
SIGNERS = {
    "brainpoolP320r1": ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:brainpoolP320r1"),
    "brainpoolP256t1": ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:brainpoolP256t1"),
    "sect283r1": ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:sect283r1"),
    "sect283k1": ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:sect283k1"),
    "explicit": (*EC_KEY, "-pkeyopt", "ec_param_enc:explicit"),
    "sm2": ("-newkey", "sm2"),
    "ripemd": (*RSA_KEY, "-ripemd160"),
    "sha3": (*RSA_KEY, "-sha3-256"),
    "ec-sha3": (*EC_KEY, "-sha3-512"),
    "sha512-256": (*RSA_KEY, "-sha512-256"),
    "pss-sha1": (*RSA_KEY, "-sha1", "-sigopt", "rsa_padding_mode:pss"),
    "pss-mgf-sha1": (*RSA_KEY, "-sha256", *PSS, "rsa_mgf1_md:sha1"),
}
#: those that openssl signs with, but for which `openssl verify` 3.0 does not know the kind of key
NOT_VERIFIED = ("ec-sha3", "sha512-256")


@pytest.mark.parametrize("signer", SIGNERS)
def test_a_key_and_its_signature_are_what_openssl_says(tmp_path: Path, signer: str) -> None:
    file = tmp_path / "pem"
    request = ("req", "-x509", *SIGNERS[signer], "-nodes", "-keyout", str(tmp_path / "key"), "-subj", "/CN=a")
    file.write_text(openssl(*request))
    said = openssl("x509", "-noout", "-text", "-in", str(file))
    (bits,) = re.findall(r"Public-Key: \((\d+) bit", said)
    view = read_certificate(file.read_text()).view()
    assert view["key_size"] == int(bits)
    assert view["signature_algorithm"] in re.findall(r"Signature Algorithm: (\S+)", said)
    assert view["self_signed"]
    if signer not in NOT_VERIFIED:
        assert "OK" in openssl("verify", "-check_ss_sig", "-CAfile", str(file), str(file))


def test_the_size_of_every_curve_is_what_openssl_says() -> None:
    listed = re.findall(r"^ +(\w\S*) *:", openssl("ecparam", "-list_curves"), re.MULTILINE)
    # Those of WTLS and IPsec have no numbers of their own that a certificate would hold.
    curves = [curve for curve in listed if not curve.startswith(("wap-", "Oakley"))]
    assert len(curves) > 3
    for curve in curves:
        key = openssl("ecparam", "-name", curve, "-genkey", "-noout")
        (bits,) = re.findall(r"Private-Key: \((\d+) bit", openssl("pkey", "-noout", "-text", feed=key))
        der = base64.b64decode("".join(openssl("pkey", "-pubout", feed=key).splitlines()[1:-1]))
        assert PublicKey.read(first(der)).bits == int(bits), curve


def test_an_rsa_key_of_x_500_has_the_size_of_its_modulus() -> None:
    whole = first(made("rsa").der)
    (at,) = (number for number, element in enumerate(walk(whole)) if element.content == RSA_ENCRYPTION)
    found = Certificate.from_der(changed(whole, at, lambda _element: bytes.fromhex("060455080101")))
    assert (found.key.kind, found.key.bits) == ("RSA", 2048)


def reissued(folder: Path, signer: str, extensions: str) -> Certificate:
    """A certificate of the name of its CA, and of another key."""
    new = ("-nodes", "-subj", "/CN=a", "-keyout", str(folder / "key"), *SIGNERS[signer][:4])
    for name, kind in (("ca", "-x509"), ("request", "-new")):
        new = (*new[:4], str(folder / f"{name}.key"), *new[5:])
        openssl("req", kind, *new, "-out", str(folder / name))
    (folder / "extensions").write_text(extensions)
    return read_certificate(
        openssl(
            "x509", "-req", "-in", str(folder / "request"), "-CA", str(folder / "ca"), "-CAkey", str(folder / "ca.key"),
            "-set_serial", "2", "-extfile", str(folder / "extensions"),
        )
    )  # fmt: skip


NO_IDENTIFIERS = "subjectKeyIdentifier=none\nauthorityKeyIdentifier=none\n"
IDENTIFIERS = "subjectKeyIdentifier=hash\nauthorityKeyIdentifier=keyid\n"


@pytest.mark.parametrize(
    ("signer", "extensions", "expected"),
    [
        ("sha3", NO_IDENTIFIERS, False),
        ("brainpoolP320r1", IDENTIFIERS, False),
        # Nothing in it tells that the key which signed it is another.
        ("brainpoolP320r1", NO_IDENTIFIERS, True),
    ],
)
def test_a_ca_that_signed_a_new_key_of_its_name_is_told_by_signature_or_identifiers(
    tmp_path: Path, signer: str, extensions: str, expected: bool
) -> None:
    found = reissued(tmp_path, signer, extensions)
    assert found.self_issued and found.self_signed == expected
    (tmp_path / "pem").write_text(found.pem)
    own = ["-CAfile", str(tmp_path / "pem"), str(tmp_path / "pem")]
    checked = ["-check_ss_sig"] if signer == "sha3" else []
    said = subprocess.run(["openssl", "verify", *checked, *own], capture_output=True, check=False)
    assert (said.returncode == 0) == expected
    assert signer == "sha3" or found.signature.check(found.key, found.signed) is None
    assert not found.signed_by(found)


def test_a_wrong_signature_that_can_be_checked_is_no_self_signed_certificate() -> None:
    for kind in KINDS:
        der = made(kind).der
        assert made(kind).self_signed and not Certificate.from_der(der[:-1] + bytes([der[-1] ^ 1])).self_signed


VALUES = st.one_of(
    st.binary(max_size=12),
    st.integers(0, 9000).map(lambda bits: (1 << bits).to_bytes(bits // 8 + 1, "big")),
    st.sampled_from([b"", b"\x00", b"\xff" * 9, b"\x80", b"\x7f" + b"\xff" * 8]),
)
CHANGES = st.one_of(
    VALUES.map(lambda value: lambda element: tlv(element.tag, value)),
    st.integers(0, 255).map(lambda tag: lambda element: tlv(tag, element.content)),
    st.sampled_from(
        [lambda _element: b"", lambda element: element.whole * 2, lambda element: tlv(0x30, element.whole)]
    ),
)


@pytest.mark.parametrize("kind", KINDS)
@settings(max_examples=150, deadline=None)
@given(where=st.floats(0, 1, exclude_max=True), change=CHANGES)
def test_a_change_of_one_element_ends_in_a_view_or_in_the_readers_refusal(
    kind: str, where: float, change: Callable[[Element], bytes]
) -> None:
    whole = first(made(kind).der)
    der = changed(whole, int(where * len(list(walk(whole)))), change)
    try:
        found = Certificate.from_der(der)
    except Unreadable:
        return
    assert found.view()["pem"].startswith("-----BEGIN CERTIFICATE-----")
