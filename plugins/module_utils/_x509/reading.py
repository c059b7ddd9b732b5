# Copyright: siptls.cucm contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Certificates and requests out of whatever form they come in; private to siptls.cucm."""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Iterator
from dataclasses import dataclass

from ansible_collections.siptls.cucm.plugins.module_utils._module import Failure
from ansible_collections.siptls.cucm.plugins.module_utils._x509.certificate import Certificate, Request, Unreadable
from ansible_collections.siptls.cucm.plugins.module_utils._x509.der import (
    OID,
    SEQUENCE,
    DerError,
    Element,
    first,
    sequences,
    split,
)
from ansible_collections.siptls.cucm.plugins.module_utils._x509.kinds import CERTIFICATE, REQUEST, WORDS, kind_of

_MARK = re.compile(r"-----(BEGIN|END) ([A-Z0-9 #]{1,40})-----")
# Microsoft's pages put CERTIFICATE around a PKCS#7 file too, so that the label says little about the content.
_CERTIFICATES = ("CERTIFICATE", "X509 CERTIFICATE", "TRUSTED CERTIFICATE", "PKCS7", "CMS", "PKCS #7 SIGNED DATA")
# CUCM has been seen to write each of these (certificates.md, 2.6).
_REQUESTS = ("CERTIFICATE REQUEST", "NEW CERTIFICATE REQUEST", "CERTIFICATE SIGN REQUEST")
_BASE64 = re.compile(r"[A-Za-z0-9+/=\s]+")
_PIECE = re.compile(r"[^=]+=*")
_PLAIN = re.compile(rb"[\t\n\f\r -~]*")
_SIGNED_DATA = bytes.fromhex("2a864886f70d010702")
_GIVE = "Give the certificate alone: PEM (-----BEGIN CERTIFICATE-----), DER or PKCS#7."
_EXPORT = "Export it from the CA again."


def fingerprint_of(text: str | None, option: str) -> str | None:
    """SHA-256 with colons, of a PEM or of a fingerprint in any writing; Failure when it is neither."""
    if not text:
        return None
    if "-----BEGIN" in text:
        return read_certificate(text, option).sha256
    digits = re.sub(r"^sha-?256[:=]|[:\s]", "", text.strip().lower())
    if not re.fullmatch(r"[0-9a-f]{64}", digits):
        raise Failure(f"{option} is neither a PEM certificate nor a SHA-256 fingerprint. Give one of the two.")
    return ":".join(digits[at : at + 2] for at in range(0, 64, 2)).upper()


def read_certificates(data: str | bytes, what: str = "the data given") -> list[Certificate]:
    """Every certificate in a PEM bundle, a DER file or a PKCS#7 file (PEM or DER), in its order, each once.

    Text around and between the blocks is skipped. Failure when there is none, or with the number of the first damaged
    one; what names the source in its sentence.
    """
    found: dict[bytes, Certificate] = {}
    blocks = [candidate for candidate in _blocks(data) if candidate.label in _CERTIFICATES]
    for number, block in enumerate(blocks, start=1):
        which = "The certificate" if len(blocks) == 1 else f"Certificate number {number} of {len(blocks)}"
        try:
            for der in _certificate_ders(block.der()):
                found.setdefault(der, Certificate.from_der(der))
        except Unreadable as error:
            raise Failure(f"{which} in {what} cannot be read: {error.why.rstrip('.')}. {_EXPORT}") from None
        except (ValueError, IndexError) as error:
            raise Failure(f"{which} in {what} is damaged: {error}. {_EXPORT}") from None
    if not found:
        raise Failure(f"There is no certificate that can be read in {what}: {_description(data)}. {_GIVE}")
    return list(found.values())


def read_certificate(data: str | bytes, what: str = "the data given") -> Certificate:
    """The first certificate of PEM, DER or PKCS#7; raises Failure when there is none."""
    return read_certificates(data, what)[0]


def read_request(data: str | bytes, what: str = "the data given") -> Request:
    """A PKCS#10 request from PEM (any of CUCM's labels, text around it) or DER; raises Failure when it is none."""
    block = next((candidate for candidate in _blocks(data) if candidate.label in _REQUESTS), None)
    if block is None:
        raise Failure(
            f"There is no certificate request in {what}: {_description(data)}. Give PEM "
            "(-----BEGIN CERTIFICATE REQUEST-----)."
        )
    try:
        return Request.from_der(block.der())
    except ValueError as error:
        raise Failure(f"The certificate request in {what} is damaged: {error}. Read it from the node again.") from None
    except Unreadable as error:
        raise Failure(f"The certificate request in {what} is damaged: {error.why}.") from None


