# Copyright: siptls.cucm contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The request that CUCM would make, as far as the installed certificate shows it, for check mode.

Private to siptls.cucm: no other collection may rely on it.
"""

from __future__ import annotations

import contextlib
import ipaddress
import re
from typing import Any

from ansible_collections.siptls.cucm.plugins.module_utils._node.store import CsrOptions
from ansible_collections.siptls.cucm.plugins.module_utils._x509.certificate import Certificate
from ansible_collections.siptls.cucm.plugins.module_utils._x509.keys import EC
from ansible_collections.siptls.cucm.plugins.module_utils._x509.names import (
    COMMON_NAME,
    ORGANIZATIONAL_UNIT,
    AltName,
    san_key,
)
from ansible_collections.siptls.cucm.plugins.module_utils._x509.purposes import purpose_of


def stand_in_csr(options: CsrOptions, installed: Certificate | None) -> str:
    """A PEM request of a key that is thrown away, with the subject and names of the installed certificate."""
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes
    from cryptography.hazmat.primitives.serialization import Encoding
    from cryptography.x509.oid import ExtendedKeyUsageOID

    name, more = _names(options, installed)
    builder = x509.CertificateSigningRequestBuilder().subject_name(_subject(options, installed, name))
    names = _alternatives(options, installed, more)
    if names:
        builder = builder.add_extension(x509.SubjectAlternativeName(names), False)
    builder = builder.add_extension(
        x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH, ExtendedKeyUsageOID.CLIENT_AUTH]), False
    ).add_extension(
        x509.KeyUsage(
            digital_signature=True, content_commitment=False, key_encipherment=True, data_encipherment=True,
            key_agreement=True, key_cert_sign=False, crl_sign=False, encipher_only=False, decipher_only=False,
        ),
        False,
    )  # fmt: skip
    return builder.sign(_key(options), hashes.SHA256()).public_bytes(Encoding.PEM).decode()


def _key(options: CsrOptions) -> Any:
    from cryptography.hazmat.primitives.asymmetric import ec, rsa

    if (options.key_type or "rsa") == "ec" or purpose_of(options.purpose).key == EC:
        curves = {521: ec.SECP521R1(), 256: ec.SECP256R1()}
        return ec.generate_private_key(curves.get(options.key_length or 0, ec.SECP384R1()))
    return rsa.generate_private_key(65537, options.key_length or 2048)


def _subject(options: CsrOptions, installed: Certificate | None, common_name: str) -> Any:
    """The subject of the installed certificate with the common name that the request will have."""
    from cryptography import x509

    left_out = {COMMON_NAME, *([ORGANIZATIONAL_UNIT] if options.include_ou is False else [])}
    attributes = []
    for attribute in (
        attribute
        for rdn in (installed.subject.rdns if installed else ())
        for attribute in rdn
        if attribute.oid not in left_out
    ):
        # What cryptography does not write is left out of the prediction.
        with contextlib.suppress(ValueError):
            attributes.append(x509.NameAttribute(x509.ObjectIdentifier(attribute.oid), attribute.value))
    common = x509.ObjectIdentifier(COMMON_NAME)
    return x509.Name([*attributes, x509.NameAttribute(common, common_name)])


def _alternatives(options: CsrOptions, installed: Certificate | None, more: list[str]) -> list[Any]:
    """The alternative names of the installed certificate and those that are asked for."""
    from cryptography import x509

    asked = [*more, *(options.sans or ()), *([options.parent_domain] if options.parent_domain else ())]
    keys = sorted({*(installed.san_keys if installed else ()), *map(san_key, asked)})
    names = [AltName.parse(key) for key in keys]
    return [
        x509.IPAddress(ipaddress.ip_address(name.value)) if name.kind == "IP" else x509.DNSName(name.value)
        for name in names
        if name.kind in ("DNS", "IP")
    ]


def _names(options: CsrOptions, installed: Certificate | None) -> tuple[str, list[str]]:
    """The common name and, of a multi-server request, the names of all nodes, as CUCM would put them in."""
    own = installed.common_name if installed else ""
    if options.distribution != "multi_server":
        return options.common_name or own or options.purpose, []
    known = [own, *(name.partition(":")[2] for name in sorted(installed.san_keys if installed else ()))]
    domain = next((name.partition(".")[2] for name in known if "." in name), "")
    host = re.sub(r"-ms$", "", own.split(".")[0], flags=re.IGNORECASE) or options.purpose
    ending = f".{domain}" if domain else ""
    names = [name.lower() if "." in name else f"{name.lower()}{ending}" for name in options.covers or ()]
    return options.common_name or f"{host}-ms{ending}", names
