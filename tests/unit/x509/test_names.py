# Copyright: siptls.cucm contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Distinguished names as openssl writes and compares them."""

from __future__ import annotations

import subprocess
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from ansible_collections.siptls.cucm.plugins.module_utils._x509.certificate import Certificate
from ansible_collections.siptls.cucm.plugins.module_utils._x509.der import first
from ansible_collections.siptls.cucm.plugins.module_utils._x509.names import ATTRIBUTES, Name
from ansible_collections.siptls.cucm.plugins.module_utils._x509.reading import read_certificate
from cucm_lab.twin import certificates

from tests.support.der_changes import changed, tlv, walk
from tests.support.requests_made import openssl

COMMON_NAME = "2.5.4.3"
NUMERIC, PRINTABLE, T61, IA5, BMP, UTF8 = 0x12, 0x13, 0x14, 0x16, 0x1E, 0x0C
#: the attributes of RFC 4519 and RFC 4524 that people are described by, as numbers of X.520
NUMBERS = [f"2.5.4.{number}" for number in (*range(3, 29), *range(31, 36), *range(41, 48), 49, 50, 51, 54, 65, 97)]


@cache
def made() -> bytes:
    with TemporaryDirectory() as folder:
        key = str(Path(folder) / "key")
        return read_certificate(
            openssl("req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", key, "-subj", "/CN=a")
        ).der


def number_of(dotted: str) -> bytes:
    """The DER of an object identifier."""
    top, second, *rest = map(int, dotted.split("."))
    groups = []
    for number in (40 * top + second, *rest):
        low = [number >> shift & 0x7F for shift in range(28, -7, -7) if number >> shift or not shift]
        groups.append(bytes([*(part | 0x80 for part in low[:-1]), low[-1]]))
    return tlv(0x06, b"".join(groups))


def relative(tag: int, text: str, kind: str = COMMON_NAME) -> bytes:
    """A relative name of one attribute."""
    value = tlv(tag, text.encode("utf-16-be" if tag == BMP else "utf-8"))
    return tlv(0x31, tlv(0x30, number_of(kind) + value))


def certificate(*sets: bytes) -> Certificate:
    """One whose subject has these relative names; openssl shows it without a look at its signature."""
    whole = first(made())
    subject = whole.children()[0].children()[5].whole
    at = max(number for number, element in enumerate(walk(whole)) if element.whole == subject)
    return Certificate.from_der(changed(whole, at, lambda _element: tlv(0x30, b"".join(sets))))


def shown(found: Certificate, *options: str) -> str:
    command = ["openssl", "x509", "-inform", "DER", "-noout", *options]
    return subprocess.run(command, input=found.der, capture_output=True, check=True).stdout.decode().strip()


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ((UTF8, "a b"), (UTF8, "A  \t\r\n b"), True),
        ((UTF8, "a b"), (UTF8, " \x0b\x0ca b\n"), True),
        ((UTF8, "a b"), (PRINTABLE, "a b"), True),
        ((UTF8, "a b"), (BMP, "a b"), True),
        ((IA5, "a b"), (PRINTABLE, "a b"), True),
        ((T61, "a b"), (PRINTABLE, "A B"), True),
        ((UTF8, "é"), (UTF8, "É"), False),
        *(((UTF8, "a b"), (UTF8, f"a{blank}b"), False) for blank in "\u00a0\u3000\u0085\u2028\x1c\x1f"),
        ((UTF8, "a"), (UTF8, "a\u00a0"), False),
        ((NUMERIC, "12"), (PRINTABLE, "12"), False),
        ((NUMERIC, "12"), (NUMERIC, "12"), True),
        ((NUMERIC, "1 2"), (NUMERIC, "1  2"), False),
    ],
)
def test_names_are_the_same_where_openssl_takes_them_for_the_same(
    one: tuple[int, str], other: tuple[int, str], same: bool
) -> None:
    a, b = certificate(relative(*one)), certificate(relative(*other))
    # openssl makes the hash of the form in which it compares.
    assert (shown(a, "-subject_hash") == shown(b, "-subject_hash")) == same == (a.subject.key == b.subject.key)


def test_an_empty_set_is_left_out() -> None:
    full, empty = relative(UTF8, "gov.us"), tlv(0x31, b"")
    for sets in ((full, empty), (empty, full), (empty, full, empty)):
        found = certificate(*sets)
        assert found.subject.text == "CN=gov.us" == shown(found, "-subject").partition("=")[2].replace(" = ", "=")
        assert found.subject.key == certificate(full).subject.key
    assert Name.read(first(tlv(0x30, empty)), "the subject").text == ""


def test_every_attribute_is_named_as_openssl_names_it() -> None:
    found = certificate(*(relative(PRINTABLE, "1", number) for number in dict.fromkeys([*ATTRIBUTES, *NUMBERS])))
    said = shown(found, "-subject", "-nameopt", "RFC2253,sname,-dn_rev").removeprefix("subject=")
    assert found.subject.text.split(", ") == said.split(",")


def test_the_lab_copies_every_attribute_that_a_record_names() -> None:
    for number, name in ATTRIBUTES.items():
        assert [part.oid.dotted_string for part in certificates._name([f"{name}=IN"])] == [number]
