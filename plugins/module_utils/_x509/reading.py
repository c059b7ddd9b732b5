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
from ansible_collections.siptls.cucm.plugins.module_utils._x509.kinds import CERTIFICATE, PKCS7, REQUEST, WORDS, kind_of

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
        for certificate in _certificates(block, f"{which} in {what}"):
            found.setdefault(certificate.der, certificate)
    if not found:
        raise Failure(f"There is no certificate that can be read in {what}: {_description(data)}. {_GIVE}")
    return list(found.values())


def _certificates(block: _Block, which: str) -> list[Certificate]:
    """Those of a block; which names it in the sentence of a Failure."""
    try:
        der = block.der()
        other = WORDS.get(kind_of(der))
        if other:
            raise Failure(f"{which} cannot be read: under the label of a certificate there is {other}. {_GIVE}")
        return [Certificate.from_der(part) for part in _certificate_ders(der)]
    except Unreadable as error:
        raise Failure(f"{which} cannot be read: {error.why.rstrip('.')}. {_EXPORT}") from None
    except (ValueError, IndexError) as error:
        raise Failure(f"{which} is damaged: {error}. {_EXPORT}") from None


def read_certificate(data: str | bytes, what: str = "the data given") -> Certificate:
    """The first certificate of PEM, DER or PKCS#7; raises Failure when there is none."""
    return read_certificates(data, what)[0]


def read_request(data: str | bytes, what: str = "the data given") -> Request:
    """A PKCS#10 request from PEM (any of CUCM's labels, text around it) or DER; raises Failure when it is none."""
    blocks = [candidate for candidate in _blocks(data) if _kind(candidate) == REQUEST]
    # The end of another one, e.g. of the screen before, may stand above the one that is meant.
    block = next((candidate for candidate in blocks if candidate.body is not None), blocks[0] if blocks else None)
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
    """A PEM block, or DER (bytes) that came without PEM. body is None where the line named in lost is missing."""

    label: str
    body: str | bytes | None
    lost: str = "END"

    def der(self) -> bytes:
        """Its bytes; ValueError with the reason where they can't be made out."""
        if isinstance(self.body, bytes):
            return self.body
        if self.body is None:
            raise ValueError(f"its {self.lost} line is missing{' or misspelt' if self.lost == 'BEGIN' else ''}")
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
    for before, mark, after in zip([None, *marks], marks, [*marks[1:], None], strict=False):
        if mark[1] == "BEGIN":
            ended = after is not None and after.groups() == ("END", mark[2])
            yield _Block(mark[2], text[mark.end() : after.start()] if ended and after is not None else None)
        elif _lacks_begin(text, before, mark):
            yield _Block(mark[2], None, "BEGIN")
    if not marks and text.lstrip().startswith("MI") and _BASE64.fullmatch(text):
        yield from _bare(text)


def _lacks_begin(text: str, before: re.Match[str] | None, end: re.Match[str]) -> bool:
    """Whether an END line ends a block that lost its BEGIN line; before is the line of PEM above it.

    A certificate's block with the END line of another is named as one that lost its own, and that once. An END line
    with nothing above it ends nothing, unless it is all that there is.
    """
    if before is not None and before[1] == "BEGIN":
        return before[2] != end[2] and before[2] not in _CERTIFICATES
    return bool(text[before.end() if before else 0 : end.start()].strip()) or text.strip() == end[0]


def _is_der(data: bytes) -> bool:
    """Whether it is DER and no text that begins with the digit 0, as `openssl s_client -showcerts` prints it.

    The second byte of a certificate's DER says that a length of more than 127 follows, and is no letter of a text.
    """
    if data[:1] != b"\x30" or _PLAIN.fullmatch(data):
        return False
    return "-----BEGIN" not in _text(data) or (data[1:2] >= b"\x80" and bool(sequences(data)[0]))


def _der_blocks(data: bytes) -> Iterator[_Block]:
    """DER files may follow each other, and PEM may follow them.

    A last one that was cut is a block too, so that it is named. OpenSSL ignores any other rest, and so does this.
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
    # The mark is not part of the text, and would hide how the text begins.
    if isinstance(data, bytes):
        data = data.decode("utf-16" if data[:2] in (b"\xff\xfe", b"\xfe\xff") else "utf-8", "replace")
    return data.replace("\0", "").lstrip("\ufeff")


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
    if re.match(r"\s*<(?:!doctype|!--|html|\?xml)", text, re.IGNORECASE):
        return "it is a web page"
    return f"it is {len(data)} {'bytes' if isinstance(data, bytes) else 'characters'} of something else"


def _clause(block: _Block) -> str:
    """What a block is, e.g. "it is a private key"; of PEM with its own label, e.g. "it holds a X509 CRL block"."""
    kind = _kind(block)
    if kind in WORDS:
        return f"it is {WORDS[kind]}"
    if kind in (CERTIFICATE, PKCS7):
        return "it is a certificate" if kind == CERTIFICATE else "it is a PKCS#7 file, which holds certificates"
    return f"it holds a {block.label} block"


def _kind(block: _Block) -> str:
    """The label that its content would have in PEM, where its own says little: those of certificates and of DER."""
    if block.label in _REQUESTS:
        return REQUEST
    if block.label not in _CERTIFICATES and not isinstance(block.body, bytes):
        return ""
    try:
        return kind_of(block.der())
    except ValueError:
        return ""