@dataclass(frozen=True)
class _Block:
    """A PEM block, or DER (bytes) that came without PEM. body is None where the END line is missing."""

    label: str
    body: str | bytes | None

    def der(self) -> bytes:
        """Its bytes; ValueError with the reason where they can't be made out."""
        if isinstance(self.body, bytes):
            return self.body
        if self.body is None:
            raise ValueError("its END line is missing")
        odd = sorted({sign for sign in self.body if not _BASE64.fullmatch(sign)})
        try:
            if not odd:
                return base64.b64decode(re.sub(r"\s", "", self.body), validate=True)
        except binascii.Error:
            pass
        raise ValueError("its content is not Base-64" + (f" (it holds {odd[0]!a})" if odd else ""))


def _blocks(data: str | bytes) -> Iterator[_Block]:
    """The PEM blocks of a text; DER and bare Base-64 count as blocks with the label that PEM would give them."""
    if isinstance(data, bytes) and _is_der(data):
        yield from _der_blocks(data)
        return
    text = _text(data)
    marks = list(_MARK.finditer(text))
    for mark, after in zip(marks, [*marks[1:], None], strict=False):
        if mark[1] == "BEGIN":
            ended = after is not None and after.groups() == ("END", mark[2])
            yield _Block(mark[2], text[mark.end() : after.start()] if ended and after is not None else None)
    if not marks and text.lstrip().startswith("MI") and _BASE64.fullmatch(text):
        yield from _bare(text)


def _is_der(data: bytes) -> bool:
    """Whether it is DER and no text that begins with the digit 0, as `openssl s_client -showcerts` prints it.

    The second byte of a certificate's DER says that a length of more than 127 follows, and is no letter of a text.
    """
    if data[:1] != b"\x30" or _PLAIN.fullmatch(data):
        return False
    return "-----BEGIN" not in _text(data) or (data[1:2] >= b"\x80" and bool(sequences(data)[0]))


def _der_blocks(data: bytes) -> Iterator[_Block]:
    """DER files may follow each other, and PEM may follow them.

    A last one that was cut is a block too, so that it is named. OpenSSL ignores any other rest, and so is it here.
    """
    found, rest = sequences(data)
    yield from (_Block(kind_of(element.whole) or CERTIFICATE, element.whole) for element in found)
    if rest[:1] == b"\x30":
        yield _Block(CERTIFICATE, rest)
    elif "-----BEGIN" in _text(rest):
        yield from _blocks(rest)


def _bare(text: str) -> Iterator[_Block]:
    """Base-64 without the lines of PEM, of one file or of several, each of which its padding ends."""
    try:
        pieces = (base64.b64decode(piece, validate=True) for piece in _PIECE.findall(re.sub(r"\s", "", text)))
        yield from _der_blocks(b"".join(pieces))
    except binascii.Error:
        yield _Block(CERTIFICATE, text)


def _text(data: str | bytes) -> str:
    """The text of PEM. Windows' shells write UTF-16, which is seen by its mark or by its zero bytes."""
    if isinstance(data, bytes):
        data = data.decode("utf-16" if data[:2] in (b"\xff\xfe", b"\xfe\xff") else "utf-8", "replace")
    return data.replace("\0", "")


def _certificate_ders(der: bytes) -> list[bytes]:
    """A certificate, or those in a PKCS#7 file."""
    outer = first(der).expect(SEQUENCE, "a certificate")
    parts = outer.children()
    if parts and parts[0].tag == OID and parts[0].content == _SIGNED_DATA:
        return [element.whole for element in _signed_data(parts) if element.tag == SEQUENCE]
    # OpenSSL's TRUSTED CERTIFICATE carries more after the certificate.
    return [outer.whole]


def _signed_data(parts: list[Element]) -> list[Element]:
    content = parts[1].children()[0].children() if len(parts) > 1 else []
    certificates = split(content, 0xA0)[0]
    if certificates is None:
        raise DerError("the PKCS#7 file holds no certificate")
    return certificates.children()


def _description(data: str | bytes) -> str:
    """What was given instead, in words; never its text, which may be a key."""
    text = _text(data)
    if not text.strip():
        return "it is empty"
    blocks = list(_blocks(data))
    if blocks:
        # A request that a key comes with is what was meant.
        return _clause(next((block for block in blocks if block.label in _REQUESTS), blocks[0]))
    mark = _MARK.search(text)
    if mark:
        return f"it holds a {mark[2]} block"
    if re.match(r"\s*<(?:!doctype|html|\?xml)", text, re.IGNORECASE):
        return "it is a web page"
    return f"it is {len(data)} {'bytes' if isinstance(data, bytes) else 'characters'} of something else"


def _clause(block: _Block) -> str:
    if block.label in _REQUESTS:
        return f"it is {WORDS[REQUEST]}"
    if isinstance(block.body, bytes) and block.label in WORDS:
        return f"it is {WORDS[block.label]}"
    return f"it holds a {block.label} block"
