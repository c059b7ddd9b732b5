# Copyright: siptls.cucm contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Certificates with keys and signatures that CUCM never makes: they are shown, whatever is in them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from ansible_collections.siptls.cucm.plugins.module_utils._x509.certificate import Certificate, Unreadable
from ansible_collections.siptls.cucm.plugins.module_utils._x509.der import DerError, Element, first
from ansible_collections.siptls.cucm.plugins.module_utils._x509.reading import read_certificate
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.support.requests_made import openssl

RSA_KEY, EC_KEY = ("-newkey", "rsa:2048"), ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256")
PSS = ("-sigopt", "rsa_padding_mode:pss", "-sigopt")
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


def tlv(tag: int, content: bytes) -> bytes:
    """DER of one element."""
    size = len(content)
    count = (size.bit_length() + 7) // 8
    return bytes([tag, size] if size < 128 else [tag, 0x80 | count, *size.to_bytes(count, "big")]) + content


def inside(element: Element) -> list[Element]:
    """The elements in a constructed one, and those that an OCTET STRING wraps."""
    try:
        if element.tag & 0x20:
            return element.children()
        return element.children() if element.tag == 0x04 and len(element.content) > 2 else []
    except DerError:
        return []


def walk(element: Element) -> Iterator[Element]:
    yield element
    for child in inside(element):
        yield from walk(child)


def changed(element: Element, at: int, change: Callable[[Element], bytes]) -> bytes:
    """The DER of an element in which the one with the number at, counted from the outermost, is another."""
    return b"".join(_changed(element, iter(range(at, -1, -1)), change))


def _changed(element: Element, left: Iterator[int], change: Callable[[Element], bytes]) -> Iterator[bytes]:
    turn = next(left, -1)
    if turn == 0:
        yield change(element)
    elif turn < 0 or not inside(element):
        yield element.whole
    else:
        yield tlv(element.tag, b"".join(part for child in inside(element) for part in _changed(child, left, change)))


def test_a_salt_that_no_machine_word_holds_is_shown() -> None:
    salt, huge = tlv(0xA2, tlv(0x02, b"\x20")), tlv(0xA2, tlv(0x02, (1 << 64).to_bytes(9, "big")))
    whole = first(made("pss").der)
    *_signed, at = (number for number, element in enumerate(walk(whole)) if element.whole == salt)
    view = Certificate.from_der(changed(whole, at, lambda _element: huge)).view()
    assert view["signature_algorithm"] == "rsassaPss" and not view["self_signed"] and view["common_name"] == "odd"


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
